"""Where is the model worst? Slices of the sample, found on one half and confirmed on the other."""

import numpy as np

from validation.sections.json_types import known
from validation.sections.section import Claim, Part, Subject
from validation.slices.documents import WeakSlice
from validation.slices.weak import weak_slices
from validation.verdict import BUDGETS

FAMILY = "slices"


def make(subject: Subject) -> Part:
    """The slices that were tested, each a claim: the other half's p values are those of so many tests."""
    if why := subject.why_no_tests:
        return Part(None, why)
    if subject.sample is None:
        return Part(None, "no row has its features")
    rows = subject.rows.of(subject.sample.rows)
    there = np.flatnonzero(~np.isnan(rows.outcome))
    its, frame = rows.of(there), subject.sample.frame.iloc[there]
    figure = weak_slices(frame, its.target, its.probability, subject.seed, its.weight, BUDGETS[FAMILY])
    figure["of"] = len(subject.known)
    return Part(known(dict(figure)), claims=[_claim(each) for each in figure["slices"]])


def _claim(its: WeakSlice) -> Claim:
    by_gap = its["measure"] == "gap"
    said = (
        f"{its['observed']:.2%} defaulted where {its['predicted']:.2%} was predicted"
        if by_gap
        else f"the log loss is {its['log_loss']:.4f} where {its['expected_log_loss']:.4f} was expected"
    )
    return Claim(
        FAMILY,
        "The model is weak in a slice",
        its["p"],
        its["observed"] if by_gap else its["log_loss"],
        f"{its['predicted']:.4f} predicted" if by_gap else f"{its['expected_log_loss']:.4f} expected",
        "custom",
        f"Where {its['slice']}, {said}, confirmed in the half of the sample that did not select it. Look for "
        "information on these customers that the features lack.",
    )
