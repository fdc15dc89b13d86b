"""Access to AWS by boto3's ordinary chain of credentials; storage.faults turns each fault into one line."""

import os
from dataclasses import dataclass, field
from typing import Any

from cli.errors import UserError
from deploy.endpoint import KEY_VARIABLE
from storage.faults import told


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
    """Raise UserError where there are no credentials, or none that AWS accepts."""
    try:
        import boto3
    except ImportError:
        raise UserError("boto3 is not installed; pip install 'lastbit[aws]'") from None
    with told("asking AWS who we are"):
        session = boto3.Session(region_name=region)
        caller = session.client("sts").get_caller_identity()
    return Aws(session, caller["Account"], caller["Arn"], region)
