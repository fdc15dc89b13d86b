"""Access to AWS by boto3's ordinary chain of credentials, and its faults as one line each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cli.errors import UserError
from deploy.endpoint import KEY_VARIABLE

_NOT_ACCEPTED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_NOT_PERMITTED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden")


@dataclass(frozen=True)
class Aws:
    """An account and a region, and who we are there."""

    session: Any
    account: str
    identity: str
    region: str
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """boto3's client, the same one every time; it retries what passes by itself."""
        from botocore.config import Config

        if service not in self._clients:
            config = Config(retries={"mode": "standard", "total_max_attempts": 5})
            self._clients[service] = self.session.client(service, config=config)
        return self._clients[service]

    def api_key(self, key_id: str) -> str:
        """The key of the environment, or the value of API Gateway's key with that id; empty without an id."""
        if key := os.environ.get(KEY_VARIABLE):
            return key
        if not key_id:
            return ""
        with told(f"reading the API key (or set {KEY_VARIABLE})"):
            return str(self.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"])


def connect(region: str) -> Aws:
    """Raises UserError where there are no credentials, or none that AWS accepts."""
    try:
        import boto3
    except ImportError:
        raise UserError("boto3 is not installed; pip install 'lastbit[aws]'") from None
    with told("asking AWS who we are"):
        session = boto3.Session(region_name=region)
        caller = session.client("sts").get_caller_identity()
    return Aws(session, caller["Account"], caller["Arn"], region)


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Raises a fault of AWS's or of the way to it as UserError: what we were doing, what came, what to do."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except NoCredentialsError:
        raise UserError(
            f"{doing}: no AWS credentials; log in (aws sso login), set AWS_PROFILE, or run where a role is given"
        ) from None
    except ClientError as fault:
        code, message = code_of(fault), fault.response.get("Error", {}).get("Message", "")
        advice = ""
        if code in _NOT_ACCEPTED:
            advice = "; log in again"
        elif code in _NOT_PERMITTED:
            advice = "; docs/operations.md lists the permissions that are needed"
        raise UserError(f"{doing}: {code}: {message}{advice}") from None
    except BotoCoreError as fault:
        raise UserError(f"{doing}: {fault}") from None


def code_of(fault: Any) -> str:
    """The error code of a botocore ClientError."""
    return str(fault.response.get("Error", {}).get("Code", "unknown"))
