"""The tables of the report that evidence does not hold as they are read."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cli.words import counted
from validation.evidence import Evidence
from validation.reasons import Waterfall
from validation.report.headings import METRICS, title_of
from validation.report.words import shown_of
from validation.statistics import low_defaults

LOW_DEFAULTS = dict.fromkeys(
    ("Predicted", *(f"{what}, {how}" for what in ("Bound", "Margin") for how in ("independent", "correlated"))), ".3f"
)
LOW_DEFAULTS_CAPTION = (
    f"Most prudent upper bounds of the probability of default (Pluto and Tasche) at a confidence of "
    f"{low_defaults.CONFIDENCE:.0%}, defaults independent and with an asset correlation of "
    f"{low_defaults.CORRELATION:.0%}, and what the predicted rate lacks to each, in %"
)
PARTS = ("test", "train")  # what was not seen comes first
MOST_CUTOFFS = 24
MOST_REASONS = 5
OF_RATES = ["Predicted", "Observed", "Low", "High", "Odds"]
RATES = dict.fromkeys(OF_RATES, ".3f") | {"Odds": ",.4g"}
RATES |= dict.fromkeys(("% Total Population", "Band Precision", "Cumulative Precision"), ".2f")
RATES |= dict.fromkeys(("Cumulative Recall", "Cumulative F1-Score"), ".2f")
GRADES = dict.fromkeys(("Predicted", "Observed", "Low", "High"), ".3f") | {"Share": ".2f"}
SHARES = {"Approval rate": ".2%", "Bad rate": ".3%", "Predicted bad rate": ".3%"}
DETAILS = ("Low", "High", "Expected profit per applicant", "Observed profit per applicant")  # of cut-offs
SHARES |= {"Score from": ".6g", "Defaults refused": ".2%", "Expected profit": ",.0f", "Observed profit": ",.0f"}
OF_A_PART = {
    "weight": "Sum of weights",
    "effective_rows": "Effective sample size",
    "first_time": "First",
    "last_time": "Last",
    "groups": "Groups",
}


def metrics(evidence: Evidence) -> pd.DataFrame:
    """Each metric of test and train, with its interval."""
    known = dict.fromkeys([*METRICS, *evidence.metrics["test"]])
    names = [name for name in known if name in evidence.metrics["test"] and name != "threshold"]
    columns: dict[str, list[Any]] = {"Metric": [title_of(name) for name in names]}
    for part in PARTS:
        columns[part.capitalize()] = [evidence.metrics[part].get(name) for name in names]
        columns[f"95 % interval, {part}"] = [evidence.intervals.get(part, {}).get(name) for name in names]
    return _objects(columns)


def features(run: Mapping[str, Any], missing: Mapping[str, float], importance: pd.DataFrame) -> pd.DataFrame:
    """Each raw column: what it is, how it is prepared, how often it is missing; of many the most important first."""
    settings = run["settings"]
    signs = settings["xgboost"].get("monotone_constraints", {})
    group_of = {member: group for group, members in settings["row_max"].items() for member in members}
    names = list(settings["features"])
    if shown_of(len(names)) < len(names):
        rank = {name: place for place, name in enumerate(importance.get("Feature", ()))}
        names.sort(key=lambda name: rank.get(group_of.get(name, name), len(rank)))
    pools = {pool["feature"]: pool for pool in run.get("pools", ())}
    columns: dict[str, list[Any]] = {"Feature": names, "Type": [], "Description": [], "Preparation": []}
    directions = []
    for name in names:
        feature = settings["features"][name]
        columns["Type"].append(feature["type"])
        columns["Description"].append(feature["description"] or None)
        columns["Preparation"].append(_preparation(feature, group_of.get(name), pools.get(name)))
        directions.append({1: "rising", -1: "falling"}.get(signs.get(name, signs.get(group_of.get(name), 0))))
    if any(directions):
        columns["Risk along it"] = directions
    return pd.DataFrame(columns).assign(**{"Missing, %": [100 * missing[name] for name in names]})


def _preparation(feature: Mapping[str, Any], group: str | None, pool: Mapping[str, Any] | None) -> str | None:
    steps = ["ln(1 + value)"] if feature["log1p"] else []
    steps += [f"in the row maximum {group}"] if group else []
    steps += [f"{counted(len(feature['vocabulary']), 'level')}"] if feature["vocabulary"] else []
    if pool:
        steps.append(f"{pool['pooled']:,} of {counted(pool['levels'], 'level')} pooled: fewer than {pool['rare']} rows")
    return ", ".join(steps) or None


def split(run: Mapping[str, Any], evidence: Evidence) -> pd.DataFrame:
    """Number of applicants and period of each part."""
    facts = run.get("split", {})
    rows = []
    for part in ("train", "test"):
        figures, its = evidence.metrics[part], facts.get(part, {})
        row = {"Part": part, "Applicants": figures["rows"], "Defaults": figures["defaults"]}
        row["Default rate, %"] = 100 * figures["default_rate"]
        row |= {name: its[key] for key, name in OF_A_PART.items() if its.get(key) is not None}
        rows.append(row)
    return pd.DataFrame(rows)


def settings(run: Mapping[str, Any]) -> pd.DataFrame:
    """The settings but for features and XGBoost's parameters, one a row, by their dotted keys."""
    apart = ("features", "xgboost", "row_max")
    content = {name: table for name, table in run["settings"].items() if name not in apart}
    return pd.DataFrame(
        [
            {"Setting": f"{table}.{key}", "Value": shown(value)}
            for table, keys in content.items()
            for key, value in keys.items()
        ]
    )


def parameters(run: Mapping[str, Any]) -> pd.DataFrame:
    """XGBoost's parameters; after a search those that were set before, its first trial, beside them."""
    names, values = list(run["settings"]["xgboost"]), run["settings"]["xgboost"]
    columns = {"Parameter": names, "Value": [shown(values[name]) for name in names]}
    if run.get("tuning"):
        before = run["tuning"]["history"][0]["parameters"]
        columns["Before the search"] = [shown(before[name]) if name in before else "not set" for name in names]
    return pd.DataFrame(columns)


def shown(value: object) -> str:
    """A setting to the last digit, as TOML has it, a list without brackets; what is not set says so."""
    if value is None or value in ([], ()):
        return "not set"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(member)}" for key, member in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def comparison(calibration: Mapping[str, Any]) -> pd.DataFrame:
    """Loss of each calibrator on rows that it has not seen."""
    return pd.DataFrame(
        [
            {
                "Calibrator": entry["method"] + (" (chosen)" if entry["method"] == calibration["chosen"] else ""),
                "Log loss": entry["log_loss"],
                "± log loss": entry["log_loss_error"],
                "Brier score": entry["brier"],
                "± Brier score": entry["brier_error"],
            }
            for entry in calibration.get("comparison", ())
        ]
    )


def bands(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of the bands' table that tell of a rule at each band."""
    return _in_order(table.drop(columns=OF_RATES, errors="ignore"), "Band")


def band_rates(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that set observed beside predicted default rates."""
    return _in_order(table[["Band", *(name for name in OF_RATES if name in table)]], "Band")


def grades(table: pd.DataFrame) -> pd.DataFrame:
    """The grades' table, which sorts in its order."""
    return _in_order(_in_order(table, "Grade"), "PD, %")


def has_few_defaults(table: pd.DataFrame) -> bool:
    """True where a grade of the grades' table has fewer defaults than say much of its rate."""
    return bool((table["Defaults"] < low_defaults.FEW).any())


def low_default_bounds(table: pd.DataFrame) -> pd.DataFrame:
    """Each grade's predicted default rate with its most prudent bounds and margins of conservatism, in %."""
    rows, defaults = (table[name].to_numpy(dtype=float) for name in ("Applicants", "Defaults"))
    if "Weight" in table:
        effective = table["Effective"].to_numpy(dtype=float)
        defaults = effective * np.nan_to_num(table["Observed"].to_numpy(dtype=float) / 100)
        rows = effective
    columns: dict[str, Any] = {"Grade": table["Grade"], "Defaults": table["Defaults"], "Predicted": table["Predicted"]}
    applied = table["Predicted"].to_numpy(dtype=float) / 100
    for name, correlation in (("independent", 0.0), ("correlated", low_defaults.CORRELATION)):
        found = low_defaults.conservative(applied, rows, defaults, correlation=correlation)
        columns[f"Bound, {name}"], columns[f"Margin, {name}"] = 100 * found.bound, 100 * found.margin
    return _in_order(pd.DataFrame(columns), "Grade")


def cutoffs(table: pd.DataFrame) -> pd.DataFrame:
    """Every n-th cut-off, so that the table stays one that people read; the last one and the best ones too."""
    kept = {*range(0, len(table), math.ceil(len(table) / MOST_CUTOFFS)), len(table) - 1}
    if "Best" in table:
        kept |= {place for place, best in enumerate(table["Best"]) if best}
    return table.iloc[sorted(kept)].drop(columns=list(DETAILS), errors="ignore")


def bins(entries: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The bins of one column, train beside test, in their order."""
    labels = [str(entry["bin"]) for entry in entries]
    return pd.DataFrame(
        {
            "Bin": _ordered(labels),
            "Train, %": [100 * entry["expected"] for entry in entries],
            "Test, %": [100 * entry["actual"] for entry in entries],
            "Contribution": [entry["contribution"] for entry in entries],
        }
    )


def stability(features: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The index of each feature, the most moved first."""
    rows = []
    for entry in features:
        most = max(entry["bins"], key=lambda its: abs(its["contribution"]), default=None)
        rows.append(
            {
                "Feature": entry["feature"],
                "CSI": entry["csi"],
                "Limit": entry["limit"],
                "Moved": bool(entry.get("moved", entry["csi"] >= entry["limit"])),
                "Bin that moved most": most and str(most["bin"]),
                "Its share of train, %": most and 100 * most["expected"],
                "Its share of test, %": most and 100 * most["actual"],
            }
        )
    return pd.DataFrame(rows)


def pairs(content: Mapping[str, Any], key: str, value: str) -> pd.DataFrame:
    """A mapping as a table of two columns."""
    return pd.DataFrame({key: list(content), value: [str(member) for member in content.values()]})


def _in_order(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The table with a column of texts, such as bands, that sorts in the order in which it stands."""
    texts = table[column].astype(str).tolist()
    return table.assign(**{column: _ordered(texts)})


def _ordered(texts: list[str]) -> "pd.Categorical[str]":
    return pd.Categorical(texts, list(dict.fromkeys(texts)), ordered=True)


def _objects(columns: Mapping[str, list[Any]]) -> pd.DataFrame:
    """A frame that keeps whole numbers whole beside others, and pairs as they are."""
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def waterfall(its: Waterfall) -> pd.DataFrame:
    """The steps of one applicant's points."""
    steps = [("mean of the reference rows", its.base), *its.steps, ("score", its.total)]
    return pd.DataFrame(steps, columns=["Step", "Points"])


def reasons_by_band(frequency: pd.DataFrame) -> pd.DataFrame:
    """The five most frequent reasons of each band, in words."""
    names, columns = list(frequency.columns[2:]), frequency[["Band", "Applicants"]].copy()
    most = []
    for shares in frequency[names].to_numpy(dtype=float):
        order = sorted(range(len(names)), key=lambda i: -shares[i])[:MOST_REASONS]
        its = [f"{names[i]} {100 * shares[i]:.0f}\N{NO-BREAK SPACE}%" for i in order if shares[i] > 0]
        most.append(", ".join(its) or None)
    columns["Most frequent reasons"] = pd.Series(most, dtype=object)
    columns["Band"] = pd.Categorical(columns["Band"], columns["Band"], ordered=True)
    return columns


def reasons(summary: pd.DataFrame) -> pd.DataFrame:
    """Points of each feature; its picture has the other quantiles."""
    return summary[["Feature", "Mean points", "5 %", "95 %"]]
