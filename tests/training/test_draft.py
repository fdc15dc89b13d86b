"""`python -m training.draft`: its TOML trains, asks what it cannot know, and refuses what is no table."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from table import read_table
from tests.applicants import draw as applicants
from training import draft, run
from training.settings import load_settings

ROOT = Path(__file__).parents[2]
EXAMPLES = [ROOT / "examples/german_credit/germancredit.csv", ROOT / "examples/lending_club/lending_club.csv"]
FEW_TREES = ["--n-estimators", "5", "--no-plots", "--quiet", "--calibration", "sigmoid"]


def drafted(file: Path) -> str:
    """The text of the draft for a file, which is written beside it."""
    out = file.with_suffix(".toml")
    assert draft.main([str(file), "--out", str(out), "--quiet"]) == 0
    return out.read_text("utf-8")


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_draft_of_an_example_trains_without_an_edit(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / file.name
    copy.write_bytes(file.read_bytes())
    text = drafted(copy)
    own = load_settings(file.parent / "settings.toml", {})
    found = tomllib.loads(text)
    assert (found["data"]["target"], found["data"]["positive"]) == (own.data.target, *own.data.positive)
    types = {feature.name: feature.type for feature in own.features}
    edits = {name for name, feature in found["features"].items() if types.get(name) != feature["type"]}
    assert set(types) == set(found["features"])
    assert len(edits) <= 5
    words = ["--config", str(copy.with_suffix(".toml")), "--out", str(tmp_path / "artifacts"), *FEW_TREES]
    assert run.main(words) == 0
    assert json.loads((tmp_path / "artifacts/run.json").read_text())["data"]["rows"] == len(pd.read_csv(file))


@pytest.fixture
def awkward(tmp_path: Path) -> Path:
    """A table with most of what files have."""
    frame, target = applicants(800)
    rng = np.random.default_rng(5)
    month = rng.integers(1, 13, 800)
    frame = frame[["income", "age", "shop"]].assign(
        loan_id=[f"L{i}" for i in range(800)],
        issued=[f"{m:02d}2016" for m in month],
        applied=[f"2016-{m:02d}-01" for m in month],
        employed=np.where(rng.random(800) < 0.1, 365_243, rng.integers(-30, 60, 800)),
        score=np.where(rng.random(800) < 0.1, -9, rng.integers(0, 60, 800)),
        rate=[f"{value:.1f}%" for value in rng.uniform(5, 20, 800)],
        zip_code=[f"{value:05d}" for value in rng.integers(500, 540, 800)],
        recovered=np.where(target == 1, rng.random(800), np.nan),
        constant="x",
        owner=rng.choice(["yes", "no"], 800),
        **{'of "which" #1 [ä]': rng.random(800)},
        defaulted=target,
    )
    frame.to_csv(tmp_path / "loans.csv")
    return tmp_path / "loans.csv"


def test_awkward_columns_are_typed_left_out_with_a_reason_or_asked_about(awkward: Path) -> None:
    text = drafted(awkward)
    found = tomllib.loads(text)
    assert found["data"] == {"file": "loans.csv", "id": "(unnamed)", "target": "defaulted", "positive": "1"}
    types = {name: feature["type"] for name, feature in found["features"].items()}
    expected = {"zip_code": "category", "owner": "boolean", 'of "which" #1 [ä]': "number", "rate": "number"}
    assert types.items() >= expected.items()
    assert found["features"]["score"]["special"] == [-9]
    assert found["features"]["employed"]["special"] == [365_243]
    assert not {"issued", "applied", "recovered", "constant", "loan_id", ""} & set(types)
    lines = {line.removeprefix("# ").partition(" = ")[0]: line for line in text.splitlines()}
    for name, reason in {
        "issued": "times written as numbers, %m%Y",
        "applied": "ISO 8601",
        "rate": "is read as",
        "recovered": "it is the target",
        "constant": "has a single value",
        "score": "stands for missing?",
        "zip_code": "leading zeros",
        "loan_id": "like an identifier",
    }.items():
        assert reason in lines[name]
    assert '# time = "applied"' in text
    assert '# time_format = "%m%Y"' in text
    table = read_table(load_settings(awkward.with_suffix(".toml"), {}).schema)
    assert len(table.target) == 800


def test_a_target_that_is_not_settled_is_a_question_that_training_repeats(tmp_path: Path, capsys: Any) -> None:
    frame, target = applicants(400)
    file = tmp_path / "two.csv"
    frame[["income", "age"]].assign(bad=target, on_default=target[::-1]).to_csv(file, index=False)
    assert "Which column is the outcome" in drafted(file)
    toml = file.with_suffix(".toml")
    assert run.main(["--config", str(toml), "--out", str(tmp_path / "artifacts"), *FEW_TREES]) == 1
    assert "CHOOSE one of: bad, on_default (data.target)" in capsys.readouterr().err
    toml.write_text(toml.read_text().replace('"CHOOSE one of: bad, on_default"', '"bad"'))
    assert run.main(["--config", str(toml), "--out", str(tmp_path / "artifacts"), *FEW_TREES]) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n", "is empty; expected a header and rows"),
        (b"sep=;\r\n", "is empty; expected a header and rows"),
        (b"a,b\n", "has a header and no rows"),
        (b"a\n1\n2\n", "one column"),
        (b"a,b\n1,2\n2,3\n3,4\n", "no column can be the target"),
        (b"a,a\n1,2\n", "columns without names of their own"),
        (b"a,b\n1,2\n1\n", "line 3: expected 2 fields"),
        (b"a,b\n1,2\n\xff,1\n", "no column can be a feature"),
        (b"\xff\xfea\0", "has a header and no rows"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x01", "neither text nor Parquet"),
        (b"7,a,1\n8,b,0\n9,a,1\n", "line 1 looks like data"),
        (b"\x1f\x8bnothing", "damaged"),
        (b"PK\x03\x04nothing", "cannot be extracted"),
        (b'{"a": 1}\n7\n', "line 2: expected a JSON object"),
        (b"PAR1 cut", "cut short"),
    ],
)
def test_what_is_no_table_is_one_line_and_nothing_written(
    content: bytes, words: str, tmp_path: Path, capsys: Any
) -> None:
    file, out = tmp_path / "wrong.csv", tmp_path / "out.toml"
    file.write_bytes(content)
    assert draft.main([str(file), "--out", str(out), "--quiet"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert words in said.err
    assert not out.exists()


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capsys: Any) -> None:
    assert draft.main([str(tmp_path / "none.csv"), "--quiet"]) == 1
    assert "no such file" in capsys.readouterr().err


def test_a_column_that_is_other_in_each_row_may_be_the_id(tmp_path: Path) -> None:
    _, target = applicants(200)
    table = pd.DataFrame({"contract": [f"C{i}" for i in range(200)], "rent": np.arange(200.0), "lost": target})
    table.to_csv(tmp_path / "t.csv", index=False)
    assert 'id = ""  # is it "contract", which differs in each row?\n' in drafted(tmp_path / "t.csv")
    table.drop(columns="contract").to_csv(tmp_path / "t.csv", index=False)
    assert 'id = ""  # no column identifies the rows\n' in drafted(tmp_path / "t.csv")


def test_parquet_is_drafted_as_csv_is(awkward: Path) -> None:
    frame = pd.read_csv(awkward, dtype={"zip_code": str, "issued": str})
    frame = frame.drop(columns="Unnamed: 0")
    frame.to_csv(awkward, index=False)
    parquet = awkward.with_suffix(".parquet")
    frame.to_parquet(parquet)
    of_csv = tomllib.loads(drafted(awkward))
    of_parquet = tomllib.loads(drafted(parquet))
    assert of_parquet["data"].pop("file") == "loans.parquet"
    assert of_csv["data"].pop("file") == "loans.csv"
    assert of_parquet == of_csv


@pytest.mark.tier("full")
def test_a_new_user_drafts_trains_and_asks(awkward: Path) -> None:
    def ran(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=awkward.parent, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    (awkward.parent / "own.toml").write_text(ran("training.draft", "loans.csv", "--quiet"), "utf-8")
    ran("training.run", "--config", "own.toml", *FEW_TREES)
    ran("export.to_onnx", "--quiet")
    (awkward.parent / "applicant.json").write_text('{"uuid": "1", "income": 900, "owner": true, "rate": 13.5}')
    assert 0 < json.loads(ran("runtime.ask", "applicant.json"))["default_probability"] < 1


def test_standard_output_is_the_draft_and_nothing_else(capfdbinary: Any) -> None:
    assert draft.main([str(EXAMPLES[0]), "--quiet"]) == 0
    said = capfdbinary.readouterr()
    assert tomllib.loads(said.out.decode())["data"]["target"] == "creditability"
    assert said.err == b""
