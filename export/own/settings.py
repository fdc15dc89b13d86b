"""What a fitted pipeline does not say of a served model: its scale, bands, limits and texts."""

from collections.abc import Mapping
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
from training.settings.tables import SCALE, Score


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
    """The TOML of an own pipeline: tables `score`, `bands`, `limits`, `target`, `exactness` and `descriptions`."""

    scale: Scale = SCALE
    edges: tuple[float, ...] | None = None
    batch: int = Limits.batch
    positive: Any = None
    """The class that is a default; None where the classes are 0 and 1."""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    tolerance: float | None = None
    """Largest difference of a probability that is accepted of steps that mix columns; None refuses such steps."""


def own_settings(
    config: "Mapping[str, Any] | str | Path | None", tolerance: float | None = None, flag: str = "tolerance"
) -> OwnSettings:
    """The settings of a TOML file, or of its content as a mapping; `tolerance`, given by `flag`, goes before theirs.

    Raises UserError, exit status 2, for a mistake.
    """
    if tolerance is not None:
        stated = read_values(Exactness, "", {"tolerance": tolerance}, Origin(flag))
        return replace(own_settings(config), tolerance=stated["tolerance"])
    if config is None:
        return OwnSettings()
    if isinstance(config, str | Path):
        content, origin = read_toml(Path(config)), Origin(str(config))
    else:
        content, origin = dict(config), Origin("config")
    tables = tables_of(content, ("score", "bands", "limits", "target", "exactness", "descriptions"), origin)
    scale = Scale(**read_values(Score, "score", tables.get("score", {}), origin))
    bands = read_values(Bands, "bands", tables.get("bands", {}), origin)
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
    return OwnSettings(
        scale,
        bands.get("edges"),
        limits.get("batch", Limits.batch),
        target.get("positive"),
        texts,
        exactness.get("tolerance"),
    )
