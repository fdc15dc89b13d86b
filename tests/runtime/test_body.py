"""Bodies in base64 and gzip: decompressed within the limit, refused by name otherwise."""

import gzip
import json
import tracemalloc
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.body import KNOWN, decode
from runtime.problem import BODY_TOO_LARGE, UNREADABLE_BODY, UNSUPPORTED_MEDIA_TYPE, Problem, ProblemType
from tests.runtime.model_builder import reference_request

if TYPE_CHECKING:
    from runtime.dispatch import Handler

LIMIT = 64 * 1024


def packed(data: bytes) -> str:
    return b64encode(gzip.compress(data)).decode()


def refused(
    body: str, encoding: str = "gzip", *, is_base64: bool = True, limit: int = LIMIT
) -> tuple[ProblemType, str]:
    with pytest.raises(Problem) as problem:
        decode(body, encoding, limit, is_base64=is_base64)
    return problem.value.type, problem.value.detail


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=3), st.sampled_from(["gzip", "x-gzip", " GZIP "]))
def test_gzip_is_decompressed_member_by_member(members: list[bytes], encoding: str) -> None:
    body = b64encode(b"".join(map(gzip.compress, members))).decode()
    assert decode(body, encoding, LIMIT, is_base64=True) == b"".join(members)


def test_the_limit_is_that_of_the_decompressed_body() -> None:
    assert len(decode(packed(b"x" * LIMIT), "gzip", LIMIT, is_base64=True)) == LIMIT
    expected = (BODY_TOO_LARGE, f"expected at most {LIMIT} bytes, decompressed")
    assert refused(packed(b"x" * (LIMIT + 1))) == expected
    two = b64encode(gzip.compress(b"x" * LIMIT) + gzip.compress(b"y")).decode()
    assert refused(two) == expected


def test_a_bomb_takes_no_memory() -> None:
    bomb = packed(bytes(200_000_000))
    tracemalloc.start()
    try:
        assert refused(bomb)[0] is BODY_TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 3 * len(bomb) + 4 * LIMIT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"{}", "expected gzip, as content-encoding says"),
        (zlib.compress(b"{}"), "expected gzip, as content-encoding says"),
        (gzip.compress(b"{}") + b"xyz", "expected gzip, as content-encoding says"),
        (gzip.compress(b"{}")[:-1], "expected gzip, as content-encoding says, got only its beginning"),
        (gzip.compress(b"{}")[:12], "expected gzip, as content-encoding says, got only its beginning"),
    ],
    ids=["plain", "deflate", "more behind", "without its last byte", "cut in the middle"],
)
def test_what_is_not_gzip(data: bytes, detail: str) -> None:
    assert refused(b64encode(data).decode()) == (UNREADABLE_BODY, detail)


def test_a_flipped_byte_is_noticed() -> None:
    data = bytearray(gzip.compress(b"x" * 1000))
    data[-5] ^= 1  # of the checksum
    assert refused(b64encode(bytes(data)).decode())[0] is UNREADABLE_BODY


def test_gzip_that_was_read_as_text_is_refused_and_text_is_taken_as_it_is() -> None:
    read_as_text = gzip.compress(b"{}").decode("utf-8", "replace")
    assert refused(read_as_text, is_base64=False) == (
        UNREADABLE_BODY,
        "expected gzip bytes, got text: declare the media type as binary",
    )
    assert decode('{"a": "é"}', "gzip", LIMIT, is_base64=False) == '{"a": "é"}'.encode()
    assert decode("{}", "identity", LIMIT, is_base64=False) == b"{}"


def event(encoding: str, body: str) -> dict[str, Any]:
    return {
        "rawPath": "/predict",
        "headers": {"Content-Encoding": encoding},
        "requestContext": {"http": {"method": "POST"}},
        "body": body,
        "isBase64Encoded": True,
    }


@pytest.mark.parametrize("encoding", [*KNOWN, "gzip, gzip", "secret-name", "br;q=1"])
def test_another_encoding_is_415_and_named(encoding: str, handler: "Handler") -> None:
    answer: Any = handler(event(encoding, packed(b"{}")), None)
    name = encoding if encoding in KNOWN else "another"
    content = json.loads(answer["body"])
    assert (answer["statusCode"], answer["headers"]["accept-encoding"]) == (415, "gzip")
    assert content["type"].endswith(UNSUPPORTED_MEDIA_TYPE.name)
    assert content["detail"] == f"expected the content-encoding gzip or none, got {name}"


def test_a_gzipped_applicant_is_answered_as_any(handler: "Handler") -> None:
    body = json.dumps(reference_request()).encode()
    answer: Any = handler(event("gzip", packed(body)), None)
    assert json.loads(answer["body"]) == handler(reference_request(), None)
    with_mark: Any = handler(event("gzip", packed(b"\xef\xbb\xbf" + body)), None)
    assert with_mark["body"] == answer["body"]
