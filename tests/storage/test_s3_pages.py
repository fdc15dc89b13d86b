"""The pages on a table in S3: read from there, written here."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.storage.conftest import Bucket
from tests.validation.flat import flat
from training import explore
from validation import run as monitor


@pytest.mark.parametrize("main", [explore.main, monitor.main], ids=["explore", "monitor"])
def test_a_table_in_s3_is_read_by_each_page(
    main: Callable[[list[str]], int],
    bucket: Bucket,
    trained: tuple[Path, Path],
    tmp_path: Path,
    scratch: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bucket.put("loans/new.csv", (trained[0] / "table.csv").read_bytes(), ChecksumAlgorithm="SHA256")
    words = ["--config", trained[0] / "settings.toml", "--data", f"{bucket}/loans/new.csv"]
    words += ["--model", trained[0] / "model"] if main is monitor.main else []
    is_validation = main is monitor.main
    page = tmp_path / ("out/validation.html" if is_validation else "page.html")
    words += ["--out", tmp_path / "out"] if is_validation else ["--out", page, "--json", tmp_path / "figures.json"]
    assert main(list(map(str, words))) == 0
    said = capsys.readouterr().err
    assert f"✓ Downloading {bucket}/loans/new.csv" in said.replace("\n", " ")
    assert f"{bucket}/loans/new.csv" in page.read_text()
    found = flat(tmp_path / "out") if is_validation else json.loads((tmp_path / "figures.json").read_text())
    assert len(found["features"]) == 6
    assert list(scratch.iterdir()) == []
    words[3] = f"{bucket}/loans/none.csv"
    assert main(list(map(str, words))) == 1
    assert "none.csv: " in capsys.readouterr().err
