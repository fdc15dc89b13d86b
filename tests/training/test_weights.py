"""Sample weights in the fit: what scikit-learn and XGBoost make of `sample_weight`, and a run from file to verdict."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from xgboost import XGBClassifier

from cli.errors import UserError
from table.settings import Feature
from tests.applicants import draw, pipeline
from training import explore as explore_command
from training import run
from training.estimator.boosting import MarginXGBClassifier
from training.estimator.calibrated_cv import AutoCalibratedClassifierCV
from training.estimator.calibration import calibrated, cross_validated, fit_calibrator, fit_isotonic
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.folds import folds_of
from training.estimator.private import SigmoidCalibration
from training.exploration import explore
from training.exploration.column import Column
from training.exploration.out_of_fold import worth_of
from training.exploration.risk import risk_of
from training.labelled import Labelled, fit
from training.settings import Settings, load_settings, settings_from_dict
from training.tuning.growth import Folds, best_line, log_loss_of
from validation.report.weights import BY_ROWS, WEIGHTED

SMALL: dict[str, Any] = {"n_estimators": 12, "max_depth": 3, "n_jobs": 1, "random_state": 0}
Weights = NDArray[np.float64]


def table(rows: int = 2_000) -> tuple[Any, NDArray[np.int8], Weights]:
    frame, target = draw(rows)
    weight = np.random.default_rng(8).gamma(1.5, 1, rows) + 0.01
    return pipeline()[0].fit(frame).transform(frame), target, weight / weight.mean()


def margins(rows: int = 1_500) -> tuple[Weights, NDArray[np.int8], NDArray[np.int64]]:
    rng = np.random.default_rng(2)
    x = rng.normal(-1.5, 1.5, rows).round(1)
    return x, (rng.random(rows) < 1 / (1 + np.exp(-x))).astype(np.int8), rng.integers(1, 6, rows)


# ---------------------------------------------------------------- calibrators


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "none"])
def test_a_weight_of_k_is_k_rows_for_a_calibrator(method: str) -> None:
    x, target, weight = margins()
    weighted = fit_calibrator(method, x, target, weight.astype(float))
    repeated = fit_calibrator(method, np.repeat(x, weight), np.repeat(target, weight))
    grid = np.linspace(-6, 4, 300)
    # L-BFGS stops at a gradient of 1e-6; isotonic regression is exact.
    tolerance = 1e-5 if method == "sigmoid" else 1e-12
    assert calibrated(weighted, grid) == pytest.approx(calibrated(repeated, grid), rel=tolerance, abs=tolerance)


def test_calibrators_are_scikit_learns_with_sample_weight() -> None:
    x, target, _ = margins()
    weight = np.random.default_rng(1).lognormal(0, 1, len(x))
    grid = np.linspace(-6, 4, 300)
    sigmoid = SigmoidCalibration().fit(x, target, weight).predict(grid)
    assert np.array_equal(calibrated(fit_calibrator("sigmoid", x, target, weight), grid), sigmoid)
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(x, target, weight).predict(grid)
    certain = fit_calibrator("isotonic", x, target, weight, certain_ends=True)
    assert np.array_equal(calibrated(certain, grid), isotonic)
    inside = (isotonic > 0.05) & (isotonic < 0.95)
    assert inside.any()
    assert np.array_equal(calibrated(fit_calibrator("isotonic", x, target, weight), grid)[inside], isotonic[inside])


def test_the_ends_of_isotonic_regression_follow_the_weight_that_supports_them() -> None:
    """Below the first default are two rows of weight 3 and 5: Jeffreys' mean is 0.5 / (8 + 1)."""
    x, target = np.arange(6.0), np.array([0, 0, 1, 0, 1, 1])
    calibrator = fit_isotonic(x, target, np.array([3.0, 5, 1, 1, 2, 2]))
    assert calibrator.predict([0.0, 1.0]) == pytest.approx([0.5 / 9, 0.5 / 9])
    assert calibrator.predict([5.0]) == pytest.approx([1 - 0.5 / 5])


def test_the_comparison_of_calibrators_is_weighted() -> None:
    x, target, _ = margins()
    weight = np.random.default_rng(1).lognormal(0, 1, len(x))
    found = {entry["method"]: entry for entry in cross_validated(x, target, seed=11, weight=weight)}
    answered = np.empty(len(x))
    for seen, unseen in StratifiedKFold(5, shuffle=True, random_state=11).split(x, target):
        calibrator = SigmoidCalibration().fit(x[seen], target[seen], weight[seen])
        answered[unseen] = calibrator.predict(x[unseen])
    assert found["sigmoid"]["log_loss"] == pytest.approx(log_loss(target, answered, sample_weight=weight))
    assert found["sigmoid"]["brier"] == pytest.approx(np.average((answered - target) ** 2, weights=weight))
    equal = cross_validated(x, target, seed=11, weight=np.full(len(x), 1.0))
    for entry, plain in zip(equal, cross_validated(x, target, seed=11), strict=True):
        assert entry == pytest.approx(plain)


# ---------------------------------------------------------------- boosters


@pytest.mark.parametrize("calibration", ["sigmoid", "isotonic", "none"])
@pytest.mark.parametrize("stopping", [None, 3])
def test_every_fold_is_xgboosts_with_sample_weight(calibration: str, stopping: int | None) -> None:
    X, target, weight = table()
    parameters = {**SMALL, "early_stopping_rounds": stopping, "n_estimators": 40 if stopping else 12}
    model = CrossFittedClassifier(
        XGBClassifier(**parameters), calibration=calibration, correct_spread=False, random_state=5
    )
    model.fit(X, target, sample_weight=weight)
    out_of_fold = np.empty(len(target))
    for booster, (seen, unseen) in zip(model.estimators_, folds_of(target, None, 3, 5), strict=True):
        watched = (
            {}
            if stopping is None
            else {"eval_set": [(X[unseen], target[unseen])], "sample_weight_eval_set": [weight[unseen]]}
        )
        own = XGBClassifier(**parameters).fit(
            X[seen], target[seen], sample_weight=weight[seen], verbose=False, **watched
        )
        expected = own.predict(X[unseen], output_margin=True)
        assert np.array_equal(booster.predict(X[unseen], output_margin=True), expected)
        if stopping:
            assert booster.best_iteration == own.best_iteration
        out_of_fold[unseen] = expected
    fitted = fit_calibrator(calibration, out_of_fold, target, weight)
    answer = model.predict_proba(X)[:, 1]
    assert np.array_equal(answer, calibrated(fitted, model.decision_function(X)))
    without = CrossFittedClassifier(XGBClassifier(**parameters), calibration=calibration, random_state=5).fit(X, target)
    assert not np.array_equal(answer, without.predict_proba(X)[:, 1])


@pytest.mark.parametrize("calibration", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("ensemble", [True, False])
def test_calibrated_cv_is_scikit_learns_with_sample_weight(calibration: str, ensemble: bool) -> None:
    frame, target = draw(1_500)
    weight = np.random.default_rng(8).gamma(1.5, 1, 1_500) + 0.01
    weight /= weight.mean()
    model = {"estimator": "calibrated-cv", "calibration": calibration, "ensemble": ensemble, "folds": 3}
    xgboost = {"n_estimators": 8, "max_depth": 3}
    content = {"features": {"income": "number", "age": "number"}, "model": model, "xgboost": xgboost}
    fitted = fit(settings_from_dict(content), Labelled(frame, target, 7 * weight), None)
    X = fitted[0].transform(frame)
    own = CalibratedClassifierCV(
        MarginXGBClassifier(**fitted[1].estimator.get_params()),
        method=calibration,
        cv=StratifiedKFold(3, shuffle=True, random_state=99),
        ensemble=ensemble,
    ).fit(X, target, sample_weight=weight)
    assert fitted.predict_proba(frame) == pytest.approx(own.predict_proba(X), rel=1e-5)


def test_calibrated_cv_chooses_by_weighted_losses() -> None:
    X, target, weight = table(1_500)
    cv = StratifiedKFold(3, shuffle=True, random_state=1)
    model = AutoCalibratedClassifierCV(MarginXGBClassifier(**SMALL), cv=cv).fit(X, target, sample_weight=weight)
    plain = AutoCalibratedClassifierCV(MarginXGBClassifier(**SMALL), cv=cv).fit(X, target)
    unseen = np.empty(len(target))
    for seen, its in cv.split(X, target):
        booster = MarginXGBClassifier(**SMALL).fit(X[seen], target[seen], sample_weight=weight[seen])
        unseen[its] = booster.decision_function(X[its])
    expected = cross_validated(unseen, target, ("sigmoid", "isotonic"), 0, weight=weight, certain_ends=True)
    assert model.comparison_ == expected
    assert model.comparison_ != plain.comparison_


@pytest.mark.parametrize("factor", [8.0, 2.0**-20])
def test_the_unit_of_weights_changes_no_bit_of_the_model(factor: float) -> None:
    frame, target = draw(1_200)
    settings = settings_from_dict({"features": {"income": "number", "age": "number"}, "xgboost": {"n_estimators": 6}})
    weight = np.random.default_rng(0).lognormal(0, 1, 1_200)
    fitted = partial(fit, settings, groups=None)
    once, scaled = (fitted(Labelled(frame, target, weight * by)).predict_proba(frame) for by in (1, factor))
    assert np.array_equal(once, scaled)
    assert not np.array_equal(once, fitted(Labelled(frame, target)).predict_proba(frame))


def test_groups_and_weights_go_together() -> None:
    X, target, weight = table(900)
    groups = np.arange(900) // 3
    model = CrossFittedClassifier(XGBClassifier(**SMALL), calibration="sigmoid", random_state=1)
    model.fit(X, target, groups=groups, sample_weight=weight)
    seen, unseen = folds_of(target, groups, 3, 1)[0]
    own = XGBClassifier(**SMALL).fit(X[seen], target[seen], sample_weight=weight[seen])
    expected = own.predict(X[unseen], output_margin=True)
    assert np.array_equal(model.estimators_[0].predict(X[unseen], output_margin=True), expected)


@pytest.mark.parametrize("wrong", [np.ones(899), np.ones((900, 2)), np.full(900, np.nan), -np.ones(900)])
def test_weights_that_are_not_one_a_row_are_refused(wrong: Weights) -> None:
    X, target, _ = table(900)
    with pytest.raises(ValueError, match=r"sample_weight|inconsistent numbers of samples"):
        CrossFittedClassifier(XGBClassifier(**SMALL)).fit(X, target, sample_weight=wrong)


# ---------------------------------------------------------------- the search


def test_the_search_weighs_rows_in_growth_and_in_loss() -> None:
    X, target, weight = table(1_200)
    fixed = {"n_jobs": 1, "random_state": 5}
    with Folds(X, target, None, folds=3, seed=5, fixed=fixed, calibrated=False, weight=weight) as grown:
        rows = grown.draws
        [(_, loss)] = grown.losses({"max_depth": 3, "learning_rate": 0.2}, [9])
    answered = []
    for drawn in range(rows):
        unseen_margins = np.empty(len(target))
        for seen, unseen in folds_of(target, None, 3, 5 + drawn):
            booster = XGBClassifier(**fixed, max_depth=3, learning_rate=0.2, n_estimators=9)
            booster.fit(X[seen], target[seen], sample_weight=weight[seen])
            unseen_margins[unseen] = booster.predict(X[unseen], output_margin=True)
        answered.append(unseen_margins)
    probability = 1 / (1 + np.exp(-np.concatenate(answered)))
    expected = log_loss(np.tile(target, rows), probability, sample_weight=np.tile(weight, rows))
    assert loss == pytest.approx(expected, rel=1e-6)


def test_the_best_line_of_weighted_margins_is_a_weighted_regression() -> None:
    x, target, _ = margins()
    weight = np.random.default_rng(1).lognormal(0, 1, len(x))
    line = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(x[:, None], target, weight)
    found = best_line(x, target.astype(float), None, weight)
    assert found == pytest.approx((line.coef_[0, 0], line.intercept_[0]), rel=1e-4)
    expected = log_loss(target, line.predict_proba(x[:, None]), sample_weight=weight)
    assert log_loss_of(found[0] * x + found[1], target.astype(float), weight) == pytest.approx(expected)


# ---------------------------------------------------------------- exploration


def column(kind: Any, values: Any, target: NDArray[np.int8], weight: Weights | None = None) -> Column:
    return Column.of(Feature("x", kind), values, target, weight)


@pytest.mark.parametrize("kind", ["boolean", "number", "category"])
def test_a_weight_of_k_is_k_rows_along_a_feature(kind: Any) -> None:
    rng = np.random.default_rng(3)
    target = rng.integers(0, 2, 1_000).astype(np.int8)
    values: Any = rng.choice([0.0, 1.0] if kind == "boolean" else np.arange(6.0), 1_000)
    values[rng.random(1_000) < 0.2] = np.nan
    if kind == "category":
        values = np.array([None if np.isnan(value) else f"level {value:g}" for value in values], dtype=object)
    weight = rng.integers(1, 5, 1_000)
    weighted = column(kind, values, target, weight.astype(float))
    repeated = column(kind, np.repeat(values, weight), np.repeat(target, weight))
    found, expected = (risk_of(its, optimal=False)["bins"] for its in (weighted, repeated))
    by_name = {entry["bin"]: entry for entry in expected}
    for entry in found:
        for name in ("share", "default_rate", "woe", "iv"):
            assert entry[name] == pytest.approx(by_name[entry["bin"]][name], rel=1e-12), name
    assert sum(entry["rows"] for entry in found) == 1_000
    shares = {entry["bin"]: entry["share"] for entry in weighted.distribution()["values"]}
    assert shares == pytest.approx({entry["bin"]: entry["share"] for entry in repeated.distribution()["values"]})
    assert weighted.quantiles() == repeated.quantiles()


def test_the_worth_of_levels_is_weighted() -> None:
    """Levels say everything of heavy rows and nothing of light ones."""
    rng = np.random.default_rng(5)
    target = rng.integers(0, 2, 4_000).astype(np.int8)
    heavy = rng.random(4_000) < 0.5
    codes = np.where(heavy, target, rng.integers(0, 2, 4_000)).astype(np.intp)
    plain, weighted = worth_of(codes, target), worth_of(codes, target, np.where(heavy, 50.0, 1.0))
    assert plain is not None
    assert weighted is not None
    assert plain.auc == pytest.approx(0.75, abs=0.03)
    assert weighted.auc > 0.97
    assert weighted.iv > 2 * plain.iv
    equal = worth_of(codes, target, np.full(4_000, 0.3))
    assert equal is not None
    assert (equal.iv, equal.auc) == pytest.approx((plain.iv, plain.auc))
    noise = worth_of(rng.integers(0, 300, 4_000), target, rng.lognormal(0, 1, 4_000))
    assert noise is not None
    assert noise.iv < 0.05


def test_exploring_says_what_is_weighted(tmp_path: Path) -> None:
    frame, target = draw(800)
    settings = settings_from_dict({"features": {"age": "number", "shop": "category"}})
    weight = np.random.default_rng(0).lognormal(0, 1, 800)
    found = explore(frame, target, settings, weight=weight)
    assert found["weighted"] is True
    assert (found["rows"], found["defaults"]) == (800, int(target.sum()))
    by_name = {entry["feature"]: entry for entry in found["features"]}
    missing = frame["age"].isna().to_numpy()
    assert by_name["age"]["missing_share"] == pytest.approx(weight[missing].sum() / weight.sum())
    assert "weighted" not in explore(frame, target, settings)


# ---------------------------------------------------------------- the commands


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, and the artifacts of a weighted run of it."""
    folder = tmp_path_factory.mktemp("weights")
    frame, target = draw(1_500)
    grossing = np.random.default_rng(4).lognormal(0, 1, 1_500).round(3) + 0.001
    frame.assign(default=target, grossing=grossing).to_csv(folder / "survey.csv", index=False)
    assert run.main([*flags(folder), "--out", str(folder / "artifacts")]) == 0
    return folder


def flags(folder: Path) -> list[str]:
    words = (
        "--id,,--weight,grossing,--numbers,income;age;debt,--categories,shop,--n-estimators,8,--resamples,50,--quiet"
    )
    return ["--data", str(folder / "survey.csv"), *(word.replace(";", ",") for word in words.split(","))]


def test_a_weighted_run_says_so_wherever_it_is_read(written: Path) -> None:
    content = json.loads((written / "artifacts/run.json").read_bytes())
    survey = pd.read_csv(written / "survey.csv")
    assert content["settings"]["data"]["weight"] == "grossing"
    parts = [content["split"][name] for name in ("train", "test")]
    assert sum(part["weight"] for part in parts) == pytest.approx(survey["grossing"].sum())
    assert all(0 < part["effective_rows"] < part["rows"] for part in parts)
    figures = content["metrics"]["test"]
    assert figures["rows"] == 375
    assert figures["weight"] == pytest.approx(parts[1]["weight"])
    assert figures["effective_defaults"] < figures["defaults"]
    for name in ("report.html", "model_card.md"):
        text = (written / "artifacts" / name).read_text(encoding="utf-8")
        assert "grossing" in text
        assert WEIGHTED[:40] in text
        assert BY_ROWS[:40] in text
        assert "Effective sample size" in text
    assert 'weight = "grossing"' in (written / "artifacts/settings.toml").read_text(encoding="utf-8")
    assert load_settings(written / "artifacts/settings.toml", {}).data.weight == "grossing"
    bands = pd.read_csv(written / "artifacts/bands_test.csv")
    assert bands["Band Size"].sum() == 375
    assert bands["Weight"].sum() == pytest.approx(figures["weight"])


def test_no_request_has_the_weight(written: Path) -> None:
    schema = json.loads((written / "artifacts/schema.json").read_bytes())
    names = [feature["name"] for feature in schema["features"]]
    assert names == ["income", "age", "debt", "shop"]
    assert "grossing" not in schema["inputs"]["numbers"]
    assert "grossing" not in pd.read_parquet(next((written / "artifacts").glob("*.parquet"))).columns
    reference = json.loads((written / "artifacts/reference.json").read_bytes())
    assert reference["weight"] == "grossing"
    assert sum(reference["score"]["counts"]) == reference["rows"] == 1_125
    assert reference["effective_rows"] < 1_125
    for entry in (reference["score"], *reference["features"].values()):
        assert sum(entry["weights"]) == pytest.approx(sum(reference["score"]["weights"]))


def test_a_run_without_weights_says_nothing_of_them(written: Path) -> None:
    plain = [word for word in flags(written) if word not in ("--weight", "grossing")]
    assert run.main([*plain, "--out", str(written / "plain")]) == 0
    content = json.loads((written / "plain/run.json").read_bytes())
    assert content["metrics"]["test"].keys() & {"weight", "effective_rows"} == set()
    assert "effective_rows" not in content["split"]["test"]
    for name in ("report.html", "model_card.md"):
        text = (written / "plain" / name).read_text(encoding="utf-8").lower()
        assert "effective sample size" not in text
        assert "weighted by" not in text
    assert "weights" not in json.loads((written / "plain/reference.json").read_bytes())["score"]


def test_the_exploration_page_says_what_is_weighted(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for word in flags(written) if word not in ("--n-estimators", "8", "--resamples", "50")]
    assert explore_command.main([*words, "--out", str(written / "explored.html")]) == 0
    assert "Weighted: shares, missing shares" in (written / "explored.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("calibration", ["auto", "isotonic"])
def test_a_weighted_search_and_split_run_through(written: Path, calibration: str) -> None:
    """Searched, early-stopped and split by group, with weights."""
    survey = pd.read_csv(written / "survey.csv").assign(who=np.arange(1_500) // 2)
    survey.to_csv(written / "grouped.csv", index=False)
    words = [*flags(written)]
    words[1] = str(written / "grouped.csv")
    more = ["--split", "group", "--group-column", "who", "--tune", "2", "--tune-folds", "2", "--no-plots"]
    more += ["--calibration", calibration, "--out", str(written / f"searched-{calibration}")]
    assert run.main([*words, *more]) == 0
    record = json.loads((written / f"searched-{calibration}/run.json").read_bytes())
    assert record["tuning"]["trials"] == 2
    assert record["split"]["train"]["effective_rows"] > 0


def test_weights_of_one_value_end_the_run_in_one_line(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.read_csv(written / "survey.csv").assign(grossing=1).to_csv(written / "equal.csv", index=False)
    words = [*flags(written)]
    words[1] = str(written / "equal.csv")
    assert run.main([*words, "--out", str(written / "none")]) == 1
    line = capsys.readouterr().err.strip()
    assert "column grossing: every row has the weight 1.0, so the weights have no effect" in line
    assert not (written / "none").exists()


def test_the_settings_of_a_weight_are_read_and_written() -> None:
    settings = settings_from_dict({"data": {"weight": "grossing"}})
    assert settings == replace(Settings(), data=replace(Settings().data, weight="grossing"))
    assert settings_from_dict({"data": {"weight": ""}}).data.weight is None
    with pytest.raises(UserError, match=r"data\.wieght: unknown key; did you mean weight"):
        settings_from_dict({"data": {"wieght": "grossing"}})
