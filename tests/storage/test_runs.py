"""Tables that are read from S3, runs that are written there: the last complete one stays readable, whatever happens."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from cli.errors import UserError
from cli.progress import Progress
from runtime.digest import digest_of
from storage.address import Address
from storage.faults import Missing
from table import read_table
from tests.storage import faulty
from tests.storage.conftest import Bucket
from training.artifacts import load_artifacts
from training.artifacts.runs import local_run, uploaded_run
from training.settings import Settings, load_settings

pytestmark = pytest.mark.tier("land")

SILENT = Progress(quiet=True)


def upload(trained: Path, prefix: str) -> None:
    with uploaded_run(prefix, SILENT) as folder:
        shutil.copytree(trained / "artifacts", folder)


def seed_at(prefix: str) -> int:
    """Read all of the run under a prefix, and return the seed that it was trained with."""
    with local_run(prefix, SILENT) as folder:
        return int(load_artifacts(folder).run["seed"])


def told(prefix: str) -> str:
    with pytest.raises(UserError) as caught:
        seed_at(prefix)
    return str(caught.value)


def run_of(folder: Path) -> str:
    return hashlib.sha256((folder / "artifacts/run.json").read_bytes()).hexdigest()[:12]


# ---------------------------------------------------------------- tables


def settings_for(folder: Path, file: str) -> Settings:
    settings = load_settings(folder / "settings.toml", {})
    return replace(settings, data=replace(settings.data, file=file))


def test_a_table_in_s3_is_the_table_of_its_bytes(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path, scratch: Path
) -> None:
    csv = trained[0] / "table.csv"
    pd.read_csv(csv).to_parquet(tmp_path / "table.parquet", index=False)
    for file in (csv, tmp_path / "table.parquet"):
        bucket.put(f"loans/{file.name}", file.read_bytes())
        here = read_table(settings_for(trained[0], str(file)).schema)
        there = read_table(settings_for(trained[0], f"{bucket}/loans/{file.name}").schema)
        pd.testing.assert_frame_equal(there.frame, here.frame)
        assert there.source == f"{bucket}/loans/{file.name}"
        assert there.sha256 == here.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert list(scratch.iterdir()) == []


def test_a_mistake_in_a_table_names_its_address(bucket: Bucket, trained: tuple[Path, Path], scratch: Path) -> None:
    def mistake(content: bytes, key: str = "table.csv") -> str:
        bucket.put(key, content)
        with pytest.raises(UserError) as caught:
            read_table(settings_for(trained[0], f"{bucket}/{key}").schema)
        return str(caught.value)

    table = (trained[0] / "table.csv").read_bytes()
    assert mistake(b"") == f"{bucket}/table.csv: is empty; expected a header and rows"
    assert mistake(table, "table.parquet").startswith(f"{bucket}/table.parquet: is not Parquet, despite its name")
    assert mistake(table.replace(b"age", b"agee")).startswith(f"{bucket}/table.csv: no column age")
    rows = table.split(b"\n")
    rows[3] = b"x" + rows[3]
    assert "(line 4)" in mistake(b"\n".join(rows))
    assert list(scratch.iterdir()) == []


def test_an_address_in_the_settings_is_looked_at_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('[data]\nfile = "s3://bucket"\n')
    with pytest.raises(UserError, match="s3://bucket: expected s3://bucket/key, got no key; name one") as caught:
        load_settings(tmp_path / "settings.toml", {})
    assert caught.value.exit_status == 2


# ---------------------------------------------------------------- runs


def test_a_run_comes_back_as_it_was(bucket: Bucket, trained: tuple[Path, Path], scratch: Path) -> None:
    upload(trained[0], f"{bucket}/runs/")
    written = {path.relative_to(trained[0] / "artifacts") for path in (trained[0] / "artifacts").rglob("*")}
    keys = {str(Path("runs", run_of(trained[0]), name)) for name in written}
    assert bucket.content().keys() == keys | {"runs/run.json"}
    assert [line for line in bucket.proxy.seen if line.startswith("PUT")][-1].endswith("/runs/run.json")
    with local_run(f"{bucket}/runs", SILENT) as folder:
        for name in written:
            assert (folder / name).read_bytes() == (trained[0] / "artifacts" / name).read_bytes()
    assert list(scratch.iterdir()) == []


def test_an_earlier_run_stays(bucket: Bucket, trained: tuple[Path, Path]) -> None:
    for folder in trained:
        upload(folder, f"{bucket}/runs")
    assert seed_at(f"{bucket}/runs") == 2
    assert seed_at(f"{bucket}/runs/{run_of(trained[0])}") == 1
    upload(trained[0], f"{bucket}/runs")
    assert seed_at(f"{bucket}/runs") == 1


def test_an_upload_that_stops_anywhere_leaves_the_last_run(
    bucket: Bucket, trained: tuple[Path, Path], scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    upload(trained[1], f"{bucket}/other")
    requests = len(bucket.proxy.seen)
    upload(trained[0], f"{bucket}/runs")
    last_run = bucket.digests()
    for number in range(requests):
        bucket.proxy.heal()
        bucket.proxy.will(faulty.dropped, after=number)
        with pytest.raises(UserError):
            upload(trained[1], f"{bucket}/runs")
        assert len(bucket.proxy.seen) == number + 1
        assert bucket.digests().items() >= last_run.items()
        assert list(scratch.iterdir()) == []
    bucket.proxy.heal()
    assert seed_at(f"{bucket}/runs") == 1
    upload(trained[1], f"{bucket}/runs")
    assert seed_at(f"{bucket}/runs") == 2


def test_a_training_that_fails_uploads_nothing(bucket: Bucket, trained: tuple[Path, Path], scratch: Path) -> None:
    def fail() -> None:
        with uploaded_run(f"{bucket}/runs", SILENT) as folder:
            shutil.copytree(trained[0] / "artifacts", folder)
            raise UserError("wrong")

    with pytest.raises(UserError, match="wrong"):
        fail()
    assert bucket.content() == {}
    assert list(scratch.iterdir()) == []


def test_a_changed_or_missing_file_is_named(bucket: Bucket, trained: tuple[Path, Path], scratch: Path) -> None:
    upload(trained[0], f"{bucket}/runs")
    own = f"runs/{run_of(trained[0])}"
    whole = bucket.get(f"{own}/schema.json")
    bucket.put(f"{own}/schema.json", b"{}")
    expected, came = (hashlib.sha256(content).hexdigest() for content in (whole, b"{}"))
    assert told(f"{bucket}/runs") == (
        f"{bucket}/{own}/schema.json: sha256: expected {expected}, got {came}; "
        "it was changed: train again (python -m training.run)"
    )
    bucket.client.delete_object(Bucket=bucket.name, Key=f"{own}/schema.json")
    assert told(f"{bucket}/runs").startswith(f"{bucket}/{own}/schema.json: no such key; ")
    assert told(f"{bucket}/none") == f"{bucket}/none/run.json: no such key; correct the address"
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "plots/../../outside"])
def test_a_record_that_leads_out_of_its_folder_is_not_followed(
    name: str, bucket: Bucket, trained: tuple[Path, Path], scratch: Path
) -> None:
    run = json.loads((trained[0] / "artifacts/run.json").read_text())
    run["files"] = {name: "0" * 64, **run["files"]}
    run["digest"] = digest_of(run, besides="digest")
    bucket.put("runs/run.json", json.dumps(run).encode())
    message = told(f"{bucket}/runs")
    assert message.endswith(f"runs/run.json: names a file outside of its folder, {name}; do not trust this run")
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "is not JSON"), (b"[]", "expected a JSON object"), (b"{}", "is not the record of a run of this version")],
)
def test_an_invalid_record_is_refused(content: bytes, message: str, bucket: Bucket) -> None:
    bucket.put("runs/run.json", content)
    assert message in told(f"{bucket}/runs")


def test_a_prefix_of_other_files_is_left_alone(bucket: Bucket, trained: tuple[Path, Path]) -> None:
    for content in (b"years of work", b"[1]", b"{}"):
        bucket.put("runs/run.json", content)
        with pytest.raises(UserError, match="is not the record of a training run; name another prefix with --out"):
            upload(trained[0], f"{bucket}/runs")
        assert bucket.content() == {"runs/run.json": content}


def test_what_can_be_known_is_said_before_training(bucket: Bucket) -> None:
    with pytest.raises(Missing, match="no such bucket"), uploaded_run("s3://no-such-bucket-here/runs", SILENT):
        raise AssertionError("trained for nothing")


def test_who_may_only_write_can_upload(bucket: Bucket, trained: tuple[Path, Path]) -> None:
    bucket.proxy.will(faulty.refused(403, "AccessDenied"), "GET")
    upload(trained[0], f"{bucket}/runs")
    bucket.proxy.heal()
    assert seed_at(f"{bucket}/runs") == 1


def test_equal_runs_are_one(bucket: Bucket, trained: tuple[Path, Path]) -> None:
    upload(trained[0], f"{bucket}/runs")
    before = bucket.content()
    upload(trained[0], f"{bucket}/runs")
    assert bucket.content() == before
    assert str(Address(bucket.name, "runs")) == f"{bucket}/runs"
