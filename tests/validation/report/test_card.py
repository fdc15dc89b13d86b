"""The model card: complete, every figure from the run, and nobody's text is markup."""

import html
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.validation.report.conftest import HOSTILE
from tests.validation.report.sample import Sample
from validation.report.card import as_html, code, escaped

pytestmark = pytest.mark.tier("land")

SECTIONS = (
    *("Purpose and intended use", "Data", "Features", "Method", "Split", "Results", "Score bands, test", "Stability"),
    *("Reasons", "Alarms", "Limits and known weaknesses", "Monitoring", "Context", "Reproducibility"),
)
WITHOUT = re.compile(r"\b(nan|None|NaN|inf|Undefined)\b|\{\{|\{%")
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(str.strip)


@pytest.fixture(params=["full_report", "hostile_report", "bare_report"])
def card(request: pytest.FixtureRequest) -> str:
    return (Path(request.getfixturevalue(request.param)) / "model_card.md").read_text(encoding="utf-8")


def test_it_is_complete(full_report: Path) -> None:
    text = (full_report / "model_card.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## (.*)$", text, re.MULTILINE)) == SECTIONS


def test_nothing_is_left_open(card: str) -> None:
    assert not WITHOUT.search(card)
    assert "\n\n\n" not in card


def test_its_figures_are_the_run_s(full_report: Path, everything: Sample) -> None:
    text = (full_report / "model_card.md").read_text(encoding="utf-8")
    test, (low, high) = everything.evidence.metrics["test"], everything.evidence.intervals["test"]["roc_auc"]
    assert f"| ROC-AUC | {test['roc_auc']:.4f} | {low:.4f} to {high:.4f} |" in text
    assert f"| test | {test['rows']:,} | {test['defaults']} | {100 * test['default_rate']:.3f} |" in text
    assert everything.run["data"]["sha256"] in text
    assert "synthetic" in text
    assert f"{everything.evidence.stability['score']['psi']:.4f}" in text
    assert f"Few defaults: {test['defaults']} defaults in the test" in text


def test_a_table_of_somebody_s_is_not_called_synthetic(hostile_report: Path) -> None:
    text = (hostile_report / "model_card.md").read_text(encoding="utf-8")
    assert "synthetic" not in text
    assert "3 rows without a target left out" in text


def test_tables_of_the_card_are_tables(card: str) -> None:
    """Each row has as many cells as its heading, whatever is in the names."""
    for lines in re.findall(r"(?:^\|.*\n)+", card, re.MULTILINE):
        body = MarkdownIt("commonmark").enable("table").render(lines)
        cells = [row.count("<td") + row.count("<th") for row in body.split("<tr>")[1:]]
        assert len(cells) == lines.count("\n") - 1
        assert len(set(cells)) == 1


def test_the_hostile_names_are_read_as_they_are(hostile_report: Path) -> None:
    page = str(as_html((hostile_report / "model_card.md").read_text(encoding="utf-8")))
    assert not re.search(r"<(script|img|a|b|i|u|em)\b", page)
    for name in HOSTILE.values():
        assert name in html.unescape(page)


@given(TEXT)
def test_escaped_text_is_read_as_it_was(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": False}).render(f"- x {escaped(text)} x")
    inner = html.unescape(re.sub(r"^<ul>\n<li>x (.*) x</li>\n</ul>\n$", r"\1", rendered, flags=re.DOTALL))
    assert " ".join(inner.split()) == " ".join(text.split())


@given(TEXT)
def test_a_name_in_a_cell_is_read_as_it_was(text: str) -> None:
    table = f"| a | b |\n|---|---|\n| {code(text)} | x |\n"
    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(table)
    inner = re.search(r"<td><code>(.*)</code></td>\n<td>x</td>", rendered, re.DOTALL)
    assert inner is not None
    assert html.unescape(inner[1]).strip() == " ".join(text.split())
