"""Differences between groups of people: context for those who decide, never legal advice."""

from collections.abc import Iterator

from validation.fairness.compare import Answers, compare
from validation.fairness.documents import AttributeFigures, FairnessFigures, GroupFigures
from validation.fairness.findings import FOUR_FIFTHS, GAP
from validation.sections.json_types import known
from validation.sections.section import Claim, Part, Subject

FAMILY = "fairness"
NO_GROUPS = "no groups of people were requested (fairness.groups)"


def make(subject: Subject) -> Part:
    """By column of groups, and by two; groups within their limits count among the tests, and are no findings."""
    if not subject.people:
        return Part(None, NO_GROUPS)
    rows = subject.rows
    answers = Answers(rows.probability, rows.score, rows.outcome, rows.weight)
    figure = compare(subject.people, answers, subject.fairness, subject.cutoff)
    claims = [
        claim
        for attribute in figure["attributes"]
        for group in attribute["groups"]
        for claim in (*_impact(figure, attribute, group), *_gap(attribute, group))
    ]
    return Part(known(dict(figure)), claims=claims)


def _impact(figure: FairnessFigures, attribute: AttributeFigures, group: GroupFigures) -> Iterator[Claim]:
    ratio, p, limit = group["ratio"], group["ratio_p"], figure["limit"]
    if ratio is None or p is None:
        return
    yield Claim(
        FAMILY,
        "A group is approved less often",
        p if ratio < limit else 1.0,
        ratio,
        f"{limit:g}, the four-fifths rule" if limit == FOUR_FIFTHS else f"{limit:g}",
        "custom" if limit == FOUR_FIFTHS else "own policy",
        f"{attribute['attribute']}: {group['group']} is approved {ratio:.2f} times as often as "
        f"{attribute['reference']} from {figure['cutoff']:g} points on ({figure['cutoff_by']}). Look for features "
        "that act as proxies for the group. Context, not legal advice.",
    )


def _gap(attribute: AttributeFigures, group: GroupFigures) -> Iterator[Claim]:
    p, observed, predicted = group["gap_p"], group["observed"], group["predicted"]
    if p is None or observed is None or predicted is None:
        return
    off = observed - predicted
    yield Claim(
        FAMILY,
        "The risk of a group is misjudged",
        p if abs(off) >= GAP * predicted else 1.0,
        observed,
        f"{predicted:.4f} predicted",
        "custom",
        f"{attribute['attribute']}: of {group['group']} {observed:.2%} defaulted where {predicted:.2%} was predicted; "
        f"its risk is {'understated' if off > 0 else 'overstated'}.",
    )
