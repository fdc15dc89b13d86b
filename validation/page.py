"""The page of a validation, its data and its tables: a folder of validation.html, validation.json and CSVs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from storage.json_file import json_text
from validation.documents import Validated
from validation.fairness.documents import FairnessFigures
from validation.history import FIGURES as OVER_TIME
from validation.history import series_of
from validation.moves import Moves
from validation.observing import Observed
from validation.remarks import remarks_of
from validation.report.lines import lines
from validation.report.pages import render
from validation.report.plots.ratios import ratios
from validation.report.weights import monitored
from validation.sections.json_types import known
from validation.sections.listed import SECTIONS, parts_of
from validation.sections.section import Part, Subject
from validation.served import Served
from validation.verdict import findings_of, tests_of

PAGE, FIGURES = "validation.html", "validation.json"
SCHEMA_VERSION = 1
TITLES = {
    "default_rate": "Default rate observed (line) and predicted (dashes)",
    "roc_auc": "ROC-AUC",
    "psi": "Stability index of the score",
    "calibration_slope": "Calibration slope",
}


def validated(served: Served, observed: Observed) -> tuple[Validated, dict[str, pd.DataFrame]]:
    """Content of validation.json, and the tables by file name."""
    parts = parts_of(observed.subject)
    version = served.model.manifest.model_version
    found = described(observed.subject, observed.data, version, observed.weight, observed.remarks, parts)
    return found, {name: table for part in parts.values() for name, table in part.tables.items()}


def described(
    subject: Subject,
    data: Mapping[str, Any],
    version: str = "",
    weight: str | None = None,
    remarks: Sequence[str] = (),
    parts: Mapping[str, Part] | None = None,
) -> Validated:
    """Document of a subject, section by section; `parts` are its sections, if they are made already."""
    parts = parts_of(subject) if parts is None else parts
    initial = subject.initial
    return {
        "schema_version": SCHEMA_VERSION,
        "data": known(dict(data)),
        "model": {
            "version": version,
            "definition": initial["definition"] if initial else subject.settings.definition or "",
            "initial": subject.no_initial,
        },
        "weight": weight,
        "remarks": [*remarks, *remarks_of(subject, parts)],
        "findings": known(findings_of(parts, SECTIONS)),
        "tests": tests_of(parts),  # type: ignore[typeddict-item]
        "sections": {
            section.name: {
                "title": section.title,
                "why": parts[section.name].why,
                "figure": None if (figure := parts[section.name].figure) is None else known(dict(figure)),
            }
            for section in SECTIONS
        },
        "history": [],
    }


def write_page(folder: Path, found: Validated, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write the page, its data and its tables into a folder."""
    (folder / FIGURES).write_text(json_text(found), encoding="utf-8")
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / PAGE).write_text(render("validation", **content_of(found)), encoding="utf-8")


def content_of(found: Validated) -> dict[str, Any]:
    """Values of the template."""
    stability = found["sections"]["stability"]["figure"]
    weights = [] if stability is None else monitored({"rows": stability["rows"], "weight": found["weight"]})
    people = found["sections"]["fairness"]["figure"]
    return {
        **found,
        "weights": weights,
        "over_time": _over_time(found),
        "by_period": _by_period(found),
        "migrated": _migrated(found),
        "ratios": [] if people is None else list(ratios(cast(FairnessFigures, people))),
    }


def _migrated(found: Validated) -> dict[str, Any] | None:
    """Table of the customers by grade before and after, the best grade first."""
    figure = found["sections"]["migrations"]["figure"]
    if figure is None:
        return None
    moves = Moves(tuple(figure["grades"]), np.array(figure["matrix"], dtype=np.int64))
    return {"table": moves.as_frame("Before"), "wide": moves.is_wide}


def _over_time(found: Validated) -> list[Any]:
    """Pictures of each figure over the runs of --history, two runs or more."""
    runs = found["history"]
    if len(runs) < 2:
        return []
    names = [f"{run['last_time'] or run['when'][:10]} ({run['model'][:6]})" for run in runs]
    series = series_of(runs)
    with_it = {"default_rate": [series["default_rate"], series["mean_probability"]]}
    pictures = [lines(TITLES[name], names, with_it.get(name, [series[name]])) for name in OVER_TIME if name in TITLES]
    return [picture for picture in pictures if picture is not None]


def _by_period(found: Validated) -> list[Any]:
    figure = found["sections"]["periods"]["figure"]
    if figure is None or len(figure["periods"]) < 2:
        return []
    names = [entry["level"] for entry in figure["periods"]]

    def values(name: str) -> list[float | None]:
        return [entry.get(name) for entry in figure["periods"]]

    pictures = [
        lines(TITLES["default_rate"], names, [values("observed"), values("mean_probability")]),
        lines(TITLES["roc_auc"], names, [values("auc")]),
        lines(TITLES["psi"], names, [values("psi")]),
    ]
    return [picture for picture in pictures if picture is not None]
