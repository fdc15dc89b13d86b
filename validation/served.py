"""An exported model as later applicants meet it: what it reads, what it answers, what it was trained on."""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli.errors import UserError
from runtime.manifest import EXPORT_AGAIN, ModelRefused
from runtime.model import Model
from table.columns import strings
from table.settings import Feature, FeatureType
from validation.explained import Explained, explained
from validation.fairness.compare import APPROVED, Cutoff
from validation.grades import counts_of
from validation.stability.bins import Bins

ROWS_AT_ONCE = 50_000
ROUNDING = 1e-9
CELLS_AT_ONCE = 20_000_000  # of columns and levels, each of which a graph may hold for every row: of many, fewer rows


@dataclass(frozen=True)
class Served:
    """`reference` is what validation.stability.reference_of made of the training rows, with the test's `metrics`."""

    model: Model
    features: tuple[Feature, ...]
    reference: Mapping[str, Any]
    folder: Path

    @classmethod
    def load(cls, folder: Path) -> "Served":
        """Raise UserError for a model that must not serve, and for one without histograms of its training rows."""
        try:
            model = Model.load(str(folder))
        except ModelRefused as refusal:
            raise UserError(str(refusal)) from refusal
        manifest = model.manifest
        features = tuple(
            Feature(f.name, cast(FeatureType, f.type), vocabulary=f.vocabulary, description=f.description)
            for f in manifest.features
        )
        reference = manifest.document.get("reference")
        place = f"{folder}/manifest.json: reference"
        if reference is None:
            raise UserError(f"{place}: expected the training rows' histograms, got none; {EXPORT_AGAIN}")
        if not _is_whole(reference, [feature.name for feature in features]):
            raise UserError(f"{place}: is not the histograms of these features; {EXPORT_AGAIN}")
        return cls(model, features, reference, folder)

    def read_as(self, declared: Iterable[Feature]) -> "Served":
        """The same, its features read from a file as declared in the settings of their names, where there are any."""
        known = {feature.name: feature for feature in declared}

        def read(feature: Feature) -> Feature:
            its = known.get(feature.name, feature)
            return replace(feature, special=its.special, true=its.true, false=its.false, indicates=its.indicates)

        return replace(self, features=tuple(map(read, self.features)))

    @property
    def weight(self) -> str | None:
        """The column of the sample weights that the model was trained with, None for none."""
        return cast("str | None", self.reference.get("weight"))

    @property
    def limits(self) -> dict[str, float]:
        """The limits of Stability that the model was trained with."""
        return {f"{what}_limit": limit for what, limit in self.reference["limits"].items()}

    @property
    def cutoff(self) -> Cutoff | None:
        """The lowest score that passes by the model itself: that of its reasons at a cut-off, else the limit of a band.

        Of the bands' limits the one nearest to the score from which about four in five of the training rows are
        approved. None for a model with one band.
        """
        document = self.model.manifest.document
        scores = (document.get("reasons") or {}).get("basis", {}).get("reference_scores")
        if scores:
            return float(scores[0]), "the cut-off of the model's reasons"
        inner = self.model.manifest.bands[1:-1]
        histogram = self.reference["score"]
        if not inner or not histogram["edges"]:
            return None
        passed = np.cumsum(_shares(histogram)[len(histogram["values"]) :])[: len(histogram["edges"])]
        approving = histogram["edges"][int(np.abs(passed - (1 - APPROVED)).argmin())]
        nearest = min(inner, key=lambda limit: abs(limit - approving))
        return float(nearest), f"the limit of a band nearest to approving {APPROVED:.0%} of the training rows"

    def by_grade(self, probability: NDArray[np.float64], weight: NDArray[np.float64] | None) -> list[dict[str, Any]]:
        """The share of each grade among probabilities [N] with weights [N]; empty without grades.

        Each entry holds `grade`, `rows`, the `actual` share, and the `expected` one of the training rows, None where
        the model does not state it.
        """
        grades = self.model.manifest.grades
        if grades is None:
            return []
        now, then = counts_of(grades, probability, weight), self.reference.get("grades")
        rows, actual, expected = now["counts"], _shares(now), None if then is None else _shares(then)
        return [
            {"grade": name, "rows": rows[i], "expected": expected and expected[i], "actual": actual[i]}
            for i, name in enumerate(grades.names)
        ]

    def probabilities(self, frame: pd.DataFrame, show: Callable[[str], None]) -> NDArray[np.float64]:
        """The probability of default of each row [N] of raw columns, asked of the graph in batches, side by side."""
        rows = self._rows_at_once
        starts = range(0, len(frame), rows)
        parts = []
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # a session has one thread, so that it is exact
            for part in pool.map(lambda start: self._ask(frame.iloc[start : start + rows]), starts):
                parts.append(part)
                show(f"{min(len(parts) * rows, len(frame)):,}")
        return np.concatenate(parts)

    def explained(self, frame: pd.DataFrame, probability: NDArray[np.float64]) -> Explained:
        """The reasons of raw columns [N] with these probabilities. Raises UserError for damaged tables of reasons."""
        try:
            return explained(self.model, *self._columns(frame), probability)
        except ModelRefused as refusal:
            raise UserError(str(refusal)) from refusal

    @property
    def _rows_at_once(self) -> int:
        width = sum(len(feature.vocabulary) or 1 for feature in self.features)
        return max(1, min(ROWS_AT_ONCE, CELLS_AT_ONCE // width))

    def _ask(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        probability, _ = self.model.predict(*self._columns(frame))
        return probability

    def _columns(self, frame: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
        numbers = [frame[f.name].to_numpy(dtype=np.float64) for f in self.model.manifest.numbers]
        categories = [strings(frame[f.name]) for f in self.model.manifest.categories]
        return (
            np.column_stack(numbers) if numbers else np.empty((len(frame), 0)),
            np.column_stack(categories) if categories else np.empty((len(frame), 0), dtype=object),
        )


def _shares(counts: Mapping[str, Any]) -> list[float]:
    parts = counts.get("weights", counts["counts"])
    total = sum(parts)
    return [part / total if total else 0.0 for part in parts]


def _is_whole(reference: object, names: list[str]) -> bool:
    """True if a reference has its limits, and the stated number of rows in the bins of score and features."""
    try:
        entries = cast(Mapping[str, Any], reference)
        limits = [float(entries["limits"][kind]) for kind in ("score", "feature")]
        histograms = [entries["score"], *(entries["features"][name] for name in names)]
        counts = [(len(Bins.of(entry)), [int(count) for count in entry["counts"]]) for entry in histograms]
        rows = int(entries["rows"])
        weighted = "effective_rows" not in entries or _is_weighted(entries, histograms)
    except (KeyError, TypeError, ValueError):
        return False
    whole = all(size == len(each) and sum(each) == rows for size, each in counts)
    return min(limits) > 0 and rows > 0 and whole and weighted


def _is_weighted(reference: Mapping[str, Any], histograms: Iterable[Mapping[str, Any]]) -> bool:
    """True if exactly the bins with rows have weights; raises for a missing value or one that is not a number."""
    weights = [([float(weight) for weight in entry["weights"]], entry["counts"]) for entry in histograms]
    return 0 < float(reference["effective_rows"]) <= reference["rows"] * (1 + ROUNDING) and all(
        len(each) == len(counts) and all((w > 0) == (n > 0) for w, n in zip(each, counts, strict=True))
        for each, counts in weights
    )
