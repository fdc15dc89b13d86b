"""Questions of a draft: what it cannot know is asked, and never decided in silence."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from table import read_table
from tests.training.drafts import read_by_its_draft
from training import draft
from training.settings import load_settings

LEFT_OUT = "are left out: is their outcome open, or a default?"
OPEN = "repayment, or is the outcome of such rows open?"


@pytest.mark.parametrize(
    ("others", "negative", "question"),
    [
        (
            ["Repaid", "In Progress"],
            "Repaid",
            f"rows with In Progress {LEFT_OUT}",
        ),
        (["repaid", "arrears"], "repaid", f"rows with arrears {LEFT_OUT}"),
        (["A", "B"], ["A", "B"], "are A, B repayment?"),
        (
            ["current", "grace"],
            ["current", "grace"],
            f"are current, grace {OPEN}",
        ),
        (["Current"], None, f"is Current {OPEN}"),
        (["ok"], None, None),
    ],
)
def test_of_the_values_beside_a_named_default_those_that_are_not_known_are_asked_for(
    others: list[str], negative: list[str] | str | None, question: str | None, tmp_path: Path
) -> None:
    rng, file, toml = np.random.default_rng(3), tmp_path / "named.csv", tmp_path / "own.toml"
    # The first of the others are the more frequent ones, and so first in the draft.
    share = [0.2, *([0.8] if len(others) == 1 else [0.5, 0.3])]
    frame = pd.DataFrame({"x": rng.random(400), "end": rng.choice(["lost", *others], 400, p=share)})
    frame.to_csv(file, index=False)
    words = [str(file), "--target", "end", "--positive", "lost", "--out", str(toml), "--quiet"]
    assert draft.main(words) == 0
    text = toml.read_text("utf-8")
    found = tomllib.loads(text)["data"]
    assert (found["positive"], found.get("negative")) == ("lost", negative)
    [line] = [line for line in text.splitlines() if line.startswith("positive" if negative is None else "negative")]
    assert line.partition("  # ")[2] == (question or "")
    taken = (
        frame["end"].isin(["lost", *others]) if negative is None else frame["end"].isin(["lost", *np.ravel(negative)])
    )
    assert len(read_table(load_settings(toml, {}).schema).target) == taken.sum()


@pytest.mark.parametrize(
    ("status", "positive", "negative"),
    [
        (["WRITTEN OFF", "SETTLED", "LIVE"], "WRITTEN OFF", "SETTLED"),
        (["Sofferenza", "Estinto", "In bonis"], "Sofferenza", "Estinto"),
        (["Inadimplente", "Quitado", "Em dia"], "Inadimplente", "Quitado"),
        (["Bankrupt", "Closed", "Other"], "Bankrupt", "CHOOSE of the others"),
    ],
)
def test_a_status_with_words_of_an_outcome_in_any_language_is_the_target(
    status: list[str], positive: str, negative: str, tmp_path: Path
) -> None:
    file, toml = tmp_path / "status.csv", tmp_path / "own.toml"
    outcomes = np.random.default_rng(4).choice(status, 300)
    pd.DataFrame({"x": range(300), "status": outcomes, "town": ["Rome", "Bari", "Lodi"] * 100}).to_csv(
        file, index=False
    )
    assert draft.main([str(file), "--out", str(toml), "--quiet"]) == 0
    found = tomllib.loads(toml.read_text("utf-8"))["data"]
    assert (found["target"], found["positive"], found["negative"]) == ("status", positive, negative)


@pytest.mark.parametrize(
    ("name", "first", "step", "said"),
    [
        ("appl_date", 42_005, 1, "looks like times in days since 1900, as Excel counts them: are they?"),
        ("ORIGDT", 20_100, 1, "looks like times in days since 1960, as SAS counts them: are they?"),
        ("opened_at", 1_420_070_400, 86_400, "looks like times in seconds since 1970: are they?"),
        ("timestamp", 1_420_070_400_000, 86_400_000, "looks like times in milliseconds since 1970: are they?"),
        ("vintage", 1501, 0, "looks like times written as numbers, %y%m: are they?"),
        ("amount", 42_005, 1, None),
        ("debt", 20_100, 1, None),
        ("size", 1501, 1, None),
    ],
)
def test_counts_that_are_times_are_no_feature_in_silence(
    name: str, first: int, step: int, said: str | None, tmp_path: Path
) -> None:
    rng, file = np.random.default_rng(5), tmp_path / "times.csv"
    months = np.array([100 * year + month for year in (15, 16, 17) for month in range(1, 13)])
    values = first + step * rng.integers(0, 900, 500) if step else rng.choice(months, 500)
    outcome = np.where(rng.random(500) < 0.2, 1, 0)
    pd.DataFrame({name: values, "income": rng.random(500), "default": outcome}).to_csv(file, index=False)
    text, found, _ = read_by_its_draft(file)
    assert (name in found["features"]) == (said is None)
    assert (said or "") in text
    assert (f'# time = "{name}"' in text) == (said is not None)


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (range(100), [997, 998, 999]),
        (range(9), [97, 99]),
        (range(1, 400), [9_999, 999_999]),
        (range(300, 851), [9_998]),
        (range(100), None),  # 96 to 99 are numbers as the others
        (range(900, 1_000), None),
    ],
)
def test_codes_of_nines_are_special_where_they_are_far_above_the_others(
    values: range, codes: list[int] | None, tmp_path: Path
) -> None:
    rng, file = np.random.default_rng(6), tmp_path / "codes.csv"
    months = rng.choice(values, 1_000)
    months = np.where(rng.random(1_000) < 0.08, rng.choice(codes or values, 1_000), months)
    frame = pd.DataFrame({"months": months, "default": rng.choice([0, 1], 1_000, p=[0.8, 0.2])})
    frame.to_csv(file, index=False)
    text, found, table = read_by_its_draft(file)
    assert found["features"]["months"].get("special") == codes
    assert table.frame["months"].max() <= max(values)
    assert ("stand for missing?" in text or "stands for missing?" in text) == (codes is not None)


def test_a_minus_as_ledgers_write_it_and_numbers_with_letters_are_said(tmp_path: Path) -> None:
    rng, file = np.random.default_rng(7), tmp_path / "ledger.csv"
    sums = rng.normal(0, 5_000, 400)
    frame = pd.DataFrame(
        {
            "balance": [f"({-value:,.2f})" if value < 0 else f"{value:,.2f}" for value in sums],
            "limit": [f"{abs(value) / 1000:.1f}k" for value in sums],
            "opened": [f"{day:02d}SEP2016:00:00:00" for day in rng.integers(1, 31, 400)],
            "Loan No ": rng.permutation(400),
            "default": rng.choice([0, 1], 400, p=[0.8, 0.2]),
        }
    )
    frame.to_csv(file, index=False)
    text, found, table = read_by_its_draft(file)
    assert found["data"]["id"] == "Loan No "
    np.testing.assert_allclose(table.frame["balance"], sums.round(2))
    [line] = [line for line in text.splitlines() if line.startswith("balance")]
    assert ')" is read as -' in line
    assert 'a number? then write it without "k"' in text
    assert '# time_format = "%d%b%Y:%H:%M:%S"' in text


@pytest.mark.parametrize(
    ("cells", "separator", "asked"),
    [
        (["4.500", "12.250", "900"], ";", True),
        (["4.500", "12.250", "900"], ",", True),
        (["4.500", "12.250", "900"], "\t", True),
        (["4.500", "12.250", "900"], "|", True),
        (["4.500", "12.25", "900"], ",", False),
        (["0.125", "4.500", "900"], ",", False),
        (["4.500", "12.25", "900"], ";", False),
        (["0.125", "0.250", "1"], ";", False),
    ],
)
def test_points_that_may_stand_between_thousands_are_asked_about(
    cells: list[str], separator: str, *, asked: bool, tmp_path: Path
) -> None:
    file = tmp_path / "points.csv"
    columns = {"sum": np.repeat(cells, 40), "town": ["Bern", "Bonn", "Biel", "Basel"] * 30, "default": [0, 1, 0] * 40}
    pd.DataFrame(columns).to_csv(file, index=False, sep=separator)
    text, _, _ = read_by_its_draft(file)
    assert (' is read as 12.25: or is it 12250? then set data.decimal = ","' in text) == asked
