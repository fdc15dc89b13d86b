"""Wrong addresses, and refusals of S3: one line each, and no second try."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import WRONG_USAGE, UserError
from storage.address import BUCKET, Address, is_remote
from storage.digest import sha256_of
from storage.faults import Denied, Missing, NotS3
from storage.store import Store
from tests.storage import faulty
from tests.storage.conftest import Bucket
from tests.storage.objects import CONTENT, at, fetched, told

pytestmark = pytest.mark.tier("land")

# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s3://", 'expected s3://bucket/key, got the bucket ""; a bucket has 3 to 63 of a-z, 0-9, hyphen and dot'),
        ("s3:///key", 'expected s3://bucket/key, got the bucket ""; a bucket has 3 to 63 of a-z, 0-9, hyphen and dot'),
        ("s3://My_Bucket/k", 'got the bucket "My_Bucket"'),
        ("s3://bucket", "expected s3://bucket/key, got no key; name one"),
        ("s3://bucket/", "expected s3://bucket/key, got no key; name one"),
        ("s3://bucket/loans/", "expected the address of a file, got a folder; name the file"),
        (f"s3://bucket/{'k' * 1025}", "got a key of more than 1,024 bytes; shorten it"),
        ("https://bucket/key", "expected s3://bucket/key, got none"),
    ],
)
def test_an_invalid_address_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        Address.of_object(text)
    assert caught.value.exit_status == WRONG_USAGE
    assert str(caught.value).startswith(f"{text}: ")
    assert message in str(caught.value)


def test_addresses_are_read_as_bucket_and_key() -> None:
    assert str(Address.of_object("s3://bucket/a b/ü?#.csv")) == "s3://bucket/a b/ü?#.csv"
    assert Address.of_prefix("s3://bucket/models//") / "latest.json" == Address("bucket", "models/latest.json")
    assert is_remote("s3://bucket/key")
    assert not is_remote("s3/bucket/key")
    with pytest.raises(UserError, match="expected s3://bucket/prefix, got no prefix; name one"):
        Address.of_prefix("s3://bucket//")


@given(st.from_regex(BUCKET, fullmatch=True), st.text(st.characters(codec="utf-8"), min_size=1, max_size=200))
def test_an_address_is_read_as_it_is_written(name: str, key: str) -> None:
    if key.strip("/") and not key.endswith("/"):
        assert Address.of_object(str(Address(name, key))) == Address(name, key)


# ---------------------------------------------------------------- refusals


def test_what_is_not_there(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", CONTENT)
    bucket.put("other.csv", CONTENT)
    assert told(lambda: fetched(bucket, tmp_path, "loans/tabel.csv"), Missing) == (
        f"{at(bucket, 'loans/tabel.csv')}: no such key; did you mean {at(bucket)}?"
    )
    assert told(lambda: fetched(bucket, tmp_path, "othr.csv"), Missing).endswith(f"did you mean {bucket}/other.csv?")
    assert told(lambda: fetched(bucket, tmp_path, "zzz"), Missing).endswith("no such key; correct the address")
    other = Address("no-such-bucket-here", "loans/table.csv")
    message = told(lambda: Store().download(other, tmp_path / "file"), Missing)
    assert message == f"{other}: no such bucket; correct the address"
    bucket.proxy.will(faulty.refused(403, "AccessDenied"), "GET", bucket.name)  # to list it
    assert told(lambda: fetched(bucket, tmp_path, "othr.csv"), Missing).endswith("no such key; correct the address")


REFUSALS = [
    (
        faulty.refused(403, "AccessDenied", "Access Denied"),
        Denied,
        "access denied, or there is no such key (AccessDenied: Access Denied); "
        "allow s3:GetObject there, or use other credentials",
    ),
    (
        faulty.refused(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        UserError,
        "the credentials are not accepted (InvalidAccessKeyId: "
        "The AWS Access Key Id you provided does not exist in our records); renew them",
    ),
    (
        faulty.refused(400, "ExpiredToken", "The provided token has expired."),
        UserError,
        "the credentials are not accepted (ExpiredToken: The provided token has expired); renew them",
    ),
]


@pytest.mark.parametrize(("fault", "kind", "message"), REFUSALS)
def test_a_refusal_is_not_tried_again(
    fault: faulty.Fault, kind: type[UserError], message: str, bucket: Bucket, tmp_path: Path
) -> None:
    bucket.proxy.will(fault)
    assert told(lambda: fetched(bucket, tmp_path), kind) == f"{at(bucket)}: {message}"
    assert len(bucket.proxy.seen) == 1


def test_who_may_not_write(bucket: Bucket) -> None:
    bucket.proxy.will(faulty.refused(403, "AccessDenied", "Access Denied"), "PUT")
    assert told(lambda: Store().write(at(bucket), b""), Denied) == (
        f"{at(bucket)}: access denied (AccessDenied: Access Denied); allow s3:PutObject there, or use other credentials"
    )


def test_an_archived_object_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.will(faulty.refused(403, "InvalidObjectState", "Not valid for the object's storage class"))
    assert told(lambda: fetched(bucket, tmp_path)) == (
        f"{at(bucket)}: is archived (InvalidObjectState: Not valid for the object's storage class); restore "
        "it, and run again"
    )


def test_a_bucket_in_another_region_is_refused_with_its_region(bucket: Bucket, tmp_path: Path) -> None:
    more = "<Region>eu-central-1</Region>"
    bucket.proxy.will(faulty.refused(400, "AuthorizationHeaderMalformed", "expecting 'eu-central-1'", more))
    message = told(lambda: fetched(bucket, tmp_path))
    assert message.startswith(f"{at(bucket)}: the bucket is in another region (AuthorizationHeaderMalformed: ")
    assert message.endswith("set AWS_REGION to eu-central-1")


def test_a_bucket_in_a_region_that_s3_does_not_name(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.will(faulty.refused(301, "PermanentRedirect", "Must be addressed using the specified endpoint."))
    assert told(lambda: fetched(bucket, tmp_path)) == (
        f"{at(bucket)}: the bucket is in another region (PermanentRedirect: Must be addressed using the specified "
        f"endpoint); set AWS_REGION to its region (aws s3api get-bucket-location --bucket {bucket.name})"
    )
    assert len(bucket.proxy.seen) == 2  # the object, and once the region


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_that_is_not_of_a_bucket_names_its_goal(status: int, bucket: Bucket, tmp_path: Path) -> None:
    page = faulty.Answer(status, [("location", "https://elsewhere.test/")], b"<html>Moved</html>")
    bucket.proxy.will(lambda handler, _: handler.give(page))
    for action in (lambda: fetched(bucket, tmp_path), lambda: Store().write(at(bucket), b"")):
        problem = f"is redirected to https://elsewhere.test/ ({status}); correct AWS_ENDPOINT_URL or AWS_REGION"
        assert told(action) == f"{at(bucket)}: {problem}"
    assert len(bucket.proxy.seen) <= 4


def test_a_region_that_only_the_bucket_names_is_followed(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", CONTENT)
    bucket.proxy.will(faulty.refused(301, "PermanentRedirect"), "GET", times=1)
    named = faulty.Answer(301, [("x-amz-bucket-region", "eu-central-1")], b"")
    bucket.proxy.will(lambda handler, _: handler.give(named), "HEAD")
    assert fetched(bucket, tmp_path)[1] == CONTENT


def test_missing_credentials_are_refused_before_a_request(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert told(lambda: fetched(bucket, tmp_path)) == (
        f"{at(bucket)}: Unable to locate credentials; set AWS_PROFILE, or log in as for the AWS CLI"
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "half")
    assert "Partial credentials found" in told(lambda: fetched(bucket, tmp_path))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "The config profile (nobody) could not be found" in told(Store)
    assert bucket.proxy.seen == []


@pytest.mark.parametrize(("name", "value"), [("AWS_ENDPOINT_URL", "nowhere"), ("AWS_MAX_ATTEMPTS", "many")])
def test_a_wrong_configuration_is_named(name: str, value: str, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    message = told(Store)
    assert value in message
    assert message.endswith("; correct the AWS configuration")


PAGES = [b"", b"<html>Welcome</html>", b'<html xmlns="http://www.w3.org/1999/xhtml"><body><p>Log in</p></body></html>']


@pytest.mark.parametrize("page", PAGES)
def test_an_answer_without_etag_is_not_taken_for_s3(page: bytes, bucket: Bucket, tmp_path: Path) -> None:
    """Nobody confirmed the upload, nobody gave the object, nobody listed the keys."""
    answer = faulty.Answer(200, [("content-type", "text/html")], page)
    bucket.proxy.will(lambda handler, _: handler.give(answer))
    (tmp_path / "file").write_bytes(CONTENT)
    message = f"{at(bucket)}: expected S3, got another server; correct AWS_ENDPOINT_URL"
    digest = sha256_of(CONTENT)
    assert told(lambda: Store().write(at(bucket), CONTENT), NotS3) == message
    assert told(lambda: Store().upload(tmp_path / "file", at(bucket), digest), NotS3) == message
    assert told(lambda: Store().upload(tmp_path / "file", at(bucket), digest, replace=False), NotS3) == message
    assert told(lambda: fetched(bucket, tmp_path), NotS3) == message
    assert told(lambda: list(Store().listed(at(bucket))), NotS3) == message
    assert bucket.content() == {}


def test_a_page_that_is_no_xml_is_an_upload_that_failed(bucket: Bucket) -> None:
    answer = faulty.Answer(200, [("content-type", "text/html")], b"<html><p>Welcome<br></html>")
    bucket.proxy.will(lambda handler, _: handler.give(answer))
    message = told(lambda: Store().write(at(bucket), b"content"))
    assert message == (
        f"{at(bucket)}: S3 answers 500: Internal Server Error (tried 3 times); wait a little and run again"
    )
    assert bucket.content() == {}


def test_a_refused_connection_is_one_line(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert "Could not connect to the endpoint URL" in told(lambda: fetched(bucket, tmp_path))


def test_missing_boto3_is_refused_with_what_to_install(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    assert told(Store) == 's3:// addresses need boto3, which is not installed; pip install "lastbit[aws]"'
