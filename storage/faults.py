"""What S3 and the way to it can answer instead of an object, each as one line for a person.

UserError
├── Missing   no such bucket, no such key
├── Denied    these credentials may not do that
└── Taken     another object is there already
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli.errors import UserError
from storage.address import Address

PERMISSIONS = {"ListObjectsV2": "s3:ListBucket", "HeadObject": "s3:GetObject"}
UNTRUSTED = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
ELSEWHERE = {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect", "301"}


class Missing(UserError):  # noqa: N818  (named for what happened)
    """There is no such bucket, or no such key in it."""

    def __init__(self, address: Address, what: str, guess: Address | None = None) -> None:
        super().__init__(f"{address}: no such {what}; {f'did you mean {guess}?' if guess else 'correct the address'}")
        self.what = what


class Denied(UserError):  # noqa: N818
    """These credentials may not do that; without s3:ListBucket a key that is not there looks alike."""


class Taken(UserError):  # noqa: N818
    """Another object is at this address already."""


@contextmanager
def told(address: Address, attempts: int) -> Iterator[None]:
    """Raises UserError, in one line about `address`, for whatever boto3 raises; `attempts` are made of each request."""
    from botocore import exceptions as aws
    from urllib3.exceptions import HTTPError

    try:
        yield
    except aws.ClientError as refusal:
        raise _refused(address, refusal.response, refusal.operation_name) from refusal
    except (aws.NoCredentialsError, aws.PartialCredentialsError) as fault:
        remedy = "set AWS_PROFILE, or log in as you do for AWS's own tools"
        raise UserError(f"{address}: {_sentence(fault)}; {remedy}") from fault
    except (aws.ConnectionError, aws.HTTPClientError, aws.IncompleteReadError, HTTPError) as fault:
        remedy = "is the network up, and AWS_ENDPOINT_URL right where it is set? then run again"
        raise UserError(f"{address}: {_sentence(fault)} (tried {_times(attempts)}); {remedy}") from fault
    except aws.BotoCoreError as fault:
        raise UserError(f"{address}: {_sentence(fault)}; correct the AWS configuration") from fault


def _refused(address: Address, response: dict[str, Any], operation: str) -> UserError:
    """What an answer of S3's that is an error means."""
    error, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(error.get("Code", "")), metadata.get("HTTPStatusCode", 0)
    said = f"{code}: {error.get('Message') or status}".rstrip(".")
    if code == "NoSuchBucket":
        return Missing(address, "bucket")
    if status == 404:
        return Missing(address, "key")
    if status == 412 and operation == "PutObject":
        return Taken(f"{address}: another object is there already; name another address")
    if status == 412:
        return UserError(f"{address}: was changed while it was read; run again")
    if code in ELSEWHERE:
        headers = metadata.get("HTTPHeaders", {})
        region = error.get("Region") or headers.get("x-amz-bucket-region") or "of the bucket"
        return UserError(f"{address}: the bucket is in another region ({said}); set AWS_REGION to {region}")
    if code in UNTRUSTED:
        return UserError(f"{address}: the credentials are not accepted ({said}); renew them")
    if code == "InvalidObjectState":
        return UserError(f"{address}: is archived ({said}); restore it first")
    if status in (401, 403):
        permission = PERMISSIONS.get(operation, f"s3:{operation}")
        unseen = ", or there is no such key" if permission == "s3:GetObject" else ""
        return Denied(f"{address}: access denied{unseen} ({said}); allow {permission} there, or use other credentials")
    tries = metadata.get("RetryAttempts", 0) + 1
    passes = status >= 500 or status == 409 or tries > 1
    remedy = "wait a little and run again" if passes else "docs/storage.md says what is asked of S3"
    return UserError(f"{address}: S3 answers {said} (tried {_times(tries)}); {remedy}")


def _sentence(fault: Exception) -> str:
    return " ".join(str(fault).split()).rstrip(".")


def _times(attempts: int) -> str:
    return "once" if attempts == 1 else f"{attempts} times"
