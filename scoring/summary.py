"""The end of a run: one file of rejected rows, and summary.json, which is there only once all parts are."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np

from cli.errors import UserError
from runtime.manifest import Manifest
from runtime.score import Bands
from scoring.documents import InputFile, PartFile, ScoreShift, ScoringRun, Summary
from scoring.left_out import LeftOut
from scoring.marker import Marker
from scoring.names import repeated
from scoring.output import Output, publish_text, work_folder
from scoring.part import write_header
from scoring.plan import REJECTS, SUMMARY
from scoring.tally import Tally
from storage.digest import sha256_of
from storage.json_file import json_text
from training.documents import ExclusionRecord


def load_comparison() -> None:
    """Import what compares the scores: half a second, which costs nothing while workers score."""
    import validation.stability.bins
    import validation.stability.index  # noqa: F401


def write_rejects(output: Output, markers: Sequence[Marker]) -> None:
    """Put the rejected rows of all parts into one file, if there are any."""
    rejects = [marker.rejects.name for marker in markers if marker.rejects is not None]
    if not rejects:
        return
    with work_folder(output) as work:
        path, part = work / "rejects", work / "part"
        with path.open("w", encoding="utf-8", newline="") as file:
            write_header(file)
            for name in rejects:
                output.fetch(name, part)
                with part.open(encoding="utf-8", newline="") as lines:
                    file.writelines(lines)
        output.publish(path, REJECTS, sha256_of(path))


def refuse_too_many(name: str, tally: Tally, most: float, all_rows: int | None = None) -> None:
    """Raise UserError if more than the share `most` is rejected: of the rows read, or of all where that is known."""
    rows = all_rows or tally.read
    if tally.rejected > most * rows:
        count = f"{tally.rejected:,} of {rows:,} rows are rejected, expected at most {most:.4g} of them (--max-rejects)"
        raise UserError(f"{name}: {count}; {REJECTS} there says why")


def summary_of(
    identity: ScoringRun,
    manifest: Manifest,
    markers: Sequence[Marker],
    output: Output,
    left_out: LeftOut,
    texts: Mapping[str, Any] | None,
) -> Summary:
    """Summary of what was scored by which model."""
    tally = Tally.sum(marker.tally for marker in markers)
    sources = [marker.input for marker in markers if marker.input is not None]
    parts = [_part(marker) for marker in markers]
    features = (*manifest.numbers, *manifest.categories)
    counted = zip(features, tally.missing, tally.unusual, strict=True)
    summary: Summary = {
        "format": identity["format"],
        "model": identity["model"],
        "settings": identity["settings"],
        "input": identity["input"],
        "versions": identity["versions"],
        "rows": {"read": tally.read, "scored": tally.rows, "rejected": tally.rejected, "left_out": sum(tally.left_out)},
        "exclusions": [cast(ExclusionRecord, asdict(its)) for its in left_out.counted(tally.left_out)],
        "repeated_ids": None if identity["settings"]["id"] is None else _repeated(output, markers),
        "bands": dict(zip(Bands(manifest.bands).labels, tally.bands, strict=True)),
        "score": _shift(manifest, tally),
        "features": {its.name: {"missing": missing, "unusual": unusual} for its, missing, unusual in counted},
        "scored": {
            "inputs": _digest((source.digest, source.name) for source in sources),
            "parts": _digest((part["sha256"], part["part"]) for part in parts),
        },
        "inputs": [cast(InputFile, source.as_dict()) for source in sources],
        "parts": parts,
    }
    if manifest.grades is not None:
        summary["grades"] = dict(zip(manifest.grades.names, tally.grades, strict=True))
    if texts is not None:
        summary["reasons"] = dict(texts)
    return summary


def write_summary(output: Output, summary: Summary) -> None:
    """Put summary.json there: the run is complete."""
    publish_text(output, SUMMARY, json_text(summary))


def read_summary(output: Output) -> Summary | None:
    """The summary of a run that is complete."""
    content = output.read(SUMMARY)
    return None if content is None else cast(Summary, json.loads(content))


def _part(marker: Marker) -> PartFile:
    rows = marker.rows
    return {"part": marker.part, "rows": marker.tally.rows, "bytes": rows.bytes, "sha256": rows.sha256}


def _digest(entries: Iterable[tuple[str, str]]) -> str:
    """The sha256 of a list of digests and names, as sha256sum writes it."""
    return sha256_of("\n".join(f"{digest}  {name}" for digest, name in entries).encode())


def _repeated(output: Output, markers: Sequence[Marker]) -> int:
    with work_folder(output) as work:
        files: list[tuple[Path, Sequence[int]]] = []
        for number, marker in enumerate(markers):
            if marker.ids is not None:
                path = work / str(number)
                output.fetch(marker.ids.name, path)
                files.append((path, marker.runs))
        return repeated(files)


def _shift(manifest: Manifest, tally: Tally) -> ScoreShift | None:
    """The score's population stability index against the training rows; None where there is nothing to compare."""
    from validation.stability.bins import intervals
    from validation.stability.index import shift  # scipy is not needed before

    reference = manifest.document.get("reference", {})
    entry = reference.get("score")
    if not tally.rows or not isinstance(entry, dict):
        return None
    expected, actual = np.array(entry["counts"]), np.array(tally.bins)
    found = shift(expected, actual)
    counts_from = found.counts_from(float(reference["limits"]["score"]))
    labels = [*intervals(entry["edges"], "any"), "missing"]
    counts = zip(labels, expected.tolist(), actual.tolist(), strict=True)
    return {
        "psi": found.index,
        "by_chance": found.by_chance,
        "counts_from": counts_from,
        "moved": found.index >= counts_from,
        "bins": [{"bin": label, "expected": e, "actual": a} for label, e, a in counts if e or a],
    }
