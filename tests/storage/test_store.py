"""One object on a bad way: what is retried, what is checked, what is stored."""

import base64
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from storage import store
from storage.faults import Taken
from storage.store import CHUNK, Store
from tests.storage import faulty
from tests.storage.conftest import Bucket
from tests.storage.objects import CONTENT, at, fetched, told
from tests.tiers import examples

NOTHING = hashlib.sha256().hexdigest()


# ---------------------------------------------------------------- reading


def test_what_is_uploaded_is_downloaded(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "sent").write_bytes(CONTENT)
    told_of: list[tuple[int, int]] = []
    Store().upload(
        tmp_path / "sent", at(bucket), hashlib.sha256(CONTENT).hexdigest(), lambda *moved: told_of.append(moved)
    )
    assert bucket.content() == {"loans/table.csv": CONTENT}
    assert told_of[-1] == (len(CONTENT), len(CONTENT))
    assert fetched(bucket, tmp_path) == ("SHA256", CONTENT)
    Store().write(at(bucket, "ü b/ü.json"), b"{}")
    assert Store().read(at(bucket, "ü b/ü.json")) == b"{}"
    assert [(entry.key, entry.size) for entry in Store().listed(at(bucket, "ü b"))] == [("ü.json", 2)]
    assert bucket.client.head_object(Bucket=bucket.name, Key="ü b/ü.json")["ContentType"] == "application/json"


def test_an_empty_object_is_downloaded(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", b"")
    assert fetched(bucket, tmp_path)[1] == b""


def in_parts(bucket: Bucket, sizes: list[int], **more: Any) -> bytes:
    """Upload an object in parts of these sizes."""
    content = os.urandom(sum(sizes))
    where = {"Bucket": bucket.name, "Key": "loans/table.csv"}
    upload = bucket.client.create_multipart_upload(**where, **more)["UploadId"]
    parts, begin = [], 0
    for number, size in enumerate(sizes, 1):
        part = {"Body": content[begin : begin + size], "PartNumber": number, "UploadId": upload}
        answer = bucket.client.upload_part(**where, **part, **more)
        parts.append({"PartNumber": number} | {k: v for k, v in answer.items() if k == "ETag" or "Checksum" in k})
        begin += size
    bucket.client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    return content


LEAST_PART = 5 * 2**20


@pytest.mark.parametrize(
    ("more", "checked_by"),
    [
        ({"ChecksumAlgorithm": "SHA256"}, "SHA256"),
        ({"ChecksumAlgorithm": "SHA1"}, "SHA1"),
        ({"ChecksumAlgorithm": "CRC32"}, "CRC32"),
        ({"ChecksumCRC64NVME": "AAAAAAAAAAA=", "ChecksumAlgorithm": "CRC64NVME"}, "MD5"),
    ],
)
def test_what_bytes_are_checked_by(more: dict[str, str], checked_by: str, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", CONTENT, **more)
    assert fetched(bucket, tmp_path) == (checked_by, CONTENT)


def test_an_object_whose_etag_is_no_md5_is_checked_by_its_size(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", CONTENT, ServerSideEncryption="aws:kms", ChecksumAlgorithm="CRC64NVME",
               ChecksumCRC64NVME="AAAAAAAAAAA=")  # fmt: skip
    assert fetched(bucket, tmp_path) == ("size", CONTENT)


def test_an_upload_in_parts_is_checked_by_the_digest_of_digests(bucket: Bucket, tmp_path: Path) -> None:
    content = in_parts(bucket, [LEAST_PART, LEAST_PART, 100], ChecksumAlgorithm="SHA256")
    assert fetched(bucket, tmp_path) == ("SHA256 of its 3 parts", content)
    content = in_parts(bucket, [LEAST_PART, 100])
    checked_by, came = fetched(bucket, tmp_path)
    assert came == content
    assert checked_by in ("MD5 of its 2 parts", "CRC32 of its 2 parts")


def test_sizes_of_parts_are_asked_for_again(bucket: Bucket, tmp_path: Path) -> None:
    content = in_parts(bucket, [LEAST_PART, 100], ChecksumAlgorithm="SHA256")
    bucket.proxy.will(faulty.refused(503, "SlowDown"), "HEAD", times=2)
    assert fetched(bucket, tmp_path) == ("SHA256 of its 2 parts", content)
    bucket.proxy.will(faulty.dropped, "HEAD")
    assert "(tried 3 times)" in told(lambda: fetched(bucket, tmp_path))


def test_parts_of_different_sizes_are_checked_by_the_size(bucket: Bucket, tmp_path: Path) -> None:
    content = in_parts(bucket, [LEAST_PART + 1, LEAST_PART, 100], ChecksumAlgorithm="SHA256")
    assert fetched(bucket, tmp_path) == ("size", content)


@pytest.mark.parametrize("at_", [0, 1, CHUNK - 1, CHUNK, 2 * CHUNK + 5])
def test_a_stream_that_ends_early_is_taken_up_where_it_ended(at_: int, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", CONTENT, ChecksumAlgorithm="SHA256")
    bucket.proxy.will(faulty.cut(at_), "GET", times=1)
    assert fetched(bucket, tmp_path) == ("SHA256", CONTENT)
    assert len(bucket.proxy.seen) == 2


@given(st.lists(st.integers(0, len(CONTENT)), max_size=6))
@hypothesis_settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wherever_a_stream_breaks_the_bytes_are_the_same(bucket: Bucket, tmp_path: Path, cuts: list[int]) -> None:
    """After more than a chunk, then at once again, then after more than a chunk, ..."""
    bucket.proxy.heal()
    bucket.put("loans/table.csv", CONTENT)
    for cut in cuts:
        bucket.proxy.will(faulty.cut(CHUNK + cut), "GET", times=1)
        bucket.proxy.will(faulty.cut(cut % 7), "GET", times=1)
    assert fetched(bucket, tmp_path)[1] == CONTENT


def test_a_stream_may_break_often_as_long_as_it_goes_on(bucket: Bucket, tmp_path: Path) -> None:
    content = os.urandom(8 * CHUNK)
    bucket.put("loans/table.csv", content)
    bucket.proxy.will(faulty.cut(CHUNK + 1), "GET", times=7)
    assert fetched(bucket, tmp_path)[1] == content
    assert len(bucket.proxy.seen) == 8


def test_a_stream_that_never_goes_on(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", CONTENT)
    bucket.proxy.will(faulty.cut(10), "GET")
    message = told(lambda: fetched(bucket, tmp_path))
    assert message.startswith(f"{at(bucket)}: ")
    assert message.endswith("(tried 3 times); check the network and AWS_ENDPOINT_URL, and run again")
    assert len(bucket.proxy.seen) == 3


def test_a_server_that_ignores_ranges_gives_no_wrong_bytes(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", CONTENT)
    bucket.proxy.will(faulty.cut(CHUNK + 1), "GET", times=1)
    bucket.proxy.will(faulty.without_range, "GET", times=1)
    assert fetched(bucket, tmp_path)[1] == CONTENT


def test_an_object_that_changes_while_it_is_read(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", CONTENT)

    def change(handler: faulty.Handler, body: bytes) -> None:
        answer = handler.ask(body)
        bucket.put("loans/table.csv", CONTENT[::-1])
        handler.give(answer, CHUNK + 1)

    bucket.proxy.will(change, "GET", times=1)
    assert told(lambda: fetched(bucket, tmp_path)) == f"{at(bucket)}: was changed while it was read; run again"


@pytest.mark.parametrize("algorithm", ["SHA256", "CRC32", "MD5"])
def test_a_wrong_bit_is_seen(algorithm: str, bucket: Bucket, tmp_path: Path) -> None:
    more = {"ChecksumAlgorithm": algorithm}
    if algorithm == "MD5":
        more = {"ChecksumAlgorithm": "CRC64NVME", "ChecksumCRC64NVME": "AAAAAAAAAAA="}
    bucket.put("loans/table.csv", CONTENT, **more)
    bucket.proxy.will(faulty.flipped, "GET", times=1)
    assert fetched(bucket, tmp_path) == (algorithm, CONTENT)
    bucket.proxy.will(faulty.flipped, "GET")
    message = told(lambda: fetched(bucket, tmp_path))
    assert message == f"{at(bucket)}: arrived damaged twice, by its {algorithm}; run again"


@pytest.mark.parametrize(
    "fault",
    [
        faulty.refused(503, "SlowDown", "Please reduce your request rate."),
        faulty.refused(500, "InternalError"),
        faulty.dropped,
    ],
)
def test_faults_that_pass_are_retried(fault: faulty.Fault, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", CONTENT)
    bucket.proxy.will(fault, times=2)
    assert fetched(bucket, tmp_path)[1] == CONTENT
    bucket.proxy.heal()
    bucket.proxy.will(fault, times=2)
    Store().write(at(bucket, "new"), b"content")
    assert bucket.get("new") == b"content"


def test_faults_that_stay_are_named_with_the_attempts(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("loans/table.csv", CONTENT)
    bucket.proxy.will(faulty.refused(503, "SlowDown", "Please reduce your request rate."))
    said = "S3 answers SlowDown: Please reduce your request rate (tried 3 times); wait a little and run again"
    assert told(lambda: fetched(bucket, tmp_path)) == f"{at(bucket)}: {said}"
    assert len(bucket.proxy.seen) == 3
    bucket.proxy.heal()
    bucket.proxy.will(faulty.dropped)
    message = told(lambda: Store().write(at(bucket), b"content"))
    assert "Connection was closed" in message
    assert "(tried 3 times)" in message


def test_a_silent_server_is_asked_again_and_then_named(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("loans/table.csv", CONTENT)
    monkeypatch.setattr(store, "SILENCE_SECONDS", 0.7)  # which an ordinary answer does not reach on a machine at work
    bucket.proxy.will(faulty.late(2), times=1)
    assert fetched(bucket, tmp_path)[1] == CONTENT
    bucket.proxy.will(faulty.late(2))
    assert "Read timeout" in told(lambda: fetched(bucket, tmp_path))


# ---------------------------------------------------------------- writing


def test_bytes_that_change_on_their_way_up_are_not_stored(bucket: Bucket) -> None:
    bucket.proxy.will(faulty.flipped_there, "PUT")
    message = told(lambda: Store().write(at(bucket), b"content"))
    assert message.startswith(f"{at(bucket)}: S3 answers BadDigest: ")
    assert bucket.content() == {}


def test_an_object_that_must_not_be_replaced(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    Store().upload(tmp_path / "empty", at(bucket), NOTHING, replace=False)
    bucket.put("loans/table.csv", b"other")
    with pytest.raises(Taken):
        Store().upload(tmp_path / "empty", at(bucket), NOTHING, replace=False)
    assert bucket.get("loans/table.csv") == b"other"
    Store().upload(tmp_path / "empty", at(bucket), NOTHING)
    assert bucket.get("loans/table.csv") == b""


# ---------------------------------------------------------------- checksums


def _crc(width: int, polynomial: int) -> Callable[[bytes, int], int]:
    """A reflected cyclic redundancy check, bit by bit, in the form of awscrt.checksums."""
    ones = (1 << width) - 1

    def step(chunk: bytes, previous: int = 0) -> int:
        value = previous ^ ones
        for byte in chunk:
            value ^= byte
            for _ in range(8):
                value = value >> 1 ^ (polynomial if value & 1 else 0)
        return value ^ ones

    return step


@pytest.mark.parametrize(
    ("name", "check"),  # of "123456789", in the catalogue of parametrised CRC algorithms
    [("CRC32", 0xCBF43926), ("CRC32C", 0xE3069283), ("CRC64NVME", 0xAE8B14860A799888)],
)
def test_cyclic_redundancy_checks_have_their_published_values(
    name: str, check: int, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    awscrt = ModuleType("awscrt")
    awscrt.checksums = SimpleNamespace(  # type: ignore[attr-defined]
        crc32c=_crc(32, 0x82F63B78), crc64nvme=_crc(64, 0x9A6C9329AC4BC9B5)
    )
    monkeypatch.setitem(sys.modules, "awscrt", awscrt)
    value = base64.b64encode(check.to_bytes(8 if check >> 32 else 4, "big")).decode()
    bucket.put("loans/table.csv", b"123456789", ChecksumAlgorithm=name, **{f"Checksum{name}": value})
    assert fetched(bucket, tmp_path) == (name, b"123456789")
    bucket.proxy.will(faulty.flipped, "GET")
    assert f"by its {name}; run again" in told(lambda: fetched(bucket, tmp_path))


def test_without_awscrt_the_etag_is_checked_instead(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "awscrt", None)
    bucket.put("loans/table.csv", CONTENT, ChecksumAlgorithm="CRC32C", ChecksumCRC32C="AAAAAA==")
    assert fetched(bucket, tmp_path) == ("MD5", CONTENT)


# ---------------------------------------------------------------- progress


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=4), min_size=1, max_size=4), st.booleans())
def test_several_files_are_shown_as_one_that_grows(files: list[list[int]], known: bool) -> None:
    shown: list[tuple[int, int]] = []
    total = sum(map(sum, files))
    several = store.Several(lambda *moved: shown.append(moved), total if known else 0)
    for sizes in files:
        moved, done = several.next(), 0
        for size in sizes:
            done += size
            moved(done, sum(sizes))
    assert shown == sorted(shown)
    assert shown[-1] == (total, total)
    assert all(done <= of for done, of in shown)
