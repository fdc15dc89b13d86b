"""A pool in the graph is the pool of the pipeline, for rare levels, unseen ones and those of another column."""

from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from export.certificate import certify as certificate
from export.certificate import comparison, probes
from export.certificate.certify import Candidate, certify
from export.converters.trees import routes_of
from export.graph.pipeline import build, travelled_splits
from export.refusal import ExportRefused
from runtime.score import Scale
from runtime.session import open_session
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.preparation import POOL, Preparation

EDGES = [float(edge) for edge in range(300, 900, 28)]


def rows(count: int = 2_500, seed: int = 4) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Two categories that share level names; what is frequent in one is rare in the other. Rare ones are risky."""
    rng = np.random.default_rng(seed)
    rare = [f"firm {i}" for i in range(400)]
    job = np.where(rng.random(count) < 0.4, rng.choice(rare, count), rng.choice(["smith", "baker"], count))
    town = np.where(rng.random(count) < 0.1, rng.choice(["baker", "firm 1", "x", "y"], count), "spa")
    frame = pd.DataFrame({"income": rng.lognormal(8, 1, count), "job": job, "town": town}, dtype=object)
    frame["income"] = frame["income"].astype(float)
    risk = -1.5 + 1.4 * np.char.startswith(job.astype(str), "firm") - 0.8 * (job == "baker") + (town != "spa")
    for name in frame.columns:
        frame.loc[rng.random(count) < 0.1, name] = np.nan if name == "income" else None
    return frame, (rng.random(count) < 1 / (1 + np.exp(-risk))).astype(np.int8)


def fit(rare: dict[str, int]) -> tuple[Pipeline, dict[str, Any]]:
    frame, target = rows()
    booster = XGBClassifier(n_estimators=10, max_depth=4, learning_rate=0.4, n_jobs=1)
    preparation = Preparation(["income"], {"job": [], "town": []}, rare=rare)
    fitted = Pipeline(
        [("prepare", preparation), ("classify", CrossFittedClassifier(booster, folds=2, random_state=0))]
    ).fit(frame, target)
    return fitted, fitted[0].raw_inputs(frame)


@pytest.fixture(autouse=True)
def fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "RANDOM_AND_REAL_ROWS", 5_000)
    monkeypatch.setattr(certificate, "SINGLE_ROWS", 100)


@pytest.fixture(scope="module")
def pooled() -> tuple[Pipeline, dict[str, Any]]:
    return fit({"job": 30, "town": 90})


def candidate(fitted: Pipeline, real: dict[str, Any], model: onnx.ModelProto | None = None) -> Candidate:
    contract = build(fitted)
    session = open_session((model or contract.model).SerializeToString())
    return Candidate(fitted, contract, session, real, frozenset(), Scale(), EDGES)


@pytest.mark.parametrize("rare", [{"job": 30, "town": 90}, {"job": 30}, {"job": 9_999, "town": 9_999}, {}], ids=str)
def test_pools_are_certified(rare: dict[str, int]) -> None:
    fitted, real = fit(rare)
    assert fitted[0].pools_.keys() == rare.keys()
    found = certify(candidate(fitted, real))
    assert found["total"]["margins_bit_equal"] == found["total"]["margins"]
    levels = next(kind for kind in found["rows"] if kind["kind"].startswith("every level"))
    every = sum(map(len, fitted[0].vocabularies_.values()))
    assert levels["rows"] == every + 2 * len(probes.UNSEEN)  # pooled levels are tried one by one too


def test_the_graph_holds_no_level_of_a_pool(pooled: tuple[Pipeline, dict[str, Any]]) -> None:
    fitted, _ = pooled
    graph = build(fitted).model.SerializeToString()
    assert b"firm 2" not in graph
    assert b"smith" in graph


def test_rare_and_unseen_levels_answer_alike_in_pipeline_and_graph(pooled: tuple[Pipeline, dict[str, Any]]) -> None:
    fitted, real = pooled
    session = candidate(fitted, real).session
    asked = ["firm 2", "firm 3", "spa", "never seen", "smith", ""]
    inputs = {
        "numbers": np.full((len(asked), 1), 3_000.0),
        "categories": np.array([[job, "spa"] for job in asked], dtype=object),
    }
    pipeline, graph = comparison.ask_pipeline(fitted, inputs), comparison.ask_graph(session, inputs)
    assert np.array_equal(pipeline.margin, graph.margin)
    assert len(set(graph.probability[:4])) == 1
    assert len(set(graph.probability)) == 3


def a_pooled_level_taken_for_missing(graph: onnx.GraphProto) -> None:
    for encoder in (node for node in graph.node if node.op_type == "LabelEncoder"):
        for attribute in encoder.attribute:
            if attribute.name == "default_float":
                attribute.f = 0.0


def a_frequent_level_in_the_pool(graph: onnx.GraphProto) -> None:
    for encoder in (node for node in graph.node if node.op_type == "LabelEncoder"):
        values = {attribute.name: attribute for attribute in encoder.attribute}
        if "values_floats" in values and b"smith" in values["keys_strings"].strings:
            values["values_floats"].floats[list(values["keys_strings"].strings).index(b"smith")] = 1.0


@pytest.mark.parametrize("wrong", [a_pooled_level_taken_for_missing, a_frequent_level_in_the_pool])
def test_a_wrong_pool_is_refused(pooled: tuple[Pipeline, dict[str, Any]], wrong: Any) -> None:
    fitted, real = pooled
    model = build(fitted).model
    wrong(model.graph)
    with pytest.raises(ExportRefused, match="margins differ on rows of the kind"):
        certify(candidate(fitted, real, model))


def test_splits_on_a_pool_are_no_travelled_ones(pooled: tuple[Pipeline, dict[str, Any]]) -> None:
    fitted, _ = pooled
    _, indicators = fitted[0].raw_columns()
    contract = build(fitted)
    pools = [1 + i for i, (_, level) in enumerate(indicators) if level is POOL]
    used = {column for column, _ in routes_of(contract.ensembles)}
    assert used.intersection(pools)
    assert all("numbers" in found or isinstance(found["is"], str) for found in travelled_splits(contract, fitted[0]))


def test_batches_compare_the_same_rows_as_one(
    pooled: tuple[Pipeline, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The random rows are drawn batch by batch, so that only the other kinds are the same."""
    fitted, real = pooled
    whole = certify(candidate(fitted, real))
    monkeypatch.setattr(comparison, "BATCH_ROWS", 97)
    parts = certify(candidate(fitted, real))
    assert [kind["rows"] for kind in parts["rows"]] == [kind["rows"] for kind in whole["rows"]]
    assert parts["total"]["margins_bit_equal"] == parts["total"]["margins"]


class CountsRows:
    """A session that remembers the most rows of a call."""

    def __init__(self, session: comparison.Session) -> None:
        self.session, self.most = session, 0

    def run(self, outputs: list[str] | None, inputs: dict[str, NDArray[Any]]) -> list[Any]:
        self.most = max(self.most, len(inputs["numbers"]))
        return self.session.run(outputs, inputs)


def test_no_call_has_more_rows_than_fit(
    pooled: tuple[Pipeline, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, real = pooled
    monkeypatch.setattr(comparison, "BATCH_CELLS", 1_200)
    asked = candidate(fitted, real)
    counting = CountsRows(asked.session)
    certify(Candidate(fitted, asked.contract, counting, real, frozenset(), Scale(), EDGES))
    assert counting.most == 1_200 // (fitted[0].width + 3)
