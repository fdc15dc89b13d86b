"""Models that are trained small, exported and asked: what the tests of this folder share."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cli.progress import Progress
from export.certificate import certify
from export.reasons import build as reasons_build
from export.to_onnx import export, reasons_settings
from runtime.dispatch import Handler
from runtime.settings import Settings
from tests.applicants import SETTINGS, draw
from training.artifacts import Artifacts, load_artifacts
from training.evidence import answer
from training.labelled import Labelled
from training.run import train
from training.settings import load_settings, settings_from_dict
from validation.evidence import Part

SILENT = Progress(quiet=True)
WITH_REASONS = """
[xgboost]
n_estimators = 25
max_depth = 4
[evaluation]
plots = false
resamples = 50
[reason_texts.income]
text = "Income is low"
code = "R01"
[reason_texts.age]
missing = { en = "Age was not given", de = "Alter fehlt" }
[reason_texts.shop]
inquiries = true
"""
APPLICANT = {"uuid": "1", "income": 2500.5, "age": 30, "late_1": 3, "late_2": None, "has_paid": True, "shop": "shoes"}


@contextmanager
def few_rows(drawn: int, single: int, explained: int) -> Iterator[None]:
    """Certificates of so few drawn, single and explained rows, while the block runs."""
    patch = pytest.MonkeyPatch()
    patch.setattr(certify, "RANDOM_AND_REAL_ROWS", drawn)
    patch.setattr(certify, "SINGLE_ROWS", single)
    patch.setattr(reasons_build, "COMPARED", explained)
    yield
    patch.undo()


def trained(folder: Path, more: str, rows: int = 1_200) -> Artifacts:
    frame, target = draw(rows)
    frame.insert(0, "uuid", range(rows))
    frame["default"] = target
    frame.to_csv(folder / "table.csv", index=False)
    (folder / "settings.toml").write_text(SETTINGS + more)
    train(load_settings(folder / "settings.toml", {}), folder / "artifacts", SILENT)
    return load_artifacts(folder / "artifacts")


def handler(folder: Path, **environment: str) -> Handler:
    return Handler(Settings({"MODEL_DIR": str(folder), **environment}))


def ask(its: Handler, content: object, query: str = "", path: str = "/predict") -> tuple[int, dict[str, Any]]:
    about = {"http": {"method": "POST"}}
    event = {"requestContext": about, "rawPath": path, "rawQueryString": query, "body": json.dumps(content)}
    answer: Any = its(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def applicants(count: int) -> list[dict[str, Any]]:
    frame, _ = draw(count, seed=5)
    frame = frame[["income", "age", "late_1", "late_2", "has_paid", "shop"]].astype(object)
    frame = frame.where(frame.notna(), None)
    rows: Any = frame.to_dict("records")
    paid = {1.0: True, 0.0: False, None: None}
    return [{"uuid": str(i), **row, "has_paid": paid[row["has_paid"]]} for i, row in enumerate(rows)]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


HANDLERS: dict[Path, Handler] = {}


def handler_of(folder: Path) -> Handler:
    return HANDLERS.setdefault(folder, handler(folder))


def handler_with(artifacts: Artifacts, folder: Path, toml: str, **environment: str) -> Handler:
    (folder / "reasons.toml").write_text(toml)
    settings, own = reasons_settings(artifacts, str(folder / "reasons.toml"), SILENT)
    export(artifacts, folder / "with", SILENT, settings, own)
    return handler(folder / "with", **environment)


def part_of(artifacts: Artifacts, frame: pd.DataFrame) -> Part:
    settings = settings_from_dict(artifacts.run["settings"])
    return answer(settings, artifacts.pipeline, Labelled(frame, np.zeros(len(frame), dtype=np.int8)))
