"""The exploration of a wide table is bounded, with the figures of a narrow one."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import entropy, spearmanr
from sklearn.metrics import normalized_mutual_info_score

import training.exploration as exploration
from table.settings import Feature
from training.exploration import correlations, explore
from training.exploration.column import Column
from training.settings import Settings


def columns_of(values: NDArray[np.float64]) -> list[Column]:
    target = (np.arange(len(values)) % 3 == 0).astype(np.int8)
    return [Column.of(Feature(f"x{i}", "number"), values[:, i], target) for i in range(values.shape[1])]


def related(rows: int, seed: int, missing: float) -> NDArray[np.float64]:
    """Fourteen columns of one factor, some coarse, some skewed, with values missing here and there."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 1)) * rng.uniform(0, 2, 14) + rng.normal(size=(rows, 14))
    values[:, 3] = np.round(values[:, 3])
    values[:, 5] = values[:, 5] > 0.5
    values[:, 6] = np.exp(3 * values[:, 6])
    values[rng.random(values.shape) < missing] = np.nan
    values[values[:, 1] > 0, 2] = np.nan  # missing by another column's value
    return values


@pytest.mark.parametrize(("rows", "missing"), [(40, 0.0), (500, 0.3), (900, 0.05), (300, 0.85)])
@pytest.mark.parametrize("seed", range(3))
def test_correlations_are_spearman_s_over_the_rows_that_have_both(rows: int, missing: float, seed: int) -> None:
    values = related(rows, seed, missing)
    found = correlations.rank_correlations(columns_of(values), np.arange(rows))
    expected = {}
    for i in range(values.shape[1]):
        for j in range(i + 1, values.shape[1]):
            both = values[~np.isnan(values[:, [i, j]]).any(axis=1)][:, [i, j]]
            if len(both) >= max(2, round(0.1 * rows)) and (both != both[0]).any(axis=0).all():
                rho = float(spearmanr(both[:, 0], both[:, 1]).statistic)
                if abs(rho) >= 0.5:
                    expected[f"x{i}", f"x{j}"] = pytest.approx(rho, abs=1e-9)
    assert {(pair["a"], pair["b"]): pair["spearman"] for pair in found} == expected
    assert [abs(pair["spearman"]) for pair in found] == sorted((abs(p["spearman"]) for p in found), reverse=True)


def test_beyond_the_pairs_that_are_ranked_again_correlations_are_near(monkeypatch: pytest.MonkeyPatch) -> None:
    values = related(900, 1, 0.2)
    exact = correlations.rank_correlations(columns_of(values), np.arange(900))
    monkeypatch.setattr(correlations, "MOST_RANKED_AGAIN", 3)
    near = {(p["a"], p["b"]): p["spearman"] for p in correlations.rank_correlations(columns_of(values), np.arange(900))}
    assert exact[:3] == [{"a": a, "b": b, "spearman": near[a, b]} for a, b in list(near)[:3]]
    for pair in exact:
        assert near.get((pair["a"], pair["b"]), pair["spearman"]) == pytest.approx(pair["spearman"], abs=0.03)


def test_columns_that_are_missing_in_the_rows_that_are_compared_have_no_correlation() -> None:
    values = related(200, 0, 0.0)
    values[:100, 0] = np.nan
    found = correlations.rank_correlations(columns_of(values), np.arange(100))
    assert found
    assert not [pair for pair in found if "x0" in (pair["a"], pair["b"])]


@pytest.mark.parametrize("seed", range(6))
def test_mutual_information_is_scikit_learn_s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(-1, 5, 400)
    b = np.where(rng.random(400) < 0.8, a, rng.integers(-1, 9, 400))
    of = [float(entropy(np.bincount(code + 1))) for code in (a, b)]
    share = (sum(of) - correlations._joint_entropy(a, b)) / max(of)
    assert share == pytest.approx(normalized_mutual_info_score(a, b, average_method="max"), abs=1e-9)


def wide(rows: int, features: int) -> tuple[pd.DataFrame, NDArray[np.int8], Settings]:
    """Noise, and two columns near the end that are worth something."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(rows, features)), columns=[f"x{i}" for i in range(features)])
    risk = frame[f"x{features - 1}"] + 0.7 * frame[f"x{features - 3}"]
    target = (rng.random(rows) < 1 / (1 + np.exp(1 - risk))).astype(np.int8)
    names = tuple(Feature(name, "number") for name in frame.columns)
    return frame, target, Settings(features=names, row_max={})


def test_of_many_features_the_best_have_optimal_bins(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, target, settings = wide(1_500, 12)
    whole = explore(frame, target, settings)["features"]
    monkeypatch.setattr(exploration, "MOST_OPTIMAL", 4)
    few = explore(frame, target, settings)["features"]
    assert [entry["feature"] for entry in few[:2]] == ["x11", "x9"]
    assert few[:2] == whole[:2]
    plain = [entry for entry in few if entry not in whole]
    assert len(plain) == 8
    assert all(sum(part["rows"] for part in entry["bins"]) == 1_500 for entry in plain)


def test_of_a_wide_table_fewer_rows_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, target, settings = wide(3_000, 12)
    monkeypatch.setattr(exploration, "MOST_CELLS", 12 * 700)
    monkeypatch.setattr(exploration, "FEWEST_ROWS", 600)
    found = explore(frame, target, settings)
    assert (found["rows"], found["looked_at"]) == (3_000, 700)
    monkeypatch.setattr(exploration, "FEWEST_ROWS", 900)
    assert explore(frame, target, settings)["looked_at"] == 900
