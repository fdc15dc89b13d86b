"""Figures of README and docs/benchmarks.md: one file, tables made from it, and the code that they were measured on."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import figures, page, stale
from benchmarks.digests import ROOT, code, digest
from benchmarks.figures import Figure, of_rows, read, updated
from benchmarks.groups import GROUPS, QUICK, measured
from benchmarks.report import Row, missed
from benchmarks.timing import Median, spread
from cli.errors import UserError

ROW = Row("  start against an import", "1.02", "≤ 1.08", "wall", "1.01 to 1.04")
FRESH = of_rows("startup", [ROW, Row("shown only", "3 ms", "")], 0.5)[0]


@pytest.mark.parametrize("path", page.PAGES, ids=lambda path: path.name)
def test_tables_of_figures_are_not_stale(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert page.filled(text, read()) == text, "run python -m benchmarks.page"


@pytest.mark.parametrize("path", page.PAGES, ids=lambda path: path.name)
def test_a_row_with_a_measurement_comes_from_the_file_of_figures(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert page.TABLE.search(text)
    assert not re.search(r"^\|.*\bmeasured\b.*\|$", page.TABLE.sub("", text), re.MULTILINE)


def test_every_figure_is_shown_with_its_command() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    shown = {name for match in page.TABLE.finditer(text) for name in match["names"].split()}
    assert shown >= {figure.group for figure in read()}
    assert {figure.group for figure in read()} <= GROUPS.keys()


def test_a_page_that_shows_an_unknown_figure_is_refused() -> None:
    with pytest.raises(UserError, match="startup/walls: a page shows this figure"):
        page.filled("<!-- figures: startup/walls -->\n<!-- end of figures -->", read())


def test_a_figure_that_misses_its_target_is_bold() -> None:
    lost = replace(FRESH, value="1.20")
    text = page.filled("<!-- figures: startup -->\n<!-- end of figures -->", [lost])
    assert "| start against an import | **1.20** | 1.01 to 1.04 | ≤ 1.08 |" in text
    assert f"`startup`: {FRESH.date}; {FRESH.machine}; python {FRESH.versions['python']}," in text


@pytest.mark.parametrize(
    ("value", "reach", "lost"),
    [
        ("1.02", "≤ 1.08", False),
        ("29 to 61", "≥ 50", True),
        ("0.68; 4.4", "≤ 4", True),
        ("-6%", "± 25 %", False),
        ("-26%", "± 25 %", True),
        ("2", "0", True),
        ("0.0", "0.0", False),
        ("99.99 %", "100 %", True),
        ("1.4e-17", "≤ 1e-7", False),
        ("0.5072 → 0.5032, better in 4 of 5", "lower", False),
        ("0.055 → 0.061", "lower", True),
        ("10,000,000, equal", "10,000,000, equal", False),
        ("0.02", "flat", False),
        ("535", "", False),
    ],
)
def test_a_value_is_compared_with_its_target(value: str, reach: str, lost: bool) -> None:
    assert missed(value, reach) == lost


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_names_modules_that_are_there(group: str) -> None:
    assert all(digest(name) for name in measured(group))
    assert "\ndef measure() -> Iterator[Row]:" in (ROOT / "benchmarks" / f"{group}.py").read_text(encoding="utf-8")


def test_words_change_no_digest_and_code_does() -> None:
    before = '"""About."""\n\n\nclass A:\n    x: int = 1  # dropped\n    """Field."""\n    y = "# kept"\n'
    words = '"""Other."""\n\n# More.\nclass A:\n    """New."""\n\n    x: int = 1\n    y = "# kept"  # other\n'
    assert code(before) == code(words) == 'class A:\n    x: int = 1\n    y = "# kept"\n'
    assert code(before.replace("= 1", "= 2")) != code(before)
    assert code(before.replace("# kept", "# lost")) != code(before)


def test_a_figure_of_this_code_is_fresh() -> None:
    assert FRESH.id == "startup/wall"
    assert FRESH.digests.keys() == {*measured("startup")}
    assert FRESH.changed == []
    assert list(stale.stale([FRESH])) == []


def test_what_has_changed_since_a_measurement_is_named() -> None:
    old = replace(FRESH, digests={**FRESH.digests, "runtime": "0" * 12})
    gone = replace(FRESH, id="startup/cpu", digests={**FRESH.digests, "runtime.removed": "0" * 12})
    unknown = replace(FRESH, id="package/zip", digests={})
    assert list(stale.stale([FRESH, old, gone, unknown])) == [
        "startup: 2 of 3 figures are stale: runtime, runtime.removed",
        "package: 1 of 1 figures are stale: measured before digests were kept",
    ]


def test_a_module_that_a_group_names_only_now_makes_its_figures_stale() -> None:
    less = {name: its for name, its in FRESH.digests.items() if name != "export.packaging"}
    assert replace(FRESH, digests=less).changed == ["export.packaging"]


def test_a_stale_figure_warns_and_stops_a_release(capsys: pytest.CaptureFixture[str]) -> None:
    old = replace(FRESH, digests={})
    stale.check([old], strict=False)
    assert capsys.readouterr().out.startswith("startup: 1 of 1 figures are stale")
    with pytest.raises(UserError, match="expected no stale figure; python -m benchmarks startup"):
        stale.check([old], strict=True)
    stale.check([FRESH], strict=True)


def test_a_measured_group_updates_its_figures_and_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, text = tmp_path / "benchmarks.json", tmp_path / "page.md"
    monkeypatch.setattr(figures, "FILE", file)
    monkeypatch.setattr(page, "PAGES", (text,))
    monkeypatch.setattr(command, "measure", lambda group: iter([ROW, Row("shown only", "3 ms", "")]))
    text.write_text("<!-- figures: startup/wall -->\n<!-- end of figures -->\n", encoding="utf-8")
    others = [
        Figure("package/zip", "zip", "25.6"),
        Figure("startup/cpu", "CPU", "0.6"),
        Figure("startup/wall", "old", ""),
    ]
    figures.write(others)
    assert command.main(["startup", "--print"]) == 0
    assert {figure.id: figure.value for figure in read()}["startup/wall"] == ""
    assert command.main(["startup"]) == 0
    written = read()
    assert [figure.id for figure in written] == ["startup/wall", "startup/cpu", "package/zip"]
    assert written[1:] == [others[1], others[0]]
    assert written[0] == replace(FRESH, machine=written[0].machine)
    assert written[0].machine.endswith(" before")
    assert f"{os.cpu_count()} cores" in written[0].machine
    assert "| start against an import | 1.02 | `python -m benchmarks startup` |" in text.read_text(encoding="utf-8")
    assert "shown only" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"id": "a/b", "what": "", "value": ""}, r"a/b: expected a group \(exactness, "),
        ({"id": "speed/b", "what": "", "value": "", "worth": 1}, "expected a list of figures: .*'worth'"),
        ({"id": "speed/b"}, "expected a list of figures: .*'what'"),
    ],
)
def test_an_entry_that_is_no_figure_is_refused(
    entry: dict[str, object], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "FILE", tmp_path / "benchmarks.json")
    figures.FILE.write_text(json.dumps([entry]))
    with pytest.raises(UserError, match=expected):
        read()


def test_two_figures_of_one_id_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FILE", tmp_path / "benchmarks.json")
    figures.FILE.write_text(json.dumps(2 * [{"id": "speed/b", "what": "", "value": ""}]))
    with pytest.raises(UserError, match="expected each id once"):
        read()


def test_fresh_figures_stand_before_those_that_were_not_measured() -> None:
    old = [Figure("warm/a", "", "1"), Figure("warm/b", "", "2")]
    assert [its.value for its in updated(old, [Figure("warm/b", "", "3")])] == ["3", "1"]


def test_the_spread_is_of_ratios_round_by_round() -> None:
    """Both slow in one round: no spread."""
    assert spread(Median([2.0, 20.0, 2.0]), Median([1.0, 10.0, 1.0])) == "2.00 to 2.00"
    assert Median([3.0, 1.0, 2.0]) == 2.0


def test_the_quick_groups_are_groups() -> None:
    assert set(QUICK) <= GROUPS.keys()
