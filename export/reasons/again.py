"""The tables of a model built once more from the artifacts, beside the reasons.bin that it has."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from export.certificate.comparison import Session
from export.graph.pipeline import Contract
from export.model_folder import REASONS
from export.reasons.build import BuiltReasons, build_reasons
from export.refusal import ExportRefused
from runtime.manifest import Manifest
from runtime.table_file import REASONS_FILE
from training.artifacts import Artifacts
from training.reasons import OWN_ROWS, reference_rows
from training.settings import Settings, settings_from_dict
from training.settings.reasons import ALL, COVERS, NAMED, TREE_PATH, Reasons

# Tables are sums in float64, rounded to float32; another processor's sums may round a value to its neighbour.
RELATIVE, ABSOLUTE = 3e-7, 1e-9


def build_again(
    artifacts: Artifacts,
    manifest: Manifest,
    contract: Contract,
    session: Session,
    show: Callable[[str], None] = lambda _: None,
) -> BuiltReasons | None:
    """The tables of the artifacts, with the groups and the reference of the manifest.

    None where the reference rows were those of a file that was given at export, which the artifacts do not hold.
    """
    settings = settings_of(manifest, settings_from_dict(artifacts.run["settings"]))
    is_own = settings.reasons.reference not in NAMED
    if is_own and OWN_ROWS not in artifacts.drawn:
        return None
    rows = reference_rows(settings, artifacts.drawn)
    basis = manifest.document["reasons"]["basis"]
    if is_own and rows is not None and rows.total != basis["reference_total"]:
        return None
    return build_reasons(artifacts, settings, contract, session, manifest.sha256, rows, show)


def settings_of(manifest: Manifest, trained: Settings) -> Settings:
    """The settings of training, with the groups and the reference that the export took."""
    record = manifest.document["reasons"]
    basis, players = record["basis"], record["players"]
    low, high = basis.get("reference_scores", (None, None))
    reference = basis["reference"] if basis["reference"] in NAMED else "own"
    reasons = Reasons(reference=reference, limit=np.inf, values=record["values"])
    if basis["reference"] == COVERS:
        reasons = replace(reasons, reference=ALL, method=TREE_PATH)
    if low is not None:
        reasons = replace(reasons, cutoff=low, window=high - low)
    groups = {player["name"]: tuple(player["features"]) for player in players if player["kind"] == "group"}
    return replace(trained, reasons=reasons, reason_groups=groups)


def refuse_other_tables(model: Path, built: BuiltReasons) -> None:
    """Raise ExportRefused where the file of the model folder holds other tables than these."""
    path = model / REASONS
    if built.why:
        raise ExportRefused(f"{path}: built again from the artifacts: {built.why}")
    ours, found = path.read_bytes(), built.content
    if ours == found:
        return
    (head, arrays), (head_again, arrays_again) = REASONS_FILE.parse(ours), REASONS_FILE.parse(found)
    same = {name: head.get(name) == its for name, its in head_again.items()}
    same["mean"] = bool(np.isclose(head["mean"], head_again["mean"], rtol=RELATIVE, atol=ABSOLUTE))
    same |= {name: np.array_equal(arrays[name], arrays_again[name]) for name in REASONS_FILE.arrays}
    same["tables"] = same["lengths"] and np.allclose(
        arrays["tables"], arrays_again["tables"], rtol=RELATIVE, atol=ABSOLUTE
    )
    if other := [name for name, equal in same.items() if not equal]:
        raise ExportRefused(
            f"{path}: {', '.join(other)}: expected what the artifacts give when built again, got another; export again"
        )
