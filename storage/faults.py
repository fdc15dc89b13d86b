"""Failures of AWS and of the network to it, each as one line for a person.

UserError
├── Missing   no such bucket, no such key
├── Denied    these credentials may not do that
├── Taken     another object is there already
└── NotS3     something else answers at that address
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli.errors import UserError
from storage.address import Address

PERMISSIONS = {"ListObjectsV2": "s3:ListBucket", "HeadObject": "s3:GetObject", "HeadBucket": "s3:ListBucket"}
UNTRUSTED = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
}
NOT_PERMITTED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}  # some services answer so with 400
ELSEWHERE = {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
REGION = "x-amz-bucket-region"


class Missing(UserError):  # noqa: N818  (named for what happened)
    """There is no such bucket, or no such key in it."""

    def __init__(self, address: Address, what: str, guess: Address | None = None) -> None:
        super().__init__(f"{address}: no such {what}; {f'did you mean {guess}?' if guess else 'correct the address'}")
        self.what = what


class Denied(UserError):  # noqa: N818
    """Denied access; without s3:ListBucket a missing key looks the same."""


class Taken(UserError):  # noqa: N818
    """Another object is at this address already."""


class NotS3(UserError):  # noqa: N818
    """The answer is not one of S3: it may be the page of a proxy, of a web server, or of a network's login."""

    def __init__(self, address: Address) -> None:
        super().__init__(f"{address}: expected S3, got another server; correct AWS_ENDPOINT_URL")


def code_of(refusal: Any) -> str:
    """The error code of a botocore ClientError."""
    return str(refusal.response.get("Error", {}).get("Code", ""))


def ask_for_a_region_once(client: Any) -> None:
    """Stop botocore from following a redirect without end.

    At a redirect botocore asks for the bucket's region, and follows a redirect of that request in the same way until
    Python's stack is full. An exception for that request is how botocore learns that the region is not known.
    """
    from botocore.exceptions import ClientError

    def refuse(response: tuple[Any, Any] | None, **_: object) -> None:
        if response and 300 <= response[0].status_code < 400 and REGION not in response[0].headers:
            raise ClientError(response[1], "HeadBucket")

    client.meta.events.register_first("needs-retry.s3.HeadBucket", refuse)


@contextmanager
def told(where: object, attempts: int = 0) -> Iterator[None]:
    """Raise UserError, in one line about `where`, for whatever boto3 raises.

    `where` is an Address, or says what was asked of another service; `attempts` are made of each request, 0 if the
    number is not known.
    """
    from botocore import exceptions as aws
    from urllib3.exceptions import HTTPError

    try:
        yield
    except aws.ClientError as refusal:
        raise _refused(where, refusal.response, refusal.operation_name) from refusal
    except (aws.NoCredentialsError, aws.PartialCredentialsError) as fault:
        remedy = "set AWS_PROFILE, or log in as for the AWS CLI"
        raise UserError(f"{where}: {_sentence(fault)}; {remedy}") from fault
    except (aws.ConnectionError, aws.HTTPClientError, aws.IncompleteReadError, HTTPError) as fault:
        remedy = "check the network and AWS_ENDPOINT_URL, and run again"
        raise UserError(f"{where}: {_sentence(fault)}{_tried(attempts)}; {remedy}") from fault
    except aws.BotoCoreError as fault:
        raise UserError(f"{where}: {_sentence(fault)}; correct the AWS configuration") from fault


def _refused(where: object, response: dict[str, Any], operation: str) -> UserError:
    """The meaning of an answer that is an error."""
    error, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(error.get("Code", "")), metadata.get("HTTPStatusCode", 0)
    said = ": ".join(filter(None, (code or str(status), error.get("Message", "").rstrip("."))))
    if code in UNTRUSTED:
        return UserError(f"{where}: the credentials are not accepted ({said}); renew them")
    if isinstance(where, Address) and (fault := _refused_by_s3(where, code, said, operation, response)):
        return fault
    if status in (401, 403) or code in NOT_PERMITTED:
        if not isinstance(where, Address):
            return Denied(f"{where}: access denied ({said}); docs/operations.md lists the permissions that are needed")
        permission = PERMISSIONS.get(operation, f"s3:{operation}")
        unseen = ", or there is no such key" if permission == "s3:GetObject" else ""
        return Denied(f"{where}: access denied{unseen} ({said}); allow {permission} there, or use other credentials")
    tries = metadata.get("RetryAttempts", 0) + 1
    who = "S3" if isinstance(where, Address) else "AWS"
    remedy = f"docs/{'storage' if who == 'S3' else 'operations'}.md lists the requests to {who}"
    if status >= 500 or status == 409 or tries > 1:
        remedy = "wait a little and run again"
    return UserError(f"{where}: {who} answers {said}{_tried(tries)}; {remedy}")


def _refused_by_s3(
    address: Address, code: str, said: str, operation: str, response: dict[str, Any]
) -> UserError | None:
    metadata = response.get("ResponseMetadata", {})
    status, headers = metadata.get("HTTPStatusCode", 0), metadata.get("HTTPHeaders", {})
    if code == "NoSuchBucket":
        return Missing(address, "bucket")
    if status == 404:
        return Missing(address, "key")
    if status == 412 and operation == "PutObject":
        return Taken(f"{address}: another object is there already; name another address")
    if status == 412:
        return UserError(f"{address}: was changed while it was read; run again")
    redirected = 300 <= status < 400
    region = response.get("Error", {}).get("Region") or headers.get(REGION)
    if code in ELSEWHERE or (redirected and region):
        region = region or f"its region (aws s3api get-bucket-location --bucket {address.bucket})"
        return UserError(f"{address}: the bucket is in another region ({said}); set AWS_REGION to {region}")
    if redirected:
        goal = f" to {headers['location']}" if "location" in headers else ""
        return UserError(f"{address}: is redirected{goal} ({said}); correct AWS_ENDPOINT_URL or AWS_REGION")
    if code == "InvalidObjectState":
        return UserError(f"{address}: is archived ({said}); restore it, and run again")
    return None


def _sentence(fault: Exception) -> str:
    return " ".join(str(fault).split()).rstrip(".")


def _tried(attempts: int) -> str:
    return f" (tried {'once' if attempts == 1 else f'{attempts} times'})" if attempts else ""
