"""docs/pictures/pictures.json: for each picture its own digest, and those of the modules and files that it shows."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.digests import ROOT, digest
from cli.errors import UserError
from storage.whole_file import write_whole

FOLDER = ROOT / "docs" / "pictures"
FILE = FOLDER / "pictures.json"
LARGEST = 200_000  # bytes, of a picture: README is read on telephones, too


def _page(*templates: str) -> tuple[str, ...]:
    """Code and templates of a page of validation.report."""
    every = ("base.html.j2", "figures.html.j2", "tables.html.j2", "bars.html.j2", "style.css")
    return ("validation.report", *(f"validation/report/templates/{name}" for name in (*every, *templates)))


# Modules and files that a picture shows: where one of these changes, the picture is stale.
SHOWN: dict[str, tuple[str, ...]] = {
    "report.png": (*_page("report.html.j2", "_verdict.html.j2"), "training.evidence", "population"),
    "reasons.png": (*_page("report.html.j2", "_reasons.html.j2"), "training.reason_points", "population"),
    "what-if.png": (
        "local/page.py",
        "local/page/page.html",
        "local/page/script.js",
        "local/page/style.css",
        "population",
    ),
    "exploration.png": (*_page("exploration.html.j2", "explored.html.j2"), "training.exploration", "population"),
    "monitoring.png": (
        *_page("validation.html.j2", "_validation_stability.html.j2"),
        "validation.verdict",
        "population",
    ),
    "boundary.svg": ("validation.report.plots", "benchmarks.pictures.boundary", "population"),
    "calibrators.svg": ("validation.report.plots", "benchmarks.picture", "benchmarks.million", "population"),
}

Entry = dict[str, Any]
"""`sha256` of a picture, and the `digests` of what it shows."""


def keep(pictures: Mapping[str, bytes]) -> None:
    """Write the pictures and their record. Raises UserError for one that is missing, unknown or too large."""
    if pictures.keys() != SHOWN.keys():
        raise UserError(f"expected the pictures {', '.join(SHOWN)}, got {', '.join(sorted(pictures))}")
    for name, content in pictures.items():
        if len(content) > LARGEST:
            raise UserError(f"{name}: expected at most {LARGEST} bytes, got {len(content)}; show less of the page")
    FOLDER.mkdir(exist_ok=True)
    for name in SHOWN:
        (FOLDER / name).write_bytes(pictures[name])
    entries = {name: {"sha256": _sha256(pictures[name]), "digests": _digests(name)} for name in SHOWN}
    write_whole(FILE, json.dumps(entries, indent=1) + "\n")


def read() -> dict[str, Entry]:
    """Read the record. Raises UserError where it cannot be read."""
    try:
        entries: dict[str, Entry] = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise UserError(f"{FILE}: expected the record of the pictures: {fault}; make pictures") from None
    return entries


def stale(entries: Mapping[str, Entry]) -> Iterator[str]:
    """A line for each picture that is missing, was changed by hand, or shows code that has changed since."""
    for name in SHOWN:
        path = FOLDER / name
        if name not in entries or not path.is_file():
            yield f"{name}: was never drawn"
        elif _sha256(path.read_bytes()) != entries[name]["sha256"]:
            yield f"{name}: is not the picture that make pictures has drawn"
        else:
            before, now = entries[name]["digests"], _digests(name)
            changed = sorted(each for each in before.keys() | now.keys() if before.get(each) != now.get(each))
            if changed:
                yield f"{name}: stale, since these have changed: {', '.join(changed)}"


def _digests(name: str) -> dict[str, str | None]:
    return {each: digest(each) for each in SHOWN[name]}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
