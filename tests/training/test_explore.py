"""`python -m training.explore` as a user runs it: its page, its figures, its words, and wrong input."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from table import read_table
from tests.applicants import draw
from tests.conftest import Opened
from tests.fonts import FONT_SETS
from tests.pages import assert_good_page, assert_nothing_is_cut_off
from training import explore
from training.exploration import explore as explored
from training.settings import Feature, Settings, load_settings
from validation.report.pages import render

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[2]
GERMAN = ROOT / "examples/german_credit/settings.toml"


def mistake(capsys: pytest.CaptureFixture[str], status: int, *words: object) -> str:
    """The one line of a mistake."""
    assert explore.main([*map(str, words), "--quiet"]) == status
    captured = capsys.readouterr()
    assert (captured.out, len(captured.err.strip().splitlines())) == ("", 1)
    return captured.err.strip().removeprefix("error: ")


def test_the_command_writes_page_and_figures(tmp_path: Path) -> None:
    page, figures = tmp_path / "german.html", tmp_path / "german.json"
    words = [sys.executable, "-m", "training.explore", "--config", GERMAN, "--out", page, "--json", figures]
    said = subprocess.run(list(map(str, words)), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (said.returncode, said.stdout) == (0, ""), said.stderr
    for text in ("Exploring 20 features of 1,000 rows", "status_of_existing_checking_account", "ROC-AUC", "Written to"):
        assert text in said.stderr
    settings = load_settings(GERMAN, {})
    table = read_table(settings.schema)
    assert json.loads(figures.read_text()) == explored(table.frame, table.target, settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["german.html", "german.json"]


def test_help_groups_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        explore.main(["--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    for text in ("python -m training.explore", "input and output:", "the table:", "features:", "Exit status"):
        assert text in said


def test_by_flags_and_suspects_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame, target = draw(1_000)
    frame.assign(bad=target, closed=np.where(target == 1, "charged [off]", "paid")).to_csv(tmp_path / "new.csv")
    words = ["--data", tmp_path / "new.csv", "--target", "bad", "--id", "", "--numbers", "income,age"]
    words += ["--categories", "shop,closed", "--out", tmp_path / "page.html"]
    assert explore.main(list(map(str, words))) == 0
    assert "suspect: closed all" in capsys.readouterr().err.replace("\n", " ")
    assert "at “charged [off]” defaulted" in (tmp_path / "page.html").read_text()
    assert explore.main([*map(str, words), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_wrong_input_leaves_the_last_good_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    page.write_text("the last good page")
    assert "no column tmie_hours (features.tmie_hours)" in mistake(capsys, 1, "--numbers", "tmie_hours", "--out", page)
    assert "no such file" in mistake(capsys, 1, "--data", tmp_path / "none.csv", "--out", page)
    assert "expected a file, got the folder" in mistake(capsys, 1, "--config", GERMAN, "--out", tmp_path)
    assert "log1p" in mistake(capsys, 2, "--config", GERMAN, "--log1p", "housing", "--out", page)
    with pytest.raises(SystemExit) as stopped:
        explore.main(["--jsn", "x"])
    assert stopped.value.code == 2
    assert "unknown flag --jsn; did you mean --json?" in capsys.readouterr().err
    assert page.read_text() == "the last good page"
    assert list(tmp_path.iterdir()) == [page]


HOSTILE = {"income": "<script>alert(1)</script>", "shop": "</style><img src=x>", "age": "\"&'`", "has_paid": "a" * 90}


@pytest.mark.parametrize("name", ["german", "hostile"])
def test_the_page_fits_a_browser(name: str, tmp_path: Path, open_page: Callable[..., Opened]) -> None:
    page = tmp_path / "page.html"
    if name == "german":
        assert explore.main(["--config", str(GERMAN), "--out", str(page), "--quiet"]) == 0
    else:
        page.write_text(render("exploration", **hostile()))
    assert_good_page(page, open_page)
    for fonts in FONT_SETS:
        assert_nothing_is_cut_off(page, open_page, fonts)
    pictures = open_page(page).page.get_by_role("img")
    assert pictures.count() == {"german": 20, "hostile": 5}[name]
    for label in pictures.evaluate_all("all => all.map((its) => its.ariaLabel)"):
        assert "missing" in label
        assert not re.search(r"\b(None|nan|inf)\b", label)


def hostile() -> dict[str, Any]:
    """Names and levels that are markup, an empty column, a sample of more rows, and suspects."""
    frame, target = draw(800)
    frame["shop"] = frame["shop"].replace("books", "<b>books</b>")
    frame = frame[list(HOSTILE)].rename(columns=HOSTILE).assign(**{"{{ 1 }}": np.nan})
    kinds: list[Any] = ["number", "category", "number", "boolean", "number"]
    features = tuple(
        Feature(str(name), kind, description=f"<i>{name}</i>") for name, kind in zip(frame, kinds, strict=True)
    )
    found = explored(frame, target, Settings(features=features, row_max={}))
    assert [suspect["feature"] for suspect in found["suspects"]] == ["{{ 1 }}"]
    return {"found": found | {"rows": 10**7}, "source": "<b>x</b>.csv", "sha256": "0" * 64, "dropped_rows": 3}
