"""A figure, what it has to reach, and the table of them."""

from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """One line: what was measured, the figure, what it has to reach ("" where it stands for comparison)."""

    what: str
    figure: str
    reach: str


def show(title: str, rows: "list[Row]") -> None:
    """Print a table on standard output."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("measured", justify="right")
    table.add_column("reach", justify="right")
    for row in rows:
        table.add_row(*row)
    Console(width=120, highlight=False).print(table, "")
