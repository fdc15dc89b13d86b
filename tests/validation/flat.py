"""Figures of validation.json for tests: stability, and those of known outcomes, side by side."""

import json
from pathlib import Path
from typing import Any


def flat(folder: Path) -> dict[str, Any]:
    """The figure of stability with `outcomes` (None without any), `weight`, `data` and `findings`."""
    found = json.loads((folder / "validation.json").read_text(encoding="utf-8"))
    sections = {name: section["figure"] for name, section in found["sections"].items()}
    calibration, discrimination = sections["calibration"], sections["discrimination"] or {"metrics": {"roc_auc": None}}
    outcomes = None
    if calibration is not None:
        outcomes = {**calibration["metrics"], **discrimination["metrics"], "unknown": calibration["unknown"]}
        outcomes |= {"grades": sections["grades"]["grades"], "training": calibration["training"]}
        outcomes["training"]["roc_auc"] = discrimination.get("training")
    whole = {name: found[name] for name in ("weight", "data", "findings", "remarks", "sections", "history")}
    return {**sections["stability"], **whole, "outcomes": outcomes}
