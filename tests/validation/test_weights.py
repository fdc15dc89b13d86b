"""Weighted figures: a weight of k is k rows, the unit of weights changes nothing, and scikit-learn agrees."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    roc_auc_score,
    roc_curve,
)

from tests.validation.samples import PROBABILITY_LIMITS, Sample, draw, samples
from tests.validation.weighted import (
    FEATURES,
    ROUNDING,
    SCALE,
    SOLVED,
    assert_same,
    drawn_weights,
    features,
    part_of,
    repeated,
)
from validation.bands import band_edges, band_table, scores_of
from validation.calibration import group, log_odds
from validation.cutoffs import cutoff_table
from validation.intervals.bootstrap import bootstrap
from validation.metrics import evaluate
from validation.rating import Rating
from validation.sections import calibration, discrimination
from validation.sections.section import Rows, Subject
from validation.settings import Costs, Stability, Validation
from validation.stability import reference_of
from validation.stability.bins import Bins

FACTORS = (0.001, 0.37, 3.0, 1e6)


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
