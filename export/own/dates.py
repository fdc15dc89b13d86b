"""Columns of dates as categories of a request, whose levels are ISO dates (2016-09-01): encoders of levels read them.

Other steps are refused. Scalers and binners of scikit-learn read a datetime64 as a count of the DataFrame's unit (s, us
or ns, which another file or another pandas changes) and a missing date as -9.2e18. A function of your own has no known
points at which it changes direction. Days that are computed before the pipeline have neither fault.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from export.own.prepared import Preparation
from export.own.trace import Column, StepRefused
from export.refusal import ExportRefused
from table.cells import iso_of
from table.columns import MISSING_CATEGORY

ENCODERS = (OneHotEncoder, OrdinalEncoder, TargetEncoder)
FAR = (date(1700, 1, 1), date(2261, 12, 31), date(1969, 12, 31))  # all within the reach of datetime64[ns]
DESCRIPTION = "date, such as 2016-09-01"


def is_dated(column: "pd.Series[Any]") -> bool:
    """True for a column of datetime64, of periods or of Python's dates, as they are or as categories."""
    dtype = _dtype(column.dtype)
    if isinstance(dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(dtype):
        return True
    present = column.dropna()
    is_object = pd.api.types.is_object_dtype(dtype)
    return is_object and len(present) > 0 and all(isinstance(value, date) for value in present.tolist())


def dates_of(column: "pd.Series[Any]") -> NDArray[np.object_]:
    """ISO dates, "" for a missing one. Raises ExportRefused for periods, time zones and times of the day."""
    if others := _not_plain(column):
        raise ExportRefused(f"{column.name}: expected dates, got {others}; make them {_moments(column)} and fit again")
    values = column.astype(object).tolist()
    texts = [MISSING_CATEGORY if pd.isna(value) else iso_of(value) for value in values]
    if times := [text for text in texts if len(text) > len("2016-09-01")]:
        raise ExportRefused(
            f"{column.name}: expected dates, got the time {times[0]}; make them {_moments(column)}.dt.normalize() "
            "and fit again"
        )
    return np.array(texts, dtype=object)


def as_dates(texts: Iterable[str], known: Sequence[str], dtype: Any, usual: Any, missing: Any) -> "pd.Series[Any]":
    """ISO dates in the rows' own type, of which `usual` is an example. Other texts become dates that are not known."""
    value_of: dict[str, Any] = {text: date.fromisoformat(text) for text in known} | {MISSING_CATEGORY: None}
    unknown = _unknown(known)
    values = [value_of[t] if t in value_of else unknown[crc32(t.encode()) % len(unknown)] for t in texts]
    own = _dtype(dtype)
    if isinstance(own, np.dtype) and own.kind == "M":
        return pd.Series(np.array(values, dtype="datetime64[D]").astype(own))
    of = pd.Timestamp if isinstance(usual, datetime) else lambda day: day  # equal to a datetime, as a date is not
    made: pd.Series[Any] = pd.Series([missing if value is None else of(value) for value in values], dtype=own)
    return made


def with_dates(frame: pd.DataFrame, preparations: Sequence[Preparation]) -> pd.DataFrame:
    """The rows with texts made dates where an encoder was fitted on such: a CSV file has texts only.

    Raises ExportRefused for other texts.
    """
    for raw in {column.raw for column in _columns(preparations) if _is_fitted_on_dates(column)}:
        name = frame.columns[raw]
        if pd.api.types.is_string_dtype(frame[name].dtype) and not is_dated(frame[name]):
            try:
                frame = frame.assign(**{name: pd.to_datetime(frame[name], format="ISO8601")})
            except (ValueError, TypeError):
                raise ExportRefused(f"{name}: expected dates such as 2016-09-01, as those of the fit") from None
    return frame


def refuse_other_readers(frame: pd.DataFrame, preparations: Sequence[Preparation]) -> None:
    """Raise ExportRefused for dates that any step reads but an encoder of levels."""
    dated = {raw for raw in range(frame.shape[1]) if is_dated(frame.iloc[:, raw])}
    for column in _columns(preparations):
        if column.mixed is None and column.stages and type(column.stages[0].step) in ENCODERS:
            continue
        for raw in dated.intersection(column.raws):
            raise ExportRefused(_refusal(frame.iloc[:, raw], column.way or "the booster"))


def of_dates(refusal: StepRefused, frame: pd.DataFrame) -> ExportRefused:
    """The refusal of a step, and where the step reads dates what to do in its place."""
    for raw in refusal.raws:
        if is_dated(frame.iloc[:, raw]):
            return ExportRefused(_refusal(frame.iloc[:, raw], refusal.where))
    return ExportRefused(str(refusal))


def _refusal(column: "pd.Series[Any]", way: str) -> str:
    name = column.name
    days = f'X["{name}_days"] = ({_moments(column)} - pd.Timestamp("1970-01-01")).dt.days'
    return (
        f"{name}: {way} reads dates, and only OneHotEncoder, OrdinalEncoder and TargetEncoder may; fit on days in "
        f"their place: {days} (or on .dt.year, .dt.month)"
    )


def _not_plain(column: "pd.Series[Any]") -> str:
    dtype = _dtype(column.dtype)
    if isinstance(dtype, pd.PeriodDtype):
        return "periods"
    return "times with a time zone" if isinstance(dtype, pd.DatetimeTZDtype) else ""


def _moments(column: "pd.Series[Any]") -> str:
    """The code that makes them datetime64 without a time zone."""
    its = f'X["{column.name}"]'
    dtype = _dtype(column.dtype)
    if isinstance(dtype, pd.PeriodDtype):
        return f"{its}.dt.to_timestamp()"
    if isinstance(dtype, pd.DatetimeTZDtype):
        return f"{its}.dt.tz_localize(None).dt.normalize()"
    return its if pd.api.types.is_datetime64_dtype(dtype) else f"pd.to_datetime({its})"


def _dtype(dtype: Any) -> Any:
    return dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype


def _columns(preparations: Sequence[Preparation]) -> Iterable[Column]:
    return [column for preparation in preparations for column in preparation.columns]


def _is_fitted_on_dates(column: Column) -> bool:
    if not column.stages or type(column.stages[0].step) not in ENCODERS:
        return False
    stage = column.stages[0]
    return bool(np.asarray(stage.step.categories_[stage.input]).dtype.kind == "M")


def _unknown(known: Sequence[str]) -> list[date]:
    """Dates before, after and between the known ones."""
    near = [date.fromisoformat(text) + timedelta(days=1) for text in known[:: max(1, len(known) // 4)]]
    return [day for day in (*FAR, *near) if day.isoformat() not in known]
