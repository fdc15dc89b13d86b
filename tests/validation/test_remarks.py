"""Each part that a table does not support is one line, on the page and in its data."""

from dataclasses import replace

import numpy as np
import pandas as pd

from tests.validation.whole import FAIRNESS, whole
from validation.fairness.groups import attributes_of
from validation.page import content_of, described
from validation.report.pages import render
from validation.sections import periods
from validation.sections.section import Coded, Subject

DATA = {"source": "x.csv", "sha256": "0", "rows": 4_000, "first_time": None, "last_time": None}
DATA |= {"too_young": 0, "without_time": 0}


def said(its: Subject) -> list[str]:
    found = described(its, DATA)
    page = render("validation", **content_of(found))
    assert all(f'<p class="note">{remark}.</p>' in page for remark in found["remarks"])
    return found["remarks"]


def test_a_table_that_supports_everything_has_no_remark() -> None:
    assert said(whole(np.random.default_rng(0))) == []


def test_no_outcome_and_one_outcome_are_said() -> None:
    its = whole(np.random.default_rng(0))
    none = replace(its, rows=replace(its.rows, outcome=np.full(len(its.rows), np.nan)))
    assert said(none) == ["no outcome is known: nothing that needs outcomes is tested"]
    few = replace(
        its, rows=replace(its.rows, outcome=np.where(np.arange(len(its.rows)) < 40, its.rows.outcome, np.nan))
    )
    assert [entry["light"] for entry in periods.make(few).figure["periods"]] == [None] * 6  # type: ignore[index]
    render("validation", **content_of(described(few, DATA)))
    one = replace(its, rows=replace(its.rows, outcome=np.zeros(len(its.rows))))
    assert said(one) == ["every known outcome is no default: ranking and slices are not tested"]


def test_grades_without_customers_are_named() -> None:
    its = whole(np.random.default_rng(0))
    without = replace(its, rows=replace(its.rows, probability=np.clip(its.rows.probability, 0.016, 0.3)))
    assert said(without) == ["4 grades without customers: 14, 13, 02, 01; no test of those"]


def test_groups_periods_and_levels_of_five_are_counted_and_not_named() -> None:
    its = whole(np.random.default_rng(0))
    five = (np.arange(len(its.rows)) >= 5).astype(np.int32)
    people = attributes_of(pd.DataFrame({"sex": np.where(five, "m", "few-f")}), replace(FAIRNESS, groups=("sex",)))
    rows = replace(its.rows, periods=Coded(["few-p", "2026"], five), segments={"region": Coded(["few-r", "all"], five)})
    found = said(replace(its, rows=rows, people=tuple(people)))
    assert found == [
        "sex: 1 group not shown, fewer than 30 people each or beyond the largest, 5 rows in all",
        "periods: 1 not shown, fewer than 30 rows each, 5 rows in all",
        "region: 1 not shown, fewer than 30 rows each, 5 rows in all",
    ]
    assert "few-" not in " ".join(found)
