"""A book in S3 is scored to S3: through a network that drops, throttles and cuts, and after a part was lost."""

import gzip
import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoring import brought, plan, run, steps
from scoring.messages import Message
from scoring.plan import Job, Piece
from storage.store import Store
from tests.scoring.conftest import in_this_process
from tests.storage.conftest import Bucket
from tests.storage.faulty import cut, dropped, lost, refused

pytestmark = pytest.mark.tier("land")


@pytest.fixture
def model(trained: tuple[Path, Path], bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose training rows are a book in the bucket, in three parts."""
    monkeypatch.setattr(steps, "Processes", in_this_process)
    table = pa.Table.from_pandas(pd.read_csv(trained[0] / "table.csv"), preserve_index=False)
    for number in range(3):
        written = io.BytesIO()
        pq.write_table(table.slice(number * 200, 200), written)
        bucket.put(f"book/{number}.parquet", written.getvalue())
    return trained[0] / "model"


def score(bucket: Bucket, model: Path, out: str) -> int:
    words = ["--data", f"{bucket}/book/*.parquet", "--out", f"{bucket}/{out}", "--model", str(model), "--explain"]
    return run.main([*words, "--quiet"])


def bucket_content(bucket: Bucket, out: str) -> dict[str, bytes]:
    found = bucket.content().items()
    return {key.removeprefix(f"{out}/"): value for key, value in found if key.startswith(f"{out}/")}


def test_faults_of_the_network_change_no_byte(bucket: Bucket, model: Path) -> None:
    assert score(bucket, model, "whole") == 0
    proxy = bucket.proxy
    proxy.will(dropped, "GET", "book/0.parquet", times=1)
    proxy.will(cut(500), "GET", "book/1.parquet", times=1)
    proxy.will(refused(503, "SlowDown"), "PUT", "part-00001.parquet", times=2)
    proxy.will(lost, "PUT", "part-00002.parquet", times=1)
    proxy.will(refused(500, "InternalError"), "PUT", "part-00002.json", times=1)
    assert score(bucket, model, "scored") == 0
    whole = bucket_content(bucket, "whole")
    assert bucket_content(bucket, "scored") == whole
    assert len([key for key in whole if key.startswith("part-")]) == 3
    assert sum(pq.read_table(io.BytesIO(whole[f"part-0000{n}.parquet"])).num_rows for n in range(3)) == 600


def test_a_run_that_s3_stopped_goes_on(
    bucket: Bucket, model: Path, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.proxy.will(refused(503, "SlowDown"), "PUT", "part-00001.parquet")
    assert score(bucket, model, "scored") == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "part-00001.parquet: S3 answers SlowDown" in line
    assert list(scratch.iterdir()) == []
    bucket.proxy.heal()
    bucket.put("scored/part-00000.parquet", b"other")
    assert score(bucket, model, "scored") == 0
    assert score(bucket, model, "whole") == 0
    assert bucket_content(bucket, "scored") == bucket_content(bucket, "whole")
    before = bucket.digests()
    assert score(bucket, model, "scored") == 0  # complete
    assert bucket.digests() == before


def test_credentials_that_expire_in_the_middle_are_named(
    bucket: Bucket, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.proxy.will(refused(400, "ExpiredToken", "The provided token has expired."), "GET", "book/2.parquet")
    assert score(bucket, model, "scored") == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "book/2.parquet: the credentials are not accepted (ExpiredToken" in line
    bucket.proxy.heal()
    assert score(bucket, model, "scored") == 0
    assert len([key for key in bucket_content(bucket, "scored") if key.startswith("part-")]) == 3


@pytest.fixture
def large(bucket: Bucket, model: Path) -> dict[str, Any]:
    """One object of six row groups, of which two are a part; incompressible columns that no model reads between."""
    frame = pd.read_csv(model.parent / "table.csv")
    frame = pd.concat([frame] * 10, ignore_index=True)
    frame.insert(3, "noise", [os.urandom(1_000) for _ in range(len(frame))])
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), written, row_group_size=1_000)
    bucket.put("one/book.parquet", written.getvalue())
    return {"--data": f"{bucket}/one/book.parquet", "--model": str(model), "--part-rows": "2000", "--workers": "1"}


def run_over(large: dict[str, Any], out: str) -> int:
    return run.main([*(word for pair in large.items() for word in pair), "--out", out, "--quiet"])


def test_parts_of_one_parquet_file_are_read_in_ranges(
    bucket: Bucket, large: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes of a run over the file here, through a network that drops; of unread columns nothing is moved."""
    (tmp_path / "book.parquet").write_bytes(content := bucket.get("one/book.parquet"))
    assert run_over(large | {"--data": str(tmp_path / "book.parquet")}, str(tmp_path / "here")) == 0
    proxy = bucket.proxy
    proxy.will(dropped, "GET", "one/book.parquet", times=1, after=2)
    proxy.will(cut(3_000), "GET", "one/book.parquet", times=2, after=2)
    proxy.will(refused(503, "SlowDown"), "GET", "one/book.parquet", times=1, after=2)
    moved: list[int] = []
    get = Store._get

    def watched(self: Store, *words: Any, **more: Any) -> Any:
        answer = get(self, *words, **more)
        moved.append(answer["ContentLength"])
        return answer

    monkeypatch.setattr(Store, "_get", watched)
    monkeypatch.setattr(brought, "NEAR", 10_000)
    assert run_over(large, f"{bucket}/scored") == 0
    assert sum(moved) < len(content) / 4
    whole = {path.name: path.read_bytes() for path in (tmp_path / "here").glob("part-*")}
    found = bucket_content(bucket, "scored")
    assert {name: found[name] for name in whole} == whole
    assert len(whole) == 3
    [source] = json.loads(found["summary.json"])["inputs"]
    assert source == {
        "name": large["--data"],
        "bytes": len(content),
        "sha256": None,
        "etag": bucket.digests()["one/book.parquet"],
    }
    before = bucket.digests()
    bucket.client.delete_object(Bucket=bucket.name, Key="scored/part-00001.parquet")
    assert run_over(large, f"{bucket}/scored") == 0  # resumed inside of the file
    assert bucket.digests() == before


@pytest.fixture
def large_csv(bucket: Bucket, model: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A CSV of 3,500 rows, one of them broken, which is cut every 1,000 and looked at in blocks that end anywhere."""
    monkeypatch.setattr(plan, "SMALL_CSV", 10_000)
    monkeypatch.setattr(plan, "BLOCK", 50_021)
    frame = pd.concat([pd.read_csv(model.parent / "table.csv")] * 6, ignore_index=True)[:3_500]
    lines = frame.to_csv(index=False).splitlines(keepends=True)
    lines[700] = "a,b\n"
    bucket.put("one/book.csv", "".join(lines).encode())
    return {"--data": f"{bucket}/one/book.csv", "--model": str(model), "--part-rows": "1000", "--workers": "1"}


def test_parts_of_one_csv_are_read_in_ranges(
    bucket: Bucket, large_csv: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The parts and rejected rows of a run over the file here, through a network that drops."""
    (tmp_path / "book.csv").write_bytes(content := bucket.get("one/book.csv"))
    assert run_over(large_csv | {"--data": str(tmp_path / "book.csv")}, str(tmp_path / "here")) == 0
    bucket.proxy.will(dropped, "GET", "one/book.csv", times=1, after=3)
    bucket.proxy.will(cut(3_000), "GET", "one/book.csv", times=2, after=4)
    assert run_over(large_csv, f"{bucket}/scored") == 0
    whole = {path.name: path.read_bytes() for path in (tmp_path / "here").glob("part-*")}
    found = bucket_content(bucket, "scored")
    assert {name: found[name] for name in whole} == whole
    assert len(whole) == 4
    rejected = pd.read_csv(io.BytesIO(found["rejects.csv"]))
    assert rejected["row"].tolist() == pd.read_csv(tmp_path / "here" / "rejects.csv")["row"].tolist() == [700]
    [source] = json.loads(found["summary.json"])["inputs"]
    assert (source["bytes"], source["etag"]) == (len(content), bucket.digests()["one/book.csv"])
    before = bucket.digests()
    bucket.client.delete_object(Bucket=bucket.name, Key="scored/part-00002.parquet")
    assert run_over(large_csv, f"{bucket}/scored") == 0
    assert bucket.digests() == before
    capsys.readouterr()
    assert run.main([*(word for pair in large_csv.items() for word in pair), "--out", "x", "--dry-run"]) == 0
    assert "3,500 rows" in capsys.readouterr().err


def test_a_large_csv_without_a_column_is_named_before_anything_is_scored(
    bucket: Bucket, large_csv: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.put("one/book.csv", b"first,second\n" + b"1,2\n" * 5_000)
    assert run_over(large_csv, f"{bucket}/scored") == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "one/book.csv: no column" in line
    assert not bucket_content(bucket, "scored")


def test_a_large_file_that_is_replaced_in_the_middle_is_named(
    bucket: Bucket, large: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(job: Job, pieces: Sequence[Piece], workers: int) -> Iterator[Message]:
        bucket.put("one/book.parquet", bucket.get("one/book.parquet") + b"PAR1")
        yield from in_this_process(job, pieces, workers)

    monkeypatch.setattr(steps, "Processes", replaced)
    assert run_over(large, f"{bucket}/scored") == 1
    assert "one/book.parquet: was changed while it was read; run again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"PAR1" * 30, "the Parquet file is "), (b"PAR1" + bytes(300), "the Parquet file is cut short: its footer is")],
)
def test_a_damaged_parquet_file_in_s3_is_named_before_anything_is_scored(
    bucket: Bucket, model: Path, content: bytes, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.put("book/2.parquet", content)
    assert score(bucket, model, "scored") == 1
    assert f"book/2.parquet: {expected}" in capsys.readouterr().err
    assert bucket_content(bucket, "scored") == {}


def test_a_packed_csv_in_s3_is_unpacked(bucket: Bucket, model: Path, tmp_path: Path) -> None:
    bucket.put("packed/book.csv.gz", gzip.compress((model.parent / "table.csv").read_bytes()))
    flags = {"--data": f"{bucket}/packed/", "--model": str(model)}
    assert run_over(flags, str(tmp_path / "scored")) == 0
    assert pq.read_table(tmp_path / "scored" / "part-00000.parquet").num_rows == 600


def test_a_key_that_is_not_there_is_named(bucket: Bucket, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--out", f"{bucket}/scored", "--model", str(model), "--quiet"]
    assert run.main(["--data", f"{bucket}/book/9.parquet", *words]) == 1
    assert f"{bucket}/book/9.parquet: no such key; correct the address" in capsys.readouterr().err
    assert run.main(["--data", f"{bucket}/nothing/", *words]) == 1
    assert bucket_content(bucket, "scored") == {}


def test_rows_are_left_out_by_a_column_that_is_brought_in_ranges(
    bucket: Bucket, large: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brought, "NEAR", 10_000)
    frame = pd.read_parquet(io.BytesIO(bucket.get("one/book.parquet")))
    desk = np.where(np.arange(len(frame)) % 3 == 0, "test", "north")
    pq_file = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame.assign(desk=desk)), pq_file, row_group_size=1_000)
    bucket.put("one/book.parquet", pq_file.getvalue())
    assert run_over(large | {"--exclude": "desk=test"}, f"{bucket}/scored") == 0
    summary = json.loads(bucket.get("scored/summary.json"))
    assert summary["rows"] == {"read": 6_000, "scored": 4_000, "rejected": 0, "left_out": 2_000}
