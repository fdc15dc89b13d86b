"""Reasons of many applicants, as the endpoint gives them: from the same tables, by the same code."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.explain import Explainer
from runtime.model import Model
from runtime.tables import Tables, as_lists

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Explained:
    """The reasons of N answers."""

    basis: Mapping[str, Any]
    """reasons_basis of the model: method and reference population."""
    names: Sequence[str]
    """The features, row maxima and groups that have points."""
    points: Floats
    """Points of each name [N, names]."""
    named: Sequence[Sequence[int]]
    """The reasons of each answer as places in `names`, the one that costs most first."""


def explained(model: Model, numbers: Floats, categories: NDArray[np.object_], probability: Floats) -> Explained:
    """Explain rows [N] of raw columns with these probabilities. Raises ModelRefused for damaged tables.

    A row maximum, which an answer names after its largest feature, counts under its own name.
    """
    manifest = model.manifest
    its = manifest.document["reasons"]
    tables = Tables.read(model.folder, its["file"]["sha256"], manifest.sha256)
    explainer = Explainer(manifest, tables)  # without hints, which are not shown here
    explainer.check(manifest)
    names = [player["name"] for player in its["players"]]
    place = {feature: i for i, player in enumerate(its["players"]) for feature in player["features"]}
    place |= {name: i for i, name in enumerate(names)}
    points, named = np.empty((len(probability), len(names))), []
    scores = manifest.scale.scores(probability.tolist())
    rows = zip(as_lists(numbers), as_lists(categories), probability.tolist(), scores, strict=True)
    for i, (values, words, p, score) in enumerate(rows):
        answer = json.loads(f"{{{explainer.explain(values, words, p, score, every=True)}}}")
        points[i] = [answer["points"][name] for name in names]
        named.append([place[reason["name"]] for reason in answer["reasons"]])
    return Explained(its["basis"], names, points, named)
