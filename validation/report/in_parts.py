"""What the figures of a run are of, where its table was never in memory as a whole."""

from collections.abc import Mapping
from typing import Any

OF_ALL = (
    "boosters, calibrator, metrics and their intervals, bands, cut-offs, reliability, counts of the stability index, "
    "copies, levels, ranges and missing values"
)
OF_DRAWN = "exploration, importance, dependence, reasons, the edges of the stability index's bins and the remarks"


def statement(run: Mapping[str, Any]) -> str:
    """The sentences, without a mark of any language; empty where the table was in memory."""
    record = run.get("in_parts")
    if not record:
        return ""
    drawn = f"{record['train_rows']:,} training and {record['test_rows']:,} test rows, drawn with the seed"
    return f"The table was read in parts ({record['engine']}). Of all rows: {OF_ALL}. Of {drawn}: {OF_DRAWN}."
