"""A book in S3 is scored to S3: through a network that drops, throttles and cuts, and after a part was lost."""

import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoring import run, steps
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


def content(bucket: Bucket, out: str) -> dict[str, bytes]:
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
    whole = content(bucket, "whole")
    assert content(bucket, "scored") == whole
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
    assert content(bucket, "scored") == content(bucket, "whole")
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
    assert len([key for key in content(bucket, "scored") if key.startswith("part-")]) == 3


def test_a_key_that_is_not_there_is_named(bucket: Bucket, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--out", f"{bucket}/scored", "--model", str(model), "--quiet"]
    assert run.main(["--data", f"{bucket}/book/9.parquet", *words]) == 1
    assert f"{bucket}/book/9.parquet: no such key; correct the address" in capsys.readouterr().err
    assert run.main(["--data", f"{bucket}/nothing/", *words]) == 1
    assert content(bucket, "scored") == {}
