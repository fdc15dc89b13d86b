"""An answer under one heading of a pack, and how figures are written in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from validation.documents import Validated
from validation.report import card

MISSING = "not known"

Figure = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """Answer under one heading: lines of text, tables, and questions that only people can answer."""

    lines: Sequence[str] = ()
    tables: Sequence[pd.DataFrame] = ()
    questions: Sequence[str] = ()

    def written(self) -> list[str]:
        """Its lines in Markdown."""
        lines = [line for text in self.lines for line in (text, "")]
        lines += [line for frame in self.tables for line in (card.table(frame), "")]
        return [*lines, *(f"- **Question:** {question}" for question in self.questions), ""]


def figure_of(found: Validated, name: str) -> tuple[Figure | None, str]:
    """A section's figure, or None and why the section has no figure."""
    section = found["sections"].get(name)
    if section is None:
        return None, "the validation has no such section"
    return section["figure"], section["why"]


def number(value: float | None) -> str:
    """A number with four digits."""
    return MISSING if value is None else f"{value:.4g}"


def percent(value: float | None) -> str:
    """A share from 0 to 1 in percent."""
    return MISSING if value is None else f"{100 * value:.3g} %"
