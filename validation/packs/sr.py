"""SR 26-2, which replaced SR 11-7 on 17 April 2026: one entry. None of its headings is known here or repeated.

The entry has all that a validation measures, in the order in which a reader asks: what was found, what was looked at
and what was not, outcomes, comparison with earlier, weaknesses, groups, and how the figures are to be read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from cli.words import counted
from validation.documents import Validated
from validation.packs.answer import Answer, figure_of, number, percent
from validation.packs.shared import findings_of, people_of
from validation.report import card

HEADING = "SR 26-2, in place of SR 11-7 since 17 April 2026"
SHOWN = 10


def answer_of(found: Validated, manifest: Mapping[str, Any]) -> Answer:
    """The entry."""
    tests = found["tests"]
    lines = [
        *findings_of(found),
        f"Tests share a level of {percent(tests['level'])}, by Holm's method within a family: "
        f"{sum(tests['tests'].values()):,} tests.",
        *_outcomes(found),
        *_over_time(found),
        *_weak(found),
        *_robust(found),
        *people_of(found),
        *_few(found),
    ]
    return Answer(
        lines,
        [_looked_at(found)],
        [
            "Which headings does your institution use for SR 26-2? None are repeated here.",
            "Who validated, and is that independent of those who built the model?",
            "For what is the model used, by whom, and what happens when it is wrong?",
            "Which other models or rules were compared with this one?",
            "Who decides about each finding, and until when?",
            "How often is this validation repeated, and what triggers an earlier one?",
        ],
    )


def _looked_at(found: Validated) -> pd.DataFrame:
    """Each section of the validation, with its place in validation.json or why it was not possible."""
    return pd.DataFrame(
        [
            {
                "Looked at": its["title"],
                "Section of validation.json": None if its["figure"] is None else f"sections.{name}",
                "Not possible, because": its["why"] or None,
            }
            for name, its in found["sections"].items()
        ]
    )


def _outcomes(found: Validated) -> Iterator[str]:
    (fit, why), (ranking, _) = figure_of(found, "calibration"), figure_of(found, "discrimination")
    if fit is None:
        yield f"No comparison with outcomes: {card.escaped(why)}."
        return
    its, data = fit["metrics"], found["data"]
    yield (
        f"Outcomes: {its['rows']:,} of {data['rows']:,} customers have one, {its['defaults']:,} defaults. Observed "
        f"{percent(its['default_rate'])} ({percent(its['low'])} to {percent(its['high'])}), predicted "
        f"{percent(its['mean_probability'])}; calibration slope {number(its['calibration_slope'])}, intercept "
        f"{number(its['calibration_intercept'])}."
    )
    if fit["training"] is not None:
        then = fit["training"]
        yield (
            f"At training: observed {percent(then['default_rate'])}, predicted {percent(then['mean_probability'])}, "
            f"log loss {number(then['log_loss'])}; log loss now {number(its['log_loss'])}."
        )
    if ranking is not None:
        bounds = ranking["intervals"].get("roc_auc")
        between = "" if bounds is None else f" ({number(bounds[0])} to {number(bounds[1])}, {ranking['method']})"
        yield (
            f"Ranking: ROC-AUC {number(ranking['metrics']['roc_auc'])}{between}, at training "
            f"{number(ranking['training'])}."
        )


def _over_time(found: Validated) -> Iterator[str]:
    stability, _ = figure_of(found, "stability")
    if stability is not None:
        moved = stability["moved"]
        named = ", ".join(map(card.code, moved[:SHOWN]))
        yield (
            f"Customers against the training rows: stability index of the score "
            f"{number(stability['score']['psi'])}; {counted(len(moved), 'column')} beyond a limit"
            f"{f': {named}' if moved else ''}{' and others' if len(moved) > SHOWN else ''}."
        )
    periods, why = figure_of(found, "periods")
    if periods is None:
        yield f"No periods: {card.escaped(why)}."
    else:
        lights = [its.get("light") for its in periods["periods"]]
        told = ", ".join(f"{lights.count(light)} {light}" for light in ("green", "yellow", "orange", "red"))
        yield f"{counted(len(lights), 'period')}: {told} (traffic lights)."
    runs = found["history"]
    yield f"{counted(len(runs), 'validation')} in the history." if runs else "No history is kept (--history)."


def _weak(found: Validated) -> Iterator[str]:
    figure, why = figure_of(found, "weak")
    if figure is None:
        yield f"Weak slices were not looked for: {card.escaped(why)}."
        return
    confirmed = [its for its in figure["slices"] if its["confirmed"]]
    yield (
        f"Slices of one and two features: {figure['looked_at']:,} screened in one half of {figure['rows']:,} drawn "
        f"customers, {figure['tested']:,} tested in the other, {len(confirmed):,} confirmed as weak."
    )
    for its in confirmed[:SHOWN]:
        yield (
            f"Weak where {card.escaped(its['slice'])}: {its['defaults']:,} of {its['rows']:,} defaulted, "
            f"{percent(its['predicted'])} was predicted."
        )


def _robust(found: Validated) -> Iterator[str]:
    figure, why = figure_of(found, "robustness")
    if figure is None:
        yield f"Small changes of the inputs were not tried: {card.escaped(why)}."
        return
    together = "; ".join(
        f"{percent(its['size'])} of the ranks: {percent(its['other_band'])} change their grade, by "
        f"{number(its['mean_change'])} points in the mean"
        for its in figure["together"]
    )
    yield f"Noise in all features together, {figure['rows']:,} customers asked again, {together}."
    if figure["features"]:
        most = figure["features"][0]
        yield (
            f"The feature whose noise does most alone is {card.code(most['feature'])}: "
            f"{percent(most['other_band'])} change their grade."
        )


def _few(found: Validated) -> Iterator[str]:
    figure, _ = figure_of(found, "grades")
    its = None if figure is None else figure.get("low_defaults")
    if its is None or not its["grades"]:
        return
    told = "; ".join(
        f"{card.escaped(grade['grade'])}: {grade['defaults']} of {grade['rows']:,}, PD {percent(grade['applied'])}, "
        f"bound {percent(grade['bound'])}, margin {percent(grade['margin'])}"
        for grade in its["grades"]
    )
    yield (
        f"Grades with fewer than {its['few']} defaults, most prudent bounds (Pluto and Tasche, confidence "
        f"{percent(its['confidence'])}, custom) and margins of conservatism: {told}."
    )
