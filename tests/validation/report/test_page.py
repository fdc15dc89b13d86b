"""The report in headless Chromium, without a network: what it asks for, how it sorts, reads, prints and escapes."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import Opened
from tests.fonts import FONT_SETS, NARROW, WIDE, FontSet
from tests.pages import assert_nothing_is_cut_off
from tests.validation.report.conftest import HOSTILE, written
from tests.validation.report.sample import Sample
from validation.report.words import MISSING

pytestmark = pytest.mark.tier("land")

Open = Callable[..., Opened]

LARGEST = 3_000_000  # bytes
NARROWEST = 320  # CSS pixels, of the smallest phones and of 400 % zoom
MOST_PAGES = 32

# Clicks a heading of a table and gives back the column's cells, top to bottom.
SORTED = """([table, column]) => {
  const its = document.querySelectorAll("table.sortable")[table];
  its.tHead.rows[0].cells[column].querySelector("button").click();
  const cells = Array.from(its.tBodies[0].rows, (row) => row.cells[column]);
  return {
    order: its.tHead.rows[0].cells[column].getAttribute("aria-sort"),
    others: its.tHead.querySelectorAll("[aria-sort]").length,
    cells: cells.map((cell) => [cell.textContent, cell.dataset.sort ?? null]),
  };
}"""
HEADINGS = """() => Array.from(document.querySelectorAll("table.sortable"), (table) =>
  Array.from(table.tHead.rows[0].cells, (cell) => cell.classList.contains("n")))"""


@pytest.fixture(params=["full_report", "hostile_report", "bare_report"])
def report(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(request.param)) / "report.html"


def test_it_asks_for_nothing_and_has_no_fault(report: Path, open_page: Open) -> None:
    opened = open_page(report)
    assert opened.requests == [report.as_uri()]
    assert opened.faults == []
    assert report.stat().st_size <= LARGEST


def test_every_table_sorts(report: Path, open_page: Open) -> None:
    page = open_page(report).page
    headings = page.evaluate(HEADINGS)
    assert len(headings) >= 8
    for table, columns in enumerate(headings):
        for column, numeric in enumerate(columns):
            first, second = (page.evaluate(SORTED, [table, column]) for _ in range(2))
            assert (first["order"], second["order"]) == ("ascending", "descending")
            assert first["others"] == second["others"] == 1
            up, down = (_keys(clicked["cells"], numeric) for clicked in (first, second))
            known = [key for key in up if key is not None]
            assert up == known + [None] * (len(up) - len(known)), "missing values come last"
            assert down == known[::-1] + [None] * (len(up) - len(known)), "and last the other way round, too"
            if known and not isinstance(known[0], str):
                assert known == sorted(known)


def _keys(cells: list[list[str | None]], numeric: bool) -> list[float | str | None]:
    return [_key(str(text), place, numeric) for text, place in cells]


def _key(text: str, place: str | None, numeric: bool) -> float | str | None:
    if place is not None:
        return int(place)
    if text in ("", MISSING):
        return None
    return float(re.match(r"-?[\d.]+(e[-+]?\d+)?", text.replace(",", ""))[0]) if numeric else text  # type: ignore[index]


def test_headings_are_buttons_for_the_keyboard(full_report: Path, open_page: Open) -> None:
    page = open_page(full_report / "report.html").page
    table = page.locator("table.sortable").filter(has_text="Band Size").first
    heading = table.locator("th").nth(1)
    heading.get_by_role("button", name="Band Size").focus()
    for key, order in (("Enter", "ascending"), ("Space", "descending"), ("Enter", "ascending")):
        page.keyboard.press(key)
        assert heading.get_attribute("aria-sort") == order


def test_anchors_resolve_and_ids_are_unique(report: Path, open_page: Open) -> None:
    page = open_page(report).page
    ids = page.evaluate("Array.from(document.querySelectorAll('[id]'), (its) => its.id)")
    assert len(ids) == len(set(ids))
    links = page.evaluate("Array.from(document.querySelectorAll('a'), (its) => its.getAttribute('href'))")
    assert len(links) > 9
    assert {link.removeprefix("#") for link in links} <= set(ids)
    used = page.evaluate('document.documentElement.outerHTML.match(/(?<=url\\(#|xlink:href="#)[^")]+/g)')
    assert set(used) <= set(ids)


def test_every_picture_says_what_is_seen(report: Path, open_page: Open) -> None:
    page = open_page(report).page
    pictures = page.get_by_role("img")
    assert pictures.count() == page.locator("svg").count() >= 7
    for name in pictures.evaluate_all("all => all.map((its) => its.ariaLabel)"):
        assert re.search(r"\d", name), name
        assert len(name) > 60, name
        assert not re.search(r"\b(nan|None|inf)\b", name), name


def test_headings_go_down_one_by_one(report: Path, open_page: Open) -> None:
    page = open_page(report).page
    levels = page.evaluate("Array.from(document.querySelectorAll('h1, h2, h3, h4'), (its) => Number(its.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


@pytest.mark.parametrize("width", [NARROWEST, 390, 768, 1200, 1600])
def test_only_tables_scroll_sideways(report: Path, width: int, open_page: Open) -> None:
    page = open_page(report, viewport={"width": width, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_script_all_can_be_read(full_report: Path, open_page: Open) -> None:
    page = open_page(full_report / "report.html", java_script_enabled=False).page
    assert page.locator("th").first.is_visible()
    assert page.locator("button").count() == 0
    page.get_by_role("link", name="Stability").click()
    assert page.url.endswith("#stability")
    assert page.locator("#stability").is_visible()


@pytest.mark.parametrize("fonts", FONT_SETS, ids=lambda fonts: fonts.name)
def test_nothing_is_cut_off_in_any_font(report: Path, fonts: FontSet, open_page: Open) -> None:
    assert_nothing_is_cut_off(report, open_page, fonts)


@pytest.mark.parametrize("fonts", FONT_SETS, ids=lambda fonts: fonts.name)
def test_a_browser_has_the_fonts_that_were_asked_for(full_report: Path, fonts: FontSet, open_page: Open) -> None:
    """Widths in CSS pixels, of the files that the font set names."""
    page = open_page(full_report, fonts).page
    width = """() => { const its = document.createElement("canvas").getContext("2d");
      its.font = "16px sans-serif"; return its.measureText("Cumulative F1-Score 0123456789").width }"""
    widths = {WIDE: 271, NARROW: 245}
    assert page.evaluate(width) == pytest.approx(widths[fonts], rel=0.02)


def test_it_prints_on_few_pages(report: Path, open_page: Open) -> None:
    page = open_page(report).page
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= MOST_PAGES


def test_somebody_s_markup_stays_text(hostile_report: Path, open_page: Open) -> None:
    opened = open_page(hostile_report / "report.html")
    page = opened.page
    counts = {tag: page.locator(tag).count() for tag in ("script", "style", "img", "u", "i")}
    assert counts == {"script": 1, "style": 1, "img": 0, "u": 0, "i": 0}
    assert page.locator("a:not([href^='#'])").count() == 0
    text = page.locator("body").inner_text()
    for name in HOSTILE.values():
        assert text.count(name) >= 3, name  # among the features, as important, in the model card
    assert opened.faults == []


def test_without_plots_there_are_no_pictures(
    full_report: Path, everything: Sample, tmp_path: Path, open_page: Open
) -> None:
    folder = written(everything, tmp_path, plots=False)
    opened = open_page(folder / "report.html")
    assert opened.page.locator("figure").count() == 0
    assert opened.faults == []
    assert not (folder / "plots").exists()
    assert (folder / "model_card.md").read_bytes() == (full_report / "model_card.md").read_bytes()
