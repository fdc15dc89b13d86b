"""Paths of classes in pipeline.skops. They are a format: each class has one path, and every former path still opens.

A class that moves gets a new entry in FORMER; no entry is ever removed. FORMAT has the current paths.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

DESCRIPTION = "schema.json"  # in a skops file; the other members are arrays and boosters

# Classes of this project, by the path that pipeline.skops holds.
FORMAT = frozenset(
    {
        "training.estimator.boosting.MarginXGBClassifier",
        "training.estimator.calibrated_cv.AutoCalibratedClassifierCV",
        "training.estimator.crossfit.CrossFittedClassifier",
        "training.estimator.preparation.Preparation",
    }
)
# Former paths of them, from before the folder training/estimator/.
FORMER: Mapping[str, str] = {
    "training.boosting.MarginXGBClassifier": "training.estimator.boosting.MarginXGBClassifier",
    "training.calibrated_cv.AutoCalibratedClassifierCV": "training.estimator.calibrated_cv.AutoCalibratedClassifierCV",
    "training.crossfit.CrossFittedClassifier": "training.estimator.crossfit.CrossFittedClassifier",
    "training.preparation.Preparation": "training.estimator.preparation.Preparation",
}
# All that a pipeline of this project is made of, beyond what skops trusts by itself.
TRUSTED = FORMAT | {
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.model_selection._split.StratifiedKFold",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
}
# Packages whose own classes may be others in another version of theirs.
LIBRARIES = ("numpy.", "pandas.", "scipy.", "sklearn.", "xgboost.")


def with_paths_of_today(dump: bytes) -> bytes:
    """A skops file with every former path replaced; the same bytes if it has no former path.

    Raises zipfile.BadZipFile, KeyError or ValueError for what is not a skops file.
    """
    with zipfile.ZipFile(io.BytesIO(dump)) as archive:
        description = json.loads(archive.read(DESCRIPTION))
        if not (former := [node for node in _classes(description) if _path(node) in FORMER]):
            return dump
        members = {name: archive.read(name) for name in archive.namelist()}
    for node in former:
        node["__module__"], _, node["__class__"] = FORMER[_path(node)].rpartition(".")
    members[DESCRIPTION] = json.dumps(description).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def made_elsewhere(dump: bytes) -> str | None:
    """The scikit-learn that wrote a skops file, beside the one here, in words; None where they are the same."""
    try:
        with zipfile.ZipFile(io.BytesIO(dump)) as archive:
            description = json.loads(archive.read(DESCRIPTION))
        here = version("scikit-learn")
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError, PackageNotFoundError):
        return None
    recorded = (node.get("_sklearn_version") for node in objects(description))
    written = {json.loads(node["content"]) for node in recorded if isinstance(node, dict) and node.get("is_json")}
    others = sorted(str(made) for made in written if made != here)
    return f"made with scikit-learn {', '.join(others)}, and here is {here}" if others else None


def _path(node: Mapping[str, Any]) -> str:
    return f"{node['__module__']}.{node['__class__']}"


def _classes(description: Any) -> Iterator[dict[str, Any]]:
    return (node for node in objects(description) if "__module__" in node and "__class__" in node)


def objects(description: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in a description, however deep."""
    waiting = [description]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
