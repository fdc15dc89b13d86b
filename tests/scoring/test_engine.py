"""The core within other engines: a row out for each row in, one session a process, however batches come."""

import gc
import io
import pickle
import subprocess
import sys
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runtime import batch
from runtime import model as runtime_model
from scoring import engine, part
from scoring.engine import answers, schema_of, scorer_of
from scoring.marker import Marker
from scoring.messages import Rows
from scoring.output import output_of
from scoring.plan import Job, Plan, identity, plan_of
from scoring.resume import begin
from scoring.scorer import Scorer
from scoring.worker import serve
from tests.scoring.conftest import book_of
from tests.stopped import ROOT


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every session of this test, by weak references."""
    sessions: list[Any] = []

    def watched(make: Any) -> Any:
        def made(*words: Any) -> Any:
            session = make(*words)
            sessions.append(weakref.ref(session))
            return session

        return made

    for module in (runtime_model, batch):
        monkeypatch.setattr(module, "open_session", watched(module.open_session))
    engine._kept.cache_clear()
    yield sessions
    engine._kept.cache_clear()


def test_every_row_comes_out_in_its_place_with_an_answer_or_the_reason(model: Path) -> None:
    book = book_of(1_000)
    ids = book["uuid"].to_pylist()
    ids[3], ids[500], ids[999] = "", None, "x" * 129
    book = book.set_column(0, "uuid", pa.array(ids, pa.string()))
    scored = Scorer.load(str(model)).score(book.combine_chunks().to_batches()[0])
    expected = {row["uuid"]: row for row in scored.rows.to_pylist()}
    for size in (1_000, 77):
        got = pa.Table.from_batches(answers(book.to_batches(size), str(model)), schema_of(str(model))).to_pylist()
        assert [row["uuid"] for row in got] == ids
        refused = [number for number, row in enumerate(got) if row["rejected"] is not None]
        assert refused == [3, 500, 999]
        for number, row in enumerate(got):
            reason = row.pop("rejected")
            if reason is None:
                assert row == expected[row["uuid"]]
            else:
                assert reason.startswith("uuid: expected a string")
                assert set(row.values()) == {ids[number], None}


def test_large_batches_are_scored_a_chunk_at_a_time(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = SimpleNamespace(**vars(scorer_of(str(model))))
    sizes = []

    def score(batch: Any, first: int) -> Any:
        sizes.append(batch.num_rows)
        return scorer_of(str(model)).score(batch, first)

    scorer.score, scorer.reading = score, SimpleNamespace(rows_at_once=300, id="uuid")
    with monkeypatch.context() as patched:
        patched.setattr(engine, "scorer_of", lambda *_, **__: scorer)
        found = list(answers(book_of(1_000).to_batches(), str(model)))
    assert sizes == [300, 300, 300, 100]
    assert sum(map(len, found)) == 1_000


def test_a_process_opens_one_session_however_many_batches_come(model: Path, opened: list[Any]) -> None:
    def score(seed: int) -> int:  # an engine calls the function once a partition, or once a batch
        return sum(map(len, answers(book_of(900, seed).to_batches(300), str(model))))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(score, range(6))) == [900] * 6
    assert len(opened) == 1


def test_a_worker_opens_one_session_for_all_pieces_and_ends_it(model: Path, tmp_path: Path, opened: list[Any]) -> None:
    job, plan = job_of(model, tmp_path)
    opened.clear()
    asked = io.BytesIO()
    for content in (job, *plan.pieces):
        pickle.dump(content, asked)
    asked.seek(0)
    said = io.BytesIO()
    serve(asked, said)
    said.seek(0)
    kinds = [type(pickle.load(said)) for _ in range(2 * len(plan.pieces))]
    assert kinds == [Rows, Marker] * len(plan.pieces)
    assert len(plan.pieces) == 3
    assert len(opened) == 1
    gc.collect()
    assert [session() for session in opened] == [None] * len(opened)


def test_a_dask_worker_opens_one_session_for_all_pieces_and_ends_it_with_the_run(
    model: Path, tmp_path: Path, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from scoring.dask_plugin import Model

    job, plan = job_of(model, tmp_path)
    opened.clear()
    plugin = Model(job)
    (tmp_path / "worker").mkdir()
    worker = SimpleNamespace(local_directory=str(tmp_path / "worker"))
    plugin.setup(worker)
    kept: list[bool] = []
    monkeypatch.setattr(part, "keep_freed_memory", lambda: kept.append(True))
    assert [type(plugin.score(piece)) for piece in plan.pieces] == [Marker] * 3
    assert len(opened) == len(kept) == 1
    plugin.teardown(worker)
    gc.collect()
    assert [session() for session in opened] == [None] * len(opened)
    assert list((tmp_path / "worker").iterdir()) == []


@pytest.mark.tier("land")
def test_a_process_with_a_kept_scorer_ends_by_itself(model: Path) -> None:
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from scoring.engine import answers;"
        "from tests.scoring.conftest import book_of;"
        f"score = lambda seed: sum(map(len, answers(book_of(600, seed).to_batches(), {str(model)!r})));"
        "pool = ThreadPoolExecutor(2); print(sum(pool.map(score, range(4))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2400\n", "")


def job_of(model: Path, folder: Path) -> tuple[Job, Plan]:
    """A run over three pieces that has begun."""
    pq.write_table(book_of(3_000), folder / "book.parquet", row_group_size=1_000)
    scorer = Scorer.load(str(model))
    plan = plan_of(str(folder / "book.parquet"), scorer.reading, 1_000)
    about = identity(plan, scorer.manifest, scorer.reading, explain=False, part_rows=1_000)
    out = str(folder / "out")
    digest = begin(out, output_of(out), about)
    return Job(str(model), scorer.manifest.model_version, False, scorer.reading, out, plan.files, digest), plan
