"""The search: what a trial is worth, that it is repeatable, resumes after kill -9, and refuses other studies."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.storages.journal import JournalFileBackend, JournalStorage
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from xgboost import XGBClassifier

from cli.errors import UserError
from cli.progress import Progress
from table import Table, read_table
from tests.applicants import draw, pipeline
from training import tuning
from training.estimator.folds import folds_of
from training.settings import Data, Feature, Settings, Split, Tuning
from training.tuning import growth, study_file, trials
from training.tuning.growth import Folds, best_line, log_loss_of
from training.tuning.space import KNOWN, SPACE, place, rounded, searched

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[2]
XGBOOST: dict[str, Any] = {"n_estimators": 25, "max_depth": 3, "learning_rate": 0.1, "min_child_weight": 5.0}
SETTINGS = Settings(
    data=Data(id=None),
    features=tuple(Feature(name, "number") for name in ("income", "age", "debt", "late_1")),
    row_max={},
    split=Split(0.25, 3),
    xgboost=XGBOOST,
    tuning=Tuning(trials=6, folds=3),
)


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame, target = draw(700)
    file = tmp_path_factory.mktemp("data") / "table.csv"
    frame.assign(default=target, who=np.arange(700) // 2).to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def table(csv: Path) -> Table:
    return read_table(replace(SETTINGS, data=replace(SETTINGS.data, file=str(csv))).schema)


@pytest.fixture(autouse=True)
def one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "MOST_DRAWS", 1)


def found(table: Table, file: Path, settings: Settings = SETTINGS, **changes: Any) -> Any:
    settings = replace(settings, tuning=replace(settings.tuning, **changes))
    return tuning.search(settings, table, np.arange(500), file, Progress(quiet=True))


def mistake(table: Table, file: Path, settings: Settings = SETTINGS) -> str:
    with pytest.raises(UserError) as caught:
        found(table, file, settings)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{file}: ")


# ---------------------------------------------------------------- what a trial is worth


@given(st.integers(0, 10_000), st.floats(0.05, 3), st.floats(-6, 6), st.sampled_from([40, 400]))
def test_the_best_line_is_that_of_a_logistic_regression(seed: int, scale: float, shift: float, rows: int) -> None:
    rng = np.random.default_rng(seed)
    margins = rng.normal(size=rows) * scale + shift
    target = (rng.random(rows) < expit(margins / scale - shift)).astype(float)
    if not 2 <= target.sum() <= rows - 2:
        return
    slope, intercept = best_line(margins, target)
    oracle = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10).fit(margins[:, None], target)
    expected = log_loss(target, oracle.predict_proba(margins[:, None])[:, 1])
    assert log_loss_of(slope * margins + intercept, target) == pytest.approx(expected, abs=1e-9)
    again = best_line(margins, target, (slope, intercept))
    assert again == pytest.approx((slope, intercept), rel=1e-6)


def test_the_best_line_where_all_margins_are_equal() -> None:
    target = np.array([0.0, 0, 0, 1])
    slope, intercept = best_line(np.full(4, 2.0), target)
    assert expit(slope * 2 + intercept) == pytest.approx(0.25)


def folds(groups: Any = None, **changes: Any) -> tuple[Folds, Any, Any]:
    frame, target = draw(600)
    X = pipeline()[0].fit(frame).transform(frame)
    options: dict[str, Any] = {"folds": 3, "seed": 5, "fixed": {"n_jobs": 1, "random_state": 5}, "calibrated": False}
    return Folds(X, target, groups, **(options | changes)), X, target


@pytest.mark.parametrize("method", ["hist", "exact"])
def test_the_loss_is_that_of_boosters_fitted_at_once(method: str) -> None:
    parameters = {"max_depth": 3, "learning_rate": 0.3}
    fixed = {"n_jobs": 1, "random_state": 5, "tree_method": method, "monotone_constraints": (-1, 1, 0)}
    grown, X, target = folds(fixed=fixed)
    with grown:
        losses = dict(grown.losses(parameters, [4, 10]))
    for rounds in (4, 10):
        p = np.empty(len(target))
        for seen, unseen in StratifiedKFold(3, shuffle=True, random_state=5).split(X, target):
            booster = XGBClassifier(**fixed, **parameters, n_estimators=rounds).fit(X[seen], target[seen])
            p[unseen] = booster.predict_proba(X[unseen])[:, 1]
        assert losses[rounds] == pytest.approx(log_loss(target, p), abs=1e-7)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_change_no_bit(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and columns are drawn from generators that belong to threads in some versions of XGBoost."""
    parameters = {"max_depth": 4, "subsample": 0.5, "colsample_bynode": 0.5, "colsample_bytree": 0.7}
    alone, _, _ = folds()
    with alone:
        expected = list(alone.losses(parameters, [3, 6, 20]))
    monkeypatch.setattr(growth, "effective_n_jobs", lambda _: workers)
    grown, _, _ = folds()
    with grown:
        list(grown.losses({"max_depth": 2, "subsample": 0.9}, [7]))
        assert list(grown.losses(parameters, [3, 6, 20])) == expected


def test_weights_of_a_class_do_not_spoil_the_loss_of_a_calibrated_model() -> None:
    weighted = {"n_jobs": 1, "random_state": 5, "scale_pos_weight": 20.0}
    losses = []
    for calibrated in (True, False):
        grown, _, target = folds(fixed=weighted, calibrated=calibrated)
        with grown:
            losses += [loss for _, loss in grown.losses({"max_depth": 2}, [10])]
    base = target.mean()
    assert losses[0] < -(base * np.log(base) + (1 - base) * np.log(1 - base)) < losses[1]


def test_groups_are_in_one_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "MOST_DRAWS", 4)
    groups = np.arange(600) // 4
    grown, _, _ = folds(groups)
    with grown:
        assert grown.draws == 4
        rows = [fold.rows for fold in grown._folds]
    assert sorted(np.concatenate(rows)) == list(range(2_400))
    for unseen in rows:
        assert (np.bincount(groups[unseen % 600])[np.unique(groups[unseen % 600])] == 4).all()


# ---------------------------------------------------------------- the space


def test_parameters_are_placed_inside_the_space() -> None:
    where = place({"max_depth": 12, "gamma": 0.0, "learning_rate": 0.05, "subsample": 1.0}, SPACE)
    assert (where["max_depth"], where["gamma"], where["learning_rate"]) == (SPACE["max_depth"].high, 0.001, 0.05)
    assert (where["max_leaves"], where["max_bin"]) == (128, 256)  # no limit of leaves, XGBoost's own bins
    assert (where["reg_lambda"], where["colsample_bynode"], where["reg_alpha"]) == (1.0, 1.0, 0.001)
    assert rounded({"max_depth": 3, "gamma": 0.0123456}) == {"max_depth": 3, "gamma": 0.0123}


def test_settings_that_leave_nothing_to_search(table: Table, tmp_path: Path) -> None:
    settings = replace(SETTINGS, tuning=replace(SETTINGS.tuning, keep=tuple(SPACE)))
    assert mistake(table, tmp_path / "a.study", settings).startswith("tuning.keep: holds all of max_depth, ")
    assert not (tmp_path / "a.study").exists()


@pytest.mark.parametrize(
    ("its", "left_out"),
    [
        ({}, set()),
        ({"max_leaves": 9}, {"max_depth", "max_leaves"}),
        ({"grow_policy": "depthwise"}, {"max_leaves"}),
        ({"grow_policy": "lossguide"}, set()),
        ({"tree_method": "exact"}, {"max_leaves", "max_bin", "colsample_bynode"}),
        ({"tree_method": "approx"}, set()),
    ],
)
def test_how_trees_may_grow_follows_the_settings(its: dict[str, Any], left_out: set[str]) -> None:
    assert set(SPACE) - set(searched(replace(SETTINGS, xgboost=XGBOOST | its))) == left_out


@pytest.mark.parametrize("method", ["exact", "approx", "hist"])
def test_every_tree_method_is_searched(table: Table, tmp_path: Path, method: str) -> None:
    settings = replace(SETTINGS, xgboost=XGBOOST | {"tree_method": method})
    history = found(table, tmp_path / "a.study", settings, trials=3).record["history"]
    grown = {trial["parameters"].get("grow_policy") for trial in history[1:]}
    assert grown == {None if method == "exact" else "lossguide"}


def test_leaves_and_bins_of_a_trial_are_those_of_the_model_that_is_fitted(table: Table, tmp_path: Path) -> None:
    """Its matrices are binned anew for each trial: what the search measures is what XGBClassifier fits."""
    X, target = table.frame.iloc[:500].to_numpy(dtype=np.float32), table.target[:500]
    fixed = {"n_jobs": 1, "random_state": 3}
    tried = [{"max_bin": bins, "max_leaves": 6, "max_depth": 8, "grow_policy": "lossguide"} for bins in (4, 256, 4)]
    losses = []
    with Folds(X, target, None, folds=3, seed=3, fixed=fixed, calibrated=False) as grown:
        for parameters in tried:
            [(_, loss)] = grown.losses(parameters, [7])
            margins = np.empty(500)
            for seen, unseen in folds_of(target, None, 3, 3):
                model = XGBClassifier(**fixed, **parameters, n_estimators=7).fit(X[seen], target[seen])
                margins[unseen] = model.predict(X[unseen], output_margin=True)
            assert loss == pytest.approx(log_loss_of(margins, target.astype(float)), abs=1e-12)
            losses.append(loss)
    assert losses[0] == losses[2] != losses[1]


def test_what_is_kept_stays(table: Table, tmp_path: Path) -> None:
    xgboost = XGBOOST | {"reg_lambda": 7.0, "max_leaves": 5, "monotone_constraints": {"age": -1}}
    settings = replace(SETTINGS, xgboost=xgboost)
    result = found(table, tmp_path / "a.study", settings, keep=("reg_lambda", "learning_rate", "n_estimators"))
    for trial in result.record["history"]:
        kept = {name: trial["parameters"][name] for name in xgboost if name != "min_child_weight"}
        assert kept == {name: xgboost[name] for name in kept}
    tried = {known.get("min_child_weight", 1.0) for known in KNOWN[: len(result.record["history"]) - 1]}
    assert {trial["parameters"]["min_child_weight"] for trial in result.record["history"]} == {5.0} | tried
    assert result.settings.xgboost["max_leaves"] == 5


# ---------------------------------------------------------------- the search


def test_the_first_trial_is_the_settings_and_none_is_worse_than_the_result(table: Table, tmp_path: Path) -> None:
    result = found(table, tmp_path / "a.study")
    record, history = result.record, result.record["history"]
    for trial, known in zip(history[1:], KNOWN, strict=False):
        assert {name: trial["parameters"][name] for name in known} == known
    assert (record["trials"], record["rows"], record["folds"], len(history)) == (6, 500, 3, 6)
    assert {**history[0]["parameters"], "n_estimators": 25} == XGBOOST
    assert record["best_value"] == min(trial["value"] for trial in history if not trial["pruned"])
    assert record["best_value"] <= history[0]["value"] <= record["baseline_value"]
    assert record["parameters"] == result.settings.xgboost == history[record["best_trial"]]["parameters"]
    assert replace(result.settings, xgboost=XGBOOST) == SETTINGS
    X = table.frame.iloc[:500].to_numpy(dtype=np.float32)
    grown = Folds(X, table.target[:500], None, folds=3, seed=3, fixed={**XGBOOST, "random_state": 3}, calibrated=True)
    with grown:
        assert dict(grown.losses({}, [3, 25]))[25] == pytest.approx(record["baseline_value"], abs=1e-12)


def test_the_number_of_trees_is_where_the_loss_is_lowest(table: Table, tmp_path: Path) -> None:
    best = found(table, tmp_path / "a.study").settings.xgboost
    X = table.frame.iloc[:500].to_numpy(dtype=np.float32)
    with Folds(X, table.target[:500], None, folds=3, seed=3, fixed={"random_state": 3}, calibrated=True) as grown:
        size = round(trials.STEP / best["learning_rate"])
        curve = dict(grown.losses(best, range(size, best["n_estimators"] + 4 * size, size)))
    assert min(curve, key=lambda rounds: curve[rounds]) == best["n_estimators"]


def test_trees_are_limited(table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "MOST_TREES", 10)
    limited = [t["parameters"]["n_estimators"] for t in found(table, tmp_path / "a.study").record["history"]]
    assert max(limited) <= 25  # as set


def test_bad_trials_are_pruned(table: Table, tmp_path: Path) -> None:
    record = found(table, tmp_path / "a.study", trials=25).record
    pruned = [trial for trial in record["history"] if trial["pruned"]]
    assert record["pruned"] == len(pruned) > 0
    assert all(trial["value"] is None for trial in pruned)


def test_large_tables_are_searched_in_part(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(trials, "MOST_ROWS", 300)
    settings = replace(SETTINGS, tuning=replace(SETTINGS.tuning, trials=1))
    result = tuning.search(settings, table, np.arange(500), tmp_path / "a.study", Progress())
    assert result.record["rows"] == 300
    assert "The search takes 300 of the 500 training rows, stratified" in capsys.readouterr().err
    rows = trials._rows(np.arange(500), table.target, 3)
    assert abs(table.target[rows].mean() - table.target[:500].mean()) < 0.005


def test_groups_are_kept_together(csv: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, data=replace(SETTINGS.data, file=str(csv)), split=Split(0.25, 3, "group", group="who"))
    grouped = read_table(settings.schema)
    assert (
        found(grouped, tmp_path / "a.study", settings, trials=1).record["best_value"]
        != (
            found(read_table(replace(settings, split=SETTINGS.split).schema), tmp_path / "b.study", trials=1).record[
                "best_value"
            ]
        )
    )


# ---------------------------------------------------------------- the file


def without_file(result: Any) -> Any:
    return {name: value for name, value in result.record.items() if name != "study"}


def test_a_search_in_two_parts_is_the_search_in_one(table: Table, tmp_path: Path) -> None:
    whole = found(table, tmp_path / "whole.study", trials=14)
    for end in (1, 4, 12, 14, 14):
        part = found(table, tmp_path / "parts.study", trials=end)
        assert part.record["history"] == whole.record["history"][:end]
    assert without_file(part) == without_file(whole)


def test_of_more_trials_than_asked_for_the_first_are_taken(table: Table, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "a.study"
    first = found(table, file, trials=2)
    found(table, file, trials=5)
    settings = replace(SETTINGS, tuning=replace(SETTINGS.tuning, trials=2))
    again = tuning.search(settings, table, np.arange(500), file, Progress())
    assert again.record == first.record
    assert "a.study holds 5 trials; the first 2 are taken, as asked for" in capsys.readouterr().err.replace("\n", "")


def test_trials_that_did_not_end_are_ignored(table: Table, tmp_path: Path) -> None:
    """As another program, or an Optuna of another kind, may leave them behind."""
    file = tmp_path / "a.study"
    found(table, file, trials=3)
    study = optuna.load_study(study_name="lastbit", storage=JournalStorage(JournalFileBackend(str(file))))
    study.ask(dict(SPACE)).report(0.0, 0)
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    assert without_file(found(table, file)) == without_file(found(table, tmp_path / "b.study"))


OTHERS: list[tuple[Callable[[Settings], Settings], str]] = [
    (lambda s: replace(s, split=replace(s.split, seed=4)), "split.seed is 3 there and 4 here"),
    (lambda s: replace(s, features=s.features[:-1]), "features.late_1 is {"),
    (lambda s: replace(s, features=s.features[::-1]), 'features is ["income", "age", "debt", "late_1"] there and ["'),
    (lambda s: replace(s, xgboost=XGBOOST | {"max_depth": 5}), "xgboost.max_depth is 3 there and 5 here"),
    (lambda s: replace(s, xgboost=XGBOOST | {"gamma": 1.0}), "xgboost.gamma is not set there and 1.0 here"),
    (lambda s: replace(s, tuning=replace(s.tuning, folds=4)), "tuning.folds is 3 there and 4 here"),
    (lambda s: replace(s, tuning=replace(s.tuning, keep=("gamma",))), 'tuning.keep is [] there and ["gamma"] here'),
    (lambda s: replace(s, model=replace(s.model, calibration="none")), 'model.calibration is "auto" there and "none"'),
    (lambda s: replace(s, row_max={"m": ("debt", "late_1")}), 'row_max.m is not set there and ["debt", "late_1"]'),
]


def test_a_study_of_other_settings_is_refused(table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.study"
    found(table, file, trials=1)
    before = file.read_bytes()
    for change, expected in OTHERS:
        said = mistake(table, file, change(SETTINGS))
        assert said.startswith(f"is the study of another search: {expected}")
        assert said.endswith("; name another with --study, or delete it to search anew")
    assert "data.sha256 is" in mistake(replace(table, sha256="0" * 64), file)
    monkeypatch.setattr("training.tuning.study.version", lambda name: f"{name} of tomorrow")
    assert 'versions.numpy is "' in mistake(table, file)
    assert file.read_bytes() == before
    monkeypatch.undo()
    irrelevant = replace(
        SETTINGS, evaluation=replace(SETTINGS.evaluation, threshold=0.2), data=Data("moved.csv", ";", None)
    )
    found(table, file, irrelevant, trials=1, study="moved.study")


@pytest.mark.parametrize("content", [b"age;income\n1;2", b"{}\n", b"\x00\x01", b'{"op_code":99}\n{"op_code":0}\n'])
def test_a_file_that_is_no_study_is_left_as_it_is(table: Table, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "loans.csv"
    file.write_bytes(content)
    assert (
        mistake(table, file) == "is not the study of a search; name another with --study, or delete it to search anew"
    )
    assert file.read_bytes() == content


def test_a_study_of_another_program_is_refused(table: Table, tmp_path: Path) -> None:
    file = tmp_path / "a.study"
    study = optuna.create_study(storage=JournalStorage(JournalFileBackend(str(file))), study_name="lastbit")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert mistake(table, file).startswith("is a study of another program")


def test_a_line_that_was_torn_off_is_dropped(table: Table, tmp_path: Path) -> None:
    file = tmp_path / "a.study"
    whole = found(table, file)
    lines = file.read_bytes().splitlines(keepends=True)
    for kept in (0, 1, 2, len(lines) - 1):
        file.write_bytes(b"".join(lines[:kept]) + lines[kept][: len(lines[kept]) // 2])
        assert without_file(found(table, file)) == without_file(whole)


def test_where_the_study_is() -> None:
    assert study_file(SETTINGS, Path("out/artifacts")) == Path("out/artifacts.study")
    assert study_file(SETTINGS, "s3://bucket/prefix") == Path("artifacts.study")
    assert study_file(replace(SETTINGS, tuning=Tuning(study="x.study")), Path("out")) == Path("x.study")


# ---------------------------------------------------------------- processes


def words(csv: Path, out: Path, number: int) -> list[str]:
    numbers = ["--data", str(csv), "--id", "", "--numbers", "income,age,debt,late_1", "--calibration", "sigmoid"]
    return [*numbers, "--no-plots", "--tune", str(number), "--tune-folds", "3", "--out", str(out)]


def started(csv: Path, out: Path, number: int) -> "subprocess.Popen[str]":
    """A search in a process of its own, when it has its first trials behind it."""
    command = [sys.executable, "-m", "training.run", *words(csv, out, number)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ})
    study, deadline = study_file(Settings(), out), time.monotonic() + 60
    while time.monotonic() < deadline and not (study.exists() and study.read_bytes().count(b"\n") > 3):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    return process


def test_a_search_that_is_killed_resumes(
    csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from training import run

    monkeypatch.undo()  # other processes know nothing of it
    killed = started(csv, tmp_path / "killed", 500)
    said = started_beside(csv, tmp_path / "killed", capsys)
    assert "killed.study: another search is writing to this study; wait for it, or name another with --study" in said
    killed.kill()
    killed.communicate()
    interrupted = started(csv, tmp_path / "interrupted", 500)
    interrupted.send_signal(signal.SIGINT)
    _, said = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 1
    assert "interrupted.study; a search resumes there" in said
    assert "Traceback" not in said
    records = []
    for name in ("killed", "interrupted", "whole"):
        assert run.main([*words(csv, tmp_path / name, 6), "--quiet"]) == 0
        record = json.loads((tmp_path / name / "run.json").read_text())["tuning"]
        assert record.pop("study").endswith(f"{name}.study")
        records.append(record)
    assert records[0] == records[2]
    assert records[1] == records[2]
    left = [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")]  # by kill -9
    assert sorted(left) == sorted(
        f"{name}{end}" for name in ("killed", "interrupted", "whole") for end in ("", ".study")
    )


def started_beside(csv: Path, out: Path, capsys: Any) -> str:
    from training import run

    assert run.main([*words(csv, out, 500), "--quiet"]) == 1
    return str(capsys.readouterr().err)
