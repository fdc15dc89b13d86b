"""The ECB's template for PD models (February 2019): the sections with tests, by number.

"Instructions for reporting the validation results of internal models", sections 2.5.2 to 2.5.5.3; no others are known.
"""

from collections.abc import Callable

import pandas as pd

from validation.documents import Validated
from validation.packs.answer import MISSING, Answer, figure_of, number, percent
from validation.report import card


def answers_of(found: Validated) -> dict[str, Answer]:
    """The answer under each heading, in the template's order."""
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
    data, (figure, why) = found["data"], figure_of(found, "stability")
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
    (grades, why), (portfolio, _) = figure_of(found, "grades"), figure_of(found, "calibration")
    if grades is None or portfolio is None or grades["why_no_tests"]:
        return Answer([f"Not tested: {card.escaped(why or (grades or {}).get('why_no_tests') or MISSING)}."])
    line = (
        f"Portfolio: PD applied {percent(portfolio['applied'])}, observed {percent(portfolio['observed'])}, "
        f"p = {number(portfolio['tests']['jeffreys']['p'])}."
    )
    columns = {"grade": "Grade", "rows": "Customers", "defaults": "Defaults", "applied": "PD applied"}
    columns |= {"observed": "Observed", "p": "p"}
    frame = pd.DataFrame([{title: its[key] for key, title in columns.items()} for its in grades["grades"]])
    return Answer([line, "p values are not corrected for their number. The template has no pass mark."], [frame])


def _area(found: Validated) -> Answer:
    figure, why = figure_of(found, "discrimination")
    if figure is None:
        return Answer([f"Not tested: {card.escaped(why)}."])
    now, then = figure["grades"], figure["initial"]
    line = f"AUC on grades now {number(now['auc'])}, variance {number(now['variance'])}."
    if then is None:
        return Answer([line, f"No initial validation: {card.escaped(figure['why_no_initial'])}."])
    alone, both = then["template"], then["with_both"]
    return Answer(
        [
            line,
            f"Initially {number(then['auc'])}: S = {number(alone['statistic'])}, p = {number(alone['p'])} with the "
            f"variance of now, as in the template; p = {number(both['p'])} with both variances (custom).",
        ]
    )


def _bandwidths(found: Validated) -> Answer:
    figure, why = figure_of(found, "migrations")
    if figure is None:
        return Answer([f"Not computed: {card.escaped(why)}."])
    line = f"Upper {number(figure['upper'])}, lower {number(figure['lower'])}, of {figure['customers']:,} customers."
    return Answer([line, f"Stayed {figure['stayed']:,}, gone {figure['gone']:,}, new {figure['new']:,}."])


def _cells(found: Validated) -> Answer:
    figure, why = figure_of(found, "migrations")
    if figure is None:
        return Answer([f"Not tested: {card.escaped(why)}."])
    columns = {"from": "From", "to": "To", "z": "z", "p": "p"}
    frame = pd.DataFrame([{title: its[key] for key, title in columns.items()} for its in figure["odd"]])
    line = f"{len(figure['odd'])} of {figure['cells']:,} cells are larger than their neighbour towards the diagonal."
    return Answer([line], [frame] if len(frame) else [])


def _concentration(found: Validated) -> Answer:
    figure, why = figure_of(found, "grades")
    if figure is None:
        return Answer([f"Not tested: {card.escaped(why)}."])
    lines = []
    for name, its in figure["concentration"].items():
        line = f"By {name}: CV {number(its['cv'])}, Herfindahl index {number(its['hi'])}"
        if its["initial"] is None:
            lines.append(f"{line}; no initial one: {card.escaped(its['why'])}.")
        else:
            lines.append(f"{line}, initially {number(its['initial']['hi'])}, p = {number(its['p'])}.")
    asked = [] if "exposure" in figure["concentration"] else ["What is the exposure of each customer (--exposure)?"]
    return Answer(lines, questions=asked)
