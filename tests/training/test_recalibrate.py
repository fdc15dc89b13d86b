"""A recalibrated model: the parent's trees to the bit, another calibrator, and who moves; and what is refused."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from cli.errors import UserError
from export import verify
from export.to_onnx import export
from runtime.grades import Grades
from runtime.model import Model
from runtime.score import Scale
from tests.applicants import draw
from tests.conftest import Opened
from tests.export.served.exported import SILENT, WITH_REASONS, applicants, ask, few_rows, handler, read, trained
from tests.fonts import FONT_SETS
from tests.pages import assert_good_page, assert_nothing_is_cut_off
from training import recalibrate
from training.artifacts import Artifacts, load_artifacts
from validation.bands import scores_of
from validation.stability.bins import Bins

pytestmark = pytest.mark.tier("land")
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
