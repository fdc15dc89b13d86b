"""No damage to run.json reaches an export, and no file that expands without end is opened."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cli.errors import UserError
from runtime.digest import digest_of
from tests.runtime.damage import damaged
from tests.tiers import Sample
from training.artifacts import LARGEST_EXPANDED, PIPELINE, SCHEMA_VERSION, load_pipeline, run_of

WAYS = 6_000
RECORD: dict[str, Any] = {
    "schema_version": SCHEMA_VERSION,
    "settings": {
        "score": {"points": 600.0, "odds": 50.0, "points_to_double": 20.0, "probability_limits": [1e-8, 0.99999999]},
        "split": {"method": "stratified", "seed": 0},
    },
    "bands": [466.0, 494.0, 516.0, 690.0, 750.0],
    "metrics": {"test": {"roc_auc": 0.75, "rows": 1_000}},
    "tuning": None,
    "files": {PIPELINE: "0" * 64, "schema.json": "1" * 64},
}


@pytest.fixture
def record() -> dict[str, Any]:
    return RECORD | {"digest": digest_of(RECORD, besides="digest")}


def read(content: bytes) -> Any:
    """The record; a line where it is refused."""
    try:
        return run_of(content, "run.json")
    except UserError as mistake:
        return str(mistake)


def test_a_damaged_record_is_refused_in_one_line_or_says_the_same(record: dict[str, Any], sample: Sample) -> None:
    seeds, refused = sample(range(WAYS), 600), 0
    for seed in seeds:
        found = read(damaged(record, seed))
        if isinstance(found, str):
            assert found.startswith("run.json: ")
            assert "\n" not in found
            assert len(found) < 400
            refused += 1
        else:
            assert json.dumps(found, sort_keys=True) == json.dumps(record, sort_keys=True), f"seed {seed}"
    assert refused > 0.9 * len(seeds)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"[" * 100_000, "run.json: is not JSON (more than 32 levels of arrays and objects)"),
        (b'{"schema_version": 1}', "run.json: is not the record of a run of this version"),
        (b'{"schema_version": true}', "run.json: is not the record of a run of this version"),
        (b'{"a": 1, "a": 2}', 'run.json: is not JSON ("a" more than once in an object)'),
        (b'{"a": ' + b"9" * 5_000 + b"}", "run.json: is not JSON (a number beyond float64, 99999999999999999999)"),
    ],
)
def test_what_is_no_record_is_refused_in_one_line(content: bytes, line: str) -> None:
    assert str(read(content)).startswith(line)


@pytest.mark.parametrize("files", [[PIPELINE], {}, None, "pipeline.skops"])
def test_a_record_names_the_pipeline(record: dict[str, Any], files: Any) -> None:
    record["files"] = files
    record["digest"] = digest_of(record, besides="digest")
    assert str(read(json.dumps(record).encode())).startswith("run.json: files: expected pipeline.skops among them")


def test_a_pipeline_that_expands_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.skops"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("schema.json", "w") as member,
    ):
        for _ in range(LARGEST_EXPANDED // 2**20 + 1):
            member.write(b" " * 2**20)
    assert path.stat().st_size < 2**20
    with pytest.raises(UserError, match=r"schema.json: expands to 68,157,440 bytes, at most 67,108,864 are read"):
        load_pipeline(path)
