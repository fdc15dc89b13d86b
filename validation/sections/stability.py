"""Are the customers still those that the model was trained on? Score and features against the training rows."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from validation.sections.section import Found, Part, Subject, Whose
from validation.settings import Stability

CUSTOM = Stability()  # whose limits are custom's
LOOK = 0.1  # worth a look, by custom; Stability's 0.25 is a shift
MOST_NAMED = 40


def make(subject: Subject) -> Part:
    """The figure of validation.stability.tallies; findings where an index counts as moved, or is worth a look."""
    its = subject.stability
    if its is None:
        return Part(None, "the model was exported without histograms of its training rows")
    features = pd.DataFrame(
        [
            {
                "Feature": entry["feature"],
                "CSI": entry["csi"],
                "Counts from": entry["counts_from"],
                "By chance": entry["by_chance"],
                "Moved": entry["moved"],
                "Missing then": entry["missing_in_training"],
                "Missing": entry["missing"],
                "Unseen": entry["unseen"],
            }
            for entry in its["features"]
        ]
    )
    tables = {"features": features}
    if its["by_period"]:
        tables["features_by_period"] = pd.DataFrame(
            [
                {"Period": entry["period"], "Rows": entry["rows"], "Score": entry["psi"], **entry["features"]}
                for entry in its["by_period"]
            ]
        )
    return Part(its, found=list(_found(its, subject.limits)), tables=tables)


def _found(its: Mapping[str, Any], limits: Stability) -> Iterator[Found]:
    score = its["score"]
    entries = [("The score", "population stability index", score["psi"], score, limits.score_limit)]
    entries += [
        (entry["feature"], "characteristic stability index", entry["csi"], entry, limits.feature_limit)
        for entry in its["features"]
    ]
    custom = (CUSTOM.score_limit, *[CUSTOM.feature_limit] * len(its["features"]))
    for (name, index, value, entry, limit), usual in zip(entries, custom, strict=True):
        whose: Whose = "custom" if limit == usual else "own policy"
        if entry["moved"]:
            yield Found(f"{name} has moved", value, f"{entry['counts_from']:.3g}", whose, _most(index, entry))
        elif value >= max(LOOK, entry["beyond_chance"]):
            said = f"{_most(index, entry)} Worth a look; it counts as moved from {entry['counts_from']:.3g} on."
            yield Found(f"{name} is moving", value, f"{LOOK:g}", "custom", said, "look")


def _most(index: str, entry: Mapping[str, Any]) -> str:
    most = max(entry["bins"], key=lambda part: part["contribution"])
    then, now = f"{100 * most['expected']:.1f} %", f"{100 * most['actual']:.1f} %"
    return f"Its {index} comes mostly from “{most['bin']}”: {then} of the training rows, {now} now."
