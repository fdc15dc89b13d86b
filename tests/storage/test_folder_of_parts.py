"""A table in many objects: a folder or a pattern in S3 is read as the same folder or pattern here would be."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cli.errors import UserError
from cli.progress import Progress
from storage.address import Address
from storage.files import local_file
from tests.storage import faulty
from tests.storage.conftest import FEW_TREES, Bucket
from training import run

pytestmark = pytest.mark.tier("land")

SILENT = Progress(quiet=True)
KEYS = (
    "book/year=2024/part-0.csv",
    "book/year=2024/part-1.csv",
    "book/year=2025/part-0.csv",
    "book/year=2025/part-0.txt",
    "book/year=2025/_temporary/part-9.csv",
    "book/.hidden.csv",
    "book/_SUCCESS",
    "book-of-others/part-0.csv",
)


def brought(bucket: Bucket, what: str) -> dict[str, str]:
    """The files that come, by path, with their content, which here is their key."""
    with local_file(f"{bucket}/{what}", SILENT) as path:
        if path.is_file():
            return {"": path.read_text()}
        return {str(part.relative_to(path)): part.read_text() for part in path.rglob("*") if part.is_file()}


def told(bucket: Bucket, what: str) -> str:
    with pytest.raises(UserError) as caught:
        brought(bucket, what)
    return str(caught.value).replace(str(bucket), "s3://b")


@pytest.mark.parametrize(
    ("what", "keys"),
    [
        ("book/", KEYS[:4]),
        ("book/year=2024/", KEYS[:2]),
        ("book/year=*/part-0.*", (KEYS[0], KEYS[2], KEYS[3])),
        ("book/year=202[5-9]/*.csv", (KEYS[2],)),
        ("book/year=2024/part-?.csv", KEYS[:2]),
        ("b*/part-0.csv", (KEYS[7],)),
    ],
)
def test_a_folder_or_a_pattern_brings_its_parts(bucket: Bucket, what: str, keys: tuple[str, ...]) -> None:
    for key in KEYS:
        bucket.put(key, key.encode())
    bucket.put("book/year=2026/", b"")  # what some tools make for a folder
    base = Address.of_table(f"{bucket}/{what}").before_pattern.key
    assert brought(bucket, what) == {key.removeprefix(f"{base}/"): key for key in keys}


def test_an_object_whose_key_has_signs_of_a_pattern_is_that_object(bucket: Bucket) -> None:
    bucket.put("loans[1].csv", b"itself")
    bucket.put("loans1.csv", b"another")
    assert brought(bucket, "loans[1].csv") == {"": "itself"}
    bucket.client.delete_object(Bucket=bucket.name, Key="loans[1].csv")
    assert brought(bucket, "loans[1].csv") == {"loans1.csv": "another"}


def test_what_is_not_there_is_one_line(bucket: Bucket) -> None:
    bucket.put("book/part-0.csv", b"content")
    bucket.put("empty/_SUCCESS", b"")
    assert told(bucket, "nothing/") == "s3://b/nothing/: the folder holds no file; name another"
    assert told(bucket, "empty/") == "s3://b/empty/: the folder holds no file; name another"
    assert told(bucket, "book/*.parquet") == "s3://b/book/*.parquet: no object has a key like that; name others"
    assert told(bucket, "book") == "s3://b/book: no such key; did you mean s3://b/book/?"


@pytest.mark.parametrize(("key", "why"), [
    ("book/../part.csv", "the folder holds no file"),
    ("book/a/../../../part.csv", "the folder holds no file"),
    ("book//part.csv", "expected a key without // and a leading /"),
    ("book/a//part.csv", "expected a key without // and a leading /"),
])  # fmt: skip
def test_no_key_leads_out_of_the_folder(bucket: Bucket, key: str, why: str, tmp_path: Path) -> None:
    listing = f"""<?xml version="1.0"?><ListBucketResult><Name>{bucket.name}</Name><IsTruncated>false</IsTruncated>
        <Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00Z</LastModified><Size>3</Size></Contents>
        </ListBucketResult>"""
    bucket.proxy.will(
        lambda handler, _: handler.give(faulty.Answer(200, [("content-type", "application/xml")], listing.encode()))
    )
    assert why in told(bucket, "book/")
    assert not list(tmp_path.rglob("part.csv"))


def test_a_table_in_parts_trains_as_the_whole_one_does(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path, capsys: Any
) -> None:
    whole = pd.read_csv(trained[0] / "table.csv")
    for number in range(3):
        bucket.put(f"loans/part-{number}.csv", whole[200 * number : 200 * number + 200].to_csv(index=False).encode())
    bucket.put("loans/_SUCCESS", b"")
    settings = ["--config", str(trained[0] / "settings.toml"), "--seed", "1", *FEW_TREES[:-1]]
    records = []
    for name in (f"{bucket}/loans/", f"{bucket}/loans/part-*.csv", str(trained[0] / "table.csv")):
        assert run.main([*settings, "--data", name, "--out", str(tmp_path / "artifacts")]) == 0
        records.append(json.loads((tmp_path / "artifacts" / "run.json").read_text(encoding="utf-8")))
    assert f"✓ Downloading {bucket}/loans/part-*.csv, " in capsys.readouterr().err
    assert records[0]["files"]["pipeline.skops"] == records[1]["files"]["pipeline.skops"]
    assert records[0]["metrics"] == records[1]["metrics"] == records[2]["metrics"]
    bucket.put("loans/part-1.csv", b"one,two\n1,2\n")
    assert run.main([*settings, "--data", f"{bucket}/loans/", "--out", str(tmp_path / "artifacts")]) == 1
    assert f"error: {bucket}/loans/part-1.csv: " in capsys.readouterr().err
