"""The differences between groups that are findings: beyond a limit, and more than chance."""

from collections.abc import Iterator, Sequence

from cli.words import counted
from validation.documents import Alarm
from validation.fairness.documents import AttributeFigures, FairnessFigures, GroupFigures

LEVEL = 0.01  # of the corrected p-values of an attribute
FOUR_FIFTHS = 0.8
# A default rate that differs by less from what was predicted changes hardly a decision, however sure it is.
GAP = 0.1  # of the predicted rate


def findings(figures: FairnessFigures) -> list[Alarm]:
    """For each attribute the group that is approved least often for its size, and the one whose risk is misjudged most.

    Both are findings only beyond a limit and beyond chance; other groups beyond the limit are counted.
    """
    return [
        alarm
        for attribute in figures["attributes"]
        for alarm in (*_impact(figures, attribute), *_miscalibrated(attribute))
    ]


def _impact(figures: FairnessFigures, attribute: AttributeFigures) -> Iterator[Alarm]:
    limit = figures["limit"]
    beyond = [
        (group["ratio"], group["group"])
        for group in attribute["groups"]
        if group["ratio"] is not None and group["ratio_adjusted"] is not None
        if group["ratio"] < limit and group["ratio_adjusted"] < LEVEL
    ]
    if not beyond:
        return
    ratio, group = min(beyond)
    whose = "custom, the four-fifths rule" if limit == FOUR_FIFTHS else "own policy"
    yield Alarm(
        name="adverse impact",
        value=ratio,
        limit=limit,
        message=f"{attribute['attribute']}: {group} is approved {ratio:.2f} times as often as "
        f"{attribute['reference']} from {figures['cutoff']:g} points on (limit {limit:g}: {whose}){_others(beyond)}; "
        "look for features that act as proxies for the group, and at less discriminatory models. Context, not legal "
        "advice.",
    )


def _miscalibrated(attribute: AttributeFigures) -> Iterator[Alarm]:
    beyond = [(-abs(gap), group) for group in attribute["groups"] if (gap := _gap(group))]
    if not beyond:
        return
    _, worst = min(beyond, key=lambda each: each[0])
    gap, observed, predicted = (worst[key] or 0.0 for key in ("gap", "observed", "predicted"))
    yield Alarm(
        name="group miscalibrated",
        value=gap,
        limit=0.0,
        message=f"{attribute['attribute']}: of {worst['group']} {observed:.2%} defaulted where {predicted:.2%} was "
        f"predicted (p {worst['gap_adjusted']:.1g} after Holm, level {LEVEL:g}: custom){_others(beyond)}; its risk is "
        f"{'understated' if gap > 0 else 'overstated'}.",
    )


def _gap(group: GroupFigures) -> float:
    """Observed minus predicted where that is a finding, else 0."""
    gap, p, predicted = group["gap"], group["gap_adjusted"], group["predicted"]
    is_finding = gap is not None and p is not None and predicted is not None and p < LEVEL
    return gap if is_finding and gap is not None and predicted is not None and abs(gap) >= GAP * predicted else 0.0


def _others(beyond: Sequence[object]) -> str:
    return f", and {counted(len(beyond) - 1, 'group')} more beyond it" if len(beyond) > 1 else ""
