"""The settings of what is known of a model's answers: evaluation, costs and limits of stability."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from cli.settings.declared import Usage
from cli.settings.kinds import Numbers, OptionalText

LEAST_RESAMPLES = 50  # fewer leave the 2.5th percentile to one or two of them


def _ascending(edges: tuple[float, ...]) -> tuple[float, ...]:
    if len(edges) == 1 or not all(low < high for low, high in pairwise(edges)):
        raise ValueError
    return edges


@dataclass(frozen=True)
class Evaluation:
    """How a fitted model is evaluated."""

    threshold: Annotated[
        float, Field(gt=0, lt=1, description="probability from which an applicant is a predicted default")
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
        Field(description="number feature of which gain and loss are shares", examples=["credit_amount"]),
        Usage(metavar="COLUMN"),
    ] = None


@dataclass(frozen=True)
class Stability:
    """The indices from which new applicants count as moved."""

    score_limit: Annotated[float, Field(gt=0, description="limit of the score's population stability index (PSI)")] = (
        0.25
    )
    feature_limit: Annotated[
        float, Field(gt=0, description="limit of each feature's characteristic stability index (CSI)")
    ] = 0.25
