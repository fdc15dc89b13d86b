"""Drafts of files as the world writes them: each is read by its draft without an edit."""

import gzip
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cli.errors import UserError
from table import read_table
from tests.training.drafts import read_by_its_draft
from training import draft
from training.settings import load_settings

ROWS = 600


@pytest.fixture(scope="module")
def loans() -> pd.DataFrame:
    """Loans with two words of default, one of repayment and one of neither."""
    rng = np.random.default_rng(8)
    defaulted = rng.random(ROWS) < 0.25
    ended = np.where(defaulted, rng.choice(["Charged Off", "Default"], ROWS), "Fully Paid")
    return pd.DataFrame(
        {
            "loan_id": np.arange(ROWS) + 50_000,
            "issue_d": rng.choice(["Sep-2016", "Oct-2016", "Jan-2017"], ROWS),
            "amount": [f"${value:,.0f}" for value in rng.lognormal(9, 1, ROWS)],
            "rate": [f"{value:.2f}%" for value in rng.uniform(5, 30, ROWS)],
            "months_since": np.where(rng.random(ROWS) < 0.3, "NULL", rng.integers(0, 90, ROWS).astype(str)),
            "bureau": np.where(rng.random(ROWS) < 0.05, -9, rng.integers(300, 850, ROWS)),
            "days_employed": np.where(rng.random(ROWS) < 0.1, 365_243, -rng.integers(1, 9_000, ROWS)),
            "loan_status": np.where(rng.random(ROWS) < 0.2, "Current", ended),
        }
    )


@pytest.mark.parametrize("form", ["utf-8", "utf-16", "utf-16-le", "gzip", "json", "parquet", "feather", "folder"])
def test_outcomes_codes_and_marks_are_found_in_files_of_any_kind(
    form: str, loans: pd.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / "loans"
    if form == "json":
        loans.to_json(file, orient="records", lines=True)
    elif form == "parquet":
        loans.to_parquet(file)
    elif form == "feather":
        loans.to_feather(file)
    elif form == "folder":
        for year, part in ((2016, loans[:300]), (2017, loans[300:])):
            (file / f"year={year}").mkdir(parents=True)
            part.to_parquet(file / f"year={year}/part-0.parquet")
    elif form == "gzip":
        file.write_bytes(gzip.compress(loans.to_csv(index=False).encode()))
    else:
        file.write_bytes(loans.to_csv(index=False).encode(form))
    text, found, table = read_by_its_draft(file)
    data = found["data"]
    assert (data["id"], data["target"], data["positive"]) == ("loan_id", "loan_status", ["Charged Off", "Default"])
    assert (data["negative"], data["thousands"], data["missing"]) == ("Fully Paid", ",", ["NULL"])
    assert data.get("encoding") == ("utf-16-le" if form == "utf-16-le" else None)
    specials = {name: its["special"] for name, its in found["features"].items() if "special" in its}
    assert specials == {"bureau": [-9], "days_employed": [365_243]}
    assert "rows with Current are left out: is their outcome open?" in text
    assert '# time_format = "%b-%Y"' in text
    assert len(table.target) == (loans["loan_status"] != "Current").sum()
    assert table.target.mean() == pytest.approx(0.25, abs=0.05)
    ended = loans[loans["loan_status"] != "Current"]
    assert table.frame["amount"].sum() == ended["amount"].str.replace("[$,]", "", regex=True).astype(float).sum()
    assert table.frame["days_employed"].max() < 0


def test_a_german_file_is_drafted(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    sums = [f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in rng.lognormal(8, 1, ROWS)]
    frame = pd.DataFrame(
        {
            "Kundennummer": [f"K{place}" for place in range(ROWS)],
            "Einkommen": sums,
            "Zins": [f"{value:.1f} %".replace(".", ",") for value in rng.uniform(3, 15, ROWS)],
            "Wohnung": rng.choice(["Haus", "Büro"], ROWS),
            "Eigentum": rng.choice(["ja", "nein"], ROWS),
            "Antrag": [f"{day:02d}.03.2019" for day in rng.integers(1, 31, ROWS)],
            "Note": np.where(rng.random(ROWS) < 0.1, "k.A.", rng.integers(300, 800, ROWS).astype(str)),
            "Kredit_Status": rng.choice(["zurückgezahlt", "Ausfall", "laufend"], ROWS, p=[0.6, 0.2, 0.2]),
        }
    )
    file = tmp_path / "kredite.csv"
    file.write_bytes(frame.to_csv(sep=";", index=False).encode("cp1252"))
    text, found, table = read_by_its_draft(file)
    assert found["data"] == {
        "file": "kredite.csv",
        "encoding": "cp1252",
        "separator": ";",
        "decimal": ",",
        "thousands": ".",
        "missing": ["k.A."],
        "id": "Kundennummer",
        "target": "Kredit_Status",
        "positive": "Ausfall",
        "negative": "zurückgezahlt",
    }
    assert "is this right: " in text
    assert found["features"]["Eigentum"] == {"type": "boolean", "true": ["ja"], "false": ["nein"], "description": ""}
    assert '# time_format = "%d.%m.%Y"' in text
    assert table.frame["Einkommen"].median() == pytest.approx(np.exp(8), rel=0.2)
    assert table.frame["Note"].isna().mean() == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize(
    ("cells", "setting"),
    [
        (["1,234", "12,345", "999"], {"thousands": ","}),
        (["1,2345", "12,3", "9"], {"decimal": ","}),
        (["1.234,5", "12.345,75", "9"], {"decimal": ",", "thousands": "."}),
        (["1'234.5", "12'345.75", "9"], {"thousands": "'"}),
        (["1 234", "12\u00a0345", "9"], {"thousands": " "}),
        (["€ 12", "€ 7", "€ 1"], {}),
    ],
)
def test_marks_are_found_by_the_numbers_of_all_columns(
    cells: list[str], setting: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "marks.csv"
    outcome = np.tile(["0", "1"], 60)
    pd.DataFrame({"sum": np.repeat(cells, 40), "x": range(120), "default": outcome}).to_csv(file, index=False)
    _, found, table = read_by_its_draft(file)
    assert {name: found["data"][name] for name in ("decimal", "thousands") if name in found["data"]} == setting
    assert found["features"]["sum"]["type"] == "number"
    assert table.frame["sum"].nunique() == 3


def test_an_outcome_of_unknown_words_is_asked_for_and_named(tmp_path: Path) -> None:
    file, rng = tmp_path / "words.csv", np.random.default_rng(1)
    status = rng.choice(["uno", "dos", "tres"], 200)
    pd.DataFrame({"x": rng.random(200), "loan_status": status}).to_csv(file, index=False)
    toml = tmp_path / "own.toml"
    assert draft.main([str(file), "--out", str(toml), "--quiet"]) == 0
    found = tomllib.loads(toml.read_text("utf-8"))["data"]
    assert found["target"] == "loan_status"
    assert found["positive"].startswith("CHOOSE of: ")
    with pytest.raises(UserError, match=r"no row has .CHOOSE of: .*found: dos, tres, uno"):
        read_table(load_settings(toml, {}).schema)


def test_a_target_that_is_named_is_taken_and_leaks_are_looked_for_by_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    refused = rng.random(500) < 0.3
    frame = pd.DataFrame({"x": rng.random(500), "white": rng.choice([0, 1], 500), "letter": np.where(refused, 7, 3)})
    file, toml = tmp_path / "named.csv", tmp_path / "own.toml"
    frame.assign(approve=1 - refused.astype(int)).to_csv(file, index=False)
    words = [str(file), "--target", "approve", "--positive", "0", "--out", str(toml), "--quiet"]
    assert draft.main(words) == 0
    found = tomllib.loads(toml.read_text("utf-8"))
    assert (found["data"]["target"], found["data"]["positive"]) == ("approve", "0")
    assert set(found["features"]) == {"x", "white"}
    assert read_table(load_settings(toml, {}).schema).target.tolist() == refused.astype(int).tolist()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "aprove"], "no column aprove (--target); did you mean approve?"),
        (["--target", "x"], "column x: expected an outcome of two to 20 values, found 60 (--target)"),
        (["--target", "approve", "--positive", "2"], 'no row has "2" (--positive), found: 0, 1'),
        (["--target", "approve", "--positive", "0,1"], "every value is one of a default (--positive)"),
        (["--positive", "1"], "--positive needs --target"),
    ],
)
def test_a_target_that_cannot_be_is_one_line(words: list[str], said: str, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "named.csv"
    pd.DataFrame({"x": range(60), "y": [0, 1, 2] * 20, "approve": [0, 1] * 30}).to_csv(file, index=False)
    assert draft.main([str(file), *words, "--quiet"]) != 0
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_plus_and_minus_are_outcomes_and_not_missing(tmp_path: Path) -> None:
    file, rng = tmp_path / "signs.csv", np.random.default_rng(1)
    sign = np.where(rng.random(200) < 0.4, "-", "+")
    pd.DataFrame({"A1": np.where(rng.random(200) < 0.1, "?", rng.random(200)), "A2": sign}).to_csv(file, index=False)
    _, found, table = read_by_its_draft(file)
    assert (found["data"]["target"], found["data"]["missing"]) == ("A2", ["?"])
    assert len(table.target) == 200


@pytest.mark.parametrize(
    ("codes", "kept"),
    [
        (["CA", "NC", "ND", "NY", "TX", "WA", "OH"], ["NC", "ND"]),  # states
        (["EUR", "USD", "UNK", "CHF", "SEK", "NOK"], ["UNK"]),
        (["A", "B", "C", "D", "E", "X"], ["X"]),
    ],
)
def test_a_code_among_codes_is_a_level_and_not_missing(tmp_path: Path, codes: list[str], kept: list[str]) -> None:
    file, rng = tmp_path / "codes.csv", np.random.default_rng(2)
    frame = pd.DataFrame({"code": rng.choice(codes, 300), "sum": rng.random(300), "bad": rng.integers(0, 2, 300)})
    frame.to_csv(file, index=False)
    _, found, table = read_by_its_draft(file)
    assert "missing" not in found["data"]
    assert set(kept) <= set(table.frame["code"])


def test_a_word_for_missing_among_words_is_still_missing(tmp_path: Path) -> None:
    file, rng = tmp_path / "words.csv", np.random.default_rng(2)
    frame = pd.DataFrame({"home": rng.choice(["own", "rent", "free", "ND"], 300), "bad": rng.integers(0, 2, 300)})
    frame.to_csv(file, index=False)
    _, found, table = read_by_its_draft(file)
    assert found["data"]["missing"] == ["ND"]
    assert "ND" not in set(table.frame["home"])


def test_a_weight_is_no_feature_and_is_asked_for(tmp_path: Path) -> None:
    file, rng = tmp_path / "weights.csv", np.random.default_rng(1)
    columns = {"x": rng.random(200), "sample_weight": rng.random(200) + 0.5, "default": rng.integers(0, 2, 200)}
    pd.DataFrame(columns).to_csv(file, index=False)
    text, found, _ = read_by_its_draft(file)
    assert set(found["features"]) == {"x"}
    assert '# weight = "sample_weight"  # is it?' in text
    toml = tmp_path / "own.toml"
    toml.write_text(text.replace("# weight =", "weight ="), "utf-8")
    assert load_settings(toml, {}).data.weight == "sample_weight"


@pytest.mark.parametrize("last", ["term", "initial_list_status"])
def test_a_file_without_an_outcome_says_so_and_asks(last: str, tmp_path: Path, capsys: Any) -> None:
    rng = np.random.default_rng(4)
    columns = {
        "loan_amnt": rng.integers(1_000, 40_000, 300),
        "grade": rng.choice(list("ABCDEFG"), 300),
        "annual_inc": rng.integers(20_000, 90_000, 300),
        last: rng.choice(["f", "w"] if last == "initial_list_status" else [" 36 months", " 60 months"], 300),
    }
    pd.DataFrame(columns).to_csv(tmp_path / "loans.csv", index=False)
    assert draft.main([str(tmp_path / "loans.csv")]) == 0
    text, said = capsys.readouterr()
    assert "# No outcome was detected: " in text
    assert tomllib.loads(text)["data"]["target"].startswith(f"CHOOSE one of: {last}")
    assert "No outcome was detected; the draft asks for it. Name it with --target COLUMN." in said
    assert draft.main([str(tmp_path / "loans.csv"), "--target", last]) == 0
    text, said = capsys.readouterr()
    assert "No outcome" not in text + said


@pytest.mark.parametrize(
    ("name", "strength", "kept"),
    [("balance", 2.0, True), ("balance", 4.5, False), ("total_pymnt", 2.0, False), ("total_pymnt", 1.0, False)],
)
def test_a_strong_feature_is_kept_with_a_question_and_left_out_by_certainty_or_name(
    name: str, strength: float, *, kept: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    defaulted = rng.random(3_000) < 0.1
    strong = rng.normal(size=3_000) + strength * defaulted
    frame = pd.DataFrame({name: strong.round(4), "income": rng.normal(size=3_000).round(3), "default": defaulted * 1})
    frame.to_csv(tmp_path / "loans.csv", index=False)
    text, content, _ = read_by_its_draft(tmp_path / "loans.csv")
    assert (name in content["features"]) == kept
    [line] = [line for line in text.splitlines() if line.removeprefix("# ").startswith(f"{name} = ")]
    assert "is it known only after the outcome?" in line
    assert ("LEAK? alone ranks defaults with a ROC-AUC of 0.9" in line) == kept


def test_an_honest_feature_with_a_name_of_afterwards_is_kept_where_it_tells_little(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"total_paid_before": rng.normal(size=900).round(3), "age": rng.integers(20, 70, 900)})
    frame.assign(default=(rng.random(900) < 0.2) * 1).to_csv(tmp_path / "loans.csv", index=False)
    assert "total_paid_before" in read_by_its_draft(tmp_path / "loans.csv")[1]["features"]
