"""Weaknesses of the model for the model card: sentences that follow from the run."""

from collections.abc import Mapping
from typing import Any

from cli.words import counted
from validation.evidence import Evidence
from validation.report.words import between, figure, percent, plain

FEW_DEFAULTS = 200  # in the test: a rate's 95 % interval is then wider than ± 14 % of it
WIDE_GAP = 0.02  # in ROC-AUC from train to test


def weaknesses(run: Mapping[str, Any], evidence: Evidence, *, synthetic: bool) -> list[str]:
    """In Markdown; names of columns are not in it."""
    settings, test, train = run["settings"], evidence.metrics["test"], evidence.metrics["train"]
    found = []
    if synthetic:
        found.append("The population is synthetic. Nothing here says how the model does on real applicants.")
    if settings["split"]["method"] != "time":
        found.append("Later applicants are not tested: the split is not by time, so drift is not seen.")
    if test["defaults"] < FEW_DEFAULTS:
        found.append(
            f"Few defaults: {counted(int(test['defaults']), 'default')} in the test, "
            f"{counted(int(train['defaults']), 'default')} in training. Read the intervals, not the figures."
        )
    if (gap := train["roc_auc"] - test["roc_auc"]) > WIDE_GAP:
        found.append(
            f"It fits the training rows better than others: ROC-AUC {figure(train['roc_auc'])} on train, "
            f"{figure(test['roc_auc'])} on test, {figure(gap)} less."
        )
    interval = evidence.intervals.get("test", {}).get("calibration_slope")
    if interval and not interval[0] <= 1 <= interval[1]:
        found.append(f"The calibration slope of the test is not 1: its interval is {between(interval)}.")
    if test["recall"] == 0:
        found.append(
            f"No applicant of the test who defaulted reaches the threshold of {plain(test['threshold'])}: at a default "
            f"rate of {percent(test['default_rate'])} it says little. Decide by score."
        )
    found += [
        "No claim of fairness is made. Which attributes are protected, whether features stand for them, and how groups "
        "of people fare is for the lender to test.",
        "It learnt from applicants whose outcome is known. Those who were refused are not in the data.",
        "Contributions of features tell what the model answers, not what causes a default.",
        "Missing numbers take the branch that training found best; a level that it never saw counts as none.",
    ]
    return found
