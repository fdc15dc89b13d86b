"""Periods of rows, by time or by file, and rows that had no time to default."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli.errors import UserError
from cli.words import shown
from table.times import MONTH, Times
from validation.sections.section import Coded

FREQUENCIES = {"month": "M", "quarter": "Q", "year": "Y"}


def by_time(moments: Times, kind: str) -> Coded:
    """The month, quarter or year of each moment [N], which are dates, in the order of time."""
    stamps = pd.DatetimeIndex(moments.values).tz_localize(None)
    codes, periods = pd.factorize(stamps.to_period(FREQUENCIES[kind]), sort=True)
    labels = [str(period) for period in periods]
    if kind == "quarter":
        labels = [label.replace("Q", "-Q") for label in labels]
    return Coded(labels, codes.astype(np.int32))


def by_file(parts: Sequence[tuple[str, int]], moments: Times | None) -> tuple[Coded, list[str]]:
    """A period for each file, in the order of their first moments where these are known; and remarks.

    A remark says where names are in another order than time, and where files overlap in time.
    """
    names, sizes = [_label(name) for name, _ in parts], np.array([size for _, size in parts])
    number = np.repeat(np.arange(len(parts)), sizes)
    order, remarks = np.arange(len(parts)), []
    if moments is not None and (there := ~moments.missing()).any():
        spans = pd.DataFrame({"file": number[there], "time": moments.values[there]}).groupby("file")["time"]
        first, last = spans.min().reindex(range(len(parts))), spans.max().reindex(range(len(parts)))
        if first.notna().all():
            order = np.argsort(first.to_numpy(), kind="stable")
            if (np.diff(order) < 0).any():
                remarks.append(f"files are in the order of their times, not of their names: {names[order[0]]} first")
            starts, ends = first.to_numpy()[order], last.to_numpy()[order]
            if (late := np.flatnonzero(starts[1:] <= ends[:-1])).size:
                at = int(late[0])
                remarks.append(f"periods overlap: {names[order[at + 1]]} begins before {names[order[at]]} has ended")
    place = np.empty(len(parts), dtype=np.int32)
    place[order] = np.arange(len(parts), dtype=np.int32)
    return Coded([names[i] for i in order], place[number]), remarks


def _label(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix and not path.is_absolute() else path.stem


def too_young(moments: Times, date: str, months: int) -> NDArray[np.bool_]:
    """Which rows [N] had less than so many months until a date; False without a time. Raises UserError for no date."""
    if moments.kind == "a number":
        raise UserError("validation.horizon: expected dates, the time column has numbers; set validation.time_format")
    moment = moments.moment(date)
    try:  # ISO 8601, since pandas reads 06/07/2026 and June as something
        written = re.sub(MONTH, r"\1-01", date)
        day = pd.Timestamp(datetime.fromisoformat(written) if moment is None or pd.isna(moment) else moment)
        last = (day.tz_localize(None) - pd.DateOffset(months=months)).to_datetime64()
    except (ValueError, OverflowError):
        raise UserError(f"validation.date: expected a date such as 2026-06-30, got {shown(date)}") from None
    return np.asarray(moments.values > last)
