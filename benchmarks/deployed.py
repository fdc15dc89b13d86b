"""Both contestants as Lambda would have them: a folder each, and a Python that sees nothing else."""

import atexit
import compileall
import json
import os
import platform
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from packaging.requirements import Requirement

from benchmarks.subject import SILENT, applicants, subject
from export.package import ROOT, Plan, package
from export.packaging.target import Target, architecture

# Neither the environment's packages nor the user's, nor the current folder: PYTHONPATH alone. No bytecode is written.
PYTHON = (sys.executable, "-S", "-s", "-P", "-B")
PEER_NEEDS = ("fastapi", "joblib", "mangum", "pandas", "scikit-learn", "xgboost")
PEER_CODE = ("cli", "runtime", "trees", "table/columns.py", "training/__init__.py", "training/estimator")
"""The classes of the fitted pipeline, which are training's, and what they need for an answer."""
FOR_A_FIT = (
    "table/__init__.py",
    *(f"training/settings/{name}.py" for name in ("__init__", "tables")),
    *(f"validation/{name}.py" for name in ("__init__", "documents", "findings", "losses", "weights")),
)
"""What the same modules import for a fit alone: the peer has empty ones, and does not pay for them."""
EMPTY = "def __getattr__(name: str) -> object:\n    return object\n"


@dataclass(frozen=True)
class Deployed:
    """A folder like Lambda's /var/task, and the module in it that has `handler`."""

    folder: Path
    module: str


@cache
def lastbit(*form: str) -> Deployed:
    """The package that `python -m export.package` builds, for the Python that runs the benchmarks.

    `form` is what `subject` takes: how the model is calibrated.
    """
    its = subject(*form)
    target = Target((sys.version_info[0], sys.version_info[1]), architecture(platform.machine()))
    package(Plan(its.folder / "model", target, its.folder / "dist", ROOT / "build" / "wheels"), SILENT)
    return Deployed(its.folder / "dist" / "task", "runtime.handler")


@cache
def peer(*form: str) -> Deployed:
    """FastAPI, Mangum, pandas and joblib around the same fitted pipeline, with bytecode, as `pip install` leaves it."""
    its = subject(*form)
    folder = its.folder / "peer"
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # 0.6 GB
    for installed in closure(PEER_NEEDS):
        copy(installed, folder)
    copy_classes(folder)
    shutil.copy2(ROOT / "benchmarks" / "peer" / "handler.py", folder / "peer_handler.py")
    joblib.dump(its.pipeline, folder / "pipeline.joblib")
    compileall.compile_dir(folder, quiet=2)  # takes those that are up to date as they are
    return Deployed(folder, "peer_handler")


def copy_classes(folder: Path) -> None:
    """Copy the code that the pickle of a pipeline needs, and nothing that only a fit needs."""
    for name in (*PEER_CODE, *FOR_A_FIT):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    for name in PEER_CODE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    for name in FOR_A_FIT:
        (folder / name).write_text(EMPTY, encoding="utf-8")


def closure(names: tuple[str, ...]) -> list[Distribution]:
    """The installed distributions of these names, and of all that they need here."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            if name in names:
                raise
            continue  # a library for GPUs, which a CPU never loads
        needs = [Requirement(text) for text in found[name].requires or []]
        waiting += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return list(found.values())


def copy(installed: Distribution, folder: Path) -> None:
    """Copy an installed package with its bytecode, but not its commands."""
    for file in installed.files or []:
        source = Path(str(installed.locate_file(file)))
        if ".." not in file.parts and source.exists():
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def environment(folder: Path | str, **more: str) -> dict[str, str]:
    """As little as a process can have, the folder, and a home of its own: not CI, which keeps onnxruntime quiet."""
    home = subject().folder / "home"
    home.mkdir(exist_ok=True)
    return {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "LAMBDA_TASK_ROOT": str(folder),
        "PATH": os.defpath,
        "PYTHONPATH": str(folder),
        **more,
    }


def installed_packages() -> str:
    """Where numpy and onnxruntime are as pip installed them."""
    return sysconfig.get_path("platlib")


@cache
def bodies(rows: int = 10_000) -> list[dict[str, Any]]:
    """Applicants as clients send them: whole, varied, null where nothing was observed."""
    frame = applicants()[:rows].copy()
    frame["has_paid"] = frame["has_paid"].astype(object).map(lambda value: None if pd.isna(value) else bool(value))
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [
        {"uuid": f"applicant-{number}"} | {str(name): record[name] for name in record}
        for number, record in enumerate(records)
    ]


def event(path: str, body: object) -> dict[str, Any]:
    """An event of API Gateway's HTTP API."""
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "example.execute-api.eu-west-1.amazonaws.com"},
        "requestContext": {
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "benchmark",
            },
            "requestId": "b1",
            "stage": "$default",
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


@cache
def events() -> Path:
    """A file with an event a line, one for each of the `bodies`."""
    path = subject().folder / "events.jsonl"
    path.write_text("".join(json.dumps(event("/predict", body)) + "\n" for body in bodies()), encoding="utf-8")
    return path
