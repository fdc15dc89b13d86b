"""Alarms: each on a sample that gives reason, and none on one that does not."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from runtime.score import Scale
from tests.validation.samples import draw
from validation.bands import scores_of
from validation.documents import Alarm
from validation.evidence import Part
from validation.findings import alarms
from validation.intervals.bootstrap import bootstrap
from validation.metrics import evaluate


def found(
    target: NDArray[np.int8], probability: NDArray[np.float64], train_auc: float | None = None
) -> dict[str, Alarm]:
    """The alarms of a test part, by name."""
    scale = Scale()
    test = Part(pd.DataFrame(index=range(len(target))), target, probability, scores_of(probability, scale))
    figures = evaluate(target, probability, 0.5)
    metrics = {"train": figures | {"roc_auc": train_auc or figures["roc_auc"]}, "test": figures}
    drawn = bootstrap(target, probability, 0.5, 100, 0)
    return {alarm["name"]: alarm for alarm in alarms(test, scale, metrics, {"test": drawn.limits}, drawn.left_out, 100)}


def test_a_good_model_gives_none() -> None:
    assert found(*draw(4_000)) == {}


def test_scores_that_squeeze() -> None:
    """As a sigmoid on probabilities makes them: none below 5 %."""
    y, p = draw(4_000)
    squeezed = found(y, 0.05 + 0.8 * p)["scores squeeze"]
    scores = scores_of(0.05 + 0.8 * p, Scale())
    assert squeezed["value"] == pytest.approx((scores >= scores.max() - 20).mean())
    assert squeezed["value"] > squeezed["limit"]
    assert "within 20 points of the best score" in squeezed["message"]


def test_probabilities_on_a_limit() -> None:
    y, p = draw(4_000)
    alarm = found(y, np.where((p < np.quantile(p, 0.03)) & (y == 0), 0.0, p))["probability on its limit"]
    assert alarm["value"] == pytest.approx(0.03, abs=0.005)
    assert "at or beyond 1e-08" in alarm["message"]


def test_ties() -> None:
    y, p = draw(4_000)
    alarm = found(y, np.round(p, 1))["tied applicants"]
    assert alarm["value"] == np.unique(np.round(p, 1), return_counts=True)[1].max() / 4_000
    assert "have 10 of them" in alarm["message"] or "have 9 of them" in alarm["message"]


@pytest.mark.parametrize(
    ("stretch", "shift", "name", "told"),
    [
        (1.6, 0, "calibration slope", "probabilities are too extreme"),
        (0.6, 0, "calibration slope", "probabilities are not extreme enough"),
        (1, 0.6, "calibration intercept", "risk is overstated"),
        (1, -0.6, "calibration intercept", "risk is understated"),
    ],
)
def test_calibration_that_is_off(stretch: float, shift: float, name: str, told: str) -> None:
    y, p = draw(4_000)
    x = np.log(p / (1 - p))
    alarm = found(y, expit(stretch * (x + 2) - 2 + shift))[name]
    assert told in alarm["message"]
    assert alarm["limit"] == (1 if name == "calibration slope" else 0)


def test_a_gap_and_few_defaults() -> None:
    y, p = draw(300)
    alarms_of_few = found(y, p, train_auc=0.99)
    assert {"ROC-AUC gap", "few defaults"} <= set(alarms_of_few)
    assert alarms_of_few["few defaults"]["value"] == y.sum() < alarms_of_few["few defaults"]["limit"]
    assert "draws left out" not in alarms_of_few


def test_draws_of_one_class() -> None:
    y, p = np.array([0] * 9 + [1], dtype=np.int8), np.linspace(0.1, 0.3, 10)
    alarm = found(y, p)["draws left out"]
    assert 0 < alarm["value"] < 1
    assert "of the bootstrap's 100 draws" in alarm["message"]
