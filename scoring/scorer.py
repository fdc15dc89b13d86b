"""The scoring core: Arrow record batches of raw columns in, columns of answers and rejected rows out.

    scorer = Scorer.load("model")
    for batch in batches:
        scored = scorer.score(batch)
        scored.rows      # record batch: id, probability, score, band, grade, model version
        scored.rejects   # record batch: row, id, reason

One scorer is built in each process and kept: it holds a session of one thread, so that a row has the same bits wherever
it is scored.
"""

from runtime.model import Model  # first: it keeps onnxruntime and numpy quiet

# isort: split
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cli.errors import UserError
from runtime.manifest import ModelRefused
from runtime.problem import Problem
from runtime.validate import IDENTIFIER_LIMIT, Validator
from scoring import columns, points
from scoring.columns import Cells, JsonValue
from scoring.left_out import LeftOut
from scoring.reading import Reading, is_text
from scoring.reasons import Reasons
from scoring.tally import Tally
from table.amounts import Marks
from table.cells import decoded
from table.settings import Data, Feature
from table.words import Missing

REJECTS = pa.schema([("row", pa.int64()), ("id", pa.string()), ("reason", pa.string())])
UNNAMED = "no id"  # of rows whose file has no column for it; shown nowhere


@dataclass(frozen=True)
class Scored:
    """Answers and rejected rows of a batch.

    Attributes
    ----------
    rows : pyarrow.RecordBatch
        The answers, in the batch's order, in the columns of `Scorer.schema`.
    rejects : pyarrow.RecordBatch
        The rows that the runtime would refuse, in the batch's order: `row`, `id`, `reason`.
    tally : scoring.tally.Tally
        Counts of both, of the rows that `data.exclude` leaves out, and of missing and unusual values.
    """

    rows: pa.RecordBatch
    rejects: pa.RecordBatch
    tally: Tally


class Scorer:
    """A model that scores record batches.

    Parameters
    ----------
    model : runtime.model.Model
        The model, as `Model.load` opens it.
    reading : scoring.reading.Reading
        The columns that are read, and how they are written.
    explain : bool
        True adds the columns of reasons.
    """

    def __init__(self, model: Model, reading: Reading, *, explain: bool = False) -> None:
        self.manifest = model.manifest
        self.reading = reading
        self._model = model
        self._validator = Validator(model.manifest)
        self._places = points.Places(model.manifest)
        self._reasons = Reasons(model) if explain else None
        self._marks = Marks(reading.data.decimal, reading.data.thousands)
        self._missing = {is_csv: Missing.of(reading.missing(is_csv)) for is_csv in (True, False)}
        composes = model.manifest.normalization == "NFC"
        self.left_out = LeftOut(reading.data.exclude, nfc=composes)

        def spelt(text: str) -> str:
            trimmed = text.strip()
            return unicodedata.normalize("NFC", trimmed) if composes else trimmed

        self._levels = {
            is_csv: [
                columns.Levels(its, frozenset(told.vocabulary), missing | Missing.of(its.special), spelt, told.nullable)
                for its, told in zip(reading.categories, model.manifest.categories, strict=True)
            ]
            for is_csv, missing in self._missing.items()
        }
        word = pa.dictionary(pa.int8(), pa.string())
        self.schema = pa.schema(
            [
                *([] if reading.id is None else [pa.field(model.manifest.identifier, pa.string())]),
                pa.field("default_probability", pa.float64()),
                pa.field("credit_score", pa.float64()),
                pa.field("score_band", pa.dictionary(pa.int32(), pa.string())),
                *([pa.field("grade", pa.dictionary(pa.int32(), pa.string()))] if model.manifest.grades else []),
                pa.field("model_version", word),
                *(self._reasons.fields if self._reasons else []),
            ]
        )

    @classmethod
    def load(
        cls,
        folder: str,
        *,
        explain: bool = False,
        id: str | None = "",  # noqa: A002  (the flag's name)
        data: Data | None = None,
        features: Sequence[Feature] = (),
    ) -> "Scorer":
        """Open the model in a folder.

        Parameters
        ----------
        folder : str
            Folder that `python -m export.to_onnx` wrote.
        explain : bool
            True adds the columns of reasons.
        id : str, optional
            Column of the id: "" takes the model's own name, None means that rows have no id.
        data : table.settings.Data, optional
            Settings of a table that is written in another way than usual.
        features : sequence of table.settings.Feature
            Settings of features that are written in another way than usual.

        Returns
        -------
        Scorer
            The scorer, to be kept for the life of the process.

        Raises
        ------
        UserError
            For a model that fails its checks, or that has no reasons where `explain` is True.
        """
        try:
            model = Model.load(folder)
            identifier = model.manifest.identifier if id == "" else id
            if explain and not model.manifest.reasons_size:
                raise ModelRefused(f"{folder}: expected a model with reasons, got none: {model.manifest.reasons_why}")
            reading = Reading.of(model.manifest, identifier, data or Data(), features)
            return cls(model, reading, explain=explain)
        except ModelRefused as refusal:
            raise UserError(str(refusal)) from refusal

    @property
    def bins(self) -> int:
        """Bins of the training scores, missing not counted."""
        return self._places.bins

    @property
    def texts(self) -> dict[str, Any] | None:
        """Texts and codes of the names among the reasons; None without reasons."""
        return None if self._reasons is None else {name: self._reasons.texts[name] for name in self._reasons.names}

    def check(self, schema: pa.Schema, name: str = "the batch") -> None:
        """Check that batches of a schema can be scored.

        Parameters
        ----------
        schema : pyarrow.Schema
            The schema of the batches.
        name : str
            What the error calls the table.

        Raises
        ------
        UserError
            For a schema that lacks a column, or has one of another type.
        """
        self.reading.check(name, schema)

    def left_out_by(self, cells: Mapping[str, str]) -> int:
        """Return the place of the value of `data.exclude` by which a broken line of a CSV is left out, -1 if by none.

        Parameters
        ----------
        cells : mapping of str to str
            The cells that the line has, by column.

        Returns
        -------
        int
            The place, counted over the values of all columns.
        """
        return self.left_out.of_line(cells, self._missing[True])

    def score(self, batch: pa.RecordBatch, first_row: int = 1, *, is_csv: bool = False) -> Scored:
        """Score a batch of raw columns.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            N rows with the columns of the schema that was checked; null is missing.
        first_row : int
            Number of the batch's first row, for the rejects.
        is_csv : bool
            True if the batch comes from a CSV file, whose words for missing values differ.

        Returns
        -------
        Scored
            The answers, with probabilities of default 0 to 1 and scores in points. Rows that the runtime would refuse
            are not scored: they are among the rejects, with the reason. Rows that `data.exclude` leaves out are in
            neither.
        """
        tally, places = Tally(), np.arange(first_row, first_row + batch.num_rows)
        if self.left_out.exclude:
            left_out = self.left_out.of(batch, self._missing[is_csv])
            tally.left_out = np.bincount(left_out[left_out >= 0], minlength=len(self.left_out.values)).tolist()
            if sum(tally.left_out):
                batch, places = batch.filter(pa.array(left_out < 0)), places[left_out < 0]
        numbers = np.empty((len(self.reading.numbers), batch.num_rows)).T  # column by column, as they come
        categories = np.empty((batch.num_rows, len(self.reading.categories)), dtype=object)
        looks: dict[str, Cells] = {}
        for position, its in enumerate(self.reading.numbers):
            cells = self._number(batch.column(its.column), its, self._missing[is_csv])
            numbers[:, position] = cells.values
            looks[its.name] = cells
            tally.missing.append(cells.missing)
            tally.unusual.append(self._outside(position, cells.values))
        for position, levels in enumerate(self._levels[is_csv]):
            cells, unseen = levels.read(batch.column(levels.feature.column))
            categories[:, position] = cells.values
            looks[levels.feature.name] = cells
            tally.missing.append(cells.missing)
            tally.unusual.append(unseen)
        names, odd, name_of = self._identifiers(batch)
        for cells in looks.values():
            if cells.odd is not None:
                odd |= cells.odd
        kept: NDArray[np.bool_] | None = None
        rejects: list[tuple[int, str | None, str]] = []
        if odd.any():
            kept = np.ones(batch.num_rows, dtype=bool)
            for row in np.flatnonzero(odd).tolist():
                reason = self._look(row, looks, name_of, numbers, categories)
                if reason:
                    kept[row] = False
                    name = name_of(row)
                    rejects.append((int(places[row]), None if name is None else str(name), reason))
            numbers, categories = numbers[kept], categories[kept]
            names = names.filter(pa.array(kept)) if names is not None else None
        rows = self._answers(names, numbers, categories, tally)
        tally.rejected = len(rejects)
        columns_ = list(zip(*rejects, strict=True)) or [(), (), ()]
        refused = [pa.array(column, field.type) for column, field in zip(columns_, REJECTS, strict=True)]
        return Scored(rows, pa.RecordBatch.from_arrays(refused, schema=REJECTS), tally)

    def _answers(
        self, names: Any, numbers: NDArray[np.float64], categories: NDArray[np.object_], tally: Tally
    ) -> pa.RecordBatch:
        if len(numbers):
            probability, _ = self._model.predict(numbers, categories)
        else:
            probability = np.empty(0)
        score = points.scores(self.manifest.scale, probability)
        bands = self._places.bands(score)
        tally.rows = len(numbers)
        tally.bands = np.bincount(bands, minlength=len(self._places.labels)).tolist()
        grades = self._places.grades(probability)
        if grades is not None:
            tally.grades = np.bincount(grades, minlength=len(self._places.names)).tolist()
        tally.bins = self._places.counts(score)
        version = pa.array(np.zeros(len(numbers), dtype=np.int8))
        arrays = [
            *([] if names is None else [names]),
            pa.array(probability),
            pa.array(score),
            _words(bands, self._places.labels),
            *([] if grades is None else [_words(grades, self._places.names)]),
            pa.DictionaryArray.from_arrays(version, pa.array([self.manifest.model_version])),
        ]
        if self._reasons:
            arrays += self._reasons.columns(numbers, categories, probability, score)
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _number(self, cells: Any, feature: Feature, missing: Missing) -> Cells:
        nullable = feature.name in self.reading.nullable
        if feature.type == "boolean":
            return columns.booleans(cells, feature, missing, nullable=nullable)
        return columns.numbers(cells, feature, missing, self._marks, nullable=nullable)

    def _outside(self, position: int, values: NDArray[np.float64]) -> int:
        feature = self.manifest.numbers[position]
        if feature.type == "boolean":
            return 0
        if feature.range is None:
            return int(np.count_nonzero(~np.isnan(values)))
        low, high = feature.range
        if len(values) and low <= values.min() and values.max() <= high:  # False where one is missing
            return 0
        return int(np.count_nonzero((values < low) | (values > high)))

    def _identifiers(self, batch: pa.RecordBatch) -> tuple[Any, NDArray[np.bool_], JsonValue]:
        """The ids as text, None for rows without; which of them are odd; and each as JSON has it."""
        if self.reading.id is None:
            return None, np.zeros(batch.num_rows, dtype=bool), lambda row: None
        cells = decoded(batch.column(self.reading.id))
        texts = cells if is_text(cells.type) else pc.cast(cells, pa.string())
        length = pc.fill_null(pc.utf8_length(texts), 0).to_numpy(zero_copy_only=False)
        return texts, (length < 1) | (length > IDENTIFIER_LIMIT), lambda row: texts[row].as_py()

    def _look(
        self,
        row: int,
        looks: dict[str, Cells],
        name_of: JsonValue,
        numbers: NDArray[np.float64],
        categories: NDArray[np.object_],
    ) -> str:
        """The verdict of the runtime about one row: why it is refused; nothing if it is not, and then it is put in."""
        value = {name: cells.of(row) for name, cells in looks.items()}
        value[self.manifest.identifier] = UNNAMED if self.reading.id is None else name_of(row)
        try:
            applicant = self._validator.applicant(value)
        except Problem as refusal:
            return "; ".join(f"{_name(entry['pointer'])}: {entry['detail']}" for entry in refusal.errors or ())
        numbers[row], categories[row] = applicant.numbers, applicant.categories
        return ""


def _words(places: NDArray[np.intp], words: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), pa.array(words))


def _name(pointer: str) -> str:
    return pointer[1:].replace("~1", "/").replace("~0", "~")
