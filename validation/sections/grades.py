"""The probabilities of grades against defaults, and the movement of customers between grades.

A grade with few defaults has the most prudent bounds of its PD and the margin of conservatism beside its own rate.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from validation.calibration import interval
from validation.documents import Initial
from validation.sections.json_types import known, listed
from validation.sections.section import Claim, Floats, Part, Subject
from validation.statistics import low_defaults
from validation.statistics.binomial import binomial, correlated
from validation.statistics.concentration import differ, herfindahl, more_concentrated, variation
from validation.statistics.jeffreys import POWER, counted, jeffreys, smallest_found
from validation.statistics.traffic_lights import colours
from validation.verdict import BUDGETS


def make(subject: Subject) -> Part:
    """A row a grade, riskiest first; concentration by customers, and by exposure where it is known."""
    rating, rows = subject.rating, subject.known
    everybody = rating.counts(subject.grades)
    concentrated, claims = _concentration(subject, everybody)
    figure: dict[str, Any] = {
        "kind": rating.kind,
        "grades": [{"grade": label, "customers": int(n)} for label, n in zip(rating.labels, everybody, strict=True)],
        "limits": list(rating.limits),
        "concentration": concentrated,
        "why_no_tests": subject.why_no_tests if not len(rows) else "",
        "alpha": None,
        "power": POWER,
        "low_defaults": None,
    }
    table = pd.DataFrame({"Grade": rating.labels, "Customers": everybody.astype(int)})
    if len(rows):
        tested, found, alpha = _tested(subject)
        figure["alpha"] = alpha
        for entry, its in zip(figure["grades"], tested, strict=True):
            entry |= its
        figure["low_defaults"] = _bounded(subject, figure["grades"])
        claims = [*found, *claims]
        table = pd.DataFrame(figure["grades"])
    return Part(known(figure), claims=claims, tables={"grades": table})


def _tested(subject: Subject) -> tuple[list[dict[str, Any]], list[Claim], float]:
    rating, rows, places = subject.rating, subject.known, subject.known_grades
    size, defaults, expected = (rating.counts(places, its) for its in (None, rows.outcome, rows.probability))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, rate = expected / size, defaults / size
    applied: Floats = mean if rating.assigned is None else np.asarray(rating.assigned, dtype=np.float64)
    p, counts = jeffreys(applied, size, defaults), counted(applied, size, defaults)
    tests = int((~np.isnan(p)).sum())
    alpha = BUDGETS["grades"] / max(tests, 1)
    smallest = smallest_found(applied, size, alpha)
    low, high = interval(defaults, size)
    columns = {
        "rows": size.astype(int),
        "defaults": defaults.astype(int),
        "applied": applied,
        "observed": rate,
        "low": low,
        "high": high,
        "p": p,
        "binomial": binomial(applied, size, defaults),
        "correlated_binomial": correlated(applied, size, defaults, subject.settings.correlation),
        "smallest_found": smallest,
    }
    content = {name: listed(values) for name, values in columns.items()} | {"light": colours(applied, size, defaults)}
    entries = [{name: values[k] for name, values in content.items()} for k in range(len(rating))]
    claims = [
        Claim(
            "grades",
            f"The PD of grade {label} is too low",
            float(counts[k]),
            float(rate[k]),
            f"{100 * applied[k]:.2f} % applied",
            "supervisor's test",
            f"{int(defaults[k]):,} of {int(size[k]):,} customers defaulted, {100 * rate[k]:.2f} %, and "
            f"{100 * applied[k]:.2f} % was applied (Jeffreys). Recalibrate, or raise its PD.",
        )
        for k, label in enumerate(rating.labels)
    ]
    return entries, claims, alpha


def _bounded(subject: Subject, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Upper bounds and margins of the grades with few defaults, riskiest first, from the counts of all grades."""
    safest_first = entries[::-1]
    applied, size, defaults = (
        np.array([math.nan if its[name] is None else its[name] for its in safest_first], dtype=np.float64)
        for name in ("applied", "rows", "defaults")
    )
    its = subject.settings
    by = {"": 0.0, "_correlated": its.correlation}
    found = {
        name: low_defaults.conservative(applied, size, defaults, its.confidence, correlation)
        for name, correlation in by.items()
    }
    bounded = [
        {
            "grade": entry["grade"],
            **{name: entry[name] for name in ("rows", "defaults", "applied")},
            **{f"bound{name}": float(each.bound[k]) for name, each in found.items()},
            **{f"margin{name}": float(each.margin[k]) for name, each in found.items()},
        }
        for k, entry in enumerate(safest_first)
        if entry["defaults"] < low_defaults.FEW
    ]
    return {
        "few": low_defaults.FEW,
        "confidence": its.confidence,
        "correlation": its.correlation,
        "grades": bounded[::-1],
    }


def _concentration(subject: Subject, customers: Floats) -> tuple[dict[str, Any], list[Claim]]:
    """By customers and by exposure: CV and HI now and initially, the test's p."""
    initial, found, claims = subject.initial, {}, []
    held: dict[str, tuple[Floats, Floats | None]] = {
        "customers": (customers, None if initial is None else _customers(initial))
    }
    if subject.rows.exposure is not None:
        then = None
        if initial is not None and initial["exposure"] is not None:
            then = np.array([g["exposure"] for g in initial["grades"]], float)
        held["exposure"] = subject.rating.counts(subject.grades, np.nan_to_num(subject.rows.exposure)), then
    for name, (now, then) in held.items():
        entry: dict[str, Any] = {"cv": variation(now), "hi": herfindahl(now), "initial": None, "why": ""}
        if then is None:
            entry["why"] = subject.no_initial or "initial.json has no exposures; set validation.exposure and train"
        else:
            tested = more_concentrated(now, then)
            by_chance = math.nan if initial is None else differ(customers, _customers(initial))
            entry["initial"] = {"cv": variation(then), "hi": herfindahl(then)}
            entry |= {"statistic": tested.statistic, "p": tested.p}
            claims.append(
                Claim(
                    "concentration",
                    f"Grades are more concentrated by {name}",
                    max(tested.p, by_chance),  # the template's test knows nothing of chance among customers
                    entry["hi"],
                    f"{herfindahl(then):.3f} at the initial validation",
                    "supervisor's test",
                    f"The Herfindahl index over grades, by {name}, is {entry['hi']:.3f}. The model distinguishes less: "
                    "look at which grades grew.",
                )
            )
        found[name] = entry
    return found, claims


def _customers(initial: Initial) -> Floats:
    return np.array([grade["rows"] for grade in initial["grades"]], dtype=np.float64)
