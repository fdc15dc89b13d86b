"""docs/errors.md is what the code raises."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.errors_page import PAGE, page, refusals
from export import to_onnx
from runtime.problem import PROBLEM_TYPES
from training import run
from validation import run as validation


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m delivery.errors_page"


def test_every_problem_says_what_to_do() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for its in PROBLEM_TYPES:
        assert f"| `urn:lastbit:problem:{its.name}` | {its.status} | {its.title} | {its.remedy} |" in text
        assert len(its.remedy) > 10


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (run.main, ["--data", "nowhere.csv"]),
        (run.main, ["--out", "there"]),
        (run.main, ["--config", "nowhere.toml"]),
        (run.main, ["--calibration", "isotonic", "--config", "wrong.toml"]),
        (to_onnx.main, ["--artifacts", "nowhere"]),
        (to_onnx.main, ["--artifacts", "there"]),
        (validation.main, ["--data", "nowhere.csv", "--model", "nowhere"]),
    ],
)
def test_a_line_that_a_command_prints_is_on_the_page(
    main: Callable[[list[str]], int],
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_text("")
    (tmp_path / "wrong.toml").write_text("[model]\ncalibratoin = 'sigmoid'\n")
    assert main(words) > 0
    [said] = capsys.readouterr().err.splitlines()
    lines = re.findall(r"^\* (`+) ?(.+?) ?\1$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    patterns = [re.sub(r"\\{.*?\\}", ".*", re.escape(line)) for _, line in lines]
    assert [pattern for pattern in patterns if re.fullmatch(pattern, said.removeprefix("error: "))], said


def test_a_refusal_is_read_with_the_names_of_its_places() -> None:
    source = """
raise UserError(f"{path}: no such file; name {', '.join(all)}", WRONG_USAGE)
raise BoosterRefused("DART boosters are not supported: " "fit gbtree")
origin.refuse(f"data.{self.key}", "unknown key")
raise UserError(text)
raise ValueError("not for users")
"""
    assert list(refusals(source, {"UserError", "BoosterRefused"})) == [
        "{path}: no such file; name {…}",
        "DART boosters are not supported: fit gbtree",
        "data.{key}: unknown key",
    ]
