"""What a fitted pipeline does not say of a served model: its scale, bands, grades, limits and texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict

from cli.settings.declared import Usage, problem, read_values
from cli.settings.origin import Origin
from cli.settings.toml import read_toml, tables_of
from cli.words import shown
from runtime.manifest import MOST_APPLICANTS, MOST_STATED
from runtime.score import Scale
from table.settings import Feature, beside_in
from training.settings.checks import refuse_contradicting_reasons
from training.settings.document import OF_REASONS, TABLES, read_reason_texts, read_row_max
from training.settings.reasons import NAMED, Reasons, ReasonText
from training.settings.tables import SCALE, Score, Settings
from validation.settings import MasterScale


def _ascending(edges: tuple[float, ...]) -> tuple[float, ...]:
    if len(edges) < 2 or any(low >= high for low, high in pairwise(edges)):
        raise problem(f"expected two or more ascending edges in points, got {shown(list(edges))}")
    return edges


class Bands:
    """The bands of the score."""

    edges: Annotated[
        tuple[float, ...] | None,
        Strict(False),
        Field(description="ascending edges in points", examples=[[400, 500, 600]]),
        AfterValidator(lambda edges: edges if edges is None else _ascending(edges)),
        Usage(unset="from the scores of the rows", expected="a list of ascending numbers"),
    ] = None


class Limits:
    """Limits of a request."""

    batch: Annotated[int, Field(ge=1, le=MOST_APPLICANTS, description="most applicants of a request")] = 1_000


class Exactness:
    """What is accepted of steps that no graph equals to the last bit."""

    tolerance: Annotated[
        float | None,
        Field(gt=0, le=MOST_STATED, description="largest difference of a probability"),
        Usage(unset="such steps are refused", expected=f"a number above 0 and up to {MOST_STATED:g}"),
    ] = None


@dataclass(frozen=True)
class OwnSettings:
    """The TOML of an own pipeline: what its columns and steps do not say of a served model, and reasons."""

    scale: Scale = SCALE
    edges: tuple[float, ...] | None = None
    grades: MasterScale = field(default_factory=MasterScale)
    batch: int = Limits.batch
    positive: Any = None
    """The class that is a default; None where the classes are 0 and 1."""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    tolerance: float | None = None
    """Largest difference of a probability that is accepted of steps that mix columns; None refuses such steps."""
    reasons: Reasons = field(default_factory=Reasons)
    reason_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason_texts: Mapping[str, ReasonText] = field(default_factory=dict)
    origin: Origin = field(default_factory=lambda: Origin("config"))
    """Where the settings of reasons are from, for what contradicts the pipeline's columns."""

    def of(self, features: Sequence[Feature]) -> Settings:
        """As settings of a training with these features, for what is said of reasons.

        Raises UserError, exit status 2, for groups and texts of other columns.
        """
        settings = Settings(
            features=tuple(features),
            row_max={},
            score=self.scale,
            reasons=self.reasons,
            reason_groups=self.reason_groups,
            reason_texts=self.reason_texts,
        )
        refuse_contradicting_reasons(settings, self.origin)
        return settings


Config = Mapping[str, Any] | str | Path | None


def own_settings(
    config: Config, tolerance: float | None = None, flag: str = "tolerance", reasons: Config = None
) -> OwnSettings:
    """The settings of a TOML file, or of its content as a mapping; `tolerance`, given by `flag`, goes before theirs.

    `reasons` is another file or mapping, whose tables of reasons take the place of those of `config`. Raises UserError,
    exit status 2, for a mistake.
    """
    if tolerance is not None:
        stated = read_values(Exactness, "exactness", {"tolerance": tolerance}, Origin(flag))
        return replace(own_settings(config, reasons=reasons), tolerance=stated["tolerance"])
    content, origin = _content(config, "config")
    tables = tables_of(
        content, ("score", "bands", "grades", "limits", "target", "exactness", "descriptions", *OF_REASONS), origin
    )
    scale = Scale(**read_values(Score, "score", tables.get("score", {}), origin))
    bands = read_values(Bands, "bands", tables.get("bands", {}), origin)
    grades = MasterScale(**read_values(MasterScale, "grades", tables.get("grades", {}), origin))
    for key, contradiction in grades.contradictions():
        origin.refuse(key, contradiction)
    limits = read_values(Limits, "limits", tables.get("limits", {}), origin)
    exactness = read_values(Exactness, "exactness", tables.get("exactness", {}), origin)
    target = tables.get("target", {})
    for key in target:
        if key != "positive":
            origin.refuse(f"target.{key}", "unknown key; known here: positive")
    texts: dict[str, str] = {}
    for name, text in tables.get("descriptions", {}).items():
        if not isinstance(text, str):
            origin.refuse(f"descriptions.{name}", f"expected text, got {shown(text)}")
        else:
            texts[name] = text
    if reasons is not None:
        content, origin = _content(reasons, "reasons")
        tables = tables_of(content, TABLES, origin)
    return OwnSettings(
        scale=scale,
        edges=bands.get("edges"),
        grades=grades,
        batch=limits.get("batch", Limits.batch),
        positive=target.get("positive"),
        descriptions=texts,
        tolerance=exactness.get("tolerance"),
        reasons=Reasons(**read_values(Reasons, "reasons", tables.get("reasons", {}), origin)),
        reason_groups=read_row_max(tables.get("reason_groups", {}), origin, "reason_groups"),
        reason_texts=read_reason_texts(tables.get("reason_texts", {}), origin),
        origin=origin,
    )


def _content(config: Config, called: str) -> tuple[Mapping[str, Any], Origin]:
    if config is None:
        return {}, Origin(called)
    if isinstance(config, Mapping):
        return dict(config), Origin(called)
    path = Path(config)
    return beside_in("reasons", "reference", path, read_toml(path), NAMED), Origin(str(config))
