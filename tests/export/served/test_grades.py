"""Grades from the settings to an answer: found, certified, served, scored, counted; and those of an own pipeline."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cli.errors import UserError
from delivery.certificate import as_markdown
from export import verify
from export.certificate.comparison import Answer, compare
from export.manifest import grades_of_run
from export.refusal import ExportRefused
from runtime.grades import Grades
from runtime.manifest import Manifest
from runtime.score import Scale
from scoring import run as scoring_run
from tests.applicants import draw, pipeline
from tests.export.own.pipelines import booster
from tests.export.served.exported import WITH_REASONS, applicants, ask, handler_of, read, trained
from tests.validation.flat import flat
from training.artifacts import Artifacts
from training.estimator.boosting import margin
from training.estimator.calibration import fit_calibrator
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.folds import folds_of
from training.estimator.spread import brought_to
from training.grading import grades_of_run as grades_of_pipeline
from training.grading import out_of_fold
from training.labelled import Labelled
from training.settings import MasterScale
from validation import run as monitor
from validation.grades import grades_of

pytestmark = pytest.mark.tier("land")

NAMES = ["A", "B", "C"]
MORE = f'{WITH_REASONS}\n[grades]\ncount = 3\nnames = {json.dumps(NAMES)}\n[reasons]\nreference = "none"\n'


def scale_of(artifacts: Artifacts) -> Grades:
    grades = grades_of_run(artifacts.run)
    assert grades is not None
    return grades


def test_a_run_keeps_the_grades_that_its_training_rows_support(artifacts: Artifacts) -> None:
    grades = scale_of(artifacts)
    assert grades.names == NAMES
    train = pd.read_csv(artifacts.folder / "grades_train.csv")
    assert train["Grade"].tolist() == NAMES
    assert train["Applicants"].sum() == artifacts.run["split"]["train"]["rows"]
    assert artifacts.reference["grades"]["counts"] == train["Applicants"].tolist()
    report, card = ((artifacts.folder / name).read_text() for name in ("report.html", "model_card.md"))
    assert "Grades of the master scale" in report
    assert "## Grades, test" in card
    assert "Most prudent upper bounds" in report
    assert "count = 3" in (artifacts.folder / "settings.toml").read_text()


def test_grades_are_found_on_answers_of_the_booster_that_has_not_seen_the_row() -> None:
    """A calibrator that is fitted on those margins is the pipeline's own, to the last bit."""
    frame, target = draw(900, seed=4)
    fitted = pipeline(CrossFittedClassifier(booster(), calibration="sigmoid", random_state=3)).fit(frame, target)
    X, its, margins = fitted[0].transform(frame), fitted[1], np.empty(900)
    for trees, (seen, unseen) in zip(its.estimators_, folds_of(target, None, 3, 3), strict=True):
        assert not {*seen} & {*unseen}
        margins[unseen] = margin(trees, X[unseen])
    if its.spread_ != 1:
        margins = brought_to(its.spread_, margins)
    calibrator = fit_calibrator("sigmoid", margins, target)
    assert (calibrator.a_, calibrator.b_) == (its.calibrator_.a_, its.calibrator_.b_)
    rows, served = Labelled(frame, target), fitted.predict_proba(frame)[:, 1]
    assert out_of_fold(fitted, rows, None).tolist() == calibrator.predict(margins).tolist()
    found = [
        grades_of_pipeline(MasterScale(count=3), fitted, rows, served),
        grades_of(MasterScale(count=3), target, calibrator.predict(margins)),
        grades_of(MasterScale(count=3), target, served),
    ]
    limits = [grades.limits for grades in found if grades is not None]
    assert limits[0] == limits[1]
    assert limits[0] != limits[2]


def test_the_certificate_says_that_no_grade_differs(artifacts: Artifacts, model: Path) -> None:
    certificate, manifest = read(model / "certificate.json"), Manifest.read(str(model / "manifest.json"))
    assert all(row["grades_that_differ"] == 0 for row in [*certificate["rows"], certificate["total"]])
    assert certificate["tolerances"]["grades_that_differ"] == 0
    assert manifest.grades is not None
    assert (manifest.grades.limits, manifest.grades.names) == (scale_of(artifacts).limits, NAMES)
    assert "of grades 0, and 0 do" in as_markdown("x", certificate)
    initial = read(model / "initial.json")
    assert (initial["kind"], [entry["grade"] for entry in initial["grades"]]) == ("grades", NAMES[::-1])
    certificate["total"]["grades_that_differ"] = 1
    with pytest.raises(ExportRefused, match="beyond its certificate's tolerances"):
        as_markdown("x", certificate)
    assert verify.main(["--model", str(model), "--artifacts", str(artifacts.folder), "--quiet"]) == 0


def test_a_probability_on_the_other_side_of_a_limit_is_another_grade() -> None:
    """By an ulp, where the band is the same and the probability within its tolerance."""
    low, high = np.nextafter(0.25, 0), 0.25
    margins = np.zeros((2, 1), dtype=np.float32)
    sides = [Answer(np.array([p, 0.9]), margins) for p in (low, high)]
    found = compare("x", sides[0], sides[1], Scale(), [400.0, 700.0], Grades([0.25], ["A", "B"]))
    assert (found.bands_that_differ, found.grades_that_differ) == (0, 1)
    without = compare("x", sides[0], sides[1], Scale(), [400.0, 700.0])
    assert "grades_that_differ" not in without.as_dict()


def test_answers_parts_and_counts_have_the_grade_of_the_pipeline(
    artifacts: Artifacts, model: Path, tmp_path: Path
) -> None:
    rows, grades = applicants(400), scale_of(artifacts)
    served = [ask(handler_of(model), row)[1] for row in rows[:60]]
    frame = pd.DataFrame(rows)
    probability = artifacts.pipeline.predict_proba(frame.drop(columns="uuid").astype({"has_paid": float}))[:, 1]
    expected = [grades.name(p) for p in probability.tolist()]
    assert [answer["grade"] for answer in served] == expected[:60]
    frame.to_parquet(tmp_path / "book.parquet")
    words = ["--data", str(tmp_path / "book.parquet"), "--model", str(model), "--out", str(tmp_path / "out")]
    assert scoring_run.main([*words, "--workers", "1", "--quiet"]) == 0
    part = pq.read_table(tmp_path / "out/part-00000.parquet")
    assert part.column_names[:5] == ["uuid", "default_probability", "credit_score", "score_band", "grade"]
    assert part["grade"].to_pylist() == expected
    assert read(tmp_path / "out/summary.json")["grades"] == {name: expected.count(name) for name in NAMES}


def test_a_validation_counts_grades_beside_the_training_rows_and_their_outcomes(
    artifacts: Artifacts, model: Path, tmp_path: Path
) -> None:
    frame, target = draw(600, seed=9)
    frame.assign(default=target).to_csv(tmp_path / "new.csv", index=False)
    words = ["--data", str(tmp_path / "new.csv"), "--model", str(model), "--target", "default"]
    assert monitor.main([*words, "--out", str(tmp_path / "out"), "--quiet"]) == 0
    found, grades = flat(tmp_path / "out"), scale_of(artifacts)
    probability = artifacts.pipeline.predict_proba(frame)[:, 1]
    names = [grades.name(p) for p in probability.tolist()]
    counts = artifacts.reference["grades"]["counts"]
    for entry, count in zip(found["grades"], counts, strict=True):
        assert entry["rows"] == names.count(entry["grade"])
        assert entry["actual"] == pytest.approx(entry["rows"] / 600)
        assert entry["expected"] == pytest.approx(count / sum(counts))
    assert [entry["grade"] for entry in found["outcomes"]["grades"]] == grades.names[::-1], "the riskiest first"
    for entry in found["outcomes"]["grades"]:
        its = np.array(names) == entry["grade"]
        assert entry["defaults"] == target[its].sum()
        assert entry["applied"] == pytest.approx(probability[its].mean())
        assert entry["low"] <= entry["observed"] <= entry["high"]
    assert "Customers by grade of the master scale" in (tmp_path / "out/validation.html").read_text()


def test_more_grades_than_outcomes_are_refused_before_the_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*_: Any) -> None:
        pytest.fail("fitted")

    monkeypatch.setattr("training.run.fit", fit)
    with pytest.raises(UserError, match=r"^grades\.count: expected at most \d+, got 90 for 900 training rows"):
        trained(tmp_path, WITH_REASONS + "[grades]\ncount = 90\n")
