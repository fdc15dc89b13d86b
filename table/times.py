"""The column with each applicant's time: dates, times or numbers, as values that can be sorted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cli.errors import UserError
from cli.words import shown
from table.cells import Source, coded_labels, decoded, numbers, present, refuse_cells, refuse_type
from table.time_format import NUMBER, TimeFormat, fitting, misleading
from table.words import plain

Kind = Literal["a number", "a date or time without a time zone", "a time with a time zone"]

# Text is ISO 8601. Nanoseconds are cut; they are tried apart because they only reach from 1677 to 2262.
READINGS: dict[Kind, tuple[Any, ...]] = {
    "a number": (pa.float64(),),
    "a date or time without a time zone": (pa.timestamp("us"), pa.timestamp("ns")),
    "a time with a time zone": (pa.timestamp("us", "UTC"), pa.timestamp("ns", "UTC")),
}
MONTH = r"^(\d{4}-\d{2})$"  # stands for its first day
ALIKE = "use one format, or set split.time_format"
ANY_KIND = "a date or time such as 2025-07-31, 2025-07-31 12:30 or 2025-07-31T12:30Z, or a number"


@dataclass(frozen=True)
class Times:
    """N moments of one kind: float64 [N], NaN for missing, or datetime64[us] [N] (with a time zone in UTC), NaT."""

    values: NDArray[Any]
    kind: Kind
    format: TimeFormat | None = None
    """Format of the column, if not ISO 8601."""

    def missing(self) -> NDArray[np.bool_]:
        """Which of them [N] are."""
        import pandas as pd

        return np.asarray(pd.isna(self.values))

    def of(self, rows: NDArray[Any]) -> "Times":
        """Times of some rows, by position or mask."""
        return replace(self, values=self.values[rows])

    def moment(self, text: str) -> Any:
        """A moment that is written like the column's, comparable with `values`; None for a moment of another kind."""
        if self.format is not None and (moment := self.format.read(text)) is not None:
            return np.datetime64(moment, "us")
        read = _read(pa.array([text]), self.kind)
        return None if read is None else read[0]

    def shown(self, moment: Any) -> str:
        """A moment as the column may have written it."""
        if self.kind == "a number":
            return f"{moment:.15g}"
        import pandas as pd

        text = pd.Timestamp(moment).isoformat()
        return f"{text}Z" if self.kind == "a time with a time zone" else text.removesuffix("T00:00:00")


def times(source: Source, column: str, written: str | None = None) -> Times:
    """A column as moments; `written` is the format of its dates, NUMBER for numbers.

    Raises UserError for cells that are not moments, or not of the kind of the first cell, and if more than one format
    fits.
    """
    cells = decoded(source.columns[column])
    if written not in (None, NUMBER) and not (pa.types.is_date(cells.type) or pa.types.is_timestamp(cells.type)):
        return _of_format(source, column, TimeFormat(str(written)))
    if pa.types.is_string(cells.type) and written is None:
        return _parsed(source, column, cells)
    if pa.types.is_date(cells.type) or pa.types.is_timestamp(cells.type):
        zone = getattr(cells.type, "tz", None)
        try:
            return Times(
                _as_moments(cells), "a time with a time zone" if zone else "a date or time without a time zone"
            )
        except pa.ArrowInvalid as error:
            raise UserError(
                f"{source.name}: column {column}: {str(error).splitlines()[0]}; correct the file"
            ) from error
    if pa.types.is_boolean(cells.type):
        refuse_type(source, column, cells.type, "dates, times or numbers")
    return _of_numbers(source, column, written)


def is_iso(texts: Sequence[str]) -> bool:
    """True if all texts are ISO 8601, of one kind."""
    array = pa.array(texts, pa.string())
    return any(kind != "a number" and _read(array, kind) is not None for kind in READINGS)


def _parsed(source: Source, column: str, cells: Any) -> Times:
    texts = present(cells, source.missing)
    for kind in READINGS:
        values = _read(texts, kind)
        if values is not None:
            return _of_numbers(source, column, None) if kind == "a number" else Times(values, kind)
    formats = fitting([text for text in pc.unique(texts).to_pylist() if text is not None])
    if len(formats) > 1:
        _ask(source, column, "dates", formats)
    return _of_format(source, column, TimeFormat(formats[0])) if formats else _refuse(source, column, texts, cells)


def _of_numbers(source: Source, column: str, written: str | None) -> Times:
    values = numbers(source, column)
    if written is None and (formats := misleading(values)):
        _ask(source, column, "numbers", formats, ', or to "number" to order them as numbers')
    return Times(values, "a number")


def _of_format(source: Source, column: str, format_: TimeFormat) -> Times:
    levels, codes = coded_labels(source, column)
    moments = [None if text is None else format_.read(text) or format_.read(plain(text)) for text in levels]
    wrong = np.array([moment is None and text is not None for moment, text in zip(moments, levels, strict=True)])
    if wrong.any():
        remedy = "correct the file, or set split.time_format to its format"
        refuse_cells(source, column, f"a date written as {shown(format_.text)}", wrong[codes], levels[codes], remedy)
    unknown = np.datetime64("NaT", "us")
    values = np.array([unknown if moment is None else moment for moment in moments], "datetime64[us]")
    return Times(values[codes], "a date or time without a time zone", format_)


def _ask(source: Source, column: str, what: str, formats: Sequence[str], otherwise: str = "") -> NoReturn:
    examples = ", ".join(shown(label) for label in coded_labels(source, column)[0][:2])
    named = " or ".join(map(shown, formats))
    problem = f"{what} such as {examples} may be dates written as {named}; set split.time_format to it{otherwise}"
    raise UserError(f"{source.name}: column {column}: {problem}")


def _refuse(source: Source, column: str, texts: Any, cells: Any) -> NoReturn:
    """The first cell that is of some kind says what the others have to be."""
    kinds = {text: _kind_of(text) for text in pc.unique(texts).to_pylist() if text is not None}
    example = next((text for text, kind in kinds.items() if kind), None)
    first = kinds.get(example) if example is not None else None
    expected = f"{first}, as {shown(example)} is" if first else ANY_KIND
    wrong = np.array([text is not None and (not first or kinds[text] != first) for text in texts.to_pylist()])
    refuse_cells(source, column, expected, wrong, cells.to_pylist(), ALIKE)


def _kind_of(text: str) -> Kind | None:
    return next((kind for kind in READINGS if _read(pa.array([text]), kind) is not None), None)


def _read(texts: Any, kind: Kind) -> NDArray[Any] | None:
    """The texts as moments, or None where one of them is not of this kind."""
    for written in (texts, pc.replace_substring_regex(texts, MONTH, r"\1-01")):
        for type_ in READINGS[kind]:
            try:
                read = pc.cast(written, type_)
            except pa.ArrowInvalid:
                continue
            return read.to_numpy(zero_copy_only=False) if kind == "a number" else _as_moments(read)
    return None


def _as_moments(cells: Any) -> NDArray[Any]:
    to = pa.timestamp("us", getattr(cells.type, "tz", None))
    cast = pc.cast(cells, options=pc.CastOptions(target_type=to, allow_time_truncate=True))
    values: NDArray[Any] = cast.to_numpy(zero_copy_only=False)
    return values
