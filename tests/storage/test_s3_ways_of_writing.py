"""Files in S3 that are written in another way than usual are scored as those here, also in ranges."""

import gzip
import io
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest

from scoring import plan, run, steps
from tests.scoring.conftest import in_this_process, rows
from tests.storage.conftest import Bucket

pytestmark = pytest.mark.tier("land")


@pytest.fixture
def model(trained: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(steps, "Processes", in_this_process)
    monkeypatch.setattr(plan, "SMALL_CSV", 10_000)
    monkeypatch.setattr(plan, "BLOCK", 50_021)
    return trained[0] / "model"


def lines_of(model: Path) -> list[str]:
    """The header and 3,500 rows, one of them broken, of which 1,000 are a part."""
    frame = pd.concat([pd.read_csv(model.parent / "table.csv")] * 6, ignore_index=True)[:3_500]
    lines = frame.to_csv(index=False).splitlines()
    lines[700] = "a,b"
    return lines


def score(data: object, out: str, model: Path) -> int:
    words = ["--data", str(data), "--out", out, "--model", str(model), "--part-rows", "1000", "--workers", "1"]
    return run.main([*words, "--quiet"])


def parts_in(bucket: Bucket, out: str) -> dict[str, bytes]:
    found = bucket.content().items()
    return {key.removeprefix(f"{out}/"): value for key, value in found if key.startswith(f"{out}/part-")}


@pytest.mark.parametrize("way", ["separators", "row names", "empty name"])
def test_parts_of_a_csv_whose_header_lacks_a_name_are_read_in_ranges(
    way: str, bucket: Bucket, model: Path, tmp_path: Path
) -> None:
    header, *lines = lines_of(model)
    (tmp_path / "plain.csv").write_text("\n".join([header, *lines]))
    header = f'"",{header}' if way == "empty name" else header
    lines = [f"{line}," if way == "separators" else f'"{row}",{line}' for row, line in enumerate(lines)]
    bucket.put("one/book.csv", "\n".join([header, *lines]).encode())
    assert score(tmp_path / "plain.csv", str(tmp_path / "plain"), model) == 0
    assert score(f"{bucket}/one/book.csv", f"{bucket}/scored", model) == 0
    plain = {path.name: path.read_bytes() for path in (tmp_path / "plain").glob("part-*")}
    assert len(plain) == 4
    assert parts_in(bucket, "scored") == plain
    assert pd.read_csv(io.BytesIO(bucket.get("scored/rejects.csv")))["row"].tolist() == [700]


def test_a_large_packed_csv_is_unpacked_where_it_is_looked_at(bucket: Bucket, model: Path, tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text("\n".join(lines_of(model)))
    bucket.put("one/book.csv.gz", gzip.compress((tmp_path / "plain.csv").read_bytes()))
    assert score(tmp_path / "plain.csv", str(tmp_path / "plain"), model) == 0
    assert score(f"{bucket}/one/book.csv.gz", str(tmp_path / "scored"), model) == 0
    assert rows(tmp_path / "scored") == rows(tmp_path / "plain")


@pytest.mark.parametrize("form", ["csv", "small csv", "parquet"])
def test_names_of_folders_are_columns(
    form: str, bucket: Bucket, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if form == "small csv":
        monkeypatch.setattr(plan, "SMALL_CSV", 2**26)
    frame = pd.concat([pd.read_csv(model.parent / "table.csv")] * 6, ignore_index=True)[:3_500]
    frame["region"] = "Café au lait"
    frame.to_csv(tmp_path / "plain.csv", index=False)
    out = io.BytesIO()
    if form == "parquet":
        frame.drop(columns="region").to_parquet(out, row_group_size=500, index=False)
    else:
        frame.drop(columns="region").to_csv(out, index=False)
    bucket.put(f"book/year=2015/region={quote('Café au lait')}/part-0.{form.split()[-1]}", out.getvalue())
    assert score(tmp_path / "plain.csv", str(tmp_path / "plain"), model) == 0
    assert score(f"{bucket}/book/", str(tmp_path / "scored"), model) == 0
    assert score(f"{bucket}/book/*/*/*", str(tmp_path / "pattern"), model) == 0
    assert rows(tmp_path / "scored") == rows(tmp_path / "pattern") == rows(tmp_path / "plain")
