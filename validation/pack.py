"""A validation's answers in the order of a supervisor's template: pack.md and pack.html.

Only headings that are known are listed: of the template for PD models in the ECB's "Instructions for reporting the
validation results of internal models" (February 2019) the sections with tests, by number. Of SR 26-2 and of Article 11
of the EU AI Act no headings are repeated here: each is one entry, with what this validation has for it. What only
people can answer stands as a question.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from validation.documents import Validated
from validation.packs import ai_act, ecb, sr
from validation.report import card
from validation.report.pages import render

MARKDOWN, HTML = "pack.md", "pack.html"


def write_pack(folder: Path, found: Validated, manifest: Mapping[str, Any]) -> None:
    """Write both forms of the pack into a folder, from validation.json's content and the model's manifest."""
    text = pack_of(found, manifest)
    (folder / MARKDOWN).write_text(text, encoding="utf-8")
    (folder / HTML).write_text(render("pack", text=card.as_html(text)), encoding="utf-8")


def pack_of(found: Validated, manifest: Mapping[str, Any]) -> str:
    """The pack in Markdown."""
    data, model = found["data"], found["model"]
    parts = ["# Validation pack", "", _subject(found, manifest), ""]
    for title, headings in (
        ("ECB, reporting template for PD models (February 2019)", ecb.answers_of(found)),
        ("SR 26-2", {sr.HEADING: sr.answer_of(found, manifest)}),
        ("EU AI Act, Article 11", {ai_act.HEADING: ai_act.answer_of(found, manifest)}),
    ):
        parts += [f"## {title}", ""]
        for heading, answer in headings.items():
            parts += [f"### {heading}", "", *answer.written()]
    parts.append(
        f"Made from validation.json of {card.code(data['source'])} (sha256 {data['sha256']}) and model "
        f"{card.code(model['version'])}. No legal advice."
    )
    return "\n".join(parts) + "\n"


def _subject(found: Validated, manifest: Mapping[str, Any]) -> str:
    data, version = found["data"], found["model"]["version"]
    parent = manifest.get("parent")
    whose = f", recalibrated from pipeline {card.code(parent['pipeline'])}" if parent else ""
    definition = card.escaped(found["model"]["definition"]) or "not stated: state it as validation.definition"
    return (
        f"Model {card.code(version)}{whose} on {data['rows']:,} rows of {card.code(data['source'])}. "
        f"Definition of default: {definition}."
    )
