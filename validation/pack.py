"""A validation's answers in the order of a supervisor's template: pack.md and pack.html.

Only headings that are known are listed: of the template for PD models in the ECB's "Instructions for reporting the
validation results of internal models" (February 2019) the sections with tests, by number. Of SR 26-2 and of Article 11
of the EU AI Act no headings are repeated here: each is one entry, with what this validation has for it. What only
people can answer stands as a question.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from validation.documents import Validated
from validation.report import card
from validation.report.pages import render

MARKDOWN, HTML = "pack.md", "pack.html"
MISSING = "not known"

Figure = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """Answer under one heading: lines of text, tables, and questions that only people can answer."""

    lines: Sequence[str] = ()
    tables: Sequence[pd.DataFrame] = ()
    questions: Sequence[str] = ()


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
        ("ECB, reporting template for PD models (February 2019)", _ecb(found)),
        ("SR 26-2", {"SR 26-2, in place of SR 11-7 since 17 April 2026": _sr(found, manifest)}),
        (
            "EU AI Act, Article 11",
            {"Article 11, for Annex III 5(b) from 2 December 2027": _ai_act(found, manifest)},
        ),
    ):
        parts += [f"## {title}", ""]
        for heading, answer in headings.items():
            parts += [f"### {heading}", "", *_written(answer)]
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


def _written(answer: Answer) -> list[str]:
    lines = [line for text in answer.lines for line in (text, "")]
    lines += [line for frame in answer.tables for line in (card.table(frame), "")]
    return [*lines, *(f"- **Question:** {question}" for question in answer.questions), ""]


def _figure(found: Validated, name: str) -> tuple[Figure | None, str]:
    """A section's figure, or None and why there is none."""
    section = found["sections"].get(name)
    if section is None:
        return None, "the validation has no such section"
    return section["figure"], section["why"]


def _ecb(found: Validated) -> dict[str, Answer]:
    tests: dict[str, Callable[[Validated], Answer]] = {
        "2.5.2 Process: overrides, outdated ratings, technical defaults, missing data": _process,
        "2.5.3.1 Jeffreys, for each grade and for the portfolio": _jeffreys,
        "2.5.4.1 AUC now against the initial validation, on grades": _area,
        "2.5.5.1 Migrations: upper and lower matrix weighted bandwidth": _bandwidths,
        "2.5.5.2 Migrations: each cell against its neighbour towards the diagonal": _cells,
        "2.5.5.3 Concentration against the initial validation, by customers and exposure": _concentration,
    }
    return {heading: answer(found) for heading, answer in tests.items()}


def _process(found: Validated) -> Answer:
    data, (figure, why) = found["data"], _figure(found, "stability")
    lines = [
        f"Rows left out as too young: {data['too_young']:,}; without a time: {data['without_time']:,}.",
        *map(card.escaped, found["remarks"]),
    ]
    tables = []
    if figure is None:
        lines.append(f"Missing data: {card.escaped(why)}.")
    else:
        rows = [{"Feature": its["feature"], "Missing, %": 100 * float(its["missing"])} for its in figure["features"]]
        tables = [pd.DataFrame(rows)]
    asked = "How many ratings were overridden, how many were outdated, and how many defaults were technical?"
    return Answer(lines, tables, [asked])


def _jeffreys(found: Validated) -> Answer:
    (grades, why), (portfolio, _) = _figure(found, "grades"), _figure(found, "calibration")
    if grades is None or portfolio is None or grades["why_no_tests"]:
        return Answer([f"Not tested: {card.escaped(why or (grades or {}).get('why_no_tests') or MISSING)}."])
    line = (
        f"Portfolio: PD applied {_percent(portfolio['applied'])}, observed {_percent(portfolio['observed'])}, "
        f"p = {_number(portfolio['tests']['jeffreys']['p'])}."
    )
    columns = {"grade": "Grade", "rows": "Customers", "defaults": "Defaults", "applied": "PD applied"}
    columns |= {"observed": "Observed", "p": "p"}
    frame = pd.DataFrame([{title: its[key] for key, title in columns.items()} for its in grades["grades"]])
    return Answer([line, "p values are not corrected for their number. The template has no pass mark."], [frame])


def _area(found: Validated) -> Answer:
    figure, why = _figure(found, "discrimination")
    if figure is None:
        return Answer([f"Not tested: {card.escaped(why)}."])
    now, then = figure["grades"], figure["initial"]
    line = f"AUC on grades now {_number(now['auc'])}, variance {_number(now['variance'])}."
    if then is None:
        return Answer([line, f"No initial validation: {card.escaped(figure['why_no_initial'])}."])
    alone, both = then["template"], then["with_both"]
    return Answer(
        [
            line,
            f"Initially {_number(then['auc'])}: S = {_number(alone['statistic'])}, p = {_number(alone['p'])} with the "
            f"variance of now, as in the template; p = {_number(both['p'])} with both variances (custom).",
        ]
    )


def _bandwidths(found: Validated) -> Answer:
    figure, why = _figure(found, "migrations")
    if figure is None:
        return Answer([f"Not computed: {card.escaped(why)}."])
    line = f"Upper {_number(figure['upper'])}, lower {_number(figure['lower'])}, of {figure['customers']:,} customers."
    return Answer([line, f"Stayed {figure['stayed']:,}, gone {figure['gone']:,}, new {figure['new']:,}."])


def _cells(found: Validated) -> Answer:
    figure, why = _figure(found, "migrations")
    if figure is None:
        return Answer([f"Not tested: {card.escaped(why)}."])
    columns = {"from": "From", "to": "To", "z": "z", "p": "p"}
    frame = pd.DataFrame([{title: its[key] for key, title in columns.items()} for its in figure["odd"]])
    line = f"{len(figure['odd'])} of {figure['cells']:,} cells are larger than their neighbour towards the diagonal."
    return Answer([line], [frame] if len(frame) else [])


def _concentration(found: Validated) -> Answer:
    figure, why = _figure(found, "grades")
    if figure is None:
        return Answer([f"Not tested: {card.escaped(why)}."])
    lines = []
    for name, its in figure["concentration"].items():
        line = f"By {name}: CV {_number(its['cv'])}, Herfindahl index {_number(its['hi'])}"
        if its["initial"] is None:
            lines.append(f"{line}; no initial one: {card.escaped(its['why'])}.")
        else:
            lines.append(f"{line}, initially {_number(its['initial']['hi'])}, p = {_number(its['p'])}.")
    asked = [] if "exposure" in figure["concentration"] else ["What is the exposure of each customer (--exposure)?"]
    return Answer(lines, questions=asked)


def _findings(found: Validated) -> list[str]:
    lines = [
        f"{card.escaped(its['name'])}: {card.escaped(its['message'])} Limit: {card.escaped(its['limit'])} "
        f"({card.escaped(its['whose'])})."
        for its in found["findings"]
    ]
    return lines or ["Nothing was found beyond its limit."]


def _sr(found: Validated, manifest: Mapping[str, Any]) -> Answer:
    known = [f"{title}: section {card.code(name)} of validation.json." for name, title in _sections(found)]
    return Answer(
        [*_findings(found), *known],
        questions=[
            "Which headings does your institution use for SR 26-2? None are repeated here.",
            "Who validated, and is that independent of those who built the model?",
            "For what is the model used, by whom, and what happens when it is wrong?",
        ],
    )


def _ai_act(found: Validated, manifest: Mapping[str, Any]) -> Answer:
    calibration = manifest.get("calibration", {})
    inputs = pd.DataFrame(
        [
            {"Feature": its["name"], "Type": its["type"], "Description": its.get("description") or None}
            for its in manifest.get("features", ())
        ]
    )
    lines = [
        f"Model {card.code(manifest.get('model_version', ''))}, graph sha256 {card.code(manifest.get('sha256', ''))}, "
        f"{calibration.get('boosters', MISSING)} boosters, calibrator {calibration.get('method', MISSING)}.",
        "The proof that the served graph answers as the fitted pipeline is certificate.json, the training's account "
        "model_card.md.",
    ]
    return Answer(
        lines,
        [inputs] if len(inputs) else [],
        [
            "Which headings does your counsel read from Article 11? None are repeated here.",
            "What is the intended purpose, and who oversees the decisions?",
            "How were the data of training collected, and what is not in them?",
        ],
    )


def _sections(found: Validated) -> list[tuple[str, str]]:
    return [(name, its["title"]) for name, its in found["sections"].items() if its["figure"] is not None]


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.4g}"


def _percent(value: float | None) -> str:
    return MISSING if value is None else f"{100 * value:.3g} %"
