"""A recalibrated model: the parent's trees to the bit, another calibrator, and who moves; and what is refused."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from cli.errors import UserError
from export import verify
from export.to_onnx import export
from runtime.grades import Grades
from runtime.model import Model
from runtime.score import Bands, Scale
from tests.applicants import draw
from tests.conftest import Opened
from tests.export.served.exported import SILENT, WITH_REASONS, applicants, ask, few_rows, handler, read, trained
from tests.fonts import FONT_SETS
from tests.pages import assert_good_page, assert_nothing_is_cut_off
from training import recalibrate
from training.artifacts import Artifacts, load_artifacts
from training.estimator.calibration import calibrated, cross_validated, fit_calibrator
from training.recalibration.calibrators import LEAST, margins_at, refitted, shifted, shifted_to
from training.recalibration.findings import Examined, alarms_of, alarms_of_tendency
from training.recalibration.save import carried_over
from validation.bands import scores_of
from validation.documents import Reference
from validation.intervals.bootstrap import bootstrap
from validation.metrics import evaluate
from validation.moves import Moves
from validation.report.pages import render
from validation.stability.bins import Bins, bins_of_scores

pytestmark = pytest.mark.tier("land")
Floats = NDArray[np.float64]
LARGEST_PAGE = 3_000_000  # bytes
MORE = f'{WITH_REASONS}\n[model]\ncalibration = "sigmoid"\n[grades]\nlimits = [0.1, 0.3]\n'


@pytest.fixture(scope="module", autouse=True)
def fewer_rows() -> Iterator[None]:
    with few_rows(drawn=1_500, single=50, explained=20):
        yield


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    return trained(tmp_path_factory.mktemp("parent"), MORE)


@pytest.fixture(scope="module")
def model(parent: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "model"
    export(parent, folder, SILENT)
    return folder


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other applicants in a worse year: some of those who would have repaid have defaulted."""
    frame, target = draw(1_500, seed=11)
    worse = target | (np.random.default_rng(3).random(1_500) < 0.15)
    path = tmp_path_factory.mktemp("later") / "later.csv"
    frame.assign(uuid=range(1_500), default=worse.astype(int)).to_csv(path, index=False)
    return path


def run(parent: Artifacts, out: Path, *words: object) -> int:
    return recalibrate.main(["--artifacts", str(parent.folder), "--out", str(out), "--quiet", *map(str, words)])


def test_a_recalibrated_model_has_the_parent_s_margins_and_names_it(
    parent: Artifacts, model: Path, later: Path, tmp_path: Path
) -> None:
    assert run(parent, tmp_path / "new", "--data", later, "--model", model) == 0
    child = load_artifacts(tmp_path / "new")
    export(child, tmp_path / "model", SILENT)
    assert verify.main(["--model", str(tmp_path / "model"), "--artifacts", str(child.folder), "--quiet"]) == 0
    old, new = (Model.load(str(folder)) for folder in (model, tmp_path / "model"))
    rows = read(model / "manifest.json")["self_check"]["rows"]
    numbers = [[np.nan if n is None else n for n in row["numbers"]] for row in rows]
    answers = [its.predict(numbers, [row["categories"] for row in rows]) for its in (old, new)]
    assert answers[0][1].tobytes() == answers[1][1].tobytes()
    classifiers = [its.pipeline[1] for its in (parent, child)]
    assert classifiers[0].calibrator_.a_ == classifiers[1].calibrator_.a_
    by = logit(answers[1][0]) - logit(answers[0][0])
    assert by == pytest.approx(classifiers[0].calibrator_.b_ - classifiers[1].calibrator_.b_)
    documents = [its.manifest.document for its in (old, new)]
    for name in ("bands", "grades", "features", "score"):
        assert documents[0][name] == documents[1][name]
    named = {
        "run": parent.run["digest"],
        "pipeline": parent.pipeline_sha256,
        "model_version": old.manifest.model_version,
    }
    assert documents[1]["parent"] == child.run["parent"] == named
    assert "parent" not in documents[0]
    assert new.manifest.model_version != old.manifest.model_version
    assert read(tmp_path / "model/initial.json")["of"] == "recalibration"
    served = handler(tmp_path / "model")
    for applicant in applicants(20):
        _, answer = ask(served, applicant, "explain=all")
        points = answer["base_points"] + sum(answer["points"].values())
        assert points == pytest.approx(answer["credit_score"], abs=0.006)


def test_figures_and_page_say_who_moves(parent: Artifacts, later: Path, tmp_path: Path) -> None:
    assert run(parent, tmp_path / "new", "--data", later) == 0
    found, record = read(tmp_path / "new/recalibration.json"), read(tmp_path / "new/run.json")["recalibration"]
    frame = pd.read_csv(later)
    before, after = (its.pipeline.predict_proba(frame)[:, 1] for its in (parent, load_artifacts(tmp_path / "new")))
    assert record["mean_before"] == pytest.approx(before.mean())
    assert record["mean_after"] == pytest.approx(frame["default"].mean(), abs=1e-12)
    assert record["observed"] == pytest.approx(frame["default"].mean())
    grades = Grades([0.1, 0.3], ["1", "2", "3"])
    pairs = [(grades.name(one), grades.name(other)) for one, other in zip(before.tolist(), after.tolist(), strict=True)]
    its = found["moves"]["grades"]
    for i, one in enumerate(its["labels"]):
        assert its["counts"][i] == [pairs.count((one, other)) for other in its["labels"]]
    assert its["moved"] == pytest.approx(np.mean([one != other for one, other in pairs]))
    assert its["riskier"] == pytest.approx(np.mean([one < other for one, other in pairs]))
    page = (tmp_path / "new/recalibration.html").read_text()
    assert "Rows by grades before" in page
    assert "those of the recalibrated model are cross-validated" in page
    assert found["metrics"]["after"]["log_loss"] < found["metrics"]["before"]["log_loss"]
    reference = read(tmp_path / "new/reference.json")
    assert (reference["rows"], sum(reference["grades"]["counts"])) == (1_500, 1_500)


def test_the_page_fits_a_browser(
    parent: Artifacts, later: Path, tmp_path: Path, open_page: Callable[..., Opened]
) -> None:
    assert run(parent, tmp_path / "new", "--data", later, "--method", "slope") == 0
    page = tmp_path / "new/recalibration.html"
    assert page.stat().st_size <= LARGEST_PAGE
    assert_good_page(page, open_page)
    for fonts in FONT_SETS:
        assert_nothing_is_cut_off(page, open_page, fonts)


@pytest.mark.parametrize("grades", [6, 7, 40])
def test_the_page_of_many_grades_fits_a_browser(grades: int, tmp_path: Path, open_page: Callable[..., Opened]) -> None:
    """Hostile names and a million rows in each cell: nothing cut off at 1200 pixels and on A4, in any font."""
    names = [f"<b>{number:02d}</b>" if number % 2 else f"{number:02d}-BBB+" for number in range(grades)]
    moves = Moves(tuple(names), np.full((grades, grades), 1_234_567))
    record: dict[str, Any] = {
        "method": "intercept",
        "central_tendency": None,
        "rows": 10**9,
        "source": "loans.csv",
        "sha256": "7" * 64,
    }
    record |= {"defaults": 10**7, "mean_before": 0.01, "mean_after": 0.02, "observed": 0.02}
    page = tmp_path / "recalibration.html"
    page.write_text(
        render(
            "recalibration",
            record=record,
            parent={"model_version": "0123456789ab", "pipeline": "8" * 64, "run": "9" * 64},
            alarms=[{"name": "features moved", "message": "income (0.31) " * 40}],
            moves={
                "grades": {
                    "table": moves.as_frame("Before \\ after, grades"),
                    "moved": 0.5,
                    "riskier": 0.25,
                    "wide": moves.is_wide,
                }
            },
            reliability=None,
            figures=None,
        ),
        encoding="utf-8",
    )
    assert page.stat().st_size <= LARGEST_PAGE
    opened = open_page(page)
    assert (opened.requests, opened.faults) == ([page.as_uri()], [])
    assert opened.page.locator("td b").count() == 0
    for fonts in FONT_SETS:
        assert_nothing_is_cut_off(page, open_page, fonts)


def test_a_central_tendency_is_the_mean_over_the_reference_rows(parent: Artifacts, tmp_path: Path) -> None:
    assert run(parent, tmp_path / "new", "--central-tendency", "0.021") == 0
    child = load_artifacts(tmp_path / "new")
    drawn = pd.read_parquet(tmp_path / "new/reference.parquet")
    probability = child.pipeline.predict_proba(drawn.iloc[:, :-1])[:, 1]
    assert probability.mean() == pytest.approx(0.021, abs=1e-12)
    scale = Scale()
    assert drawn["credit_score"].tolist() == scores_of(probability, scale).tolist()
    assert child.initial is None
    assert child.run["metrics"]["test"]["log_loss"] is None
    assert child.run["metrics"]["test"]["roc_auc"] == parent.run["metrics"]["test"]["roc_auc"]
    assert [alarm["name"] for alarm in child.run["alarms"]] == ["far central tendency"]
    counts = Bins.of(child.reference["score"]).counts(drawn["credit_score"].to_numpy())
    assert counts.tolist() == child.reference["score"]["counts"]  # all training rows are reference rows here
    export(child, tmp_path / "model", SILENT)
    assert "without outcomes" in read(tmp_path / "model/manifest.json")["initial"]["why"]


def calibrators() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(-1, 1.5, 3_000)
    target = (rng.random(3_000) < expit(0.8 * x - 0.3)).astype(np.int8)
    return {method: fit_calibrator(method, x, target) for method in ("none", "sigmoid", "isotonic")}


@pytest.mark.parametrize("method", ["none", "sigmoid", "isotonic"])
@pytest.mark.parametrize("rate", [1e-6, 0.021, 0.5, 0.999])
def test_any_rate_is_reached_by_a_shift_of_the_log_odds_alone(method: str, rate: float) -> None:
    parent, rng = calibrators()[method], np.random.default_rng(1)
    x, weight = rng.normal(-1, 1.2, 800), rng.gamma(2, 1, 800)
    new = shifted_to(rate, parent, x, weight)
    before, after = calibrated(parent, x), calibrated(new, x)
    assert np.average(after, weights=weight) == pytest.approx(rate, rel=1e-9)
    assert (np.diff(after[np.argsort(x)]) >= 0).all()
    knots = parent.X_thresholds_ if method == "isotonic" else x
    by = logit(calibrated(new, knots)) - logit(calibrated(parent, knots))
    assert by == pytest.approx(np.full(len(by), by[0]), abs=1e-6)
    assert (before == before[0]).sum() == (after == after[0]).sum()


def test_the_intercept_of_outcomes_is_the_likeliest() -> None:
    parent, rng = calibrators()["sigmoid"], np.random.default_rng(2)
    x, weight = rng.normal(-1, 1.2, 2_000), rng.gamma(2, 1, 2_000)
    target = (rng.random(2_000) < expit(0.8 * x + 0.6)).astype(np.int8)
    new = refitted("intercept", x, target, weight, parent)

    def loss(by: float) -> float:
        p = calibrated(shifted(parent, by), x)
        return -float((weight * np.where(target == 1, np.log(p), np.log1p(-p))).sum())

    best = minimize_scalar(loss, (0, 1), tol=1e-12).x
    assert parent.b_ - new.b_ == pytest.approx(best, abs=1e-6)
    assert new.a_ == parent.a_


def test_steps_of_certainty_leave_some_rates_out_of_reach() -> None:
    parent = IsotonicRegression(out_of_bounds="clip").fit([0.0, 1, 2, 3], [0.0, 0.0, 0.5, 1.0])
    x = np.array([0.0] * 6 + [2.0] * 2 + [3.0] * 2)
    assert calibrated(shifted_to(0.3, parent, x), x).mean() == pytest.approx(0.3)
    for rate in (0.2, 0.4, 0.1, 0.9):
        with pytest.raises(UserError, match=r"expected a default rate above 0\.2 and below 0\.4"):
            shifted_to(rate, parent, x)


@pytest.mark.parametrize("method", ["none", "sigmoid", "isotonic"])
def test_histograms_that_are_carried_over_count_the_new_scores(method: str) -> None:
    scale, parent = Scale(), calibrators()[method]
    x = np.random.default_rng(5).normal(-1, 1.2, 4_000)
    before = scores_of(calibrated(parent, x), scale)
    bins = bins_of_scores(before)
    score: Any = {**bins.as_dict(), "counts": bins.counts(before).tolist()}
    limits: Any = {"score": 0.25, "feature": 0.25}
    reference: Reference = {"rows": 4_000, "limits": limits, "score": score, "features": {}}
    new = shifted_to(0.03, parent, x)
    carried = carried_over(reference, scale, parent, new)["score"]
    counted = Bins.of(carried).counts(scores_of(calibrated(new, x), scale))
    assert counted.tolist() == carried["counts"]
    assert len(carried["edges"]) > 3
    assert margins_at(calibrated(parent, x[:50]), parent) == pytest.approx(x[:50]) or method == "isotonic"


def test_moves_count_each_pair_and_leave_out_empty_classes() -> None:
    edges, rng = [400.0, 450.0, 500.0, 550.0], np.random.default_rng(0)
    before, after = rng.uniform(410, 540, 300), rng.uniform(380, 490, 300)
    found, names = Moves.of_bands(edges, before, after), Bands(edges)
    pairs = list(zip(map(names.name, before.tolist()), map(names.name, after.tolist()), strict=True))
    assert found.labels == tuple(names.labels[:4])
    for i, one in enumerate(found.labels):
        assert found.counts[i].tolist() == [pairs.count((one, other)) for other in found.labels]
    assert found.moved == pytest.approx(np.mean([one != other for one, other in pairs]))


def test_moves_between_many_classes_are_pairs_the_largest_first() -> None:
    labels, rng = tuple("ABCDEFGH"), np.random.default_rng(1)
    before, after = rng.integers(0, 8, 3_000), rng.integers(0, 8, 3_000) // 2 * 2
    found = Moves.of(labels, before, after)
    frame = found.as_frame("Before")
    assert found.is_wide
    assert list(frame) == ["Before", "After", "Rows", "Of those before, %"]
    assert frame["Rows"].tolist() == sorted(frame["Rows"], reverse=True)
    assert frame["Rows"].sum() == 3_000
    for one, other, rows, share in frame.head(9).itertuples(index=False):
        its = before == labels.index(one)
        assert rows == (its & (after == labels.index(other))).sum()
        assert share == pytest.approx(100 * rows / its.sum())
    assert list(Moves.of(labels[:6], before % 6, after % 6).as_frame("Before")) == ["Before", *labels[:6], "All"]
    many = Moves(tuple(map(str, range(100))), np.ones((100, 100), dtype=np.int64)).as_frame("Before")
    assert len(many) == 400


@pytest.mark.parametrize(
    ("words", "status", "problem"),
    [
        (("--central-tendency", "0"), 2, "--central-tendency: expected a rate above 1e-08 and below 1, got 0"),
        (("--central-tendency", "1.5"), 2, "--central-tendency: expected a rate above 1e-08"),
        (("--central-tendency", "nan"), 2, "--central-tendency: expected a rate above 1e-08"),
        ((), 2, "expected --data FILE or --central-tendency RATE"),
        (("--central-tendency", "0.1", "--method", "slope"), 2, "--method slope needs outcomes"),
        (("--data", "few.csv"), 1, "--method intercept: expected 10 defaults or more, got 9"),
        (("--data", "some.csv", "--method", "slope"), 1, "--method slope: expected 20 defaults or more, got 15"),
        (("--data", "later.csv", "--method", "isotonic"), 1, "--method isotonic: expected 1,000 rows or more, got 900"),
        (("--data", "one.csv"), 1, "one.csv: "),
        (("--data", "other.csv"), 1, "other.csv: "),
        (("--data", "nowhere.csv"), 1, "nowhere.csv: no such file"),
        (("--central-tendency", "0.1", "--model", "nowhere"), 1, "nowhere: expected a folder with model.onnx"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    words: tuple[str, ...],
    status: int,
    problem: str,
    parent: Artifacts,
    later: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    frame = pd.read_csv(later)
    bad, good = frame[frame["default"] == 1], frame[frame["default"] == 0]
    pd.concat([bad.head(9), good]).to_csv(tmp_path / "few.csv", index=False)
    pd.concat([bad.head(15), good]).to_csv(tmp_path / "some.csv", index=False)
    frame.head(900).to_csv(tmp_path / "later.csv", index=False)
    good.to_csv(tmp_path / "one.csv", index=False)
    frame.drop(columns="income").to_csv(tmp_path / "other.csv", index=False)
    monkeypatch.chdir(tmp_path)
    try:
        found = run(parent, tmp_path / "new", *words)
    except SystemExit as end:
        found = int(str(end.code))
    said = capsys.readouterr().err
    assert found == status, said
    assert problem in said
    assert "Traceback" not in said
    assert not (tmp_path / "new").exists()


def test_a_mean_of_calibrated_probabilities_is_refused_with_the_reason(parent: Artifacts) -> None:
    """Before any table is read."""
    ensemble = Pipeline([parent.pipeline.steps[0], ("classifier", CalibratedClassifierCV(XGBClassifier()))])
    args = recalibrate.build_parser().parse_args(["--data", "nowhere.csv"])
    with pytest.raises(UserError, match="got CalibratedClassifierCV, whose answer is a mean of several calibrated"):
        recalibrate.recalibrated(replace(parent, pipeline=ensemble), args, SILENT)


def test_another_pipeline_s_model_and_the_parent_s_own_folder_are_refused(
    parent: Artifacts, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (parent.folder / "run.json").read_bytes()
    assert run(parent, parent.folder, "--central-tendency", "0.1") == 2
    assert "holds the parent run, which is kept" in capsys.readouterr().err
    assert (parent.folder / "run.json").read_bytes() == before
    other = tmp_path / "model"
    other.mkdir()
    for path in model.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    certificate = read(other / "certificate.json")
    certificate["sha256"]["pipeline.skops"] = "0" * 64
    (other / "certificate.json").write_text(json.dumps(certificate))
    assert run(parent, tmp_path / "new", "--central-tendency", "0.1", "--model", other) == 1
    assert "was exported from another pipeline" in capsys.readouterr().err


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


@pytest.mark.parametrize("method", ["slope", "isotonic"])
def test_default_rates_that_fall_with_the_margin_are_refused(method: str) -> None:
    rng = np.random.default_rng(0)
    margin = rng.normal(size=4_000)
    defaulted = (rng.random(4_000) < expit(-margin)).astype(np.int8)
    with pytest.raises(UserError, match=rf"--method {method}: expected default rates that rise with the margin"):
        refitted(method, margin, defaulted, None, None)
