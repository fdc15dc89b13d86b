"""Contributions beside those of the `shap` package, beside every threshold, and along monotone features."""

import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from export.converters.classifier import boosters_of
from export.reasons.rule import contributions_by_covers
from tests.applicants import draw, pipeline
from tests.export.explained import LARGEST_DIFFERENCE, SMALL, Explained, explained, fit
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.preparation import Preparation

pytestmark = pytest.mark.tier("land")
NAMES = ["income", "debt", "age", "late_1", "late_2"]


def numbers_alone(folder: Path, **parameters: Any) -> Explained:
    """Columns are players here: numbers without a row maximum."""
    frame, target = draw(1_500)
    preparation = Preparation(numbers=NAMES, categories={}, log1p=["income"])
    booster = XGBClassifier(**SMALL | parameters)
    fitted = Pipeline([("prepare", preparation), ("classify", CrossFittedClassifier(booster, random_state=0))])
    fitted.fit(frame[NAMES], target)
    return explained(fitted, folder, frame[NAMES].iloc[:60], frame[NAMES].iloc[700:790])


@pytest.mark.skipif(sys.platform != "linux", reason="the lock has shap for Linux only: what it needs is not everywhere")
@pytest.mark.parametrize("parameters", [{}, {"max_depth": 6, "n_estimators": 6}], ids=["usual", "deep"])
def test_contributions_are_those_of_the_shap_package(parameters: dict[str, Any], tmp_path: Path) -> None:
    """Against fewer than 100 rows: of more `shap.TreeExplainer` takes a sample of 100."""
    its = numbers_alone(tmp_path, **parameters)
    applicants, reference = its.prepared
    expected = np.zeros((len(applicants), len(NAMES)))
    means = []
    for booster in boosters_of(its.fitted[1]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of the package and of what it imports are not ours
            import shap

            explainer = shap.TreeExplainer(
                booster.get_booster(), data=reference, feature_perturbation="interventional", model_output="raw"
            )
            expected += np.asarray(explainer.shap_values(applicants), dtype=np.float64) / 3
        means.append(float(np.ravel(explainer.expected_value)[0]))
    assert np.abs(its.contributions() - expected).max() <= 2e-6  # it adds float32 margins
    assert np.mean(means) == pytest.approx(its.tables.mean, abs=2e-6)


# ---------------------------------------------------------------- at every threshold


def test_contributions_beside_every_threshold_are_those_of_the_leaf_rule(tmp_path: Path) -> None:
    """Each feature's points, not their sum alone, change where the trees do, to the last ulp of a raw number."""
    its = fit(tmp_path)
    its = explained(its.fitted, tmp_path, its.applicants, its.reference.iloc[:40])
    addresses, names, one = its.tables._addresses, its.fitted[0].numbers, its.applicants.iloc[:1]
    axes = [([position], values) for position, values, _ in addresses._singles]
    axes += [(list(positions), values) for positions, values, _ in addresses._maxima]
    assert {names[position] for positions, _ in axes for position in positions} == set(names)
    rows = []
    for positions, values in axes:
        for threshold in values:
            for value in (np.nextafter(threshold, -np.inf), threshold, np.nextafter(threshold, np.inf)):
                rows.append(one.assign(**{names[position]: np.nan for position in positions[1:]}))
                rows[-1] = rows[-1].assign(**{names[positions[0]]: value})
    for name, levels in (
        ("shop", ["books", "shoes", "garden", "new", None]),
        ("region", ["north", "south", "x", None]),
    ):
        rows += [one.assign(**{name: level}) for level in levels]
    assert len(rows) > 300
    its = replace(its, applicants=pd.concat(rows))
    found = its.contributions()
    assert np.abs(found - its.by_rule()).max() <= LARGEST_DIFFERENCE
    assert len(np.unique(found, axis=0)) > len(rows) / 4  # a threshold is where something changes


# ---------------------------------------------------------------- monotone features

# In a tree with a constraint all leaves on the better side of a split are at least as good as all on the other. So who
# is beyond every threshold is at least as well off as any reference row that differs in that feature alone, one without
# a value included, and every term of the sum has one sign.


@pytest.mark.parametrize("sign", [1, -1])
def test_a_monotone_feature_beyond_every_threshold_never_costs_points(sign: int, tmp_path: Path) -> None:
    """Against rows that lack it too; by covers likewise."""
    its = fit(tmp_path, monotone_constraints=(0, 0, sign, 0, 0))
    assert its.reference["age"].isna().any()
    its = replace(its, applicants=its.applicants.assign(age=-sign * 1e30))
    [age] = [i for i, player in enumerate(its.players.players) if player.name == "age"]
    assert its.contributions()[:, age].max() <= LARGEST_DIFFERENCE
    assert its.contributions()[:, age].min() < -1e-3
    by_covers = contributions_by_covers(boosters_of(its.fitted[1]), its.players.of_column, its.prepared[0])
    assert by_covers[:, age].max() <= 1e-9


def test_the_best_value_that_is_there_may_cost_points_against_rows_that_lack_it(tmp_path: Path) -> None:
    """A split may send missing values alone to its better side."""
    frame, _ = draw(1_500)
    rng = np.random.default_rng(0)
    missing = frame["age"].isna().to_numpy()
    target = (rng.random(1_500) < np.where(missing, 0.02, 0.3)).astype(np.int8)
    booster = XGBClassifier(**SMALL | {"monotone_constraints": (0, 0, -1, 0, 0)})
    fitted = pipeline(CrossFittedClassifier(booster, random_state=0)).fit(frame, target)
    best = frame.iloc[:60].assign(age=frame["age"].max())
    its = explained(fitted, tmp_path, best, frame.iloc[700:830])
    [age] = [i for i, player in enumerate(its.players.players) if player.name == "age"]
    assert its.contributions()[:, age].max() > 0.01  # of margin
    present = explained(fitted, tmp_path, best, frame.iloc[700:830].dropna(subset=["age"]))
    assert present.contributions()[:, age].max() <= LARGEST_DIFFERENCE
