"""A folder that remembers validations: one small file a run, and all of them over time."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from cli.errors import UserError
from runtime.strict_json import NotStrict, parse_file
from storage.json_file import json_text
from storage.whole_file import write_whole
from validation.documents import RememberedRun

SCHEMA_VERSION = 1
SUFFIX = ".validation.json"
LARGEST_FILE = 2**20  # bytes
FIGURES = ("default_rate", "mean_probability", "roc_auc", "psi", "calibration_slope")


def record_of(found: Mapping[str, Any], when: str) -> RememberedRun:
    """What is remembered of a validation, at the time `when` (ISO 8601)."""
    sections = {name: section["figure"] or {} for name, section in found["sections"].items()}
    calibration, discrimination = (sections[name].get("metrics", {}) for name in ("calibration", "discrimination"))
    figures = {
        "default_rate": calibration.get("default_rate"),
        "mean_probability": calibration.get("mean_probability"),
        "calibration_slope": calibration.get("calibration_slope"),
        "roc_auc": discrimination.get("roc_auc"),
        "psi": sections["stability"].get("score", {}).get("psi"),
    }
    data = found["data"]
    return {
        "schema_version": SCHEMA_VERSION,
        "when": when,
        "model": found["model"]["version"],
        "source": data["source"],
        "sha256": data["sha256"],
        "rows": data["rows"],
        "first_time": data["first_time"],
        "last_time": data["last_time"],
        "findings": [finding["name"] for finding in found["findings"]],
        "figures": figures,
    }


def remember(folder: Path, record: RememberedRun) -> None:
    """Writes the file of a run; the same table validated again with the same model replaces its own."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UserError(f"--history: expected a folder, got the file {folder}; name another") from None
    write_whole(folder / f"{record['model']}-{record['sha256'][:16]}{SUFFIX}", json_text(record))


def remembered(folder: Path) -> list[RememberedRun]:
    """The runs of a folder, in the order of the time of their rows, or of the run where rows have none.

    Raises UserError for a file of that name that is not one of a run.
    """
    if not folder.is_dir():
        return []
    runs = [_read(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    return sorted(runs, key=lambda run: (run["last_time"] or run["when"], run["when"]))


def series_of(runs: Sequence[RememberedRun]) -> dict[str, list[float | None]]:
    """Each figure over the runs."""
    return {name: [run["figures"].get(name) for run in runs] for name in FIGURES}


def _read(path: Path) -> RememberedRun:
    remedy = "move it out of --history"
    try:
        content = parse_file(path.read_bytes(), LARGEST_FILE)
    except NotStrict as fault:
        raise UserError(f"{path}: is not JSON ({fault}); {remedy}") from None
    if not isinstance(content, dict) or content.get("schema_version") != SCHEMA_VERSION:
        version = json.dumps(content.get("schema_version") if isinstance(content, dict) else None)
        raise UserError(f"{path}: schema_version: expected {SCHEMA_VERSION}, got {version[:40]}; {remedy}")
    missing = RememberedRun.__required_keys__ - content.keys()
    if missing or not isinstance(content["figures"], dict):
        raise UserError(f"{path}: is not the record of a validation; {remedy}")
    return cast(RememberedRun, content)
