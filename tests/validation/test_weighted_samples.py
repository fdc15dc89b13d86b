"""Weighted populations, curves and samples: stability, pictures, dependence."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.validation.samples import draw
from tests.validation.weighted import FEATURES, SCALE, drawn_weights, features, part_of, repeated
from validation.bands import scores_of
from validation.dependence import Axis, dependence
from validation.findings import largest_tie
from validation.report.plots.ranking import ranking
from validation.sample import sampled_rows
from validation.settings import Stability
from validation.stability import reference_of, shifts
from validation.stability.index import shift
from validation.weights import effective_size, masses, median


def test_a_population_that_its_weights_move_has_moved() -> None:
    """Equal rows twice; the second time old applicants count ten times as much."""
    frame = features(4_000)
    score = frame["age"].fillna(40).to_numpy() * 5 + 300
    weight = np.random.default_rng(1).uniform(1, 2, 4_000)
    reference: Any = reference_of(frame, score, FEATURES, Stability(), weight)
    still = shifts(reference, frame, score, Stability(), weight)
    assert still["score"]["psi"] == pytest.approx(0, abs=1e-9)
    assert still["rows"] == {"expected": 4_000, "actual": 4_000, "weighted": True}
    moved = shifts(reference, frame, score, Stability(), np.where(frame["age"] > 45, 10 * weight, weight))
    assert moved["score"]["moved"]
    assert moved["features"][0]["feature"] == "age"
    shares = [entry["actual"] for entry in moved["features"][0]["bins"]]
    assert sum(shares) == pytest.approx(1)


def test_a_comparison_is_of_rows_where_one_side_has_no_weights() -> None:
    frame, weight = features(2_000), drawn_weights(2_000).astype(float)
    score = np.linspace(400, 600, 2_000)
    with_weights, without = (reference_of(frame, score, FEATURES, Stability(), each) for each in (weight, None))
    of_rows = shifts(without, frame[:900], score[:900], Stability())
    for reference, its in ((with_weights, None), (without, weight[:900])):
        found = shifts(reference, frame[:900], score[:900], Stability(), its)
        assert found["rows"].pop("weighted") is False
        assert found == of_rows


def test_chance_counts_the_effective_sample_sizes() -> None:
    """Two samples of one population with unequal weights stay below what chance exceeds one time in 1,000."""
    beyond = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        columns = [rng.choice(5, 800) for _ in range(2)]
        weights = [rng.lognormal(0, 1, 800) for _ in range(2)]
        expected, actual = (np.bincount(column, its, 5) for column, its in zip(columns, weights, strict=True))
        found = shift(expected, actual, (effective_size(weights[0]), effective_size(weights[1])))
        beyond += found.index > found.beyond_chance
        assert found.by_chance > shift(np.bincount(columns[0], minlength=5), np.bincount(columns[1])).by_chance
    assert beyond <= 1


def test_curves_are_weighted() -> None:
    sample, weight = draw(1_000), drawn_weights(1_000)
    found, expected = ranking(part_of(sample, weight.astype(float))), ranking(part_of(repeated(sample, weight)))
    assert found.rate == pytest.approx(expected.rate)
    for share in (0.05, 0.1, 0.5):
        assert found.found(share) == pytest.approx(expected.found(share))


def test_the_largest_tie_and_the_median_are_weighted() -> None:
    probability = np.array([0.1, 0.1, 0.2, 0.3])
    assert largest_tie(probability) == 0.5
    assert largest_tie(probability, np.array([1.0, 1, 6, 2])) == 0.6
    assert median(np.array([1.0, 2, 10]), None) == 2
    assert median(np.array([1.0, 2, 10]), np.array([1.0, 1, 5])) == 10


def test_a_sample_of_rows_is_drawn_by_weight() -> None:
    weight = np.where(np.arange(10_000) < 1_000, 9.0, 1.0)  # half of the weight is in a tenth of the rows
    rows = sampled_rows(10_000, 2_000, 3, weight)
    assert len(rows) == 2_000
    assert (np.diff(rows) >= 0).all()
    assert np.mean(rows < 1_000) == pytest.approx(0.5, abs=0.05)
    assert np.array_equal(sampled_rows(10_000, 2_000, 3, 5 * weight), rows)


def test_dependence_weighs_rows_and_shares() -> None:
    """The mean score along `level` is that of the other column, whose heavy rows have another mean."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"level": rng.choice(["a", "b"], 3_000), "other": rng.choice([0.1, 0.4], 3_000)}, dtype=object)
    heavy = (frame["other"] == 0.4).to_numpy()
    weight = np.where(heavy, 9.0, 1.0)
    axis = Axis("level", ["level"], frame["level"].to_numpy(dtype=object), weight)
    table = dependence(lambda rows: rows["other"].to_numpy(float), frame, SCALE, [axis], 1, weight)["level"]
    low, high = scores_of(np.array([0.4, 0.1]), SCALE)
    assert table["Mean score"].to_numpy() == pytest.approx(np.full(2, 0.9 * low + 0.1 * high), abs=2.5)  # of 300 rows
    assert dict(zip(table["Value"], table["Share"], strict=True)) == pytest.approx(
        {level: 100 * weight[frame["level"] == level].sum() / weight.sum() for level in "ab"}
    )


def test_rows_without_weights_count_once() -> None:
    assert masses(None, 3).tolist() == [1, 1, 1]
    assert part_of(draw(10)).mass.tolist() == [1] * 10
