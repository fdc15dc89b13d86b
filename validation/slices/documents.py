"""What is known of slices of a table and of small changes of its inputs, in JSON's types."""

from typing import TypedDict


class WeakSlice(TypedDict):
    """A slice that one half of the rows points to; its figures are those of the other half."""

    slice: str
    """Its conditions, in words."""
    conditions: list[str]
    """One or two."""
    measure: str
    """`gap` (observed against predicted default rate) or `log loss` (against what the probabilities expect)."""
    rows: int
    share: float
    """Of the rows of that half, 0 to 1."""
    defaults: int
    predicted: float
    """Mean probability of default."""
    observed: float
    """Default rate."""
    log_loss: float
    expected_log_loss: float
    """Mean log loss if the probabilities, once the whole table's gap is taken out, are right."""
    p: float
    """One-sided p-value on that half."""
    adjusted_p: float
    """The same after Holm for the slices that were tested."""
    confirmed: bool


class WeakSlices(TypedDict):
    """Where the model is worst."""

    rows: int
    """Rows with a known outcome that were looked at, drawn."""
    of: int
    """Rows with a known outcome."""
    seed: int
    looked_at: int
    """Slices of one and two features in the first half."""
    tested: int
    """Slices of those that were tested in the other half."""
    level: float
    slices: list[WeakSlice]
    """The smallest p-value first."""


class OverfitSlice(TypedDict):
    """One slice in both parts of the table; losses are multiples of what the probabilities expect."""

    slice: str
    train_rows: int
    test_rows: int
    train_auc: float | None
    test_auc: float | None
    train_loss: float
    """Mean log loss divided by its expectation: below 1 the training rows fit better than they may."""
    test_loss: float
    excess: float
    """By how much the loss rises from train to test, more than in all other rows."""
    p: float
    adjusted_p: float
    """After Holm for all slices."""
    confirmed: bool


class Overfit(TypedDict):
    """Which slices fit training rows better than others do."""

    looked_at: int
    level: float
    least_excess: float
    rise: float
    """By how much the relative loss rises from train to test over all rows."""
    slices: list[OverfitSlice]
    """The smallest p-value first."""


class Change(TypedDict):
    """What one change did to the scores of the rows that were asked again."""

    mean_change: float
    """Mean of the size of the change, in points."""
    largest_change: float
    """95th percentile of it, in points."""
    other_band: float
    """Share of the rows that change their band, 0 to 1."""


class FeatureChange(Change):
    """One feature alone."""

    feature: str


class JointChange(Change):
    """All features together."""

    size: float


class Robustness(TypedDict):
    """What small changes of the inputs do to scores and bands."""

    rows: int
    """Rows that were asked again, drawn by their weights."""
    of: int
    seed: int
    size: float
    """Standard deviation of a number's change in rank, as a share of the rows; probability that a category changes."""
    features: list[FeatureChange]
    """The largest mean change first."""
    left_out: int
    """Features that were not changed alone, since there are more than a hundred."""
    together: list[JointChange]
