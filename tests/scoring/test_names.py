"""Ids that are there twice, however they are cut into batches and runs."""

import random
import uuid
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from scoring import names
from scoring.names import Runs, digests, repeated


def test_a_text_has_one_digest_wherever_it_stands_and_others_have_others() -> None:
    """UUIDs among themselves take another way than texts of different lengths."""
    alike = [str(uuid.UUID(int=number)) for number in range(3_000)]
    others = ["a", "b", "ab", "ba", "a\0", "\0a", "aa", "aaa", "aaaa", "aaaaa", "é", "e\u0301", "0", "00", "x" * 512]
    mixed = digests(pa.array([*others, *alike]))
    assert len(set(mixed.tolist())) == len(mixed)
    assert (digests(pa.array(alike)) == mixed[len(others) :]).all()
    assert (digests(pa.array([*others, *alike]).slice(3, 900)) == mixed[3:903]).all()
    assert digests(pa.array(["aaaa", "bbbb"]))[0] == mixed[others.index("aaaa")]
    assert len(digests(pa.array([], pa.string()))) == 0


def test_repeated_ids_are_counted_across_runs_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "RUN", 100)
    monkeypatch.setattr(names, "AT_ONCE", 64)
    chance = random.Random(3)
    texts = [f"id {chance.randrange(900)}" for _ in range(1_500)]
    files = []
    for number in range(3):
        runs = Runs(tmp_path / str(number))
        for first in range(number * 500, number * 500 + 500, 70):
            runs.add(digests(pa.array(texts[first : min(first + 70, number * 500 + 500)])))
        runs.flush()
        assert len(runs.lengths) > 2
        files.append((tmp_path / str(number), runs.lengths))
    files.append((tmp_path / "none", []))
    assert repeated(files) == len(texts) - len(Counter(texts))
    assert repeated([]) == 0


def test_a_part_of_exactly_whole_runs_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row group of pyarrow's default size has as many rows as a run has digests."""
    monkeypatch.setattr(names, "RUN", 128)
    texts = [f"id {number}" for number in range(256)]
    runs = Runs(tmp_path / "ids")
    for first in range(0, 256, 64):
        runs.add(digests(pa.array(texts[first : first + 64])))
    runs.flush()
    assert runs.lengths == [128, 128]
    assert repeated([(tmp_path / "ids", runs.lengths)] * 2) == 256
