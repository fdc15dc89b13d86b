"""Hints: which features the manifest lets them change, and the proof that each reaches what it says."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cli.errors import UserError
from cli.words import did_you_mean, shown
from export.documents import ComparedHints, HintedFeature, ManifestReasons
from export.reasons.build import RawRows
from export.refusal import ExportRefused
from runtime.hints import Hints
from runtime.model import Model
from runtime.score import band
from runtime.tables import Tables
from training.documents import FeatureEntry, Schema
from training.settings import Settings
from training.settings.checks import direction_of, sign_of

APPLIED = 200  # applicants


def add_hints(record: ManifestReasons | None, settings: Settings, schema: Schema, rows: Sequence[RawRows]) -> None:
    """Add to what the manifest says of reasons the features that hints may change, where the settings want hints.

    `rows` are real applicants, whose numbers tell which features are whole. Raises UserError for levels that the
    pipeline does not know.
    """
    if record is None or not settings.reasons.hints:
        return
    entries = {entry["name"]: entry for entry in schema["features"]}
    record["hints"] = [
        _hinted(settings, entries[name], schema, rows)
        for name in (feature.name for feature in settings.features)
        if name in settings.reason_texts and settings.reason_texts[name].actionable and name in entries
    ]


def _hinted(settings: Settings, entry: FeatureEntry, schema: Schema, rows: Sequence[RawRows]) -> HintedFeature:
    name = entry["name"]
    said = settings.reason_texts[name]
    if entry["type"] == "category":
        for level in said.levels:
            if level not in (known := entry["vocabulary"]):
                advice = did_you_mean(level, known)
                raise UserError(f"reason_texts.{name}.levels: the model has no level {shown(level)}; {advice}")
        return {"name": name, "levels": list(said.levels)}
    sign = sign_of(settings, name)
    hinted: HintedFeature = {"name": name, "direction": said.direction or direction_of(sign), "monotone": bool(sign)}
    if entry["type"] == "number":
        place = schema["inputs"]["numbers"].index(name)
        hinted["whole"] = all(_is_whole(numbers[:, place]) for numbers, _ in rows)
    return hinted


def _is_whole(values: NDArray[np.float64]) -> bool:
    finite = values[np.isfinite(values)]
    return bool((finite == np.floor(finite)).all())


def compare_hints(model: Model, content: bytes, rows: RawRows) -> ComparedHints | None:
    """Every hint of some applicants, scored again by the graph; None for a model without hints.

    Raises ExportRefused where one does not reach what it says, or a smaller change does.
    """
    if not model.manifest.document.get("reasons", {}).get("hints"):
        return None
    hints = Hints(model, Tables.parse(content))
    found: ComparedHints = {"rows": 0, "hints": 0, "reached": 0, "nearest": 0}
    for numbers, categories in zip(*(its[:APPLIED].tolist() for its in rows), strict=True):
        found["rows"] += 1
        before = _score(model, numbers, categories)
        reach = next((edge for edge in model.manifest.bands[:-1] if edge > before), math.inf)
        if reach == math.inf:
            continue
        for change in hints.changes(numbers, categories, reach):
            found["hints"] += 1
            score = _score_with(model, numbers, categories, change.name, change.value)
            is_named = band(score, model.manifest.bands) == change.band
            found["reached"] += score >= reach and score == change.score and is_named
            if (nearer := _nearer(model, change.name, change.given, change.value)) is None:
                found["nearest"] += 1
            else:
                found["nearest"] += _score_with(model, numbers, categories, change.name, nearer) < reach
    if not found["hints"] == found["reached"] == found["nearest"]:
        raise ExportRefused(
            f"hints miss the band that they name, or are not the smallest change: {found}; report this as a bug"
        )
    return found


def _nearer(model: Model, name: str, given: Any, value: Any) -> Any:
    """The next number towards the applicant's own; None where that is the next one, or no number lies in between."""
    if not any(feature.name == name and feature.type == "number" for feature in model.manifest.numbers):
        return None
    [hinted] = [its for its in model.manifest.document["reasons"]["hints"] if its["name"] == name]
    step = 1.0 if given < value else -1.0
    # A float32 further where it is not whole, so that it is another number to the model too.
    beside = float(np.nextafter(np.float32(value), np.float32(-math.inf * step)))
    nearer = value - step if hinted["whole"] else beside
    [entry] = [feature for feature in model.manifest.numbers if feature.name == name]
    low, high = entry.range or (-math.inf, math.inf)
    return nearer if (given < nearer < value or value < nearer < given) and low <= nearer <= high else None


def _score_with(model: Model, numbers: list[float], categories: list[str], name: str, value: Any) -> float:
    names = [feature.name for feature in model.manifest.numbers]
    if name in names:
        numbers = [value if other == name else its for other, its in zip(names, numbers, strict=True)]
    else:
        words = [feature.name for feature in model.manifest.categories]
        categories = [value if other == name else its for other, its in zip(words, categories, strict=True)]
    return _score(model, numbers, categories)


def _score(model: Model, numbers: list[float], categories: list[str]) -> float:
    return model.manifest.scale.score(float(model.predict([numbers], [categories])[0][0]))
