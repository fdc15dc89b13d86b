"""Splits that part missing values from all others, as XGBoost has them since 3.4: a threshold of minus infinity."""

import json

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from export.certificate import certify as certificate
from export.certificate.certify import Candidate, certify
from export.converters.trees import LOWEST
from export.graph.pipeline import build
from runtime.score import Scale
from runtime.session import open_session
from tests.applicants import draw, pipeline

pytestmark = pytest.mark.tier("land")

EDGES = [float(edge) for edge in range(300, 900, 28)]


@pytest.fixture(autouse=True)
def fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "RANDOM_AND_REAL_ROWS", 6_000)
    monkeypatch.setattr(certificate, "SINGLE_ROWS", 200)


def with_such_splits(fitted: Pipeline, left: bool, threshold: float) -> Pipeline:
    """The pipeline with another split at the root of every other tree."""
    for classifier in fitted[1].estimators_:
        content = json.loads(classifier.get_booster().save_raw("json"))
        for tree in content["learner"]["gradient_booster"]["model"]["trees"][::2]:
            if tree["left_children"][0] >= 0:
                tree["split_conditions"][0] = threshold
                tree["default_left"][0] = int(left)
        classifier.get_booster().load_model(bytearray(json.dumps(content).encode()))
    return fitted


@pytest.mark.parametrize("threshold", [-np.inf, np.inf])
@pytest.mark.parametrize("left", [True, False])
def test_it_is_exact_for_missing_lowest_and_infinite_values(left: bool, threshold: float) -> None:
    frame, target = draw(1_500)
    fitted = with_such_splits(pipeline().fit(frame, target), left, threshold)
    contract = build(fitted)
    session = open_session(contract.model.SerializeToString())
    inputs = fitted[0].raw_inputs(frame)
    found = certify(Candidate(fitted, contract, session, inputs, frozenset({"has_paid"}), Scale(), EDGES))
    assert found["total"]["margins_bit_equal"] == found["total"]["margins"]
    values = [
        value
        for node in contract.model.graph.node
        for attribute in node.attribute
        if attribute.name == "nodes_values"
        for value in attribute.floats
    ]
    assert (LOWEST in np.array(values, dtype=np.float32)) == (left and np.isneginf(threshold))


def test_a_feature_that_matters_by_its_absence_is_exported() -> None:
    """Whatever splits this XGBoost makes of it."""
    rng = np.random.default_rng(0)
    frame, _ = draw(1_500)
    target = (rng.random(1_500) < np.where(frame["age"].isna(), 0.8, 0.1)).astype(int)
    fitted = pipeline(n_estimators=10, monotone_constraints=(0, 0, 1, 0, 0)).fit(frame, target)
    contract = build(fitted)
    session = open_session(contract.model.SerializeToString())
    inputs = fitted[0].raw_inputs(frame)
    candidate = Candidate(fitted, contract, session, inputs, frozenset({"has_paid"}), Scale(), EDGES)
    assert certify(candidate)["total"]["rows"] > 5_000
