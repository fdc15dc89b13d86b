"""Alarms of a recalibration: what the outcomes do not support."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from training.estimator.calibration import calibrated, cross_validated
from training.recalibration.calibrators import LEAST, shifted
from training.recalibration.findings import Examined, alarms_of, alarms_of_tendency
from validation.intervals.bootstrap import bootstrap
from validation.metrics import evaluate

pytestmark = pytest.mark.tier("land")
Floats = NDArray[np.float64]

EXACT = shifted(None, 0.0)
EXACT.a_, EXACT.b_ = -0.8, 0.3


def names_of_alarms(method: str, x: Floats, target: NDArray[np.int8], parent: Any) -> set[str]:
    before = calibrated(parent, x)
    its = Examined(
        method=method,
        before=evaluate(target, before, 0.5),
        bounds=bootstrap(target, before, 0.5, 100, 0).bounds,
        comparison=cross_validated(x, target, seed=0),
        stability={"features": []},
        is_table_of_the_fit=False,
    )
    return {alarm["name"] for alarm in alarms_of(its)}


@pytest.mark.parametrize(
    ("method", "slope", "intercept", "names"),
    [
        ("intercept", 0.8, -0.3, {"no miscalibration shown"}),
        ("intercept", 0.8, 0.5, set()),
        ("intercept", 0.3, 0.5, {"slope left"}),
        ("slope", 0.3, 0.5, set()),
        ("slope", 0.8, 0.5, {"slope not shown"}),
        ("isotonic", 0.3, 0.5, {"isotonic not shown"}),
        ("intercept", 0.0, 0.0, {"slope left", "no ranking"}),
    ],
)
def test_alarms_say_what_the_outcomes_do_not_support(
    method: str, slope: float, intercept: float, names: set[str]
) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(-1, 1.5, 4_000)
    target = (rng.random(4_000) < expit(slope * x + intercept)).astype(np.int8)
    assert names_of_alarms(method, x, target, EXACT) == names


def test_few_outcomes_and_a_far_tendency_are_alarms() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(-1, 1.5, 150)
    target = (rng.random(150) < expit(0.8 * x + 0.7)).astype(np.int8)
    assert "few outcomes" in names_of_alarms("intercept", x, target, EXACT)
    assert not alarms_of_tendency(0.02, 0.021)
    assert [alarm["name"] for alarm in alarms_of_tendency(0.05, 0.021)] == ["far central tendency"]
    assert set(LEAST) == {"intercept", "slope", "isotonic"}
