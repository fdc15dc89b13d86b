"""The command of a validation: the files it writes, its line for wrong input, and its page in a browser."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.conftest import Opened
from tests.fonts import FONT_SETS
from tests.pages import assert_good_page, assert_nothing_is_cut_off
from tests.runtime.model_builder import write_manifest
from tests.validation.watched import mistake, watched
from validation import run as monitor

pytestmark = pytest.mark.tier("land")
ROOT = Path(__file__).parents[2]


def test_the_command_writes_page_figures_and_tables(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [sys.executable, "-m", "validation.run", "--data", str(trained / "same.csv"), "--model"]
    words += [str(trained / "model"), "--out", str(tmp_path / "out")]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (said.returncode, said.stdout) == (0, ""), said.stderr
    for text in ("Scoring 2,000 rows", "No finding is beyond its limit.", "Written to"):
        assert text in said.stderr
    names = {"validation.html", "validation.json", "features.csv", "grades.csv"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert monitor.main([*words[3:], "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_help_groups_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        monitor.main(["--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    for text in ("python -m validation.run --data FILE", "input and output:", "the table:", "limits:", "Exit status"):
        assert text in said


def test_wrong_input_leaves_the_last_good_page(
    trained: Path, same: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "new.csv", tmp_path / "out"
    out.mkdir()
    (out / "validation.html").write_text("the last good page")
    usual = ["--data", file, "--model", trained / "model", "--out", out]

    def told(frame: "pd.DataFrame | str", status: int = 1, *words: object) -> str:
        if isinstance(frame, str):
            file.write_text(frame)
        else:
            frame.to_csv(file, index=False)
        return mistake(capsys, status, *usual, *words).replace(f"{tmp_path}/", "")

    stays = "; the last good page is as it was"
    assert told("") == "new.csv: is empty; expected a header and rows"
    assert told(same.head(0)) == "new.csv: has a header and no rows; expected rows"
    assert told(same.rename(columns={"income": "incomes"})).startswith(
        "new.csv: no column income (features.income); did you mean incomes? its columns, separated by"
    )
    assert 'column age: expected a number, with a decimal point, got "old" (line 2)' in told(same.assign(age="old"))
    assert told(same, 1, "--target", "result").startswith("new.csv: no column result (data.target)")
    assert told(same, 1, "--target", "region").startswith(
        'new.csv: target region: no row has "1" (data.positive), found: books'
    )
    words = ["--target", "outcome", "--positive", "yes"]
    assert 'no row has "yes" (data.positive), found: bad, good' in told(same, 1, *words)
    assert "score_limit: expected a number above 0, got 0" in told(same, 2, "--score-limit", 0)
    assert mistake(capsys, 2, "--model", trained / "model") == (
        "--data: expected a file or a folder of them, got none; name one"
    )
    assert "expected a new folder or one of an earlier run" in mistake(capsys, 1, *usual[:4], "--out", tmp_path)
    assert "expected a folder, got s3://" in mistake(capsys, 2, *usual[:4], "--out", "s3://bucket/page")
    assert "no such file" in mistake(capsys, 1, "--data", tmp_path / "none.csv", *usual[2:])
    assert "expected a folder with model.onnx" in mistake(capsys, 1, *usual[:2], "--model", tmp_path / "none")
    (tmp_path / "full").write_text("a file")
    assert mistake(capsys, 1, *usual[:4], "--out", tmp_path / "full/page").endswith(stays)
    assert (out / "validation.html").read_text() == "the last good page"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "new.csv", "out"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda manifest: manifest.pop("reference"), "expected the training rows' histograms, got none"),
        (lambda manifest: manifest["reference"]["features"].pop("age"), "is not the histograms of these features"),
        (lambda manifest: manifest["reference"]["score"]["counts"].pop(), "is not the histograms of these features"),
        (lambda manifest: manifest["reference"].update(limits={}), "is not the histograms of these features"),
        (lambda manifest: manifest.update(reference=[]), "is not the histograms of these features"),
        (lambda manifest: manifest["reference"].pop("rows"), "is not the histograms of these features"),
    ],
)
def test_a_manifest_without_a_whole_reference_is_refused(
    change: Callable[[Any], object], message: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained / "model", tmp_path / "model")
    manifest = json.loads((tmp_path / "model/manifest.json").read_text())
    change(manifest)
    write_manifest(tmp_path / "model", manifest)
    said = mistake(capsys, 1, "--data", trained / "same.csv", "--model", tmp_path / "model", "--out", tmp_path / "page")
    assert (
        said
        == f"{tmp_path}/model/manifest.json: reference: {message}; export the model again (python -m export.to_onnx)"
    )


def test_the_page_fits_a_browser(
    trained: Path, same: pd.DataFrame, tmp_path: Path, open_page: Callable[..., Opened]
) -> None:
    hostile = same.assign(
        income=same["income"] * 9, shop=same["shop"].where(same["shop"] != "books", "<img src=x onerror=alert(1)>")
    )
    assert watched(trained, tmp_path, hostile)[0] == 1
    assert_good_page(tmp_path / "out/validation.html", open_page)
    for fonts in FONT_SETS:
        assert_nothing_is_cut_off(tmp_path / "out/validation.html", open_page, fonts)
