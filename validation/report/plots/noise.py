"""What small changes of one feature do to the score."""

from validation.report.plots.bars import bars
from validation.report.plots.style import Picture
from validation.report.words import percent
from validation.slices.documents import Robustness

MOST_FEATURES = 15


def noise(robustness: Robustness) -> Picture:
    """The mean change of the score where one feature is changed a little, of the features with the largest."""
    shown = robustness["features"][:MOST_FEATURES]
    svg = bars(
        [its["feature"] for its in shown],
        [its["mean_change"] for its in shown],
        "mean change of the score, points",
        ".2f",
    )
    first = shown[0]
    alt = (
        f"Small changes of {first['feature']} alone move the score most, by {first['mean_change']:.2f} points on "
        f"average, and {percent(first['other_band'])} of the applicants to another band."
    )
    return Picture("noise", "Small changes of one feature", alt, svg)
