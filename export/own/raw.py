"""The raw columns of somebody's pipeline as the two matrices of a model's contract, and back."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli.words import shown
from export.own.dates import as_dates, dates_of, is_dated
from export.refusal import ExportRefused
from table.columns import MISSING_CATEGORY, strings

FEWEST_ROWS = 100
REQUEST_ID = "uuid"  # how a request names itself


@dataclass(frozen=True)
class RawColumn:
    """One column that the pipeline was fitted on."""

    name: str
    type: str
    """`number`, `boolean` or `category`; "" where the pipeline does not read it."""
    dtype: Any
    missing: Any
    """Value of a missing text: None or NaN."""
    usual: Any
    """A value that a real row has."""
    is_native: bool = False
    """True where a booster reads it as a category of a DataFrame."""
    is_date: bool = False
    """True for a category whose levels are dates in the pipeline's own type."""


@dataclass
class RawTable:
    """All columns of the pipeline in its order; `read` are those that reach the trees, the only ones of a request."""

    columns: tuple[RawColumn, ...]
    read: frozenset[int]
    levels: Mapping[int, Sequence[str]]
    """Levels of each category that is read, by position."""
    named: bool
    """False for a pipeline that was fitted on an array."""
    closed: frozenset[int] = frozenset()
    """Categories for whose other levels the pipeline raises, by position."""
    numbers: list[str] = field(init=False)
    vocabularies_: dict[str, list[str]] = field(init=False)
    pools_: dict[str, list[str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Derive the names of numbers and the vocabularies of the columns that the pipeline reads."""
        read = [column for i, column in enumerate(self.columns) if i in self.read]
        self.numbers = [column.name for column in read if column.type != "category"]
        self.vocabularies_ = {
            column.name: list(self.levels[i])
            for i, column in enumerate(self.columns)
            if i in self.read and column.type == "category"
        }

    @property
    def binary(self) -> frozenset[str]:
        """The names of the boolean columns."""
        return frozenset(column.name for column in self.columns if column.type == "boolean")

    @property
    def width(self) -> int:
        """Number of raw columns, the width of a row."""
        return len(self.columns)

    @property
    def n_features_in_(self) -> int:
        """The same."""
        return len(self.columns)

    def indicators(self) -> dict[str, list[str | None]]:
        """The levels of each category."""
        return {name: list(levels) for name, levels in self.vocabularies_.items()}

    def raw_columns(self) -> tuple[list[list[int]], list[tuple[int, str | None]]]:
        """Each number by itself."""
        return [[i] for i in range(len(self.numbers))], []

    def raw_inputs(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        """The inputs of the graph for rows of the pipeline's own."""
        numbers = np.empty((len(frame), len(self.numbers)))
        for i, name in enumerate(self.numbers):
            numbers[:, i] = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        inputs: dict[str, NDArray[Any]] = {"numbers": numbers}
        if self.vocabularies_:
            inputs["categories"] = np.column_stack([texts_of(frame[name]) for name in self.vocabularies_])
        return inputs

    def frame(self, inputs: Mapping[str, NDArray[Any]]) -> Any:
        """The pipeline's input for these values: a DataFrame, or an array if it was fitted on one.

        A number is float64 (float32 where the rows are), a boolean 0.0 or 1.0.
        """
        rows = len(inputs["numbers"])
        numbers = {name: inputs["numbers"][:, i] for i, name in enumerate(self.numbers)}
        texts = {name: inputs["categories"][:, i] for i, name in enumerate(self.vocabularies_)}
        made: dict[str, Any] = {}
        for column in self.columns:
            if column.name in numbers:
                with np.errstate(over="ignore"):
                    made[column.name] = numbers[column.name].astype(
                        np.float32 if column.dtype == np.float32 else np.float64
                    )
            elif column.name in texts and column.is_date:
                made[column.name] = as_dates(texts[column.name], column.dtype, self.vocabularies_[column.name])
            elif column.name in texts:
                text = texts[column.name].copy()
                text[text == MISSING_CATEGORY] = column.missing
                made[column.name] = _texts(text, column)
            else:
                made[column.name] = pd.Series([column.usual] * rows, dtype=column.dtype)
        frame = pd.DataFrame(made)
        return frame if self.named else frame.to_numpy()

    def given(self, frame: pd.DataFrame) -> Any:
        """Rows as the user has them, as the pipeline takes them."""
        return frame if self.named else frame.to_numpy()


def frame_of(X: Any, estimator: Any) -> tuple[pd.DataFrame, bool]:
    """The rows as a DataFrame of the pipeline's columns in its order, and whether it was fitted on names.

    Raises ExportRefused for columns that it lacks or does not know, too few rows, and names that no request can have.
    """
    names = names_of(estimator)
    if not isinstance(X, pd.DataFrame) and callable(getattr(X, "to_pandas", None)):
        X = X.to_pandas()  # a table of pyarrow or polars
    if not isinstance(X, pd.DataFrame):
        if (table := np.asarray(X)).ndim != 2:  # a sparse matrix has no dimension there
            raise ExportRefused(f"rows: expected a DataFrame or an array [N, n], got {type(X).__name__}")
        X = pd.DataFrame(table)
        X.columns = [f"x{i}" for i in range(X.shape[1])] if names is None else list(names)[: X.shape[1]]
    if X.columns.has_duplicates:
        twice = shown(sorted(map(str, X.columns[X.columns.duplicated()])))
        raise ExportRefused(f"rows: columns named twice: {twice}; give each a name of its own")
    wanted = [str(name) for name in X.columns] if names is None else [str(name) for name in names]
    if names is None:
        if (expected := getattr(estimator, "n_features_in_", X.shape[1])) != X.shape[1]:
            raise ExportRefused(f"rows: expected the {expected} columns of the fit, got {X.shape[1]}")
        X = X.set_axis(wanted, axis=1)
    if lacking := [name for name in wanted if name not in X.columns]:
        raise ExportRefused(f"rows: the pipeline was fitted on columns that are not there: {shown(lacking)}; add them")
    if unknown := [str(name) for name in X.columns if name not in wanted]:
        raise ExportRefused(f"rows: the pipeline was not fitted on {shown(unknown)}; leave out these columns")
    if REQUEST_ID in wanted:
        raise ExportRefused(f"rows: {REQUEST_ID} is how every request names itself; give the column another name")
    if len(X) < FEWEST_ROWS:
        raise ExportRefused(f"rows: expected {FEWEST_ROWS} real rows or more, got {len(X)}")
    return X[wanted].reset_index(drop=True), names is not None


def names_of(estimator: Any) -> Any:
    """The names that the first fitted part was given, None for an array."""
    for attribute in ("feature_names_in_", "best_estimator_", "estimator_", "estimator"):
        try:
            found = getattr(estimator, attribute)
        except AttributeError:
            continue
        return found if attribute == "feature_names_in_" else names_of(found)
    return None


def with_categories(frame: pd.DataFrame, native: Mapping[int, frozenset[str]]) -> pd.DataFrame:
    """The rows with the columns that boosters read as categories of known levels made such: a file has texts only.

    Raises ExportRefused for a level that a booster does not know.
    """
    texts = [frame.columns[raw] for raw in native if not isinstance(frame.dtypes.iloc[raw], pd.CategoricalDtype)]
    frame = frame.astype(dict.fromkeys(texts, "category"))
    for raw, known in native.items():
        if strange := sorted(set(map(str, frame.iloc[:, raw].cat.categories)) - known):
            raise ExportRefused(
                f"{frame.columns[raw]}: the booster was not fitted on the levels {shown(strange)}: XGBoost 3.4 raises "
                "for them, and 3.2 answers as for another level; leave these rows out, and call "
                "remove_unused_categories()"
            )
    return frame


def columns_of(
    frame: pd.DataFrame, read: Container[int], native: Container[int] = (), texts: Container[int] = ()
) -> tuple[RawColumn, ...]:
    """The raw columns of real rows; the pipeline reads those at `read`, and boosters `native` ones as categories.

    A column without any value is one of texts where the pipeline knows levels of it, at `texts`.

    Raises ExportRefused, naming the column, for one that is read and has a type that no request can carry.
    """
    found = []
    for raw, name in enumerate(frame.columns):
        column = (_column if raw in read else _unread)(str(name), frame[name])
        if raw in texts and raw in read and frame[name].isna().all():
            column = replace(column, type="category")
        found.append(replace(column, is_native=raw in native))
    return tuple(found)


def _texts(texts: NDArray[Any], column: RawColumn) -> "pd.Series[Any]":
    """Levels that a category of the rows lacks are no missing values: the pipeline is asked for them."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        more = sorted({text for text in texts if isinstance(text, str)} - set(dtype.categories))
        known = pd.CategoricalDtype([*dtype.categories, *more], ordered=dtype.ordered)
        dtype = known if column.is_native else object
    made: pd.Series[Any] = pd.Series(texts, dtype=dtype)
    return made


def texts_of(column: "pd.Series[Any]") -> NDArray[np.object_]:
    """A category as an object array of texts: dates by their ISO texts, missing values as the empty string."""
    return dates_of(column) if is_dated(column) else strings(column)


def _column(name: str, column: "pd.Series[Any]") -> RawColumn:
    present = column.dropna()
    if is_dated(column):
        return RawColumn(name, "category", column.dtype, None, present.iloc[0] if len(present) else None, is_date=True)
    kind = _type(name, column, present)
    absent = column[column.isna()]
    missing = None if len(absent) and absent.iloc[0] is None else np.nan
    usual = present.iloc[0] if len(present) else np.nan
    if kind == "category" and (present.to_numpy(dtype=object) == MISSING_CATEGORY).any():
        raise ExportRefused(
            f"{name}: holds empty texts, which mean missing in a request; replace them by NaN and fit again"
        )
    return RawColumn(name, kind, column.dtype, missing, usual)


def _unread(name: str, column: "pd.Series[Any]") -> RawColumn:
    """A column that the pipeline drops: of any type, dates too, since no request has it."""
    present = column.dropna()
    return RawColumn(name, "", column.dtype, np.nan, present.iloc[0] if len(present) else np.nan)


def _type(name: str, column: "pd.Series[Any]", present: "pd.Series[Any]") -> str:
    if pd.api.types.is_bool_dtype(column.dtype):
        return "boolean"
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype):
        return "number"
    kinds = {type(value) for value in present.tolist()}
    if kinds and all(issubclass(kind, str) for kind in kinds):
        return "category"
    if kinds == {bool}:
        return "boolean"
    if all(issubclass(kind, int | float) and kind is not bool for kind in kinds):
        return "number"
    named = ", ".join(sorted(kind.__name__ for kind in kinds))
    remedies = {"Timedelta": ", such as its .dt.days,", "Decimal": " by .astype(float)", "bytes": " by .str.decode()"}
    remedy = f"make it one of them{remedies.get(named, '')} and fit again"
    raise ExportRefused(f"{name}: expected numbers, booleans, texts or dates, got {named}; {remedy}")
