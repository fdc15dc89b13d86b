"""Boosters that XGBoost cannot be trusted to read are opened in another process, and refused in one line."""

import io
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.pipeline import Pipeline
from xgboost.libpath import find_lib_path

from cli.errors import UserError
from tests.tiers import Sample
from training.artifacts import boosters, load_pipeline, open_booster, save_pipeline
from training.artifacts.boosters import BoosterDamagedError, try_boosters
from training.artifacts.open_booster import RefusedError, look_at

WAYS = 300
COLUMNS = 4
# Uses of a loaded booster, on rows that reach its leaves.
USE = f"""
import sys, numpy, xgboost
booster = xgboost.Booster()
booster.__setstate__({{"handle": bytearray(sys.stdin.buffer.read())}})
rows = numpy.random.default_rng(0).normal(0, 3, (2_000, {COLUMNS}))
rows[rows > 4] = numpy.nan
booster.inplace_predict(rows)
booster.predict(xgboost.DMatrix(rows[:50]), pred_contribs=True)
booster.save_raw("json")
booster.get_dump()
"""


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    rows = np.random.default_rng(1).normal(size=(400, COLUMNS))
    rows[::7, 0] = np.nan
    target = (rows[:, 1] + rows[:, 2] > 0.5).astype(int)
    return xgboost.XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1).fit(rows, target).get_booster()


@pytest.fixture(scope="module")
def state(booster: xgboost.Booster) -> bytes:
    return bytes(booster.__getstate__()["handle"])


def holding(*states: bytes) -> bytes:
    """A skops file's parts that matter here: boosters in a list."""
    nodes = [
        {"__class__": "Booster", "__module__": "xgboost.core", "content": {"handle": {"file": f"{number}.bin"}}}
        for number, _ in enumerate(states)
    ]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", json.dumps({"content": nodes}))
        for number, content in enumerate(states):
            archive.writestr(f"{number}.bin", content)
    return file.getvalue()


def damaged(state: bytes, seed: int) -> bytes:
    """Some bits flipped: anywhere, or at the ends, where the parameters are."""
    chance, content = random.Random(seed), bytearray(state)
    for _ in range(chance.choice((1, 3, 20))):
        place = chance.choice((chance.randrange(1_000), -1 - chance.randrange(1_000), chance.randrange(len(content))))
        content[place] ^= 1 << chance.randrange(8)
    return bytes(content)


def refusal_of(state: bytes) -> str | None:
    try:
        try_boosters(holding(state))
    except BoosterDamagedError as fault:
        return str(fault)
    return None


def test_whole_boosters_are_opened(state: bytes) -> None:
    try_boosters(holding(state, state, state))
    try_boosters(holding())


@pytest.mark.tier("land")
def test_a_damaged_booster_is_refused_or_can_be_used(state: bytes, sample: Sample) -> None:
    seeds, refused = sample(range(WAYS), 6), 0
    for seed in seeds:
        content = damaged(state, seed)
        if (why := refusal_of(content)) is not None:
            assert why.startswith("0.bin: ")
            assert "\n" not in why
            refused += 1
        else:
            used = subprocess.run([sys.executable, "-c", USE], input=content, capture_output=True, check=False)
            assert used.returncode >= 0, f"seed {seed}"  # an exception is an answer, the end of the process is not
    assert refused >= len(seeds) / 4  # other bytes, of leaves or of names, only change the answer


def test_the_damaged_one_of_several_is_named(state: bytes) -> None:
    with pytest.raises(BoosterDamagedError, match=r"^2\.bin: "):
        try_boosters(holding(state, state, state[: len(state) // 2]))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import os; os.abort()", r"0\.bin: the process that read it crashed \(-?\d+\)"),
        ("import sys; sys.stdout.write('+'); sys.exit(1)", r"1\.bin: the process that read it crashed \(1\)"),
        ("while True: pass", r"were not read within 0\.5 seconds"),
    ],
)
def test_what_ends_the_other_process_ends_no_other(
    script: str, words: str, state: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "script.py").write_text(script)
    monkeypatch.setattr(open_booster, "__file__", str(tmp_path / "script.py"))
    monkeypatch.setattr(boosters, "MOST_SECONDS", 0.5 if "while" in script else 120)
    with pytest.raises(BoosterDamagedError, match=words):
        try_boosters(holding(state, state))


def test_a_pipeline_with_such_a_booster_is_refused_in_one_line(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(100, COLUMNS))
    fitted = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(rows, rows[:, 0] > 0)
    path = tmp_path / "pipeline.skops"
    save_pipeline(Pipeline([("trees", fitted)]), path)
    assert load_pipeline(path).predict(rows[:1]).tolist() in ([0], [1])
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    [booster] = [name for name in members if name.endswith(".bin")]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content[:-200] if name == booster else content)
    words = rf"pipeline\.skops: is not a pipeline that can be read \({booster}: [^\n]*train again"
    with pytest.raises(UserError, match=words):
        load_pipeline(path)


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        (("gradient_booster", "model", "trees", 3, "left_children", 0), 1_000_000, "tree 3: expected nodes"),
        (("gradient_booster", "model", "trees", 3, "right_children", 0), -2, "tree 3: expected nodes"),
        (("gradient_booster", "model", "trees", 0, "left_children", 1), 0, "tree 0: expected nodes"),
        (("gradient_booster", "model", "trees", 5, "split_indices", 0), COLUMNS, "tree 5: expected nodes"),
        (("gradient_booster", "model", "trees", 5, "split_conditions"), [0.0], "tree 5: expected nodes"),
        (("gradient_booster", "model", "trees", 5, "left_children"), [], "tree 5: expected nodes"),
        (("gradient_booster", "model", "trees", 2, "categories_nodes"), [99_999], "tree 2: expected nodes"),
        (("gradient_booster", "model", "tree_info", 7), 1, "tree_info: expected"),
        (("gradient_booster", "model", "tree_info"), [0], "tree_info: expected"),
        (("gradient_booster", "model", "iteration_indptr", 3), 2_000, "iteration_indptr: expected"),
        (("learner_model_param", "num_feature"), "0", "num_feature: expected 1 to 1,000,000, got 0"),
        (("learner_model_param", "num_feature"), str(2**31), "num_feature: expected 1 to 1,000,000, got 2,147,483,648"),
    ],
)
def test_trees_that_lead_out_of_their_arrays_are_refused(
    member: tuple[Any, ...], value: Any, words: str, booster: xgboost.Booster
) -> None:
    learner = json.loads(booster.save_raw("json"))["learner"]
    look_at(learner)
    place = learner
    for name in member[:-1]:
        place = place[name]
    place[member[-1]] = value
    with pytest.raises(RefusedError, match=words):
        look_at(learner)


@pytest.mark.filterwarnings("ignore")  # newer versions of XGBoost deprecate DART
def test_boosters_with_dropout_are_looked_at_too() -> None:
    rows = np.random.default_rng(1).normal(size=(100, COLUMNS))
    model = xgboost.XGBClassifier(n_estimators=3, booster="dart", rate_drop=0.5, n_jobs=1).fit(rows, rows[:, 0] > 0)
    try_boosters(holding(bytes(model.get_booster().__getstate__()["handle"])))


def test_the_script_marks_each_booster_up_to_the_first_that_is_refused(
    state: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, since what is refused here does not crash: the bytes say themselves that they are no booster."""
    nothing, [path] = b"no booster" * 10, find_lib_path()
    for given, opened, status in (([state, state], 2, 0), ([state, nothing, state], 1, open_booster.REFUSED)):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"".join(given))))
        assert open_booster.open_all(path, [str(len(its)) for its in given]) == status
        said = capsys.readouterr()
        assert said.out == opened * open_booster.OPENED
        assert ("Check failed" in said.err or "xpect" in said.err) == bool(status), said.err
        assert "\n" not in said.err
