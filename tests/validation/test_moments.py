"""Rows whose outcomes had no time to come: by a date that can be read in one way only."""

import numpy as np
import pytest

from cli.errors import UserError
from table.time_format import TimeFormat
from table.times import Kind, Times
from validation.moments import too_young

DAYS = np.array(["2026-01-01", "2024-01-01", "NaT"], "datetime64[us]")


@pytest.mark.parametrize("kind", ["a date or time without a time zone", "a time with a time zone"])
@pytest.mark.parametrize("date", ["2026-06-30", "20260630", "2026-06", "2026-06-30T12:00+05:30"])
def test_rows_of_the_last_months_are_too_young(date: str, kind: Kind) -> None:
    assert too_young(Times(DAYS, kind), date, 12).tolist() == [True, False, False]
    assert not too_young(Times(DAYS, kind), date, 3).any()


def test_a_date_may_be_written_as_the_column_is() -> None:
    moments = Times(DAYS, "a date or time without a time zone", TimeFormat("%d/%m/%Y"))
    assert too_young(moments, "06/07/2026", 6).tolist() == [False, False, False]
    assert too_young(moments, "30/06/2026", 6).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "date", ["", "soon", "nat", "now", "June", "10:00", "5", "06/07/2026", "2026-13-01", "0001-01-01"]
)
def test_what_may_be_another_date_is_refused(date: str) -> None:
    with pytest.raises(UserError, match=r'validation\.date: expected a date such as 2026-06-30, got "'):
        too_young(Times(DAYS, "a date or time without a time zone"), date, 12)


def test_months_need_dates() -> None:
    with pytest.raises(UserError, match=r"validation\.horizon: expected dates, the time column has numbers; set"):
        too_young(Times(np.array([1.0, 2.0]), "a number"), "2026-06-30", 12)
