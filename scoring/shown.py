"""Progress of a run: rows, rows a second and the time left."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from cli.progress import Progress
from cli.words import escaped
from scoring.plan import Plan

EVERY = 30.0  # seconds between two lines of a log


class Meter:
    """Rows that are scored so far, as a share of all rows if the files state their number, or else of all bytes."""

    def __init__(self, plan: Plan, done: int, before: int, rows_before: int) -> None:
        """`before` bytes and `rows_before` rows are of parts that an earlier run finished; `done` of them."""
        self.rows = 0
        self.parts = done
        self._plan, self._begin = plan, time.monotonic()
        self._before, self._rows_before, self._size = before, rows_before, before

    def add(self, rows: int) -> None:
        """Add rows that were read; rows of a process that died are taken back."""
        self.rows += rows

    def finish(self, size: int) -> None:
        """A piece of so many bytes is done."""
        self.parts += 1
        self._size += size

    def share(self) -> float:
        """Share of this run's own work that is done, 0 to 1."""
        if (total := self._plan.rows) is not None:
            return self.rows / max(total - self._rows_before, 1)
        return (self._size - self._before) / max(self._plan.size - self._before, 1)

    def line(self) -> str:
        """The line for a person."""
        seconds = max(time.monotonic() - self._begin, 1e-3)
        share = min(self.share(), 1.0)
        left = duration(seconds * (1 - share) / share) if share > 0 else "?"
        total = f" of {self._plan.rows:,}" if self._plan.rows is not None else ""
        rows = f"{self._rows_before + self.rows:,}{total} rows"
        return (
            f"{rows}, part {self.parts:,} of {len(self._plan.pieces):,}, {self.rows / seconds:,.0f} rows/s, {left} left"
        )


@contextmanager
def shown(progress: Progress, meter: Meter) -> Iterator[Meter]:
    """Show a meter while the block runs, on a terminal all the time, else by a line now and then."""
    last = time.monotonic()
    with progress.step("Scoring") as detail:
        add = meter.add

        def add_and_show(rows: int) -> None:
            nonlocal last
            add(rows)
            detail(meter.line())
            if not progress.console.is_terminal and time.monotonic() - last > EVERY:
                last = time.monotonic()
                progress.say(escaped(meter.line()))

        meter.add = add_and_show  # type: ignore[method-assign]
        yield meter


def duration(seconds: float) -> str:
    """A time for a person.

    >>> duration(5), duration(330), duration(7500)
    ('5 s', '6 min', '2 h 05 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"
