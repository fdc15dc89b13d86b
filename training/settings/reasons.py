"""The settings of reasons: the applicants to compare with, and the name of each feature in an answer.

All of them may change without training again: `python -m export.to_onnx --reasons FILE.toml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from cli.settings.declared import Usage
from cli.settings.kinds import Names, Text

ALL, AT_CUTOFF, BEST, NONE = "all", "at-cutoff", "best", "none"
NAMED = (ALL, AT_CUTOFF, BEST, NONE)
TREE_PATH: Final = "tree-path"
COVERS = "covers"  # what tree-path values compare with
TEXT = "text, or a table of texts by language"


def _by_language(value: object) -> object:
    """A text alone is that of no language in particular."""
    return ({"": value} if value else {}) if isinstance(value, str) else value


def _named(texts: Mapping[str, str]) -> Mapping[str, str]:
    """A text of no language has no place beside those of some."""
    if "" in texts and len(texts) > 1:
        raise ValueError
    return texts


Texts = Annotated[
    Mapping[str, Annotated[str, Field(min_length=1)]],
    Strict(False),
    BeforeValidator(_by_language),
    AfterValidator(_named),
    Usage(expected=TEXT),
]


@dataclass(frozen=True)
class Reasons:
    """The reasons of a score: points that features cost against reference rows (docs/reasons.md)."""

    reference: Annotated[
        Text,
        Field(description="rows to compare applicants with: all, at-cutoff, best or a file; none turns reasons off"),
        Usage(flag="--reasons-reference", metavar="WHOM"),
    ] = ALL
    cutoff: Annotated[
        float | None,
        Field(description="lowest approved score, for at-cutoff", examples=[520.0]),
        Usage(flag="--reasons-cutoff"),
    ] = None
    window: Annotated[
        float,
        Field(gt=0, description="largest distance from the cut-off, in points, of the rows of at-cutoff"),
        Usage(flag="--reasons-window"),
    ] = 20.0
    limit: Annotated[
        float,
        Field(gt=0, le=200, description="largest reasons.bin in MB; a larger one is not built"),
        Usage(flag="--reasons-limit"),
    ] = 64.0
    method: Annotated[
        Literal["interventional", "tree-path"],
        Field(description="Shapley values against reference rows, or by covers as in XGBoost's pred_contribs"),
        Usage(flag="--reasons-method"),
    ] = "interventional"
    values: Annotated[
        bool, Field(description="answers repeat the value of each reason's feature"), Usage(flag="--reasons-values")
    ] = True
    hints: Annotated[
        bool,
        Field(description="answers state which change of one actionable feature would reach the next band"),
        Usage(flag="--reasons-hints"),
    ] = False


class ReasonGroup:
    """Features that count as one reason, such as correlated ones; NAME is the reason's."""

    NAME: Annotated[Names, Field(description="the features of the group", examples=[["debt", "limit_used"]])]


@dataclass(frozen=True)
class ReasonText:
    """Text of a feature, a row maximum or a group in answers; without an entry, its description."""

    text: Annotated[Texts, Field(description="the reason", examples=["Income is low"])] = field(default_factory=dict)
    missing: Annotated[
        Texts, Field(description="the reason for a missing value", examples=["Income was not given"])
    ] = field(default_factory=dict)
    code: Annotated[str, Field(description="your own reason code", examples=["R01"])] = ""
    inquiries: Annotated[
        bool, Field(description="feature is a number of inquiries: named as a fifth key factor where it costs points")
    ] = False
    actionable: Annotated[bool, Field(description="hints may name a change of this feature")] = False
    direction: Annotated[
        Literal["up", "down"] | None,
        Field(description="direction in which an actionable number or boolean may change", examples=["up"]),
        Usage(unset="by the monotone constraint"),
    ] = None
    levels: Annotated[
        Names,
        Field(
            description="levels of an actionable category that a hint may name, in the order to try",
            examples=[["full-time", "part-time"]],
        ),
    ] = ()
