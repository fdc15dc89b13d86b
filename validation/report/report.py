"""Results of a run for people: report.html, model_card.md and, unless switched off, plots/."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage.digest import sha256_of
from table import BUILT_IN
from validation.evidence import Answered, Evidence
from validation.report import card, in_parts, pages, tables
from validation.report.weaknesses import weaknesses
from validation.report.weights import statements

REPORT = "report.html"
CARD = "model_card.md"
PLOTS = "plots"


def write_report(folder: Path, run: Mapping[str, Any], evidence: Evidence, parts: Mapping[str, Answered]) -> None:
    """Write the report, the model card and the pictures into `folder`, which holds the other artifacts already.

    `run` is what becomes run.json. An absent part of a run, such as a search, costs or an exploration, is noted where
    it is there. The same run gives the same bytes.
    """
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    pictures = _draw(folder, run, evidence, parts) if run["settings"]["evaluation"]["plots"] else {}
    synthetic = run["data"]["source"] == BUILT_IN
    content: dict[str, Any] = {
        "run": run,
        "settings": run["settings"],
        "evidence": evidence,
        "test": evidence.metrics["test"],
        "train": evidence.metrics["train"],
        "parts": parts,
        "tables": tables,
        "files": files,
        "synthetic": synthetic,
        "weights": statements(run),
        "in_parts": in_parts.statement(run),
        "weaknesses": weaknesses(run, evidence, synthetic=synthetic),
    }
    text = card.write(content)
    (folder / CARD).write_text(text, encoding="utf-8")
    page = pages.render(
        "report",
        **content,
        sections=_sections(evidence),
        pictures=pictures,
        dependences=_named(pictures, "dependence_"),
        reasons_along=_named(pictures, "reasons_along_"),
        reasons_of=_named(pictures, "reasons_of_"),
        ratios=_named(pictures, "ratios_"),
        card=card.as_html(text),
    )
    (folder / REPORT).write_text(page, encoding="utf-8")


def _named(pictures: Mapping[str, Any], start: str) -> list[str]:
    return [name for name in pictures if name.startswith(start)]


def _sections(evidence: Evidence) -> dict[str, str]:
    """The sections by id, in the order in which a validator reads; each is a template of its own."""
    sections = {
        "verdict": "Verdict",
        "data": "Data and population",
        "split": "Split",
        "method": "Method and settings",
        "discrimination": "Discrimination",
        "calibration": "Calibration",
        "bands": "Bands and cut-offs",
        "stability": "Stability",
        "features": "Features",
        "reasons": "Reasons",
        "fairness": "Groups of people",
        "weak": "Weak slices and robustness",
        "exploration": "Exploration",
        "reproducibility": "Reproducibility",
        "card": "Model card",
    }
    there = {
        "stability": bool(evidence.stability),
        "features": len(evidence.importance) > 0,
        "reasons": evidence.reasons is not None or bool(evidence.no_reasons),
        "fairness": evidence.fairness is not None,
        "weak": evidence.weak is not None and evidence.overfit is not None and evidence.robustness is not None,
        "exploration": bool(evidence.exploration),
    }
    return {section: title for section, title in sections.items() if there.get(section, True)}


def _draw(folder: Path, run: Mapping[str, Any], evidence: Evidence, parts: Mapping[str, Answered]) -> dict[str, Any]:
    """The pictures by name, each in a file of its own too."""
    from validation.report.plots.gallery import gallery  # --no-plots needs none of it

    pictures = gallery(run, evidence, parts)
    (folder / PLOTS).mkdir()
    for name, picture in pictures.items():
        (folder / PLOTS / f"{name}.svg").write_text(picture.svg, encoding="utf-8")
    return dict(pictures)
