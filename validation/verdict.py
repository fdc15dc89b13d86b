"""Which tests of a page are findings, so that a clean table has one in at most 5 % of pages.

Every test that may become a finding belongs to a family; families share the 5 % by BUDGETS, and within one p values are
adjusted by Holm. So all tests of a page together err at most as often as one at 5 %, whatever depends on whatever.
Stability indices are not among them: they count from a limit and from what chance passes one time in 1,000.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from validation.documents import ValidationFinding
from validation.sections.section import Claim, Part, Section
from validation.statistics.multiple import holm

LEVEL = 0.05
# Most for what a validator acts on: a grade whose PD is a fifth too low, an AUC that has fallen by 0.05.
BUDGETS: Mapping[str, float] = {
    "grades": 0.0345,
    "discrimination": 0.012,
    "portfolio": 0.001,
    "fit": 0.0005,
    "periods": 0.0005,
    "segments": 0.0005,
    "fairness": 0.0004,
    "slices": 0.0004,
    "concentration": 0.0002,
}


def findings_of(parts: Mapping[str, Part], sections: Sequence[Section]) -> list[ValidationFinding]:
    """The findings of the sections by name: the tests first, the smallest p value first; then limits, in order."""
    claims = [(section.name, claim) for section in sections for claim in parts[section.name].claims]
    adjusted = np.full(len(claims), np.nan)
    for family in BUDGETS:
        its = [place for place, (_, claim) in enumerate(claims) if claim.family == family]
        adjusted[its] = holm([claims[place][1].p for place in its])
    found = [
        _tested(name, claim, float(p)) for (name, claim), p in zip(claims, adjusted, strict=True)
        if p <= BUDGETS[claim.family]
    ]  # fmt: skip
    found.sort(key=lambda finding: finding["adjusted_p"] or 0.0)
    found += [
        {
            "section": section.name,
            "name": its.name,
            "level": its.level,
            "value": its.value,
            "limit": its.limit,
            "whose": its.whose,
            "message": its.message,
            "p": None,
            "adjusted_p": None,
            "budget": None,
        }
        for section in sections
        for its in parts[section.name].found
    ]
    return sorted(found, key=lambda finding: finding["level"] == "look")


def tests_of(parts: Mapping[str, Part]) -> dict[str, Any]:
    """How many tests share the level, by family."""
    counts = {
        family: sum(
            claim.family == family and not np.isnan(claim.p) for part in parts.values() for claim in part.claims
        )
        for family in BUDGETS
    }
    return {"level": LEVEL, "budgets": dict(BUDGETS), "tests": counts}


def _tested(section: str, claim: Claim, adjusted: float) -> ValidationFinding:
    return {
        "section": section,
        "name": claim.name,
        "level": "beyond",
        "value": claim.value,
        "limit": claim.limit,
        "whose": claim.whose,
        "message": claim.message,
        "p": claim.p,
        "adjusted_p": adjusted,
        "budget": BUDGETS[claim.family],
    }
