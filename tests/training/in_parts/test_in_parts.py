"""A model trained in parts, from the disk or on a cluster of real processes, beside one trained in memory.

The same rows, the same artifacts, nearly the same trees; and the same bits again.
"""

import json
import shutil
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from distributed import Client
from sklearn.base import clone
from xgboost import XGBClassifier

from cli.errors import UserError
from export import to_onnx
from runtime.score import Scale
from table.in_parts import opened_in_parts
from tests.clusters import DaskCluster, dask_cluster
from tests.training.in_parts.conftest import ROWS, Train, applicants, write
from training import run
from training.artifacts import load_pipeline
from training.estimator.assembly import assemble
from training.in_parts import external
from training.in_parts.cluster import Cluster, ranks_of
from training.in_parts.count import Wanted
from training.in_parts.divided import Divided
from training.in_parts.external import ExternalMemory
from training.settings import load_settings
from training.split import split
from validation.bands import scores_of
from validation.copies import Chance

pytestmark = pytest.mark.tier("land")
AS_GOOD = 0.005  # relative difference of the test's log loss


@pytest.fixture(scope="module")
def from_disk(train: Train, monkeypatch_module: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch_module.setattr(external, "CELLS", 4_000)  # several blocks a fold
    return train("--external-memory")


@pytest.fixture(scope="module")
def monkeypatch_module() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_the_same_rows_train_and_test_and_the_model_is_as_good(
    from_disk: dict[str, Any], in_memory: dict[str, Any]
) -> None:
    for name in ("split", "pools", "data", "seed"):
        assert from_disk[name] == in_memory[name], name
    assert from_disk["in_parts"] == {"engine": "external memory", "train_rows": 3_000, "test_rows": 1_000}
    loss, expected = (its["metrics"]["test"]["log_loss"] for its in (from_disk, in_memory))
    assert loss == pytest.approx(expected, rel=AS_GOOD)
    assert from_disk["metrics"]["train"]["rows"] + from_disk["metrics"]["test"]["rows"] == ROWS
    schemas = [(its["out"] / "schema.json").read_bytes() for its in (from_disk, in_memory)]
    assert schemas[0] == schemas[1]
    features = [json.loads((its["out"] / "reference.json").read_text())["features"] for its in (from_disk, in_memory)]
    assert features[0] == features[1]
    files = [{path.name for path in its["out"].rglob("*")} for its in (from_disk, in_memory)]
    assert files[0] == files[1]


def test_the_pipeline_is_of_the_same_kind_and_answers_what_was_evaluated(
    from_disk: dict[str, Any], in_memory: dict[str, Any]
) -> None:
    ours, theirs = (load_pipeline(its["out"]) for its in (from_disk, in_memory))
    assert [type(step) for step in ours] == [type(step) for step in theirs]
    assert vars(ours[0]) == vars(theirs[0])
    assert vars(ours[1]).keys() == vars(theirs[1]).keys()
    for mine, other in zip(ours[1].estimators_, theirs[1].estimators_, strict=True):
        assert mine.get_params() == other.get_params()
        assert vars(mine).keys() == vars(other).keys()
        assert mine.get_booster().feature_names is None
    reference = pd.read_parquet(from_disk["out"] / "reference.parquet")
    probability = ours.predict_proba(reference.iloc[:, :-1])[:, 1]
    assert len(reference) == from_disk["split"]["train"]["rows"]
    assert scores_of(probability, Scale()).tolist() == reference["credit_score"].tolist()


def test_files_and_row_groups_change_no_bit(loans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "CELLS", 4_000)  # several blocks a fold

    def boosters_of(data: Path) -> list[bytes]:
        settings = load_settings(loans.parent / "settings.toml", {"data.file": str(data), "model.folds": 3})
        preparation, classifier = (step for _, step in assemble(settings).steps)
        folder = tmp_path / data.name
        folder.mkdir(exist_ok=True)
        with opened_in_parts(settings.schema) as source:
            divided = Divided.of(source, split(source.table, settings), None, settings)
            engine = ExternalMemory(settings, divided, folder)
            preparation.fit_levels(engine.learn(preparation, print).levels)
            engine.prepare(preparation, Wanted({}, Chance(1, ("income",), (), {}), None), print)
            return [bytes(booster.get_booster().save_raw()) for booster in engine.fit(classifier.estimator)]

    other = write(applicants(), tmp_path / "other", 7, 130)
    assert boosters_of(other) == boosters_of(loans)


def test_bins_that_memory_cannot_hold_are_announced_as_bound_by_the_disk(
    loans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(loans.parent / "settings.toml", {"data.file": str(loans), "model.folds": 3})
    with opened_in_parts(settings.schema) as source:
        divided = Divided.of(source, split(source.table, settings), None, settings)
    engine = ExternalMemory(settings, divided, tmp_path)
    said = {}
    for free in (None, 10**5, 10**9):
        monkeypatch.setattr(external, "free_bytes", lambda free=free: free)
        said[free] = engine.refuse_small_room(5)
    assert said[None] == said[10**9]
    assert said[10**5].removeprefix(said[None]).endswith("GB of memory are free for all: the speed of the disk decides")


def test_the_export_certifies_it(from_disk: dict[str, Any], tmp_path: Path) -> None:
    words = ["--artifacts", str(from_disk["out"]), "--out", str(tmp_path / "model"), "--quiet"]
    assert to_onnx.main(words) == 0
    certificate = json.loads((tmp_path / "model" / "certificate.json").read_text())
    assert certificate["total"]["grades_that_differ"] == 0


def test_grades_are_found_on_rows_that_a_booster_has_not_seen(
    from_disk: dict[str, Any], in_memory: dict[str, Any]
) -> None:
    """Boosters differ by their bins, and so limits a little."""
    limits = [its["grades"]["limits"] for its in (from_disk, in_memory)]
    assert limits[0] == pytest.approx(limits[1], rel=0.5)
    frame = applicants()
    probability = load_pipeline(from_disk["out"]).predict_proba(frame)[:, 1]
    tables = [pd.read_csv(from_disk["out"] / f"grades_{part}.csv") for part in ("train", "test")]
    counts = np.bincount(np.searchsorted(limits[0], probability, side="right"), minlength=3)
    assert (tables[0]["Applicants"] + tables[1]["Applicants"]).tolist() == counts.tolist()


def test_report_and_card_say_what_is_of_the_rows_drawn(from_disk: dict[str, Any], in_memory: dict[str, Any]) -> None:
    for name in ("report.html", "model_card.md"):
        said = "The table was read in parts (external memory). Of all rows:"
        assert said in (from_disk["out"] / name).read_text()
        assert said not in (in_memory["out"] / name).read_text()


@pytest.mark.tier("full")
def test_boosters_watch_the_fold_that_they_have_not_seen(train: Train) -> None:
    words = ["--xgboost", "early_stopping_rounds=2", "--n-estimators", "60"]
    words += ["--split", "group", "--group-column", "group"]
    ours, theirs = train(*words, "--external-memory"), train(*words)
    assert ours["split"] == theirs["split"]
    stopped, expected = (
        [booster.best_iteration for booster in load_pipeline(its["out"])[1].estimators_] for its in (ours, theirs)
    )
    assert max(stopped) < 59
    assert np.abs(np.array(stopped) - expected).max() <= 3
    assert ours["metrics"]["test"]["log_loss"] == pytest.approx(theirs["metrics"]["test"]["log_loss"], rel=AS_GOOD)


@pytest.mark.tier("full")
def test_a_split_by_time_has_the_rows_of_memory_from_the_disk_and_on_a_cluster(
    cluster: DaskCluster, train: Train
) -> None:
    words = ["--split", "time", "--time-column", "applied"]
    theirs = train(*words)
    assert theirs["split"]["method"] == "time"
    for engine in (["--external-memory"], ["--scheduler", cluster.address]):
        ours = train(*words, *engine)
        assert ours["split"] == theirs["split"]
        loss, expected = (its["metrics"]["test"]["log_loss"] for its in (ours, theirs))
        assert loss == pytest.approx(expected, rel=AS_GOOD)


def test_an_interrupted_run_leaves_no_row_and_the_last_good_artifacts(
    loans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "artifacts"
    seen: list[str] = []
    out.mkdir()
    (out / "run.json").write_text("{}")
    left = tmp_path / ".rows.lastbit-abcd_123"  # of a run that was killed
    left.mkdir()
    (left / "fold-0.f32").write_bytes(bytes(1_000))

    def interrupt(engine: ExternalMemory, _: object) -> None:
        seen.extend(path.name for path in engine._folder.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(ExternalMemory, "fit", interrupt)
    words = ["--config", str(loans.parent / "settings.toml"), "--data", str(loans), "--out", str(out)]
    assert run.main([*words, "--external-memory"]) == 1
    err = capsys.readouterr().err
    assert "interrupted; the last good artifacts are as they were" in err
    assert "GB of disk in" in err
    assert sorted(seen) == ["fold-0.f32", "fold-1.f32", "fold-2.f32", "test.f32"]
    assert [path.name for path in tmp_path.iterdir()] == ["artifacts"]
    assert (out / "run.json").read_text() == "{}"


def test_a_disk_that_is_too_small_is_refused_before_any_row_is_written(
    loans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000))
    cache = tmp_path / "fast"
    words = ["--config", str(loans.parent / "settings.toml"), "--data", str(loans), "--out", str(tmp_path / "out")]
    assert run.main([*words, "--external-memory", "--cache", str(cache), "--quiet"]) == 1
    err = capsys.readouterr().err
    assert f"{cache}: expected 0.0 GB of disk for prepared rows" in err
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--external-memory", "--tune", "3"], "tuning.trials: contradicts engine.external_memory"),
        (["--workers", "2", "--tune", "3"], "tuning.trials: contradicts engine.workers"),
        (["--scheduler", "tcp://127.0.0.1:1", "--tune", "3"], "tuning.trials: contradicts engine.scheduler"),
        (["--external-memory", "--workers", "2"], "engine.workers: contradicts engine.external_memory"),
        (
            ["--external-memory", "--estimator", "calibrated-cv"],
            'model.estimator: "calibrated-cv" contradicts engine.external_memory',
        ),
        (
            ["--external-memory", "--xgboost", "tree_method=exact"],
            'xgboost.tree_method: "exact" contradicts engine.external_memory',
        ),
    ],
)
def test_what_needs_all_rows_in_memory_is_refused_before_any_work(
    words: list[str], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["--data", "none.parquet", "--out", str(tmp_path / "out"), *words]) == 2
    assert problem in capsys.readouterr().err
    assert run.main(["--out", str(tmp_path / "out"), "--external-memory"]) == 2
    assert "engine.external_memory: reads Parquet files in parts" in capsys.readouterr().err


WATCH = ("--xgboost", "early_stopping_rounds=10")


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], DaskCluster]]:
    """Ask for the cluster of the tests before, or for a new one after a test that killed a part of it."""
    with ExitStack() as stack:
        found: list[DaskCluster] = []

        def whole() -> DaskCluster:
            if not found or any(process.poll() is not None for process in (found[-1].scheduler, *found[-1].workers)):
                found.append(stack.enter_context(dask_cluster(tmp_path_factory.mktemp("dask"))))
                with Client(found[-1].address, set_as_default=False) as client:
                    client.wait_for_workers(2, timeout=60)
            return found[-1]

        yield whole


@pytest.fixture
def cluster(clusters: Callable[[], DaskCluster]) -> DaskCluster:
    return clusters()


def flags(loans: Path, cluster: DaskCluster, out: Path, data: Path | None = None) -> list[str]:
    words = ["--config", str(loans.parent / "settings.toml"), "--data", str(data or loans), "--out", str(out)]
    return [*words, "--scheduler", cluster.address, "--quiet"]


def test_two_workers_train_what_memory_trains_and_the_same_bits_again(
    cluster: DaskCluster, train: Train, in_memory: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks: Counter[str] = Counter()
    rows: dict[int, int] = {0: 0, 1: 0}
    on = Cluster._on

    def counted(engine: Cluster, rank: int, work: Any, *arguments: Any) -> Any:
        tasks[work.__name__] += 1
        rows[rank] += len(arguments[-1].target) if work.__name__ == "learnt" else 0
        return on(engine, rank, work, *arguments)

    fit = Cluster.fit

    def fit_twice(engine: Cluster, template: XGBClassifier) -> list[XGBClassifier]:
        small = clone(template).set_params(n_estimators=2)
        for one, other in zip(fit(engine, small), fit(engine, small), strict=True):
            assert one.get_booster().save_raw() == other.get_booster().save_raw()
        return fit(engine, template)

    monkeypatch.setattr(Cluster, "_on", counted)
    monkeypatch.setattr(Cluster, "fit", fit_twice)
    ours = train("--scheduler", cluster.address, *WATCH)
    for name in ("split", "pools", "data", "seed"):
        assert ours[name] == in_memory[name], name
    assert ours["in_parts"] == {"engine": "Dask", "train_rows": 3_000, "test_rows": 1_000}
    expected = in_memory["metrics"]["test"]["log_loss"]
    assert ours["metrics"]["test"]["log_loss"] == pytest.approx(expected, rel=AS_GOOD)
    theirs, model = load_pipeline(in_memory["out"]), load_pipeline(ours["out"])
    assert vars(model[0]) == vars(theirs[0])
    assert vars(model[1]).keys() == vars(theirs[1]).keys()
    assert [booster.best_iteration for booster in model[1].estimators_]  # each watched its unseen fold
    # A task a share and pass, one for each of its folds, and one a worker for each booster, fitted three times.
    shares = tasks["learnt"]
    assert tasks["prepared_rows"] == shares
    assert tasks["rows_of"] == tasks["margins_of"] == 4 * shares
    assert tasks["fit_fold"] == 3 * 2 * 3
    assert sum(rows.values()) == ROWS
    assert max(rows.values()) < 1.25 * min(rows.values())


def test_a_cell_that_a_worker_refuses_is_reported_as_in_memory(
    cluster: DaskCluster, loans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = applicants()
    frame.loc[3_900, "income"] = -5.0  # which log1p cannot take
    data = write(frame, tmp_path / "wrong", 3, 500)
    words = flags(loans, cluster, tmp_path / "out", data)
    assert run.main(words[:-3]) == 1
    expected = capsys.readouterr().err.splitlines()[-1]
    assert run.main(words) == 1
    assert capsys.readouterr().err.splitlines() == [expected]
    assert "expected numbers above -1, for log1p, got -5 (2.parquet, row" in expected


def test_shares_of_any_sizes_are_balanced_and_each_has_one_worker() -> None:
    assert ranks_of([5, 5, 5, 5], 2) == [0, 1, 0, 1]
    sizes = [1_000, 10, 400, 300, 300, 20, 30, 7]
    ranks = ranks_of(sizes, 3)
    of_worker = [sum(size for size, its in zip(sizes, ranks, strict=True) if its == rank) for rank in range(3)]
    assert max(of_worker) == 1_000
    assert ranks_of([9], 3) == [0]


def test_row_groups_that_cannot_be_divided_are_said(
    cluster: DaskCluster,
    loans: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*_: object) -> None:
        raise UserError("seen enough")

    monkeypatch.setattr(Cluster, "prepare", stop)
    data = write(applicants(), tmp_path / "one", 1, ROWS)
    assert run.main(flags(loans, cluster, tmp_path / "out", data)[:-1]) == 1
    assert "2 workers, up to 4,000 rows" in (said := capsys.readouterr().err)
    assert "row groups are too large to divide them evenly" in said


@pytest.mark.tier("full")
def test_workers_of_this_machine_train_the_same_bits_as_a_scheduler_s(
    cluster: DaskCluster, train: Train, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        with suppress(OSError):  # another cluster of Dask's on this machine may have it
            taken.bind(("127.0.0.1", 8787))
            taken.listen()
        own = train("--workers", "2")
    other = train("--scheduler", cluster.address)
    name = "pipeline.skops"
    assert (own["out"] / name).read_bytes() == (other["out"] / name).read_bytes()


def test_a_worker_that_is_killed_in_the_middle_ends_the_run_in_one_line(
    cluster: DaskCluster,
    loans: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "artifacts"
    out.mkdir()
    (out / "run.json").write_text("{}")
    wait = Cluster._wait
    killed: list[threading.Timer] = []

    def kill_then_wait(engine: Cluster, futures: Any) -> None:
        if any("fit_fold" in future.key for future in futures) and not killed:
            killed.append(threading.Timer(0.3, cluster.workers[0].kill))
            killed[0].start()
        wait(engine, futures)

    monkeypatch.setattr(Cluster, "_wait", kill_then_wait)
    assert run.main([*flags(loans, cluster, out), "--n-estimators", "20000"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert killed
    assert line.startswith(f"error: {cluster.address}: ")
    assert "the last good artifacts are as they were" in line
    assert (out / "run.json").read_text() == "{}"
    assert [path.name for path in tmp_path.iterdir()] == ["artifacts"]
