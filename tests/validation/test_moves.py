"""Rows that move between grades or bands: counts, table, and the page of many grades."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.score import Bands
from tests.conftest import Opened
from tests.fonts import FONT_SETS
from tests.pages import assert_nothing_is_cut_off
from validation.moves import Moves
from validation.report.pages import render

pytestmark = pytest.mark.tier("land")
LARGEST_PAGE = 3_000_000  # bytes


def test_moves_count_each_pair_and_leave_out_empty_classes() -> None:
    edges, rng = [400.0, 450.0, 500.0, 550.0], np.random.default_rng(0)
    before, after = rng.uniform(410, 540, 300), rng.uniform(380, 490, 300)
    found, names = Moves.of_bands(edges, before, after), Bands(edges)
    pairs = list(zip(map(names.name, before.tolist()), map(names.name, after.tolist()), strict=True))
    assert found.labels == tuple(names.labels[:4])
    for i, one in enumerate(found.labels):
        assert found.counts[i].tolist() == [pairs.count((one, other)) for other in found.labels]
    assert found.moved == pytest.approx(np.mean([one != other for one, other in pairs]))


def test_moves_between_many_classes_are_pairs_the_largest_first() -> None:
    labels, rng = tuple("ABCDEFGH"), np.random.default_rng(1)
    before, after = rng.integers(0, 8, 3_000), rng.integers(0, 8, 3_000) // 2 * 2
    found = Moves.of(labels, before, after)
    frame = found.as_frame("Before")
    assert found.is_wide
    assert list(frame) == ["Before", "After", "Rows", "Of those before, %"]
    assert frame["Rows"].tolist() == sorted(frame["Rows"], reverse=True)
    assert frame["Rows"].sum() == 3_000
    for one, other, rows, share in frame.head(9).itertuples(index=False):
        its = before == labels.index(one)
        assert rows == (its & (after == labels.index(other))).sum()
        assert share == pytest.approx(100 * rows / its.sum())
    assert list(Moves.of(labels[:6], before % 6, after % 6).as_frame("Before")) == ["Before", *labels[:6], "All"]
    many = Moves(tuple(map(str, range(100))), np.ones((100, 100), dtype=np.int64)).as_frame("Before")
    assert len(many) == 400


@pytest.mark.parametrize("grades", [6, 7, 40])
def test_the_page_of_many_grades_fits_a_browser(grades: int, tmp_path: Path, open_page: Callable[..., Opened]) -> None:
    """Hostile names and a million rows in each cell: nothing cut off at 1200 pixels and on A4, in any font."""
    names = [f"<b>{number:02d}</b>" if number % 2 else f"{number:02d}-BBB+" for number in range(grades)]
    moves = Moves(tuple(names), np.full((grades, grades), 1_234_567))
    record: dict[str, Any] = {
        "method": "intercept",
        "central_tendency": None,
        "rows": 10**9,
        "source": "loans.csv",
        "sha256": "7" * 64,
    }
    record |= {"defaults": 10**7, "mean_before": 0.01, "mean_after": 0.02, "observed": 0.02}
    page = tmp_path / "recalibration.html"
    page.write_text(
        render(
            "recalibration",
            record=record,
            parent={"model_version": "0123456789ab", "pipeline": "8" * 64, "run": "9" * 64},
            alarms=[{"name": "features moved", "message": "income (0.31) " * 40}],
            moves={
                "grades": {
                    "table": moves.as_frame("Before \\ after, grades"),
                    "moved": 0.5,
                    "riskier": 0.25,
                    "wide": moves.is_wide,
                }
            },
            reliability=None,
            figures=None,
        ),
        encoding="utf-8",
    )
    assert page.stat().st_size <= LARGEST_PAGE
    opened = open_page(page)
    assert (opened.requests, opened.faults) == ([page.as_uri()], [])
    assert opened.page.locator("td b").count() == 0
    for fonts in FONT_SETS:
        assert_nothing_is_cut_off(page, open_page, fonts)
