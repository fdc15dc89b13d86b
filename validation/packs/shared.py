"""Lines that more than one entry of a pack has: findings, and groups of people."""

from collections.abc import Iterator

from validation.documents import Validated
from validation.packs.answer import figure_of, number
from validation.report import card


def findings_of(found: Validated) -> list[str]:
    """A line for each finding, with its limit and whose that is."""
    lines = [
        f"{card.escaped(its['name'])}: {card.escaped(its['message'])} Measured {number(its['value'])}; limit: "
        f"{card.escaped(its['limit'])} ({card.escaped(its['whose'])})."
        for its in found["findings"]
    ]
    return lines or ["No finding is beyond its limit."]


def people_of(found: Validated) -> Iterator[str]:
    """Lines on groups of people."""
    figure, why = figure_of(found, "fairness")
    if figure is None:
        yield f"Groups of people were not compared: {card.escaped(why)}."
        return
    approved = f"Applicants with {number(figure['cutoff'])} points or more count as approved"
    yield f"{approved} ({card.escaped(figure['cutoff_by'])})."
    for attribute in figure["attributes"]:
        ratios = [its for its in attribute["groups"] if its["ratio"] is not None]
        least = min(ratios, key=lambda its: float(its["ratio"]), default=None)
        name, hidden = card.escaped(attribute["attribute"]), attribute["hidden_rows"]
        if least is None:
            yield f"{name}: no group to compare; {hidden:,} customers in groups that are too small to be shown."
            continue
        yield (
            f"{name}: lowest adverse impact ratio {number(least['ratio'])} ({number(least['ratio_low'])} to "
            f"{number(least['ratio_high'])}), {card.escaped(least['group'])} against "
            f"{card.escaped(attribute['reference'])}; {hidden:,} customers in groups that are too small to be shown."
        )
