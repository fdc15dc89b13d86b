"""A file as lenders have them, from its raw cells to a served answer: what training left out, read and spelt."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from runtime.model import Model
from runtime.validate import Validator
from tests.model_folder import train_and_export
from tests.validation.flat import flat
from training.artifacts import load_pipeline
from validation import run as monitor

ROWS = 1_200
SETTINGS = """
[data]
file = "book.csv"
id = ""
target = "state"
positive = ["written off", "arrears"]
negative = "settled"
exclude = { desk = ["trial"] }
missing = ["n/k", "--"]
normalization = "NFC"
[features]
wage = { type = "number", special = [-7, 88888], indicator = "wage_withheld" }
owns = { type = "boolean", true = "owner", false = "tenant" }
trade = "category"
[xgboost]
n_estimators = 12
[evaluation]
plots = false
resamples = 50
"""


def book(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    wage = random.normal(2_000, 500, ROWS).round().astype(int).astype(str).astype(object)
    wage[random.random(ROWS) < 0.1] = "-7"
    wage[random.random(ROWS) < 0.1] = "88888.0"
    wage[random.random(ROWS) < 0.05] = "n/k"
    owns = random.choice(["owner", "Tenant", "--", "yes"], ROWS)
    trade = random.choice(["baker", " baker", "smith ", "smith", "caf\u00e9", "cafe\u0301", "n/k"], ROWS)
    risky = (owns == "Tenant") ^ (random.random(ROWS) < 0.3)
    state = np.where(risky, random.choice(["written off", "arrears"], ROWS), "settled").astype(object)
    state[random.random(ROWS) < 0.1] = "open"
    state[random.random(ROWS) < 0.02] = "n/k"
    desk = random.choice(["north", "south", "trial"], ROWS, p=[0.5, 0.4, 0.1])
    return pd.DataFrame({"wage": wage, "owns": owns, "trade": trade, "desk": desk, "state": state})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    book(1).to_csv(folder / "book.csv", index=False)
    (folder / "settings.toml").write_text(SETTINGS)
    train_and_export(folder)
    return folder


def test_every_answer_is_the_pipelines(folder: Path) -> None:
    total = json.loads((folder / "model" / "certificate.json").read_text())["total"]
    assert total["rows"] > 0
    assert total["margins_bit_equal"] == total["margins"]
    assert total["bands_that_differ"] == 0


def test_run_json_report_and_card_count_what_was_left_out(folder: Path) -> None:
    frame, artifacts = book(1), folder / "artifacts"
    data = json.loads((artifacts / "run.json").read_text())["data"]
    trial = frame["desk"] == "trial"
    still_open = int(((frame["state"] == "open") & ~trial).sum())
    unknown = int(((frame["state"] == "n/k") & ~trial).sum())
    assert data["exclusions"] == [
        {"setting": "data.exclude", "column": "desk", "value": "trial", "rows": int(trial.sum())},
        {"setting": "data.negative", "column": "state", "value": "open", "rows": still_open},
    ]
    assert data["dropped_rows"] == int(trial.sum()) + still_open + unknown
    assert data["rows"] == ROWS - data["dropped_rows"]
    for page in ("report.html", "model_card.md"):
        text = (artifacts / page).read_text(encoding="utf-8")
        for said in (f"{still_open:,} rows left out by state", f"{trial.sum():,} rows left out by desk"):
            assert said in text
        for value in ("written off", "arrears", "settled"):
            assert value in text


def test_levels_and_ranges_are_those_of_the_cleaned_table(folder: Path) -> None:
    features = {each["name"]: each for each in json.loads((folder / "model" / "manifest.json").read_text())["features"]}
    assert list(features) == ["wage", "wage_withheld", "owns", "trade"]
    assert features["trade"]["vocabulary"] == ["baker", "caf\u00e9", "smith"]
    assert features["wage_withheld"]["type"] == "boolean"
    assert 0 < features["wage"]["range"][0] < features["wage"]["range"][1] < 5_000


def test_a_request_spells_levels_as_loosely_as_the_file(folder: Path) -> None:
    model = Model.load(str(folder / "model"))
    assert model.manifest.document["inputs"]["normalization"] == "NFC"
    validator = Validator(model.manifest)
    usual = {"uuid": "1", "wage": 2000, "wage_withheld": False, "owns": True}
    for spelt, level in (("cafe\u0301 ", "caf\u00e9"), (" baker", "baker"), ("smith", "smith"), ("\u00a0 ", "")):
        applicant = validator.applicant(usual | {"trade": spelt})
        assert (applicant.categories, applicant.warnings) == ([level], [])
        again = load_pipeline(folder / "artifacts" / "pipeline.skops").predict_proba(
            pd.DataFrame({"wage": [2000.0], "wage_withheld": [0.0], "owns": [1.0], "trade": [level]})
        )
        probability, _ = model.predict(np.array([applicant.numbers]), np.array([applicant.categories], dtype=object))
        assert probability[0] == again[0, 1]


def test_a_validation_reads_new_files_as_training_did(folder: Path, tmp_path: Path) -> None:
    book(2).to_csv(tmp_path / "new.csv", index=False)
    words = ["--data", tmp_path / "new.csv", "--model", folder / "model", "--config", folder / "settings.toml"]
    words += ["--out", tmp_path / "out", "--quiet"]
    assert monitor.main(list(map(str, words))) == 0
    found = flat(tmp_path / "out")
    assert found["moved"] == []
    asked = book(2).query("desk != 'trial'")
    assert found["rows"]["actual"] == len(asked) < ROWS
    assert found["outcomes"]["rows"] == int(asked["state"].isin(["written off", "arrears", "settled"]).sum())
    unseen = {entry["feature"]: entry["unseen"] for entry in found["features"]}
    assert {name: share for name, share in unseen.items() if name != "wage"} == dict.fromkeys(
        ["wage_withheld", "owns", "trade"], 0
    )
    assert unseen["wage"] < 0.02  # a code read as a number would be a tenth
