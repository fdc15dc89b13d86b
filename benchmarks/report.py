"""A measured row, what it has to reach, and the table of rows."""

import re
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


class Row(NamedTuple):
    """One line: what was measured, the value, its target ("" where it stands for comparison).

    A row with a `key` is a figure: it is kept in docs/benchmarks.json under the name of its group and this key, as the
    pages show it. Its `what` has to be understood without the rows above it.
    """

    what: str
    figure: str
    reach: str
    key: str = ""
    spread: str = ""


def missed(value: str, reach: str) -> bool:
    """Return True where the numbers of a value do not reach the target. What has no number misses nothing.

    >>> missed("1.02", "≤ 1.08"), missed("29 to 61", "≥ 50"), missed("-6 %", "± 25 %"), missed("2", "0")
    (False, True, False, True)
    >>> missed("0.055 → 0.061, better in 1 of 5", "lower"), missed("0.02", "flat"), missed("1.4e-17", "≤ 1e-7")
    (True, False, False)
    """
    numbers, wanted = ([float(text.replace(",", "")) for text in NUMBER.findall(its)] for its in (value, reach))
    if reach == "lower":
        return len(numbers) > 1 and numbers[0] <= numbers[1]
    if not numbers or not wanted:
        return False
    limit = wanted[0]
    match reach[0]:
        case "≤":
            return max(numbers) > limit
        case "≥":
            return min(numbers) < limit
        case "±":
            return max(map(abs, numbers)) > limit
    return numbers[0] != limit


def show(title: str, rows: "list[Row]") -> None:
    """Print a table on standard output."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for heading in ("measured", "spread", "reach"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(row.what, row.figure, row.spread, row.reach)
    Console(width=120, highlight=False).print(table, "")
