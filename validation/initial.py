"""model/initial.json: the results of the initial validation, with which later ones are compared.

Training writes it for the test part, and the export puts it beside the graph, covered by the model's version. The
runtime never reads it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cli.errors import UserError
from runtime.strict_json import NotStrict, parse_file
from storage.digest import sha256_of
from validation.documents import Initial, InitialPeriod
from validation.rating import Rating
from validation.statistics.auc import Area, area_of_counts

FILE = "initial.json"
SCHEMA_VERSION = 1  # raise it when an older reader could misread a newer file
LARGEST_FILE = 2**24  # bytes
EXPORT_AGAIN = "train and export again"


@dataclass(frozen=True)
class Said:
    """Facts of the initial validation from settings and table, besides its rows."""

    of: str
    """`test`, the part that the fit has not seen, or `given`, the rows of an export of an own pipeline."""
    definition: str = ""
    exposure: str | None = None
    """Column of the exposures."""
    period: InitialPeriod | None = None


def initial_of(
    rating: Rating,
    target: NDArray[np.int8],
    probability: NDArray[np.float64],
    score: NDArray[np.float64],
    said: Said,
    exposure: NDArray[np.float64] | None = None,
) -> Initial:
    """The initial validation of rows [N] with outcomes, in JSON's types."""
    places = rating.places(probability, score)
    rows, defaults, expected = (rating.counts(places, each) for each in (None, target, probability))
    area = area_of_counts(defaults, rows - defaults)
    held = None if exposure is None else rating.counts(places, exposure)
    return {
        "schema_version": SCHEMA_VERSION,
        "of": said.of,
        "kind": rating.kind,
        "rows": len(target),
        "defaults": int(target.sum()),
        "grades": [
            {
                "grade": label,
                "rows": int(rows[k]),
                "defaults": int(defaults[k]),
                "predicted": float(expected[k] / rows[k]) if rows[k] else None,
                "exposure": None if held is None else float(held[k]),
            }
            for k, label in enumerate(rating.labels)
        ],
        "auc": _known(area.value),
        "auc_variance": _known(area.variance),
        "exposure": said.exposure,
        "period": said.period,
        "definition": said.definition,
    }


def area_in(initial: Initial) -> Area:
    """The AUC on grades and its variance, NaN where it had none."""
    value, variance = initial["auc"], initial["auc_variance"]
    return Area(math.nan if value is None else value, math.nan if variance is None else variance)


def read_initial(folder: Path, document: Mapping[str, Any], rating: Rating) -> tuple[Initial | None, str]:
    """The initial validation of a model folder whose manifest says `document`, or None and the reason.

    Raises UserError for a file that is not the one of the manifest.
    """
    path, record = folder / FILE, document.get("initial")
    if record is None:
        return None, f"the model was exported without {FILE}; {EXPORT_AGAIN}"
    if "why" in record:
        return None, str(record["why"])
    if not path.is_file():
        raise UserError(f"{path}: no such file, and manifest.json names it; {EXPORT_AGAIN}")
    if (found := sha256_of(path)) != record.get("sha256"):
        raise UserError(f"{path}: sha256: expected {record.get('sha256')}, got {found}; {EXPORT_AGAIN}")
    try:
        content = parse_file(path.read_bytes(), LARGEST_FILE)
    except NotStrict as fault:
        raise UserError(f"{path}: is not JSON ({fault}); {EXPORT_AGAIN}") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise UserError(f"{path}: schema_version: expected {SCHEMA_VERSION}, got {version!r}; {EXPORT_AGAIN}")
    initial = cast(Initial, content)
    if [entry["grade"] for entry in initial["grades"]] != list(rating.labels):
        raise UserError(f"{path}: grades: expected those of manifest.json; {EXPORT_AGAIN}")
    return initial, ""


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
