"""Article 11 of the EU AI Act, for credit scores (Annex III 5(b)) from 2 December 2027: one entry.

None of the headings of a technical documentation is known here or repeated: the entry has what the model's manifest and
a validation say, and asks for the rest.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from validation.documents import Validated
from validation.packs.answer import MISSING, Answer, figure_of, number, percent
from validation.packs.shared import findings_of, people_of
from validation.report import card

HEADING = "Article 11, for Annex III 5(b) from 2 December 2027"


def answer_of(found: Validated, manifest: Mapping[str, Any]) -> Answer:
    """The entry."""
    inputs = pd.DataFrame([_input(its) for its in manifest.get("features", ())])
    made = pd.DataFrame({"Software": list(its), "Version": list(its.values())}) if (its := _made(manifest)) else None
    return Answer(
        [*_identity(manifest), *_output(manifest), *_training(found, manifest), *findings_of(found), *people_of(found)],
        [table for table in (inputs, made) if table is not None and len(table)],
        [
            "Which headings does your counsel read from Article 11? None are repeated here.",
            "What is the intended purpose, and who oversees the decisions?",
            "How were the data of training collected, and what is not in them?",
            "Who deploys the model, in which systems, with which instructions of use?",
            "Which risks to health, safety and fundamental rights are known, and what is done about each?",
            "How is the model watched in use, and who receives the report of a serious incident?",
        ],
    )


def _identity(manifest: Mapping[str, Any]) -> Iterator[str]:
    calibration, parent = manifest.get("calibration", {}), manifest.get("parent")
    yield (
        f"Model {card.code(manifest.get('model_version', ''))}, graph sha256 {card.code(manifest.get('sha256', ''))}, "
        f"{calibration.get('boosters', MISSING)} boosters, calibrator {calibration.get('method', MISSING)}."
    )
    if parent:
        named = card.code(parent["model_version"]) if parent.get("model_version") else "of a version that is not named"
        yield f"A recalibration of model {named}, run {card.code(parent.get('run', ''))}: the same trees."
    tolerance = manifest.get("self_check", {}).get("probability_tolerance")
    yield (
        "The proof that the served graph answers as the fitted pipeline is certificate.json, the training's account "
        "model_card.md."
    )
    if tolerance is not None:
        rows = len(manifest["self_check"].get("rows", ()))
        yield f"Each start answers {rows} made-up applicants again, to {number(tolerance)} of p, or refuses to serve."


def _output(manifest: Mapping[str, Any]) -> Iterator[str]:
    score, bands, grades = (manifest.get(name) for name in ("score", "bands", "grades"))
    if score:
        yield (
            f"Output: a probability of default, and a score that has {number(score['points'])} points at odds of "
            f"{number(score['odds'])} to 1 and doubles the odds in {number(score['points_to_double'])} points."
        )
    if bands:
        yield f"Score bands begin at {', '.join(map(number, bands[:-1]))} and end at {number(bands[-1])} points."
    if grades:
        names = ", ".join(map(card.escaped, grades["names"]))
        yield f"Grades {names}, at probabilities {', '.join(percent(limit) for limit in grades['limits'])}."
    reasons = manifest.get("reasons")
    if reasons is None:
        yield "Answers give no reasons."
    elif "basis" in reasons:
        basis = reasons["basis"]
        yield (
            f"Answers give reasons on request: {card.escaped(basis['method'])}, against "
            f"{card.escaped(basis['reference'])}, {basis['reference_rows']:,} reference rows."
        )
    else:
        yield f"Answers give no reasons: {card.escaped(reasons.get('why', MISSING))}."


def _training(found: Validated, manifest: Mapping[str, Any]) -> Iterator[str]:
    reference = manifest.get("reference")
    if reference:
        yield f"Trained on {reference['rows']:,} applicants, kept as counts in bins: no applicant is in the model."
        if its := reference.get("metrics"):
            yield (
                f"On {number(its.get('rows'))} applicants that the fit has not seen: ROC-AUC "
                f"{number(its.get('roc_auc'))}, log loss {number(its.get('log_loss'))}, observed "
                f"{percent(its.get('default_rate'))}, predicted {percent(its.get('mean_probability'))}."
            )
    figure, _ = figure_of(found, "discrimination")
    if figure is not None:
        yield f"On this validation's table: ROC-AUC {number(figure['metrics']['roc_auc'])}."


def _input(feature: Mapping[str, Any]) -> dict[str, Any]:
    held = feature.get("range") or feature.get("vocabulary")
    return {
        "Feature": feature["name"],
        "Type": feature["type"],
        "Description": feature.get("description") or None,
        "Seen in training": None if not held else _held(list(held), is_range=bool(feature.get("range"))),
        "May be missing": feature.get("nullable"),
    }


def _held(values: list[Any], *, is_range: bool) -> str:
    if is_range:
        return " to ".join(map(number, values))
    return f"{len(values):,} levels"


def _made(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(version) for name, version in manifest.get("versions", {}).items()}
