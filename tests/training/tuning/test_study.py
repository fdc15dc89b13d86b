"""The study of a search: it is repeatable, resumes after kill -9, and refuses those of other searches."""

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
from optuna.storages.journal import JournalFileBackend, JournalStorage

from cli.progress import Progress
from table import Table
from tests.training.tuning.searching import SETTINGS, XGBOOST, found, mistake
from training import tuning
from training.settings import Data, Settings, Tuning
from training.tuning import study_file
from training.tuning.space import SPACE

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[3]


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
