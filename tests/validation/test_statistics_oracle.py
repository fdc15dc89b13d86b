"""Every test against an independent implementation (riskvalidation, MIT) on random tables, and against scipy."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from riskvalidation.validation import calibration, discrimination, rating_system, stability
from scipy import stats
from scipy.integrate import quad
from scipy.special import betainc, ndtr, ndtri

from validation.stability.index import shift
from validation.statistics.auc import against_initial, area_of_counts, area_of_ranks, with_both
from validation.statistics.binomial import binomial, correlated
from validation.statistics.concentration import differ, herfindahl, more_concentrated, variation
from validation.statistics.goodness import hosmer_lemeshow, spiegelhalter
from validation.statistics.jeffreys import jeffreys
from validation.statistics.migrations import bandwidths, matrix_of, towards_diagonal
from validation.statistics.multiple import holm
from validation.statistics.traffic_lights import COLOURS, colours, sequence

TABLES = range(200)
EQUAL: dict[str, Any] = {"rel": 1e-9, "abs": 1e-12}
Floats = NDArray[np.float64]


def same(mine: Sequence[float], other: Sequence[Any]) -> None:
    """Equal to nine digits; missing in both, or in none."""
    expected = [math.nan if value is None else value for value in other]
    assert list(mine) == pytest.approx(expected, **EQUAL, nan_ok=True)


def drawn(seed: int) -> tuple[Floats, Floats, Floats]:
    """PDs, customers and defaults of some grades; some have few of either."""
    rng = np.random.default_rng(seed)
    grades = int(rng.integers(2, 20))
    pd = np.sort(rng.beta(1, 8, grades).clip(1e-4, 0.9))[::-1]
    rows = rng.integers(1, 10 ** int(rng.integers(1, 5)), grades).astype(float)
    return pd, rows, rng.binomial(rows.astype(int), np.minimum(pd * rng.uniform(0.5, 2), 1)).astype(float)


@pytest.mark.sample(40)
@pytest.mark.parametrize("seed", TABLES)
def test_tests_of_each_grade_equal_riskvalidation_s(seed: int) -> None:
    pd, rows, defaults = drawn(seed)
    ours = jeffreys(pd, rows, defaults), binomial(pd, rows, defaults)
    for k in range(len(pd)):
        n, d, p = int(rows[k]), int(defaults[k]), float(pd[k])
        theirs = calibration.pd_jeffreys(n, d, p).p_value, calibration.default_count_sf(d, n, p)
        for mine, other in zip(ours, theirs, strict=True):
            assert mine[k] == pytest.approx(other, **EQUAL)
    portfolio = calibration.pd_jeffreys_grades(rows.astype(int), defaults.astype(int), pd)[-1]
    mean = np.array([np.average(pd, weights=rows)])
    assert jeffreys(mean, rows.sum(keepdims=True), defaults.sum(keepdims=True))[0] == pytest.approx(
        portfolio.p_value, **EQUAL
    )


@pytest.mark.sample(40)
@pytest.mark.parametrize("seed", TABLES)
def test_correlated_defaults_equal_the_integral(seed: int) -> None:
    """Against scipy's adaptive integral, and theirs of few customers: their fixed nodes miss the step of many."""
    pd, rows, defaults = (its[-1:] for its in drawn(seed))
    rho, n, d, p = 0.12, float(rows[0]), max(float(defaults[0]), 1.0), float(pd[0])
    mine = correlated(pd, rows, np.array([d]), rho)[0]

    def inside(x: float) -> float:
        return float(betainc(d, n - d + 1, ndtr((ndtri(p) + rho**0.5 * x) / (1 - rho) ** 0.5)) * stats.norm.pdf(x))

    ends = np.linspace(-9, 9, 61).tolist()
    parts = [quad(inside, low, high, epsabs=1e-15, epsrel=1e-12)[0] for low, high in pairwise(ends)]
    assert mine == pytest.approx(sum(parts), **EQUAL)
    few = correlated(pd, np.array([20.0]), np.array([3.0]), rho)[0]
    assert few == pytest.approx(calibration.default_count_sf(3, 20, p, rho), **EQUAL)


@pytest.mark.sample(40)
@pytest.mark.parametrize("seed", TABLES)
def test_areas_and_their_comparison_equal_riskvalidation_s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(10, 400))
    target = (rng.random(size) < 0.3).astype(np.int8)
    target[:4] = [0, 0, 1, 1]
    risk = np.round(rng.normal(target * rng.uniform(0, 2)), int(rng.integers(0, 3)))  # ties
    auc, variance, _, _ = discrimination.auc_with_variance(risk, target)
    ours = area_of_ranks(target, risk)
    same((ours.value, ours.variance), (auc, variance))
    _, grade = np.unique(-risk, return_inverse=True)
    bad = np.bincount(grade, weights=target)
    assert area_of_counts(bad, np.bincount(grade) - bad) == ours
    for known, mine in ((0.0, against_initial(0.8, ours)), (0.0004, with_both(type(ours)(0.8, 0.0004), ours))):
        other = discrimination.disc_auc_vs_initial(0.8, risk, target, auc_initial_variance=known)
        same((mine.statistic, mine.p), (other.statistic, math.nan if other.p_value is None else other.p_value))


@pytest.mark.sample(40)
@pytest.mark.parametrize("seed", TABLES)
def test_goodness_of_fit_equals_the_references(seed: int) -> None:
    """Spiegelhalter's p is two-sided here; there it is the upper tail of the same statistic."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(50, 2_000))
    probability = rng.beta(1, 6, size).clip(1e-6, 1 - 1e-6)
    target = (rng.random(size) < probability).astype(np.int8)
    other = calibration.pd_spiegelhalter(target, probability)
    mine = spiegelhalter(target, probability)
    assert mine.statistic == pytest.approx(other.statistic, rel=1e-9, abs=1e-9)
    tail = float(other.p_value or 0)
    assert mine.p == pytest.approx(2 * min(tail, 1 - tail), rel=1e-7, abs=1e-12)
    groups = np.array_split(np.argsort(probability, kind="mergesort"), 10)
    sums = [np.array([float(its[rows].sum()) for rows in groups]) for its in (np.ones(size), target, probability)]
    hl, theirs = hosmer_lemeshow(*sums), calibration.pd_hosmer_lemeshow(target, probability)
    same((hl.statistic, hl.p), (theirs.statistic, theirs.p_value))


@pytest.mark.sample(40)
@pytest.mark.parametrize("seed", TABLES)
def test_concentration_and_migrations_equal_riskvalidation_s(seed: int) -> None:
    """A bandwidth to whose side nobody moved is missing here and 0 there."""
    rng = np.random.default_rng(seed)
    grades = int(rng.integers(2, 15))
    now, then = (rng.dirichlet(np.ones(grades)) * rng.integers(50, 5_000) for _ in range(2))
    cv, hi = rating_system.concentration(now)
    same((variation(now), herfindahl(now)), (cv, hi))
    other = rating_system.rating_hhi(now, then)
    mine = more_concentrated(now, then)
    same((mine.statistic, mine.p), (other.statistic, other.p_value))
    before = rng.integers(0, grades, int(rng.integers(1, 500)))
    after = (before + rng.integers(-2, 3, len(before))).clip(0, grades - 1)
    matrix = matrix_of(before, after, grades)
    assert matrix.sum() == len(before)
    upper, lower = rating_system.matrix_weighted_bandwidth(matrix)
    width = bandwidths(matrix)
    same((np.nan_to_num(width.upper), np.nan_to_num(width.lower)), (upper, lower))
    assert np.isnan(width.upper) == (not (after > before).any())
    z, p = towards_diagonal(matrix)
    if np.isnan(p).all():
        return
    cells = rating_system.rating_migration_ztests(matrix).extras["cells"]
    for cell in cells:
        at = cell["from"] - 1, cell["to"] - 1
        same((z[at], p[at]), (cell["z"], cell["p"]))
    assert len(cells) == (~np.isnan(p)).sum()
    assert holm(p.ravel())[~np.isnan(p.ravel())] == pytest.approx([cell["p_holm"] for cell in cells], **EQUAL)


@pytest.mark.sample(40)
@pytest.mark.parametrize("seed", TABLES)
def test_traffic_lights_equal_riskvalidation_s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    periods = int(rng.integers(1, 13))
    pd, rows = rng.uniform(0.01, 0.3, periods), rng.integers(20, 3_000, periods).astype(float)
    defaults = rng.binomial(rows.astype(int), pd).astype(float)
    seen = colours(pd, rows, defaults)
    other = calibration.pd_traffic_lights(rows.astype(int), defaults.astype(int), pd)
    assert seen == other.extras["colours"]
    assert sequence([colour for colour in seen if colour is not None]) == pytest.approx(other.p_value, **EQUAL)
    assert [other.extras[colour] for colour in COLOURS] == [seen.count(colour) for colour in COLOURS]


@pytest.mark.sample(40)
@pytest.mark.parametrize("seed", TABLES)
def test_stability_index_and_homogeneity_equal_the_references(seed: int) -> None:
    """The index equals theirs where no bin is empty: an empty one counts as half a customer here."""
    rng = np.random.default_rng(seed)
    bins = int(rng.integers(2, 15))
    expected, actual = (rng.multinomial(5_000, rng.dirichlet(np.full(bins, 5.0))) + 1 for _ in range(2))
    found = shift(expected, actual)
    assert found.index == pytest.approx(stability.stability_psi(expected, actual).metric, **EQUAL)
    chi = stats.chi2_contingency(np.stack([expected, actual]), correction=False)
    assert differ(actual.astype(float), expected.astype(float)) == pytest.approx(chi.pvalue, rel=1e-9, abs=1e-300)


def test_what_is_undefined_is_missing() -> None:
    nothing = np.zeros(3)
    assert np.isnan(jeffreys(np.array([0.1]), np.array([0.0]), np.array([0.0]))[0])
    assert np.isnan(binomial(np.array([0.1]), np.array([0.0]), np.array([0.0]))[0])
    assert np.isnan(correlated(np.array([0.1]), np.array([0.0]), np.array([0.0]), 0.1)[0])
    assert np.isnan(area_of_counts(nothing, nothing + 1).value)
    assert np.isnan(area_of_counts(np.array([1.0, 0]), np.array([3.0, 2])).variance), "one default has no variance"
    assert np.isnan(against_initial(0.7, area_of_counts(np.array([5.0, 0]), np.array([0.0, 5]))).p), "no variance"
    assert np.isnan(variation(np.array([5.0])))
    assert np.isnan(herfindahl(nothing))
    assert np.isnan(more_concentrated(np.array([2.0, 2.0]), np.array([3.0, 1.0])).p), "CV is 0"
    assert np.isnan(spiegelhalter(np.array([0, 1], dtype=np.int8), np.array([0.5, 0.5])).p)
    assert np.isnan(hosmer_lemeshow(nothing, nothing, nothing).p)
    assert np.isnan(bandwidths(np.eye(3)).upper)
    assert np.isnan(towards_diagonal(np.eye(3))[1]).all()
    assert colours(np.array([0.0]), np.array([5.0]), np.array([0.0])) == [None]
    assert np.isnan(sequence([]))
    assert np.isnan(holm([math.nan])[0])
