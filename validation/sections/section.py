"""Input and result of a section."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runtime.score import Scale
from validation.documents import Initial
from validation.explained import Explained
from validation.fairness.compare import Cutoff
from validation.fairness.groups import Attribute
from validation.rating import Rating
from validation.settings import Fairness, Stability, Validation

Floats = NDArray[np.float64]
Whose = Literal["supervisor's test", "custom", "own policy"]
Level = Literal["beyond", "look"]


@dataclass(frozen=True)
class Coded:
    """A column of names: `codes` [N] are places in `levels`, -1 for missing."""

    levels: Sequence[str]
    codes: NDArray[np.int32]

    def of(self, rows: NDArray[Any]) -> "Coded":
        """Columns of some rows."""
        return Coded(self.levels, self.codes[rows])


@dataclass(frozen=True)
class Rows:
    """N customers whose outcome may be known, as the model answers for them.

    `outcome` is 1, 0 or NaN for not known; `periods` are in the order of time; `segments` are by name of their column;
    `clusters` are what belongs together, None where every row stands for itself.
    """

    probability: Floats
    score: Floats
    outcome: Floats
    weight: Floats | None = None
    exposure: Floats | None = None
    periods: Coded | None = None
    segments: Mapping[str, Coded] = field(default_factory=dict)
    clusters: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.probability)

    def of(self, rows: NDArray[Any]) -> "Rows":
        """Some of them, by position or by truth."""
        return Rows(
            self.probability[rows],
            self.score[rows],
            self.outcome[rows],
            None if self.weight is None else self.weight[rows],
            None if self.exposure is None else self.exposure[rows],
            None if self.periods is None else self.periods.of(rows),
            {name: coded.of(rows) for name, coded in self.segments.items()},
            None if self.clusters is None else self.clusters[rows],
        )

    @property
    def target(self) -> NDArray[np.int8]:
        """The outcomes, where all are known."""
        return self.outcome.astype(np.int8)


@dataclass(frozen=True)
class Sample:
    """Some rows with their raw features: `rows` [n] are positions among Subject.rows, `frame` [n] as in a table."""

    frame: pd.DataFrame
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Migrations:
    """Customers in two tables, or in the first and the last period: `before` and `after` [N] are grades, 0 riskiest."""

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    gone: int
    """Customers of the first who are not in the second."""
    new: int
    words: str
    """Which two."""


@dataclass(frozen=True)
class Subject:
    """All that sections look at. `rows` are all rows, `known` those with an outcome."""

    rows: Rows
    rating: Rating
    scale: Scale
    settings: Validation
    limits: Stability
    initial: Initial | None = None
    no_initial: str = ""
    """Why there is no initial validation."""
    no_outcomes: str = ""
    """Why no outcome is known, where none is."""
    training: Mapping[str, Any] | None = None
    """Metrics of the training's test part."""
    stability: Mapping[str, Any] | None = None
    """See validation.stability.tallies."""
    migrations: Migrations | None = None
    sample: Sample | None = None
    """At most 50,000 rows with their features."""
    answer: Callable[[pd.DataFrame], Floats] | None = None
    """The model's probability of default [N] of raw features [N], as the graph answers."""
    explain: Callable[[pd.DataFrame, Floats], Explained] | None = None
    """The reasons of raw features [N] with these probabilities [N], as the endpoint names them."""
    no_reasons: str = "the model cannot be asked again"
    """Why the model has no reasons, where `explain` is None."""
    people: Sequence[Attribute] = ()
    """Columns that divide all rows into groups of people."""
    fairness: Fairness = field(default_factory=Fairness)
    cutoff: Cutoff | None = None
    """The model's own, where fairness.cutoff is not set."""
    resamples: int = 200
    seed: int = 0

    @cached_property
    def known(self) -> Rows:
        """The rows with an outcome."""
        known = ~np.isnan(self.rows.outcome)
        return self.rows if known.all() else self.rows.of(known)

    @cached_property
    def grades(self) -> NDArray[np.intp]:
        """The grade of each row [N], 0 for the riskiest."""
        return self.rating.places(self.rows.probability, self.rows.score)

    @cached_property
    def known_grades(self) -> NDArray[np.intp]:
        """The grade of each row with an outcome."""
        known = ~np.isnan(self.rows.outcome)
        return self.grades if known.all() else self.grades[known]

    @cached_property
    def why_no_tests(self) -> str:
        """Why tests on outcomes are not possible; empty where they are."""
        if not len(self.known):
            return self.no_outcomes or "no outcome is known"
        defaults = int(self.known.outcome.sum())
        if defaults in (0, len(self.known)):
            return f"every known outcome is {'a default' if defaults else 'no default'}"
        return ""


@dataclass(frozen=True)
class Claim:
    """A test that is a finding if its p value, adjusted for the others of its family, is small enough.

    `family` is one of validation.verdict.BUDGETS; `value` is what was measured, `limit` what it should be at most or
    equal, in words.
    """

    family: str
    name: str
    p: float
    value: float
    limit: str
    whose: Whose
    message: str


@dataclass(frozen=True)
class Found:
    """A finding without a p value: a limit that was reached."""

    name: str
    value: float
    limit: str
    whose: Whose
    message: str
    level: Level = "beyond"


@dataclass(frozen=True)
class Part:
    """Result of a section: a figure of JSON's types, or None and `why`; tables, by file name, for the CSVs."""

    figure: Mapping[str, Any] | None
    why: str = ""
    claims: Sequence[Claim] = ()
    found: Sequence[Found] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    name: str
    title: str
    make: Callable[[Subject], Part]
