"""Soft votes of XGBoost pipelines are the mean that NumPy makes of their probabilities; other ensembles are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from export.own.settings import own_settings
from export.refusal import ExportRefused
from tests.export.own.pipelines import NUMBERS, booster, exported, on_margins, rows_of, served, usual

pytestmark = pytest.mark.tier("land")
X, Y = rows_of(600)
OTHERS, _ = rows_of(300, seed=5)


def vote(*members: Any, **options: Any) -> VotingClassifier:
    return VotingClassifier([(str(i), member) for i, member in enumerate(members)], voting="soft", **options)


def pipe(**parameters: Any) -> Any:
    return make_pipeline(usual(sparse=parameters.pop("sparse", False)), booster(**parameters))


def calibrated(method: str) -> CalibratedClassifierCV:
    return CalibratedClassifierCV(pipe(), method=method, cv=2)


VOTES: dict[str, Any] = {
    "of two pipelines": lambda: vote(pipe(), pipe(max_depth=2, sparse=True)),
    "of three, behind one preparation": lambda: make_pipeline(
        usual(), vote(booster(), booster(max_depth=2), booster(max_depth=5))
    ),
    "weighted": lambda: vote(pipe(), pipe(max_depth=2), weights=[2, 1]),
    "weighted by fractions": lambda: vote(pipe(), pipe(max_depth=2), pipe(max_depth=3), weights=[0.2, 0.7, 0.1]),
    "of a calibrated and a plain one": lambda: vote(calibrated("sigmoid"), pipe()),
    "of isotonic ones, one dropped": lambda: vote(calibrated("isotonic"), "drop", calibrated("isotonic")),
    "of margins, calibrated": lambda: vote(
        CalibratedClassifierCV(make_pipeline(usual(), on_margins()), method="isotonic", cv=2), calibrated("sigmoid")
    ),
}


@pytest.mark.sample(3)
@pytest.mark.parametrize("positive", [1, 0])
@pytest.mark.parametrize("case", VOTES)
def test_a_soft_vote_is_exact(case: str, positive: int, tmp_path: Path) -> None:
    fitted = VOTES[case]().fit(X, Y)
    certificate, model = exported(fitted, X, tmp_path / "model", Y, own_settings({"target": {"positive": positive}}))
    assert certificate["total"]["margins_bit_equal"] == certificate["total"]["margins"]
    expected = fitted.predict_proba(OTHERS)[:, positive].astype(np.float64)
    assert served(model, OTHERS) == pytest.approx(expected, abs=4.5e-16, rel=0)


REFUSED: dict[str, tuple[Any, str]] = {
    "a vote of eight": (lambda: vote(*[booster(n_estimators=2) for _ in range(8)]), "of 8 members .* 7 or fewer"),
    "a calibrated vote": (
        lambda: CalibratedClassifierCV(vote(booster()), cv=2),
        "CalibratedClassifierCV over VotingClassifier is not supported",
    ),
    "a hard vote": (
        lambda: VotingClassifier([("a", booster()), ("b", booster())]),
        "expected a fitted binary classifier",
    ),
    "stacking": (
        lambda: StackingClassifier([("a", booster()), ("b", make_pipeline(StandardScaler(), booster()))], cv=2),
        "StackingClassifier is not supported: its final model's sum is left to BLAS",
    ),
    "bagging": (
        lambda: BaggingClassifier(booster(), n_estimators=2),
        "BaggingClassifier is not supported: its draws of columns",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_another_ensemble_is_refused_by_name(case: str, tmp_path: Path) -> None:
    make, said = REFUSED[case]
    numbers = X[NUMBERS]
    with pytest.raises(ExportRefused, match=said):
        exported(make().fit(numbers, Y), numbers, tmp_path / "model")
