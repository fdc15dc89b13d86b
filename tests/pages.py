"""Checks for every page of many features, in headless Chromium."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tests.conftest import Opened
from tests.fonts import FontSet

PHONE = 390  # CSS pixels
SCREEN = 1200
PRINTED_WIDTH = 688  # of A4 between the margins of the print style


CUT_OFF = """all => all.filter((its) => its.scrollWidth > its.clientWidth)
    .map((its) => [its.textContent.trim().slice(0, 60), its.scrollWidth, its.clientWidth])"""
ENDS = """Array.from(document.querySelectorAll("table, svg, pre, p, li, figcaption"), (its) =>
    [its.tagName, its.textContent.trim().slice(0, 60), its.getBoundingClientRect().right])"""


def assert_nothing_is_cut_off(path: Path, open_page: Callable[..., Opened], fonts: FontSet) -> None:
    """Each table whole on a screen of usual width and on paper, in a font."""
    page = open_page(path, fonts, viewport={"width": SCREEN, "height": 900}).page
    page.evaluate("document.querySelectorAll('details').forEach((its) => its.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREEN
    assert page.locator(".scroll").evaluate_all(CUT_OFF) == []
    page.set_viewport_size({"width": PRINTED_WIDTH, "height": 1000})
    page.emulate_media(media="print")
    assert [end for end in page.evaluate(ENDS) if end[2] > PRINTED_WIDTH + 0.5] == []
    assert page.locator(".scroll").evaluate_all(CUT_OFF) == []


def assert_good_page(path: Path, open_page: Callable[..., Opened]) -> None:
    """No request, no fault, tables that sort, links that lead somewhere, no page wider than a phone."""
    opened = open_page(path, viewport={"width": PHONE, "height": 800})
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert page.locator("img, script").count() == 1
    links = page.evaluate("Array.from(document.querySelectorAll('a'), (its) => its.hash.slice(1))")
    assert all(page.locator(f"[id='{link}']").count() == 1 for link in links)
    ids = page.evaluate("Array.from(document.querySelectorAll('[id]'), (its) => its.id)")
    assert len(ids) == len(set(ids))
    table = page.locator("table.sortable").first
    heading = table.locator("thead th.n").first
    place = heading.evaluate("its => its.cellIndex")
    for order in ("ascending", "descending"):
        heading.get_by_role("button").click()
        cells = table.locator(f"tbody td:nth-child({place + 1})").all_inner_texts()
        values = [float(cell.split()[0].rstrip("%").replace(",", "")) for cell in cells]
        assert values == sorted(values, reverse=order == "descending")
        assert heading.get_attribute("aria-sort") == order
    levels = page.evaluate("Array.from(document.querySelectorAll('h1, h2, h3, h4'), (its) => Number(its.tagName[1]))")
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert opened.requests == [path.as_uri()]
    assert opened.faults == []
