"""Weights, and samples whose rows are repeated as often as their weight says."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from runtime.score import Scale
from table.settings import Feature
from tests.validation.samples import Sample
from validation.bands import scores_of
from validation.evidence import Part

SCALE = Scale()
COUNTS = {"rows", "defaults", "weight", "weighted_defaults", "effective_rows", "effective_defaults", "threshold"}
ROUNDING = 1e-12  # of sums in another order
SOLVED = 1e-7  # of a root and a regression that stop there
Floats = NDArray[np.float64]


def drawn_weights(rows: int, seed: int = 5) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(1, 7, rows)


def repeated(sample: Sample, weight: NDArray[np.int64]) -> Sample:
    target, probability = sample
    return np.repeat(target, weight), np.repeat(probability, weight)


def assert_same(found: Mapping[str, float], expected: Mapping[str, float], tolerance: float = ROUNDING) -> None:
    for name in expected.keys() - COUNTS:
        assert found[name] == pytest.approx(expected[name], rel=tolerance, abs=tolerance, nan_ok=True), name


def part_of(sample: Sample, weight: Floats | None = None) -> Part:
    target, probability = sample
    frame = pd.DataFrame({"amount": 100.0 + np.round(1_000 * probability)})
    return Part(frame, target, probability, scores_of(probability, SCALE), weight)


FEATURES = (Feature("age", "number"), Feature("owns", "boolean"), Feature("town", "category"))


def features(rows: int, seed: int = 0, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(40 + shift, 10, rows).round()),
            "owns": rng.integers(0, 2, rows).astype(float),
            "town": rng.choice(["a", "b", "c"], rows).astype(object),
        }
    )
