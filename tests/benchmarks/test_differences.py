"""Differences of two models on the same rows, and their intervals."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import log_loss as their_log_loss
from sklearn.metrics import roc_auc_score

from benchmarks import differences
from benchmarks.differences import Pair, auc, drawn, log_loss, of_table, of_tables

ROWS = 2_000


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough of them for intervals that tell nothing from something."""
    monkeypatch.setattr(differences, "DRAWS", 200)


def applicants(seed: int, rows: int = ROWS) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Outcomes drawn from the probabilities that come with them, which are rounded so that there are ties."""
    generator = np.random.default_rng(seed)
    p = np.round(generator.beta(1, 4, rows), 2)
    return (generator.random(rows) < p).astype(np.int8), p


def noisy(p: NDArray[np.float64], width: float, seed: int = 9) -> NDArray[np.float64]:
    log_odds = np.log(p + 0.005) - np.log1p(0.005 - p) + np.random.default_rng(seed).normal(0, width, len(p))
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def test_auc_and_log_loss_are_scikit_learn_s() -> None:
    target, p = applicants(1)
    assert auc(target, p) == pytest.approx(roc_auc_score(target, p), abs=1e-12)
    inside = np.clip(p, 0.01, 0.99)
    assert log_loss(target, inside) == pytest.approx(their_log_loss(target, inside), abs=1e-12)


def test_the_auc_of_drawn_rows_is_that_of_the_rows_repeated() -> None:
    target, p = applicants(2, 300)
    counts = np.random.default_rng(3).integers(0, 4, size=(5, 300)).astype(float)
    for count, found in zip(counts, differences._aucs(target, p, counts), strict=True):
        repeated = np.repeat(np.arange(300), count.astype(int))
        assert found == pytest.approx(roc_auc_score(target[repeated], p[repeated]), abs=1e-12)


def test_equal_models_do_not_differ() -> None:
    target, p = applicants(4)
    its = of_table([drawn(Pair(target, p, p), 1)], 1)
    for difference in (its.auc, its.log_loss):
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)


def test_a_clearly_better_model_has_intervals_beyond_0() -> None:
    target, p = applicants(5)
    its = of_table([drawn(Pair(target, p, noisy(p, 1.0)), 1)], 1)
    assert its.auc.low > 0
    assert its.log_loss.high < 0
    assert its.auc.low < its.auc.value < its.auc.high
    other = of_table([drawn(Pair(target, noisy(p, 1.0), p), 1)], 1)
    assert other.auc.value == pytest.approx(-its.auc.value, abs=1e-12)


def test_intervals_of_equally_good_models_cover_0_about_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(60):
        target, p = applicants(100 + seed, 400)
        its = of_table([drawn(Pair(target, noisy(p, 0.5, seed), noisy(p, 0.5, 1_000 + seed)), 1)], 1)
        covered += its.log_loss.low <= 0 <= its.log_loss.high
    assert 51 <= covered <= 60  # 95 % of 60 are 57, with a standard deviation of 1.7


def test_pairing_narrows_the_interval() -> None:
    """The two models share most of what the rows do to them: apart, the interval of each is much wider."""
    target, p = applicants(6)
    together = of_table([drawn(Pair(target, p, noisy(p, 0.2)), 1)], 1).auc
    alone = drawn(Pair(target, p, np.full(ROWS, 0.5)), 1).draws[:, 0]
    assert together.high - together.low < 0.5 * np.ptp(np.quantile(alone, [0.025, 0.975]))


def test_divisions_that_contradict_each_other_widen_the_interval() -> None:
    better, worse = [], []
    for seed in (7, 8, 9):
        target, p = applicants(seed)
        better.append(drawn(Pair(target, p, noisy(p, 0.5)), seed))
        worse.append(drawn(Pair(target, noisy(p, 0.5), p), seed))
    agreed, mixed = of_table(better, 1).auc, of_table([*better[:2], worse[2]], 1).auc
    assert agreed.low > 0 > mixed.low
    tables = of_tables({"a": better, "b": better[:1]}, 1).auc
    expected = (np.mean([its.value[0] for its in better]) + better[0].value[0]) / 2
    assert tables.value == pytest.approx(expected, abs=1e-12)  # each table counts once
    assert of_tables({"a": better, "b": worse}, 1).auc.low < 0 < of_tables({"a": better, "b": worse}, 1).auc.high
