"""A book of applicants for the model that has a feature for each rule of validation, and runs over it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoring import run, steps
from scoring.messages import Message
from scoring.part import Parts
from scoring.plan import Job, Piece
from scoring.processes import Processes
from tests.runtime.model_builder import SMALL_FEATURES, build_model

Score = Callable[..., int]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with a feature for each rule of validation."""
    folder = tmp_path_factory.mktemp("scoring") / "model"
    build_model(folder, SMALL_FEATURES)
    return folder


def book_of(rows: int, seed: int = 0) -> pa.Table:
    """Applicants that are all scored: missing values where they may be, levels that training did not see."""
    rng = np.random.default_rng(seed)

    def some(values: list[Any]) -> list[Any]:
        return [None if rng.random() < 0.2 else value for value in values]

    return pa.table(
        {
            "uuid": [f"id-{seed}-{number}" for number in range(rows)],
            "income": pa.array(some(rng.uniform(-10, 6000, rows).tolist()), pa.float64()),
            "not_read": rng.random(rows),
            "owner": pa.array(some((rng.random(rows) < 0.5).tolist()), pa.bool_()),
            "age": rng.uniform(1, 20, rows),
            "insured": rng.random(rows) < 0.5,
            "debt": pa.array(some(rng.integers(-5, 25, rows).tolist()), pa.int64()),
            "shop": pa.array(some(rng.choice(["Travel", "Café", "Toys"], rows).tolist()), pa.string()),
            "region": rng.choice(["north", "south"], rows),
        }
    )


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Three Parquet files of 2,500 rows in row groups of 1,000, one of which is empty."""
    folder = tmp_path / "book"
    folder.mkdir()
    for number in range(3):
        pq.write_table(book_of(2_500, number), folder / f"{number}.parquet", row_group_size=1_000)
    pq.write_table(book_of(0), folder / "3.parquet")
    return folder


def in_this_process(job: Job, pieces: Sequence[Piece], workers: int) -> Iterator[Message]:
    """The pieces without a process of their own, which costs a second."""
    scorer = Parts(job)
    for piece in pieces:
        yield scorer.score(piece, lambda rows: None)


@pytest.fixture
def score(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Score:
    """Run the command over files; `out` is a folder in tmp_path. More `--workers` than one are processes."""

    def scored(data: object, out: str = "scored", *words: object) -> int:
        own = Processes if "--workers" in words else in_this_process
        monkeypatch.setattr(steps, "Processes", own)
        flags = ["--data", str(data), "--out", str(tmp_path / out), "--model", str(model), "--workers", "1"]
        return run.main([*flags, "--part-rows", "1000", "--quiet", *map(str, words)])

    return scored


def parts(folder: Path) -> dict[str, bytes]:
    """The bytes of every part."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("part-*.parquet"))}


def rows(folder: Path) -> list[dict[str, Any]]:
    """All rows of all parts, in order."""
    return [row for path in sorted(folder.glob("part-*.parquet")) for row in pq.read_table(path).to_pylist()]
