"""The ranking: what it needs, what it measures, and what it says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from benchmarks import __main__ as command
from benchmarks import differences, public, ranking, results, sets
from benchmarks.cells import Cell, Cells, Measured
from benchmarks.peer import tuned
from benchmarks.peer.contender import Contender, probabilities
from benchmarks.ranking import Plan
from benchmarks.results import OURS, Results, markdown
from cli.errors import UserError
from cli.progress import Progress
from table import read_table

SILENT = Progress(quiet=True)


def _space(attempt: Any) -> dict[str, Any]:
    return {"C": attempt.suggest_float("C", 1e-3, 10.0, log=True)}


def _fit(parameters: Any, x: Any, y: Any, watched: Any) -> Any:
    numbers = x.select_dtypes("number").columns
    model = LogisticRegression(C=parameters["C"]).fit(np.nan_to_num(x[numbers]), y)
    return (lambda rows: probabilities(model)(np.nan_to_num(rows[numbers]))), 0


LOGISTIC = Contender("scikit-learn", _space, _fit, {"C": 1.0})


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """HMEQ's file with drawn values, in a folder of its own."""
    generator = np.random.default_rng(1)
    lines = ["BAD,LOAN,REASON,JOB"]
    for loan in generator.normal(0, 1, 400):
        reason = generator.choice(["HomeImp", "DebtCon", ""])
        lines.append(f"{int(generator.random() < 1 / (1 + np.exp(1 - loan)))},{loan:.3f},{reason},Office")
    (tmp_path / "hmeq.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv(public.FOLDER, str(tmp_path))
    return tmp_path


@pytest.fixture
def accepted(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawn table stands for HMEQ, and a quick model for the contenders and ours."""
    public.read.cache_clear()
    sets._table.cache_clear()
    monkeypatch.setattr(public, "digest", lambda _: public.SETS["HMEQ"].digest)
    monkeypatch.setattr(tuned, "CONTENDERS", {"logistic": LOGISTIC})
    monkeypatch.setattr(ranking, "_ours", lambda trial, trials, show: (np.full(len(trial.test), 0.3), {"best": 1}))


def test_every_contender_is_there_and_every_table_says_where_it_comes_from() -> None:
    assert list(tuned.CONTENDERS) == ["LightGBM", "CatBoost", "HistGradientBoosting", "WoE scorecard"]
    assert len(public.SETS) == 6
    for its in public.SETS.values():
        assert its.source
        assert len(its.digest) == 64
    assert {"Credit Risk", "HMEQ"} == set(ranking.QUICK_SETS)


def test_the_example_is_the_public_table() -> None:
    public.read.cache_clear()
    settings, table = public.read("Lending Club")
    assert len(table.target) == 9_857
    assert not settings.row_max
    target = sets.trial("Lending Club", 1).test_target
    assert abs(target.mean() - table.target.mean()) < 0.001


def test_a_missing_table_is_refused_before_anything_is_measured(
    tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ranking", "--sets", "HELOC,HMEQ", "--kept", str(tables / "kept")]
    assert command.main(words) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: HELOC: {tables / 'heloc.csv'} is not there; put it there from FICO")
    assert said.count("\n") == 1
    assert not (tables / "kept").exists()


def test_another_table_under_the_same_name_is_refused(tables: Path) -> None:
    public.read.cache_clear()
    with pytest.raises(UserError, match=r"hmeq.csv: expected HMEQ with the digest .*, got 400 rows with "):
        public.read("HMEQ")


def test_a_library_that_is_not_installed_is_named(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Contender("no-such-package", LOGISTIC.space, LOGISTIC.fit, {})
    monkeypatch.setattr(tuned, "CONTENDERS", {"CatBoost": absent})
    with pytest.raises(UserError, match=r"CatBoost: no-such-package is not installed; pip install -r requirements/"):
        ranking.refuse_what_is_missing(Plan(("HMEQ",), (1,), ("CatBoost",), 1))


def test_the_digest_is_of_values_not_of_how_they_are_written(tables: Path) -> None:
    def digest() -> str:
        return public.digest(read_table(public._settings("HMEQ").schema))

    before = digest()
    path = tables / "hmeq.csv"
    text = path.read_text()
    path.write_bytes(text.replace(",0.", ",00.").replace("\n", "\r\n").encode())
    assert digest() == before
    path.write_text(text.replace("Office", "Mgr", 1))
    assert digest() != before


@pytest.mark.usefixtures("accepted")
def test_what_is_measured_is_kept_and_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, cells = Plan(("HMEQ",), (1, 2), ("logistic",), 3), Cells(tmp_path / "kept")
    first = ranking.run(plan, cells, Progress())
    said = capsys.readouterr().err
    assert "1 of 4: ours on HMEQ, seed 1" in said
    assert "4 of 4, about 0 min left: logistic on HMEQ, seed 2" in said
    assert list(first.cells) == plan.cells
    monkeypatch.setattr(ranking, "answer", lambda *_: pytest.fail("measured twice"))
    again = ranking.run(plan, cells, SILENT)
    assert markdown(again) == markdown(first)
    words = ["ranking", "--sets", "HMEQ", "--seeds", "1,2", "--contenders", "logistic", "--trials", "3", "--show"]
    assert command.main([*words, "--kept", str(tmp_path / "kept"), "--markdown", str(tmp_path / "r.md")]) == 0
    assert (tmp_path / "r.md").read_text() == markdown(first)
    assert "HMEQ: ours against logistic, ROC-AUC" in capsys.readouterr().out


@pytest.mark.usefixtures("accepted")
def test_a_contender_answers_the_test_rows_with_its_best_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = sets.trial("HMEQ", 1)
    begun: list[int] = []
    monkeypatch.setattr(tuned, "FOLDS", 3)
    answer, found = tuned.answer(LOGISTIC, trial, 4, begun.append)
    assert begun == [0, 1, 2, 3]
    assert found["cross-validated log loss"] < 0.65
    expected = _fit(found, *tuned.as_categories(trial.train, trial.test)[:1], trial.train_target, None)[0](trial.test)
    assert np.array_equal(answer, expected)


def test_names_that_are_unknown_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (["--sets", "HMEG"], "--sets: no such name: HMEG; there are Lending Club"),
        (["--contenders", "XGBoost"], "--contenders: no such name: XGBoost"),
        (["--trials", "0"], "--trials: expected 1 or more, got 0"),
        (["--seeds", "1,b"], "argument --seeds: expected whole numbers as in 1,2, got 1,b"),
    ):
        with pytest.raises(SystemExit) as stopped:
            command.main(["ranking", *words])
        assert stopped.value.code == 2
        [line] = capsys.readouterr().err.splitlines()
        assert said in line


def test_a_loss_is_said_as_plainly_as_a_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "DRAWS", 200)
    generator, found = np.random.default_rng(2), Results()
    p = generator.beta(1, 4, 3_000)
    target = (generator.random(3_000) < p).astype(np.int8)
    worse = np.clip(p + generator.normal(0, 0.2, 3_000), 0.01, 0.99)
    for table, ours, theirs in (("a", worse, p), ("b", p, worse)):
        found.add(Cell(table, 1, OURS), target, Measured(ours, 10.0, {}))
        found.add(Cell(table, 1, "theirs"), target, Measured(theirs, 15.0, {}))
    found.add(Cell("c", 1, "theirs"), target, Measured(p, 1.0, {}))  # ours is not there yet
    text = markdown(found)
    assert "Lost by more than 0.001 with an interval beyond 0: a, theirs: ROC-AUC and log loss." in text
    assert "multiple of ours: ours 1.0, theirs 1.6" in text
    assert [line.table for line in found.lines()] == ["a", "b", None]
    assert len(list(results.rows_of(found))) == 6
