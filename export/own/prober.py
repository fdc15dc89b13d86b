"""A fitted preparation, asked for rows that are made up column by column, and the refusal of what it does not take."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from export.own.faults import said_of
from export.own.prepared import Preparation
from export.own.raw import RawTable
from export.refusal import ExportRefused
from table.columns import MISSING_CATEGORY

UNSEEN = ("\U0001f600 no such level", "no such level, either")
# Numbers that a step may be asked for. Where it raises beyond the last but one it is not asked there.
FARTHEST = (1.7e308, 1e300, 1e150, 1e38)
MOST_NAMED = 101  # numbers of a column among which the one that is refused is looked for
AT_ONCE = 20_000
RAISED = (ValueError, TypeError, FloatingPointError)


class Prober:
    """Ask one preparation for rows that are made up column by column."""

    def __init__(self, preparation: Preparation, table: RawTable, base: Mapping[str, NDArray[Any]]) -> None:
        self.preparation, self.table, self.base = preparation, table, base
        names = [column.name for column in table.columns]
        self.input = {names.index(name): ("numbers", i) for i, name in enumerate(table.numbers)}
        self.seeds: dict[tuple[Any, ...], NDArray[np.float64]] = {}
        self.ends: dict[int, tuple[float, ...]] = {}
        """The lowest and the highest number that it takes, by raw column."""
        self.is_sparse = sparse.issparse(preparation.matrix(table.frame(base)))
        self.input |= {names.index(name): ("categories", i) for i, name in enumerate(table.vocabularies_)}

    def ask(self, values: Mapping[int, Sequence[Any] | NDArray[Any]], columns: Sequence[int]) -> NDArray[np.float32]:
        """The prepared columns, as the trees see them, of rows with these values by raw column; all else is usual."""
        count = max(map(len, values.values()))
        rows = {name: np.repeat(row, count, axis=0) for name, row in self.base.items()}
        for raw, its in values.items():
            name, place = self.input[raw]
            rows[name][: len(its), place] = its
        parts = []
        for first in range(0, count, AT_ONCE):
            part = {name: matrix[first : first + AT_ONCE] for name, matrix in rows.items()}
            with np.errstate(all="ignore"):
                parts.append(self.preparation.seen(self.preparation.matrix(self.table.frame(part)), columns))
        return np.concatenate(parts)

    def refusal(self, raw: int, value: Any, columns: Sequence[int]) -> str | None:
        """The preparation's error for a value, in one line; None if it accepts the value."""
        try:
            self.ask({raw: [value]}, columns)
        except RAISED as fault:
            return said_of(fault)
        return None


def nullable_columns(probers: Sequence[Prober], used: Sequence[Mapping[int, NDArray[np.float32]]]) -> dict[int, bool]:
    """For each raw column that is read, by position: True where every preparation takes a missing value."""
    found: dict[int, bool] = {}
    for prober, columns in zip(probers, used, strict=True):
        for raw, (kind, _) in prober.input.items():
            value = np.nan if kind == "numbers" else MISSING_CATEGORY
            found[raw] = found.get(raw, True) and prober.refusal(raw, value, list(columns)[:1]) is None
    return found


def closed_levels(
    probers: Sequence[Prober], used: Sequence[Mapping[int, NDArray[np.float32]]]
) -> dict[int, tuple[str, ...]]:
    """For each category, by position, the levels that all preparations accept.

    Only categories are listed for which some preparation raises at an unseen level.
    """
    found: dict[int, tuple[str, ...]] = {}
    for prober, columns in zip(probers, used, strict=True):
        for raw, (kind, _) in prober.input.items():
            if kind == "categories" and prober.refusal(raw, UNSEEN[0], list(columns)[:1]) is not None:
                levels = found.get(raw, tuple(prober.table.levels[raw]))
                found[raw] = _taken(prober, raw, levels, list(columns)[:1])
    return found


def _taken(prober: Prober, raw: int, levels: Sequence[str], columns: Sequence[int]) -> tuple[str, ...]:
    """Levels that the preparation accepts."""
    try:
        prober.ask({raw: list(levels)}, columns)
    except RAISED:
        if len(levels) == 1:
            return ()
        half = len(levels) // 2
        return _taken(prober, raw, levels[:half], columns) + _taken(prober, raw, levels[half:], columns)
    return tuple(levels)


def farthest(prober: Prober, raw: int, sign: float, places: Sequence[int]) -> float:
    """The number farthest from zero that the pipeline takes. Raises ExportRefused where that is near."""
    said = None
    for far in FARTHEST:
        said = prober.refusal(raw, sign * far, list(places)[:1])
        if said is None:
            return sign * far
    raise refused_at(prober, raw, f"{sign * FARTHEST[-1]:g}", str(said))


def refused_among(
    prober: Prober, asked: Mapping[int, NDArray[np.float64]], places: Sequence[int], fault: Exception
) -> ExportRefused:
    """The refusal of a pipeline that raises for some of these numbers, naming the first."""
    for raw, its in asked.items():
        for x in np.unique(its[:MOST_NAMED]).tolist():
            if said := prober.refusal(raw, x, places[:1]):
                return refused_at(prober, raw, repr(x), said)
    return ExportRefused(f"the pipeline raises for numbers near those of its rows ({fault}); correct that step")


def refused_at(prober: Prober, raw: int, number: str, said: str) -> ExportRefused:
    """The refusal of a pipeline that raises for this number of a raw column, saying so."""
    unknown = "unknown categories" in said
    remedy = "set the encoder's handle_unknown (set_params does without a fit)" if unknown else ""
    return ExportRefused(
        f"{prober.table.columns[raw].name}: the pipeline raises for {number} ({said}), and a served model has to "
        f"answer every number; {remedy or 'clip it in front of that step and fit again'}"
    )
