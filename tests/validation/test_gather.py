"""The evidence as a whole: complete, writable, and the same for the same seed."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.applicants import CATEGORIES, NUMBERS, draw
from training import evidence as module
from training.estimator.assembly import assemble
from training.evidence import answer, figures_of, gather, of_features, write_tables
from training.exploration import explore
from training.labelled import Labelled
from training.pools import pools_of
from training.settings import Settings, settings_from_dict
from validation.evidence import Evidence
from validation.stability import reference_of

FEATURES = {**dict.fromkeys(NUMBERS, "number"), **dict.fromkeys(CATEGORIES, "category")}


def settings(**sections: object) -> Settings:
    content = {"features": FEATURES, "evaluation": {"resamples": 50}, "xgboost": {"n_estimators": 8}}
    return settings_from_dict(content | sections)


def evidence_of(its: Settings, rows: int = 900) -> Evidence:
    frame, target = draw(rows)
    half = rows // 2
    pipeline = assemble(its).fit(frame[:half], target[:half])
    parts = {"train": slice(0, half), "test": slice(half, rows)}
    answers = {name: answer(its, pipeline, Labelled(frame[r], target[r])) for name, r in parts.items()}
    train = answers["train"]
    reference = reference_of(train.frame, train.score, its.features, its.stability)
    pools = pools_of(its, pipeline[0], train.frame)
    counted = of_features(its, answers, reference)
    return gather(its, pipeline, answers, answers, counted, pools, lambda: explore(train.frame, train.target, its))


def test_answers_in_chunks_are_the_pipeline_s_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, target = draw(500)
    pipeline = assemble(settings()).fit(frame, target)
    monkeypatch.setattr(module, "CHUNK", 33)
    part = answer(settings(), pipeline, Labelled(frame, target))
    assert np.array_equal(part.probability, pipeline.predict_proba(frame)[:, 1])
    assert part.score.tolist() == settings().score.scores(part.probability.tolist())


def test_the_same_seed_gathers_the_same() -> None:
    one, other = (evidence_of(settings()) for _ in range(2))
    assert json.dumps(figures_of(one)) == json.dumps(figures_of(other))
    pd.testing.assert_frame_equal(one.importance, other.importance)
    for name, table in one.dependence.items():
        pd.testing.assert_frame_equal(table, other.dependence[name])


def test_edges_that_are_given_are_those_of_both_parts() -> None:
    edges = [480.0, 520.0, 560.0]
    evidence = evidence_of(settings(evaluation={"resamples": 50, "bands": edges}))
    assert evidence.edges == edges
    for table in evidence.bands.values():
        assert {"[480, 520)", "[520, 560]"} <= set(table["Band"])
        assert table["Band Size"].sum() == 450
    assert {520.0} <= set(evidence.cutoffs["Score from"])


def test_it_can_be_written(tmp_path: Path) -> None:
    """Also where the slope of the training part has no value."""
    its = settings(xgboost={"n_estimators": 200, "max_depth": 8, "min_child_weight": 0, "gamma": 0, "learning_rate": 1})
    evidence = evidence_of(its, 200)
    assert np.isnan(evidence.metrics["train"]["calibration_slope"])
    content = json.loads(json.dumps(figures_of(evidence), allow_nan=False))
    assert content["metrics"]["train"]["calibration_slope"] is None
    assert "calibration_slope" not in content["intervals"]["train"]
    assert content["calibration"]["chosen"] in ("none", "sigmoid", "isotonic")
    assert {alarm["name"] for alarm in content["alarms"]} >= {"ROC-AUC gap", "few defaults"}
    write_tables(tmp_path, evidence)
    assert "grades" not in content
    assert not list(tmp_path.glob("grades*"))
    for part in ("train", "test"):
        bands = pd.read_csv(tmp_path / f"bands_{part}.csv")
        assert bands["Band"].tolist() == evidence.bands[part]["Band"].tolist()
        reliability = pd.read_csv(tmp_path / f"reliability_{part}.csv")
        assert reliability["Applicants"].sum() == 100
        assert (reliability["Low"] <= reliability["Observed"]).all()
    assert pd.read_csv(tmp_path / "cutoffs.csv")["Approval rate"].iloc[0] == 1


def test_profit_of_shares_of_an_amount() -> None:
    its = settings(costs={"gain": 0.1, "loss": 0.6, "amount": "income"})
    table = evidence_of(its).cutoffs
    assert (table["Best"] != "").sum() in (1, 2)
    assert table["Expected profit"].iloc[-1] == 0
