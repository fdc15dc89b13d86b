"""Figures on groups of people in JSON's types; missing figures are null."""

from typing import TypedDict


class GroupFigures(TypedDict):
    """One group of applicants; rates, shares and figures of outcomes are weighted where there are weights."""

    group: str
    rows: int
    share: float
    """Share of all applicants whose row is compared, 0 to 1."""
    approval_rate: float
    approval_low: float
    approval_high: float
    ratio: float | None
    """Adverse impact ratio: the approval rate divided by that of the reference group."""
    ratio_low: float | None
    ratio_high: float | None
    ratio_p: float | None
    """Two-sided p-value of equal approval rates."""
    ratio_adjusted: float | None
    """The same by Holm's method for the groups of the attribute."""
    mean_score: float
    difference: float | None
    """Mean score minus that of the reference group, in standard deviations of all scores."""
    known: int
    """Rows whose outcome is known; what follows is of these."""
    defaults: int
    observed: float | None
    """Default rate."""
    low: float | None
    high: float | None
    predicted: float | None
    """Mean probability of default."""
    gap: float | None
    """Observed minus predicted."""
    gap_p: float | None
    """Two-sided p-value of a default rate as predicted."""
    gap_adjusted: float | None
    """The same by Holm's method for the groups of the attribute."""
    roc_auc: float | None
    """null with fewer than ten of either outcome."""
    roc_auc_low: float | None
    roc_auc_high: float | None
    repaid_declined: float | None
    """Share of those who repaid whom the cut-off declines: the false positive rate."""
    repaid_declined_low: float | None
    repaid_declined_high: float | None
    defaulted_approved: float | None
    """Share of those who defaulted whom the cut-off approves: the false negative rate."""
    defaulted_approved_low: float | None
    defaulted_approved_high: float | None


class RatioCurve(TypedDict):
    """The adverse impact ratio of one group over all cut-offs."""

    group: str
    cutoffs: list[float]
    """Lowest scores that are approved."""
    ratios: list[float | None]
    """null where too few of either group are approved."""


class AttributeFigures(TypedDict):
    """The groups of one column, or of two together."""

    attribute: str
    columns: list[str]
    """Columns that it is made of, one or two."""
    reference: str | None
    """The group that others are compared with; null where it has too few rows."""
    reference_by: str
    """`settings` or `largest`."""
    hidden_groups: int
    """Groups with fewer rows than are shown."""
    hidden_rows: int
    groups: list[GroupFigures]
    """The reference first, then the largest."""
    curves: list[RatioCurve]


class FairnessFigures(TypedDict):
    """Differences of a model's answers between groups of people."""

    rows: int
    least: int
    """Fewest rows of a group that is shown."""
    cutoff: float
    """Lowest score that is approved."""
    cutoff_by: str
    """Words on where the cut-off is from."""
    limit: float
    """Adverse impact ratio below which a finding is reported."""
    attributes: list[AttributeFigures]


class FrontierTrial(TypedDict):
    """One trial of a search by ROC-AUC and the groups' approval rates, on rows that its boosters have not seen."""

    trial: int
    roc_auc: float
    ratio: float
    """Lowest adverse impact ratio of any group of any attribute."""
    group: str
    """The group that has it."""
    kept: bool
    """No trial within the stated loss has a higher ROC-AUC and a higher ratio."""


class Frontier(TypedDict):
    """The trials of a search: ROC-AUC lost against ratio gained."""

    approved: float
    """Share of the rows that is approved in every trial, 0 to 1."""
    loss: float
    """ROC-AUC that a kept trial may lose against the best."""
    chosen: int
    """Trial with the lowest log loss, whose parameters the model has."""
    trials: list[FrontierTrial]
