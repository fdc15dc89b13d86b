"""The settings of what is known of a model's answers: evaluation, costs, limits of stability, groups of people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from cli.settings.declared import Usage, problem
from cli.settings.kinds import Names, Numbers, NumbersByName, OptionalText, TextByName
from cli.words import counted, shown
from runtime.grades import MOST_GRADES, fault_of

LEAST_RESAMPLES = 50  # fewer leave the 2.5th percentile to one or two of them


def _ascending(edges: tuple[float, ...]) -> tuple[float, ...]:
    if len(edges) == 1 or not all(low < high for low, high in pairwise(edges)):
        raise ValueError
    return edges


def _limits(limits: tuple[float, ...]) -> tuple[float, ...]:
    if limits and (expected := fault_of(limits)):
        raise problem(f"expected {expected}, got {shown(list(limits))}; for example limits = [0.01, 0.05]")
    return limits


def _edges_by_name(bins: Mapping[str, tuple[float, ...]]) -> Mapping[str, tuple[float, ...]]:
    for name, edges in bins.items():
        if not all(low < high for low, high in pairwise(edges)):
            raise problem(f"{name}: expected ascending numbers, got {', '.join(f'{edge:g}' for edge in edges)}")
    return bins


def _moment(value: object) -> object:
    """TOML has dates, times and numbers of its own: as text."""
    if value == "":
        return None
    return str(value) if isinstance(value, int | float | date) and not isinstance(value, bool) else value


@dataclass(frozen=True)
class Evaluation:
    """Evaluation of a fitted model."""

    threshold: Annotated[
        float, Field(gt=0, lt=1, description="probability at and above which a default is predicted")
    ] = 0.5
    plots: Annotated[bool, Field(description="plots of the evaluation")] = True
    bands: Annotated[
        Numbers,
        Field(description="edges of the score bands, ascending", examples=[[500.0, 550.0, 600.0, 650.0]]),
        AfterValidator(_ascending),
        Usage(metavar="A,B,C", unset="from the training scores", expected="an ascending list of two or more scores"),
    ] = ()
    resamples: Annotated[
        int, Field(ge=LEAST_RESAMPLES, le=100_000, description="bootstrap samples behind the intervals")
    ] = 200


@dataclass(frozen=True)
class Costs:
    """The value of a decision, for the expected profit at each cut-off score."""

    gain: Annotated[
        float | None, Field(description="profit from an approved applicant who repays", examples=[60.0])
    ] = None
    loss: Annotated[
        float | None, Field(gt=0, description="loss from an approved applicant who defaults", examples=[700.0])
    ] = None
    amount: Annotated[
        OptionalText,
        Field(description="number feature that gain and loss are shares of", examples=["credit_amount"]),
        Usage(metavar="COLUMN"),
    ] = None


@dataclass(frozen=True)
class Stability:
    """Limits of the indices above which new applicants count as shifted."""

    score_limit: Annotated[float, Field(gt=0, description="limit of the score's population stability index (PSI)")] = (
        0.25
    )
    feature_limit: Annotated[
        float, Field(gt=0, description="limit of each feature's characteristic stability index (CSI)")
    ] = 0.25


@dataclass(frozen=True)
class MasterScale:
    """The grades of the probability of default."""

    limits: Annotated[
        Numbers,
        Field(description="ascending probabilities at which the next grade begins", examples=[[0.003, 0.01, 0.05]]),
        AfterValidator(_limits),
        Usage(
            flag="--grade-limits",
            metavar="A,B,C",
            unset="those of `count`, else no grades",
            expected="a list of ascending probabilities",
        ),
    ] = ()
    names: Annotated[
        Names,
        Field(description="names of the grades, lowest probability first", examples=[["A", "B", "C", "D"]]),
        Usage(flag="--grade-names", metavar="A,B,C", unset="1, 2, 3 and so on"),
    ] = ()
    count: Annotated[
        int | None,
        Field(ge=2, le=MOST_GRADES, description="number of grades, derived from the training rows", examples=[12]),
        Usage(flag="--grades", unset="no grades, or those of `limits`"),
    ] = None
    least_share: Annotated[
        float,
        Field(ge=0, lt=1, description="with `count`: smallest share of the training rows in each grade"),
        Usage(flag="--grade-share"),
    ] = 0.01

    @property
    def is_set(self) -> bool:
        """True where there are to be grades."""
        return bool(self.limits) or self.count is not None

    def names_of(self, grades: int) -> list[str]:
        """The names of so many grades."""
        return list(self.names) or [str(number) for number in range(1, grades + 1)]

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Keys that contradict each other, each with what to do."""
        if self.limits and self.count is not None:
            yield "grades.count", "contradicts grades.limits, which make the grades already; leave out one of the two"
        grades = len(self.limits) + 1 if self.limits else self.count
        if self.names and grades is None:
            yield "grades.names", "needs grades; set grades.limits or grades.count"
        if self.names and len(self.names) != grades:
            yield "grades.names", f"expected {counted(grades or 0, 'name')}, one per grade, got {len(self.names)}"


@dataclass(frozen=True)
class Validation:
    """Options of `python -m validation.run`; the flags are that command's.

    Training keeps `definition` and `exposure` of its test part, with the time column of the split, in `initial.json`.
    """

    period: Annotated[
        Literal["none", "month", "quarter", "year", "file"] | None,
        Field(
            description="division of the rows into periods: by time, or by the files of a folder", examples=["month"]
        ),
        Usage(unset="file for several files, else none"),
    ] = None
    time: Annotated[
        OptionalText,
        Field(description="column with the time of each row", examples=["applied"]),
        Usage(flag="--time-column", metavar="COLUMN", unset="that of the training's split"),
    ] = None
    time_format: Annotated[
        OptionalText,
        Field(description="format of that column's dates, as in split.time_format", examples=["%d.%m.%Y"]),
        Usage(metavar="FORMAT", unset="ISO 8601, or the only one that fits"),
    ] = None
    segments: Annotated[
        Names,
        Field(description="columns whose levels are validated one by one, features or not", examples=[["region"]]),
        Usage(flag="--segment", metavar="COLUMN"),
    ] = ()
    group: Annotated[
        OptionalText,
        Field(description="column whose equal values belong together, such as a customer", examples=["customer"]),
        Usage(flag="--group-column", metavar="COLUMN", unset="the id, where ids repeat"),
    ] = None
    exposure: Annotated[
        OptionalText,
        Field(description="column of the exposures, 0 or more, for the concentration", examples=["exposure"]),
        Usage(metavar="COLUMN"),
    ] = None
    definition: Annotated[
        OptionalText,
        Field(description="the definition of default, in words", examples=["90 days past due within 12 months"]),
        Usage(metavar="TEXT"),
    ] = None
    date: Annotated[
        str | None,
        Field(description="day on which outcomes were observed, for `horizon`", examples=["2026-06-30"]),
        BeforeValidator(_moment),
        Usage(metavar="DATE", expected="a date"),
    ] = None
    horizon: Annotated[
        int | None,
        Field(
            ge=1, description="months that a row has to default; younger rows are left out and counted", examples=[12]
        ),
        Usage(metavar="MONTHS"),
    ] = None
    least: Annotated[int, Field(ge=5, description="segments and periods with fewer rows are not shown")] = 30
    correlation: Annotated[
        float,
        Field(gt=0, lt=1, description="asset correlation in the correlated binomial test and in bounds of PDs"),
    ] = 0.12
    confidence: Annotated[
        float, Field(gt=0, lt=1, description="confidence of the upper bounds of PDs of grades with few defaults")
    ] = 0.75


@dataclass(frozen=True)
class Fairness:
    """Groups of people between which the model's answers are compared (docs/fairness.md)."""

    groups: Annotated[
        Names,
        Field(description="columns that divide applicants into groups, never features", examples=[["sex", "age"]]),
        Usage(flag="--fairness-groups", metavar="A,B"),
    ] = ()
    reference: Annotated[
        TextByName,
        Field(description="reference group of each column", examples=[{"sex": "male"}]),
        Usage(expected="a table of columns, each with a group", unset="the largest group"),
    ] = field(default_factory=dict)
    bins: Annotated[
        NumbersByName,
        Field(description="edges between the groups of a number column", examples=[{"age": [25.0, 40.0, 62.0]}]),
        AfterValidator(_edges_by_name),
        Usage(expected="a table of columns, each with a list of ascending numbers"),
    ] = field(default_factory=dict)
    features_allowed: Annotated[
        bool,
        Field(description="a column of groups may be a feature of the model"),
        Usage(flag="--fairness-features-allowed"),
    ] = False
    least: Annotated[
        int,
        Field(ge=1, description="groups with fewer applicants are not shown"),
        Usage(flag="--fairness-least"),
    ] = 30
    cutoff: Annotated[
        float | None,
        Field(description="lowest score that is approved", examples=[520.0]),
        Usage(
            flag="--fairness-cutoff",
            unset="reasons.cutoff, else the score that approves four in five; in a validation the model's own",
        ),
    ] = None
    limit: Annotated[
        float,
        Field(gt=0, le=1, description="adverse impact ratio below which a finding is reported"),
        Usage(flag="--fairness-limit"),
    ] = 0.8
    auc_loss: Annotated[
        float,
        Field(ge=0, lt=1, description="largest loss of ROC-AUC for a less discriminatory trial of a search"),
        Usage(flag="--fairness-auc-loss"),
    ] = 0.01
