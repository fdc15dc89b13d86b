"""Cells of tables: numbers of a column alike, missing ones as a dash, orders kept."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.words import counted
from validation.report.cells import columns_of, decimals
from validation.report.words import MISSING, between, figure, percent, plain


def texts(values: object, spec: str | None = None) -> list[str]:
    (column,) = columns_of(pd.DataFrame({"x": values}), {"x": spec} if spec else {})
    return [cell.text for cell in column.cells]


def test_a_column_of_numbers_has_the_same_decimals() -> None:
    assert texts([0.5, 12.25, np.nan]) == ["0.50", "12.25", MISSING]
    assert texts([1234.5, 2.25]) == ["1,234", "2"]
    assert texts([0.00012, 0.5]) == ["0.0001", "0.5000"]
    assert texts([1.0, 2.0]) == ["1", "2"]
    assert texts([90_000, 3]) == ["90,000", "3"]
    assert texts([0.0143], ".2%") == ["1.43%"]


def test_what_is_not_there_is_a_dash() -> None:
    assert texts([None, "a", ""]) == [MISSING, "a", ""]
    assert texts(pd.Series([pd.NA, 3], dtype="Int64")) == [MISSING, "3"]
    assert texts([np.inf, 1.5]) == [MISSING, "1.500"]
    assert texts([np.nan, np.nan]) == [MISSING, MISSING]


def test_metrics_beside_each_other_keep_their_own_digits() -> None:
    assert texts(pd.Series([22_500, 0.8956123, 0.0534812, None], dtype=object)) == [
        "22,500",
        "0.8956",
        "0.05348",
        MISSING,
    ]
    assert texts(pd.Series([(0.1, 0.25), None], dtype=object)) == ["0.1000 to 0.2500", MISSING]


def test_ordered_texts_sort_in_their_order() -> None:
    bands = pd.Categorical(["below 410", "[410, 438)", None], ["below 410", "[410, 438)"], ordered=True)
    (column,) = columns_of(pd.DataFrame({"Band": bands}))
    assert [(cell.text, cell.key) for cell in column.cells] == [("below 410", 0), ("[410, 438)", 1), (MISSING, None)]
    assert not column.numeric


@given(st.lists(st.floats(-1e12, 1e12), min_size=1))
def test_a_cell_is_its_number(values: list[float]) -> None:
    """To half a unit of the last decimal that is shown."""
    places = int(decimals(values).strip(",.f"))
    for text, value in zip(texts(values), values, strict=True):
        assert float(text.replace(",", "")) == pytest.approx(value, abs=0.5000001 * 10**-places, rel=1e-12)


def test_numbers_are_written_with_their_digits() -> None:
    assert percent(0.0143) == "1.43\u00a0%"
    assert percent(0.000272) == "0.0272\u00a0%"
    assert (percent(0), percent(1)) == ("0\u00a0%", "100\u00a0%")
    assert (percent(None), figure(float("nan")), between((0.1, float("nan")))) == (MISSING,) * 3
    assert figure(0.89561) == "0.8956"
    assert figure(1e-12) == "1.000e-12"
    assert figure(-0.05) == "-0.05000"
    assert (figure(28_770.883), figure(999.99)) == ("28,770.9", "999.9900")
    assert between((0.01, 0.02), "percent") == "1.00 to 2.00\u00a0%"
    assert (counted(1, "row"), counted(2_000, "row"), counted(0, "entry", "entries")) == (
        "1 row",
        "2,000 rows",
        "0 entries",
    )
    assert plain([True, 1.5, "a", None, 1e-8]) == f"yes, 1.5, a, {MISSING}, 1e-08"
