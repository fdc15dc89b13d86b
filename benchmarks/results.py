"""Summary of the ranking's cells: ours against each contender, by table and over all, with intervals."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import Cell, Measured
from benchmarks.differences import Difference, Differences, Drawn, Pair, auc, drawn, log_loss, of_table, of_tables
from benchmarks.report import Row

OURS = "ours"
MARGIN = 0.001
"""A contender is better where it leads by more than this and its interval does not reach 0."""
SEED = 20


@dataclass(frozen=True)
class Line:
    """Ours against a contender on one table, or on all (`table` is None): means over the divisions of each model."""

    table: str | None
    contender: str
    divisions: int
    auc: tuple[float, float]
    log_loss: tuple[float, float]
    differences: Differences

    @property
    def lost(self) -> list[str]:
        """The measures by which the contender is better."""
        found = []
        if self.differences.auc.value < -MARGIN and self.differences.auc.high < 0:
            found.append("ROC-AUC")
        if self.differences.log_loss.value > MARGIN and self.differences.log_loss.low > 0:
            found.append("log loss")
        return found


@dataclass
class Results:
    """The measured cells, with the outcomes of their test rows."""

    cells: dict[Cell, tuple[NDArray[np.int8], Measured]] = field(default_factory=dict)

    def add(self, cell: Cell, target: NDArray[np.int8], measured: Measured) -> None:
        """One cell more."""
        self.cells[cell] = target, measured

    def lines(self) -> list[Line]:
        """By contender: each table, then all of them where there are several. Divisions without ours are left out."""
        found: list[Line] = []
        for contender in dict.fromkeys(cell.contender for cell in self.cells if cell.contender != OURS):
            of_each: dict[str, list[Drawn]] = {}
            its: list[Line] = []
            for table in dict.fromkeys(cell.table for cell in self.cells):
                pairs = self._pairs(table, contender)
                if pairs:
                    of_each[table] = [drawn(pair, SEED + number) for number, pair in enumerate(pairs)]
                    differences = of_table(of_each[table], SEED)
                    its.append(Line(table, contender, len(pairs), *_means(pairs), differences))
            if len(its) > 1:
                means = (_over(line.auc for line in its), _over(line.log_loss for line in its))
                divisions = sum(line.divisions for line in its)
                its.append(Line(None, contender, divisions, *means, of_tables(of_each, SEED)))
            found += its
        return found

    def _pairs(self, table: str, contender: str) -> list[Pair]:
        found = []
        for cell, (target, its) in self.cells.items():
            if cell.table == table and cell.contender == OURS:
                other = self.cells.get(cell._replace(contender=contender))
                if other is not None:
                    found.append(Pair(target, its.probability, other[1].probability))
        return found


def rows_of(results: Results) -> Iterator[Row]:
    """For the terminal: two rows for each table and contender."""
    for line in results.lines():
        where = f"{line.table or 'all tables'}: ours against {line.contender}"
        yield Row(f"{where}, ROC-AUC", _figure(line.auc, line.differences.auc), f"≥ -{MARGIN}, or 0 within")
        yield Row(f"{where}, log loss", _figure(line.log_loss, line.differences.log_loss), f"≤ {MARGIN}, or 0 within")


def markdown(results: Results) -> str:
    """The same as a table, and a line for what was lost and for how long each contender took."""
    lines = results.lines()
    text = [
        "| table | divisions | against | ROC-AUC: ours; theirs | difference | log loss: ours; theirs | difference |",
        "|---|---:|---|---|---|---|---|",
    ]
    for line in lines:
        both = ((line.auc, line.differences.auc), (line.log_loss, line.differences.log_loss))
        figures = " | ".join(f"{ours:.4f}; {theirs:.4f} | {difference}" for (ours, theirs), difference in both)
        text.append(f"| {line.table or '**all**'} | {line.divisions} | {line.contender} | {figures} |")
    lost = [f"{line.table or 'all tables'}, {line.contender}: {' and '.join(line.lost)}" for line in lines if line.lost]
    text += ["", f"Lost by more than {MARGIN} with an interval beyond 0: {'; '.join(lost) or 'none'}."]
    seconds: dict[str, float] = {}
    for cell, (_, its) in results.cells.items():
        seconds[cell.contender] = seconds.get(cell.contender, 0.0) + its.seconds
    shares = ", ".join(f"{name} {its / seconds[OURS]:.1f}" for name, its in seconds.items()) if OURS in seconds else ""
    return "\n".join([*text, "", f"Time of search and fit, as a multiple of ours: {shares}.", ""])


def _figure(both: tuple[float, float], difference: Difference) -> str:
    return f"{both[0]:.4f}; {both[1]:.4f}; {difference}"


def _means(pairs: list[Pair]) -> tuple[tuple[float, float], tuple[float, float]]:
    return (
        _over((auc(pair.target, pair.ours), auc(pair.target, pair.theirs)) for pair in pairs),
        _over((log_loss(pair.target, pair.ours), log_loss(pair.target, pair.theirs)) for pair in pairs),
    )


def _over(pairs: "Iterator[tuple[float, float]]") -> tuple[float, float]:
    ours, theirs = np.mean(list(pairs), axis=0)
    return float(ours), float(theirs)
