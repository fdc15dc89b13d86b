"""Rows that are no customers: empty ones, the header again, units or names below it, totals and notes at the end."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cli.words import listed
from table.amounts import Marks
from table.cells import Source, coded_labels, decoded, label, present, with_rows
from table.short_rows import WIDEST_NOTE
from training.drafting.cells import Cells
from training.drafting.writing import AMONG_NUMBERS, LOOKED_AT, NEARLY_ALL

ABOVE, BELOW = 2, 5  # rows at the start and at the end that are looked at
FEWEST_ROWS = 20
PLACES = 5  # that are said
NEVER_MISSING = 0.05  # share of missing cells of a column that every customer has
LONGEST = 20  # letters of a word of totals
FEWEST_MEANS = 2  # columns: a customer may have the mean of one, hardly of several, and no other customer the same
ROUNDED = 1e-6  # relative error of a sum
OF_TOTALS = re.compile(
    r"(grand|sub|gesamt|end)?[ -]?(totals?|totale[ns]?|totaux|totaal|total (g[eé]n[eé]ral|geral)|celkem|gesamt(summe)?"
    r"|insgesamt|summe|summa|somme|suma|soma|sums?|razem|ogółem|итого|всего|合计|总计|averages?|avg|mean|mittelwert"
    r"|durchschnitt|moyenne|promedio|media|média|gemiddelde|count|anzahl)[ :.]*",
    re.I,
)
EMPTY, HEADER, NAMES, TOTALS, NOTE = (
    "empty",
    "the header again",
    "units or names of the columns",
    "totals",
    "a note",
)


@dataclass(frozen=True)
class Strays:
    """Rows of a table, from 0, each with what it seems to be, and the values by which `data.exclude` leaves them out.

    `values` is empty where no column distinguishes them from customers; a missing cell is the empty text.
    """

    rows: Mapping[int, str]
    values: Mapping[str, tuple[str, ...]]
    places: Sequence[str]

    def in_words(self) -> list[str]:
        """A line on each kind: where such rows are."""
        said = []
        for kind in dict.fromkeys(self.rows.values()):
            where = [place for place, its in zip(self.places, self.rows.values(), strict=True) if its == kind]
            more = f" and {len(where) - PLACES:,} more" if len(where) > PLACES else ""
            named = f"{', '.join(where[:PLACES])}{more}" if more else listed(where)
            said.append(f"{named} seem{'s' if len(where) == 1 else ''} to be {kind}, not {_customers(len(where))}")
        return said

    def others_of(self, source: Source) -> Source:
        """The source without these rows."""
        kept = np.ones(len(next(iter(source.columns.values()))), dtype=bool)
        kept[list(self.rows)] = False
        return with_rows(source, kept)


def strays_of(source: Source, columns: Sequence[Cells], marks: Marks, short: Collection[int] = ()) -> Strays | None:
    """The rows that are not customers, or None for a table without such rows.

    `columns` are those that can be read, `short` the rows whose last cells are not in the file: customers may be among
    them where it is cut short.
    """
    table = _Table(source, columns, marks, short)
    rows = dict.fromkeys(table.empty(), EMPTY)
    for row in table.like_the_header():
        rows.setdefault(row, HEADER)
    if table.rows >= FEWEST_ROWS:
        for row in table.of_names():
            rows.setdefault(row, NAMES)
        for row in table.totals_inside():
            rows.setdefault(row, TOTALS)
        for row, kind in table.at_the_end(set(rows)):
            rows.setdefault(row, kind)
    if not rows or len(rows) == table.rows:
        return None
    rows = dict(sorted(rows.items()))
    return Strays(rows, table.values_of(list(rows)), source.places(list(rows)))


class _Table:
    """A table's cells by row."""

    def __init__(self, source: Source, columns: Sequence[Cells], marks: Marks, short: Collection[int]) -> None:
        self._source, self._columns, self._marks, self._short = source, columns, marks, short
        self.rows = len(next(iter(source.columns.values())))

    def empty(self) -> Iterator[int]:
        if all(cells.missing for cells in self._columns):
            missing = np.ones(self.rows, dtype=bool)
            for cells in self._columns:
                missing &= pc.is_null(self._present(cells.name)).to_numpy()
            yield from np.flatnonzero(missing).tolist()

    def like_the_header(self) -> Iterator[int]:
        """Rows in which every cell that is not missing is its column's name."""
        named = [cells for cells in self._columns if cells.name.strip() in cells.levels]
        if len(named) < 2 or 2 * len(named) < len(self._columns):
            return
        alike = np.zeros(self.rows, dtype=np.int64)
        for cells in named:
            equal = pc.equal(self._present(cells.name), cells.name.strip())
            alike += pc.fill_null(equal, False).to_numpy()
        for row in np.flatnonzero(alike == len(named)).tolist():
            if all(text in (None, name.strip()) for name, text in self._texts(row).items()):
                yield row

    def of_names(self) -> Iterator[int]:
        """The first rows, where they have texts of their own in columns of numbers."""
        for row in range(ABOVE):
            texts = self._texts(row)
            odd = [cells for cells in self._columns if self._is_odd(cells, texts[cells.name])]
            if len(odd) < 2 or 2 * len(odd) < sum(map(self._are_numbers, self._columns)):
                return
            yield row

    def totals_inside(self) -> Iterator[int]:
        """Rows with a word of totals that lack what others have, anywhere: those below each group or page."""
        most = int(NEVER_MISSING * self.rows)
        for cells in self._columns:
            words = [level for level in cells.levels if len(level) <= LONGEST and OF_TOTALS.fullmatch(level)]
            if words and sum(self._rows_with(cells, word) for word in words) <= most:
                found = pc.is_in(self._present(cells.name), pa.array(words)).to_numpy()
                yield from (row for row in np.flatnonzero(found).tolist() if self._lacks(self._texts(row)))

    def at_the_end(self, known: set[int]) -> Iterator[tuple[int, str]]:
        """The last rows that are totals or notes, with their kind."""
        last = range(self.rows - 1, max(self.rows - 1 - BELOW, 0), -1)
        doubtful = {row for row in last if self._lacks(self._texts(row))}  # other totals, or customers
        for row in last:
            if row in known:
                continue
            texts = self._texts(row)
            here = {name: text for name, text in texts.items() if text is not None}
            lacks = self._lacks(texts)
            says = any(OF_TOTALS.fullmatch(text) for name, text in here.items() if self._is_rare(name, text))
            if not (lacks or says):
                return
            if lacks and not says and self._is_note(here) and not (row in self._short and self._is_cut(here)):
                yield row, NOTE
            elif (lacks and says) or any(self._adds_up(texts, others | {row}) for others in (known, known | doubtful)):
                yield row, TOTALS
            else:
                return
            known.add(row)

    def values_of(self, rows: Sequence[int]) -> dict[str, tuple[str, ...]]:
        """Values that these rows have and no other: of one column if possible, and texts rather than numbers."""
        own = np.zeros(self.rows, dtype=bool)
        own[rows] = True
        by_column: dict[str, tuple[str, ...]] = {}
        covered: dict[str, NDArray[np.bool_]] = {}
        for cells in self._columns:
            levels, codes = coded_labels(self._source, cells.name)
            sure = np.setdiff1d(codes[own], codes[~own])
            by_column[cells.name] = tuple("" if levels[code] is None else str(levels[code]) for code in sure)
            covered[cells.name] = np.isin(codes, sure) & own
        names = sorted(
            by_column, key=lambda name: sum(self._marks.amount(value) is not None for value in by_column[name])
        )
        if whole := next((name for name in names if covered[name][own].all()), None):
            return {whole: by_column[whole]}
        found: dict[str, tuple[str, ...]] = {}
        for name in names:
            if (covered[name] & own).any():
                found[name] = by_column[name]
                own &= ~covered[name]
        return {} if own.any() else found

    def _present(self, name: str) -> "pa.ChunkedArray":
        cells = decoded(self._source.columns[name])
        return present(cells, self._source.missing) if pa.types.is_string(cells.type) else cells

    def _texts(self, row: int) -> dict[str, str | None]:
        """The texts of a row, None for missing."""
        cells = {cells.name: self._source.columns[cells.name].slice(row, 1) for cells in self._columns}
        texts = {name: label(cell[0].as_py()) for name, cell in cells.items()}
        return {name: None if text is None or text in self._source.missing else text for name, text in texts.items()}

    def _lacks(self, texts: Mapping[str, str | None]) -> bool:
        """True for a row in which a cell is missing that nearly all rows have."""
        few = max(BELOW, NEVER_MISSING * self.rows)
        return any(texts[cells.name] is None and cells.missing <= few for cells in self._columns)

    def _is_amount(self, text: str) -> bool:
        return self._marks.amount(text) is not None

    def _rows_with(self, cells: Cells, text: str) -> int:
        return int(cells.rows[cells.levels.index(text)]) if text in cells.levels else 0

    def _is_rare(self, name: str, text: str) -> bool:
        [cells] = [cells for cells in self._columns if cells.name == name]
        return self._rows_with(cells, text) <= BELOW

    def _is_note(self, here: Mapping[str, str]) -> bool:
        """True for one text in a table of three columns or more; in a wider one, for a text and what it introduces."""
        if not 1 <= len(here) <= WIDEST_NOTE or len(self._columns) <= 2 * len(here):
            return False
        rare = all(self._is_rare(name, text) for name, text in here.items())
        return rare and not all(self._is_amount(text) for text in here.values())

    def _is_cut(self, here: Mapping[str, str]) -> bool:
        """True if every text is that of a customer, or its beginning, by letters and other characters."""
        by_name = {cells.name: cells for cells in self._columns}
        for name, text in here.items():
            others = {_shape(level) for level in by_name[name].levels if level != text}
            if not any(shape.startswith(_shape(text)) for shape in others):
                return False
        return True

    def _are_numbers(self, cells: Cells) -> bool:
        if cells.is_boolean or cells.time is not None:
            return False
        frequent = cells.frequent(LOOKED_AT)
        read = sum(map(self._is_amount, frequent))
        return read > 0 and read >= min(NEARLY_ALL * len(frequent), len(frequent) - ABOVE)

    def _is_odd(self, cells: Cells, text: str | None) -> bool:
        """True for a text that no other row has in a column of numbers, and that is no word for missing."""
        if text is None or text.casefold() in AMONG_NUMBERS or self._is_amount(text):
            return False
        return self._rows_with(cells, text) == 1 and self._are_numbers(cells)

    def _adds_up(self, texts: Mapping[str, str | None], others: set[int]) -> bool:
        """True for a row with the sum of a column, larger than all that is summed, or with the means of several.

        The rows of `others` are not counted.
        """
        means = 0
        for cells in self._columns:
            text = texts[cells.name]
            amount = None if text is None else self._marks.amount(text)
            if text is None or amount is None or not self._are_numbers(cells):
                continue
            above = self._values_without(cells, others)
            if not len(above):
                continue
            total = float(above.sum())
            if abs(amount.value - total) <= ROUNDED * abs(total) and abs(total) > abs(above).max():
                return True
            decimals = sum(letter.isdecimal() for letter in text.partition(self._marks.decimal)[2])
            is_mean = abs(amount.value - total / len(above)) <= 0.5 * 10.0**-decimals + ROUNDED * abs(amount.value)
            means += is_mean and self._rows_with(cells, text) == 1
        return means >= FEWEST_MEANS

    def _values_without(self, cells: Cells, rows: set[int]) -> NDArray[np.float64]:
        """The numbers of a column without those of these rows."""
        values = dict(zip(cells.levels, cells.values(self._marks).tolist(), strict=True))
        levels, codes = coded_labels(self._source, cells.name)
        its = np.array([values.get(level, np.nan) for level in levels])[codes]
        its[list(rows)] = np.nan
        return np.asarray(its[~np.isnan(its)])


def _shape(text: str) -> str:
    return "".join("x" if letter.isalnum() else letter for letter in text)


def _customers(rows: int) -> str:
    return "a customer" if rows == 1 else "customers"
