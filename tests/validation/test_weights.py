"""Weighted figures: a weight of k is k rows, the unit of weights is nothing, and scikit-learn agrees."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    roc_auc_score,
    roc_curve,
)

from runtime.score import Scale
from table.settings import Feature
from tests.validation.samples import PROBABILITY_LIMITS, Sample, draw, samples
from validation.bands import band_edges, band_table, scores_of
from validation.calibration import group, interval_of_rates, log_odds, reliability
from validation.cutoffs import cutoff_table
from validation.dependence import Axis, dependence
from validation.evidence import Part
from validation.findings import largest_tie
from validation.intervals.bootstrap import bootstrap
from validation.intervals.ranked import Ranked
from validation.metrics import evaluate
from validation.rating import Rating
from validation.report.plots.ranking import ranking
from validation.sample import sampled_rows
from validation.sections import calibration, discrimination
from validation.sections.section import Rows, Subject
from validation.settings import Costs, Stability, Validation
from validation.stability import reference_of, shifts
from validation.stability.bins import Bins
from validation.stability.index import shift
from validation.weights import effective_size, masses, median, on_a_grid

SCALE = Scale()
COUNTS = {"rows", "defaults", "weight", "weighted_defaults", "effective_rows", "effective_defaults", "threshold"}
ROUNDING = 1e-12  # of sums in another order
SOLVED = 1e-7  # of a root and a regression that stop there
FACTORS = (0.001, 0.37, 3.0, 1e6)
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


# ---------------------------------------------------------------- integer weights are repeated rows


@given(samples(), st.data())
def test_a_weight_of_k_is_k_rows_for_every_metric(sample: Sample, data: st.DataObject) -> None:
    weight = np.array(data.draw(st.lists(st.integers(1, 9), min_size=len(sample[0]), max_size=len(sample[0]))))
    assume(weight.sum() > 20)
    of_rows = evaluate(*repeated(sample, weight), 0.5, PROBABILITY_LIMITS)
    weighted = evaluate(*sample, 0.5, PROBABILITY_LIMITS, weight.astype(float))
    assert weighted["rows"] == len(sample[0])
    assert weighted["weight"] == of_rows["rows"]
    assert weighted["weighted_defaults"] == of_rows["defaults"]
    slopes = {"calibration_slope", "calibration_intercept"}
    assert_same(weighted, {name: value for name, value in of_rows.items() if name not in slopes})
    if np.isfinite(of_rows["calibration_slope"]) and abs(of_rows["calibration_slope"]) < 100:  # not almost separable
        assert_same(weighted, {name: of_rows[name] for name in slopes}, 1e-4)


def test_a_weight_of_k_is_k_rows_where_there_are_many() -> None:
    sample = draw(3_000)
    weight = drawn_weights(3_000)
    expected = evaluate(*repeated(sample, weight), 0.3)
    assert_same(evaluate(*sample, 0.3, weight=weight.astype(float)), expected, SOLVED)


def test_a_weight_of_k_is_k_rows_in_calibration_groups() -> None:
    target, probability = draw(1_000)
    sample = target, np.round(probability, 2)  # many equal ones
    weight = drawn_weights(1_000)
    found, expected = group(*sample, weight=weight.astype(float)), group(*repeated(sample, weight))
    for name in ("size", "defaults", "expected"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=ROUNDING), name
    assert found.rows.sum() == 1_000
    assert found.defaulted.sum() == target.sum()


@pytest.mark.parametrize("costs", [Costs(), Costs(60, 700), Costs(0.1, 0.6, "amount")])
def test_a_weight_of_k_is_k_rows_at_every_cut_off(costs: Costs) -> None:
    sample, weight = draw(800), drawn_weights(800)
    weighted, of_rows = part_of(sample, weight.astype(float)), part_of(repeated(sample, weight))
    edges = band_edges(weighted.score, SCALE)
    found, expected = (
        cutoff_table(its, edges, costs, None if costs.amount is None else its.frame["amount"].to_numpy())
        for its in (weighted, of_rows)
    )
    assert found["Weight"].tolist() == expected["Approved"].tolist()
    assert found["Approved"].iloc[0] == 800
    same = [name for name in expected if name not in ("Approved", "Low", "High")]
    pd.testing.assert_frame_equal(found[same], expected[same], rtol=ROUNDING, atol=1e-9)


def test_a_weight_of_k_is_k_rows_in_every_band() -> None:
    sample, weight = draw(800), drawn_weights(800)
    weighted, of_rows = part_of(sample, weight.astype(float)), part_of(repeated(sample, weight))
    edges = band_edges(weighted.score, SCALE)
    found, expected = band_table(weighted, edges), band_table(of_rows, edges)
    assert found["Weight"].tolist() == expected["Band Size"].tolist()
    assert found["Weight of defaults"].tolist() == expected["# Default"].tolist()
    assert found["Band Size"].sum() == 800
    assert found["# Default"].sum() == sample[0].sum()
    same = [name for name in expected if name not in ("Band Size", "# Default", "Low", "High")]
    pd.testing.assert_frame_equal(found[same], expected[same], rtol=ROUNDING, check_dtype=False)


def test_a_weight_of_k_is_k_rows_of_later_outcomes() -> None:
    sample, weight = draw(600), drawn_weights(600)
    outcome = sample[0].astype(float)
    outcome[::7] = np.nan
    score = scores_of(sample[1], SCALE)

    def figures(rows: Rows) -> dict[str, Any]:
        rating = Rating.of_bands(band_edges(score, SCALE), SCALE)
        subject = Subject(rows, rating, SCALE, Validation(), Stability())
        found, ranked = calibration.make(subject).figure, discrimination.make(subject).figure
        assert found is not None
        assert ranked is not None
        return {**found["metrics"], **ranked["metrics"], "unknown": found["unknown"]}

    found = figures(Rows(sample[1], score, outcome, weight.astype(float)))
    p, points, known = (np.repeat(each, weight) for each in (sample[1], score, outcome))
    expected = figures(Rows(p, points, known))
    for name in ("default_rate", "mean_probability", "roc_auc", "log_loss", "brier", "calibration_slope"):
        assert found[name] == pytest.approx(expected[name], rel=1e-6 if "slope" in name else ROUNDING), name
    assert found["low"] <= found["default_rate"] <= found["high"]
    assert (found["rows"], found["unknown"]) == (int((~np.isnan(outcome)).sum()), int(np.isnan(outcome).sum()))


def test_a_weight_of_k_is_k_rows_of_a_bin() -> None:
    frame, weight = features(2_000), drawn_weights(2_000)
    score = frame["age"].fillna(0).to_numpy() * 2 + 500
    reference = reference_of(frame, score, FEATURES, Stability(), weight.astype(float))
    rows = np.repeat(np.arange(2_000), weight)
    for name, entry in {"score": reference["score"], **reference["features"]}.items():
        column = score if name == "score" else frame[name].to_numpy()
        assert sum(entry["counts"]) == 2_000
        assert entry["weights"] == Bins.of(entry).counts(column[rows]).tolist(), name


# ---------------------------------------------------------------- the unit of weights is nothing


@pytest.mark.parametrize("factor", FACTORS)
def test_the_unit_of_weights_changes_no_figure(factor: float) -> None:
    sample = draw(1_000)
    weight = np.random.default_rng(1).lognormal(0, 1, 1_000)
    once, scaled = (part_of(sample, weight * by) for by in (1.0, factor))
    figures = [evaluate(its.target, its.probability, 0.3, PROBABILITY_LIMITS, its.weight) for its in (once, scaled)]
    assert_same(figures[1], figures[0], SOLVED)
    assert figures[1]["effective_rows"] == pytest.approx(figures[0]["effective_rows"])
    assert figures[1]["effective_defaults"] == pytest.approx(figures[0]["effective_defaults"])
    edges = band_edges(once.score, SCALE)
    bands = (band_table(once, edges), band_table(scaled, edges))
    cutoffs = (cutoff_table(once, edges, Costs()), cutoff_table(scaled, edges, Costs()))
    for first, second in (bands, cutoffs):
        totals = [name for name in first if str(name).startswith("Weight")]
        pd.testing.assert_frame_equal(first.drop(columns=totals), second.drop(columns=totals), rtol=1e-9)
        assert (second[totals] / factor).to_numpy() == pytest.approx(first[totals].to_numpy())
    bounds = [
        bootstrap(its.target, its.probability, 0.3, 50, 3, PROBABILITY_LIMITS, its.weight).bounds
        for its in (once, scaled)
    ]
    for name, (low, high) in bounds[0].items():
        assert bounds[1][name] == pytest.approx((low, high), rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize("weight", [1.0, 0.1, 7.0])
def test_equal_weights_are_no_weights(weight: float) -> None:
    sample = draw(1_000)
    plain, equal = part_of(sample), part_of(sample, np.full(1_000, weight))
    assert_same(evaluate(*sample, 0.3, weight=equal.weight), evaluate(*sample, 0.3), SOLVED)
    edges = band_edges(plain.score, SCALE)
    pd.testing.assert_frame_equal(
        band_table(equal, edges).drop(columns=["Weight", "Weight of defaults"]), band_table(plain, edges), rtol=1e-9
    )
    rates = ["Approved", "Approval rate", "Bad rate", "Low", "High", "Predicted bad rate", "Defaults refused"]
    found, expected = (cutoff_table(its, edges, Costs())[rates] for its in (equal, plain))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9, atol=1e-12)
    one, other = (bootstrap(*sample, 0.3, 50, 3, PROBABILITY_LIMITS, each) for each in (None, equal.weight))
    assert one.left_out == other.left_out
    for name, bounds in one.bounds.items():
        assert other.bounds[name] == pytest.approx(bounds, rel=1e-6, abs=1e-9), name


# ---------------------------------------------------------------- scikit-learn agrees


def test_scikit_learn_has_the_same_figures_with_sample_weight() -> None:
    target, probability = draw(2_000, seed=4)
    weight = np.random.default_rng(2).gamma(0.5, 1, 2_000) + 1e-6
    found = evaluate(target, probability, 0.2, PROBABILITY_LIMITS, weight)
    repaid, defaulted, _ = roc_curve(target, probability, sample_weight=weight)
    line = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000)
    x = log_odds(probability, PROBABILITY_LIMITS)
    line.fit(x[:, None], target, weight)
    (good, false_alarm), (missed, caught) = confusion_matrix(target, probability >= 0.2, sample_weight=weight)
    expected = {
        "roc_auc": roc_auc_score(target, probability, sample_weight=weight),
        "pr_auc": average_precision_score(target, probability, sample_weight=weight),
        "ks": np.abs(defaulted - repaid).max(),
        "brier": brier_score_loss(target, probability, sample_weight=weight),
        "log_loss": log_loss(target, probability, sample_weight=weight),
        "precision": caught / (caught + false_alarm),
        "recall": caught / (caught + missed),
        "default_rate": (missed + caught) / (good + false_alarm + missed + caught),
    }
    assert_same(found, expected)
    assert found["gini"] == pytest.approx(2 * expected["roc_auc"] - 1)
    assert found["calibration_slope"] == pytest.approx(line.coef_[0, 0], rel=1e-4)
    corrected = np.average(expit(x + found["calibration_intercept"]), weights=weight)
    assert corrected == pytest.approx(expected["default_rate"])
    assert found["brier"] == pytest.approx(
        found["brier_reliability"] - found["brier_resolution"] + found["brier_uncertainty"]
    )


@given(samples(), st.data())
def test_the_bootstrap_figures_of_all_rows_are_the_metrics(sample: Sample, data: st.DataObject) -> None:
    rows = len(sample[0])
    weight = np.array(data.draw(st.lists(st.floats(1e-3, 1e3), min_size=rows, max_size=rows)))
    expected = evaluate(*sample, 0.5, PROBABILITY_LIMITS, weight)
    found = Ranked(*sample, 0.5, PROBABILITY_LIMITS, weight).figures(np.ones((1, rows)))
    slopes = {"calibration_slope", "calibration_intercept"}  # of cells of nearly equal log-odds
    for name, values in found.items():
        if name not in slopes:
            assert values[0] == pytest.approx(expected[name], rel=1e-8, abs=1e-8), name


def test_a_draw_brings_the_weight_of_a_row_with_it() -> None:
    sample, weight = draw(500), np.random.default_rng(3).lognormal(0, 1, 500)
    counts = np.random.default_rng(4).integers(0, 4, 500)
    order = np.argsort(sample[1], kind="stable")
    found = Ranked(*sample, 0.2, PROBABILITY_LIMITS, weight).figures(counts[order][None, :].astype(float))
    drawn = np.repeat(np.arange(500), counts)
    expected = evaluate(sample[0][drawn], sample[1][drawn], 0.2, PROBABILITY_LIMITS, weight[drawn])
    for name in ("roc_auc", "pr_auc", "ks", "log_loss", "brier", "default_rate", "precision", "recall", "f1"):
        assert found[name][0] == pytest.approx(expected[name], rel=1e-9), name


# ---------------------------------------------------------------- uncertainty


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ([1, 1, 1, 1], 4),
        ([0.2] * 10, 10),
        ([1, 1, 2], 16 / 6),  # 4² / (1 + 1 + 4)
        ([1e-9, 1], 1),
        ([], 0),
    ],
)
def test_the_effective_size_is_kishs(weight: Sequence[float], expected: float) -> None:
    assert effective_size(np.array(weight, dtype=float)) == pytest.approx(expected)


def test_bounds_of_a_weighted_rate_are_those_of_so_many_rows_of_equal_weight() -> None:
    """40 rows worth 25, with a rate of 20 %, have Clopper and Pearson's bounds for 5 of 25."""
    low, high = interval_of_rates(np.array([0.2]), np.array([25.0]))
    assert (low[0], high[0]) == pytest.approx((beta.ppf(0.025, 5, 21), beta.ppf(0.975, 6, 20)))
    low, high = interval_of_rates(np.array([0.0, 1.0, np.nan]), np.array([9.5, 9.5, 0.0]))
    assert (low[0], high[1]) == (0, 1)
    assert np.isnan([low[2], high[2]]).all()


def test_bounds_widen_with_unequal_weights_and_not_with_their_sum() -> None:
    target, probability = draw(2_000)
    plain = reliability(group(target, probability))
    heavy = reliability(group(target, probability, weight=np.full(2_000, 1e4)))
    unequal = reliability(group(target, probability, weight=np.random.default_rng(0).lognormal(0, 1.5, 2_000)))
    width = [(table["High"] - table["Low"]).mean() for table in (plain, heavy, unequal)]
    assert width[1] == pytest.approx(width[0])
    assert width[2] > 1.3 * width[0]


def test_the_bootstrap_of_a_weighted_mean_is_as_wide_as_its_linearised_error() -> None:
    target, probability = draw(4_000)
    weight = np.random.default_rng(7).lognormal(0, 1, 4_000)
    low, high = bootstrap(target, probability, 0.5, 1_000, 1, PROBABILITY_LIMITS, weight).bounds["default_rate"]
    rate = np.average(target, weights=weight)
    error = np.sqrt((weight**2 * (target - rate) ** 2).sum()) / weight.sum()
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)  # of 1,000 draws


def test_sums_of_weights_on_the_grid_are_exact_in_any_order() -> None:
    rng = np.random.default_rng(11)
    weight = rng.lognormal(0, 3, 10_000) * 1e-5
    rounded = on_a_grid(weight)
    assert rounded == pytest.approx(weight, rel=1e-6, abs=weight.max() * 2e-12)
    assert {rounded[rng.permutation(10_000)].cumsum()[-1] for _ in range(20)} == {rounded.sum()}
    whole = rng.integers(1, 1_000, 10_000).astype(float)
    assert (on_a_grid(whole) == whole).all()


# ---------------------------------------------------------------- stability, pictures, samples

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
