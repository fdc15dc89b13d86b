"""Columns that may mean one thing or another: one draft of a table of them asks about each, and about no other."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from table import read_table
from tests.training.drafts import read_by_its_draft
from training import draft
from training.drafting.cells import Cells
from training.drafting.outcome import candidates, convincing
from training.settings import load_settings

ROWS = 400
ASKED = {
    "start": "times in days since 1900, as Excel counts them: are they?",
    "created": "times in seconds since 1970: are they?",
    "signed": "times in days since 1900, as Excel counts them: are they?",
    "k1": "are these days since 1900, as Excel counts them? then leave them out",
    "k2": "times in seconds since 1970: are they?",
    "k3": "times in milliseconds since 1970: are they?",
    "beginn": "holds dates in more than one form",
    "due": "holds dates in more than one form",
    "balance": 'a number? then write it without "CR" and "DR", and with the sign or size that they mean',
    "turnover": 'a number? then write it without "k" and "m", and with the sign or size that they mean',
    "owed": 'a number? then write it without "Cr"',
    "utilisation": "are some of these percentages and others fractions of 1?",
    "points": 'is it a number? then give "<25" a number in the file, or name "<25" in missing',
    "phone": 'holds formulas of Excel, such as "=\\"0',
    "vintage": 'holds weeks, such as "20',
    "remark": 'a text with quotes? then write each as "", not as \\"',
    "level": "often, thrice are among the numbers of level: missing?",
    "count": "many is among the numbers of count: missing?",
}
PLAIN = ["income", "limit", "rate", "debt_ratio", "owner", "street", "code"]


def doubtful() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    day = rng.integers(17_900, 18_900, ROWS)
    moments = pd.to_datetime(day, unit="D")
    share, amount = rng.random(ROWS), rng.lognormal(8, 1, ROWS)
    odd = np.arange(ROWS) % 2 == 1
    first = day % 12 + 13
    return pd.DataFrame(
        {
            "start": day + 25_569,
            "created": day * 86_400 + rng.integers(0, 86_400, ROWS),
            "signed": (day + 25_569 + share).round(4),
            "k1": day + 25_569,
            "k2": day * 86_400 + rng.integers(0, 86_400, ROWS),
            "k3": day * 86_400_000,
            "beginn": np.where(odd, moments.strftime("%Y-%m-%d"), moments.strftime("%d.%m.%Y")),
            "due": [f"{at}/{at - 12}/2020" if o else f"{at - 12}/{at}/2020" for at, o in zip(first, odd, strict=True)],
            "balance": [f"{value:.2f} {'DR' if o else 'CR'}" for value, o in zip(amount, odd, strict=True)],
            "turnover": [f"{value:.2f}{'k' if o else 'm'}" for value, o in zip(amount, odd, strict=True)],
            "owed": [f"{value:.2f} Cr" for value in amount],
            "utilisation": np.where(odd, share, share * 100).round(4),
            "level": np.where(np.arange(ROWS) % 90 == 7, "often", rng.integers(0, 99, ROWS).astype(str)),
            "count": np.where(np.arange(ROWS) % 90 == 7, "many", rng.integers(0, 99, ROWS).astype(str)),
            "points": np.where(np.arange(ROWS) % 9 == 0, "<25", rng.integers(25, 99, ROWS).astype(str)),
            "phone": [f'="0{value}"' for value in rng.integers(10, 40, ROWS)],
            "vintage": [f"{moment.year}-W{moment.week:02}" for moment in moments],
            "remark": rng.choice(['say \\"no\\"', 'say \\"yes\\"'], ROWS),
            "income": rng.integers(32_000, 60_000, ROWS),
            "limit": rng.integers(350, 420, ROWS) * 100,
            "rate": rng.uniform(0.5, 18, ROWS).round(2),
            "debt_ratio": rng.exponential(0.4, ROWS).round(3),
            "owner": rng.choice(["J", "N"], ROWS),
            "street": rng.choice(["12A", "7B", "9"], ROWS),
            "code": rng.choice([f"{at} {letter}" for at in range(9) for letter in "ABCDEFGH"], ROWS),
            "Contract No.": rng.permutation(ROWS) + 70_000,
            "Ausfall": np.where(rng.random(ROWS) < 0.3, "J", "N"),
        }
    ).assign(level=lambda frame: frame["level"].where(np.arange(ROWS) % 180 != 97, "thrice"))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The lines of the draft, by which the table is read."""
    folder = tmp_path_factory.mktemp("doubts")
    doubtful().to_csv(folder / "book.csv", index=False)
    assert draft.main([str(folder / "book.csv"), "--out", str(folder / "own.toml"), "--quiet"]) == 0
    assert len(read_table(load_settings(folder / "own.toml", {}).schema).target) == ROWS
    return (folder / "own.toml").read_text("utf-8").splitlines()


@pytest.mark.parametrize("column", ASKED)
def test_what_may_be_one_thing_or_another_is_a_question(column: str, lines: list[str]) -> None:
    setting = "missing" if column in ("level", "count") else column
    [line] = [line for line in lines if line.removeprefix("# ").startswith(f"{setting} = ")]
    assert ASKED[column] in line.partition("  # ")[2]


@pytest.mark.parametrize("column", PLAIN)
def test_what_is_sure_is_not_asked_about(column: str, lines: list[str]) -> None:
    [line] = [line for line in lines if line.startswith(f"{column} = ")]
    assert "  # " not in line


def test_words_of_a_letter_and_names_with_a_point_are_known(lines: list[str]) -> None:
    assert 'owner = { type = "boolean", true = ["J"], false = ["N"], description = "" }' in lines
    assert 'id = "Contract No."' in lines
    assert [line for line in lines if line.startswith(("target", "positive"))] == [
        'target = "Ausfall"  # its values: "N", "J"',
        'positive = "J"',
    ]


def test_an_identifier_among_numbers_is_asked_for(tmp_path: Path) -> None:
    frame = doubtful().rename(columns={"Contract No.": "lfd"})[["lfd", "rate", "Ausfall"]]
    frame.to_csv(tmp_path / "book.csv", index=False)
    assert draft.main([str(tmp_path / "book.csv"), "--out", str(tmp_path / "own.toml"), "--quiet"]) == 0
    assert 'id = ""  # is it "lfd", which differs in each row?' in (tmp_path / "own.toml").read_text()


@pytest.mark.parametrize("name", ["Charged\noff?", "Loan  status ", "NPA", "def", "ist_geplatzt", "Kredit ausgefallen"])
def test_outcomes_are_known_by_their_names(name: str) -> None:
    cells = [Cells(its, ("No", "Yes"), np.array([70, 30]), np.zeros(0, np.int64), 0) for its in (name, "owner", "x")]
    found = convincing(candidates(cells))
    assert found is not None
    assert (found.name, found.positive, found.question) == (name, ("Yes",), "")


def test_decimal_commas_are_likelier_beside_semicolons_and_asked_about(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = [f"{value:,}".replace(",", ".") for value in rng.integers(1_000, 90_000, ROWS)]
    rate = [f"{value:.3f}".replace(".", ",") for value in rng.uniform(1, 9, ROWS)]
    frame = pd.DataFrame({"Betrag": rows, "Zins": rate, "Ausfall": np.where(rng.random(ROWS) < 0.3, "J", "N")})
    frame.to_csv(tmp_path / "book.csv", index=False, sep=";")
    text, _, table = read_by_its_draft(tmp_path / "book.csv")
    assert re.search(r'decimal = ","  # is (\d),(\d+) \1\.\d+ or \1\2\?', text)
    assert table.frame["Zins"].max() <= 9
    assert table.frame["Betrag"].min() >= 1_000


def test_names_in_single_quotes_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "book.csv").write_text("'id','x','bad'\n'1','2','0'\n'2','3','1'\n")
    assert draft.main([str(tmp_path / "book.csv"), "--quiet"]) == 1
    assert "line 1: names are in single quotes ('id', …)" in capsys.readouterr().err


def test_columns_of_fixed_width_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["ID    JOB            DEF", "1     civil servant  0", "2     worker         1", "3     worker         0"]
    (tmp_path / "book.txt").write_text("\n".join(rows))
    assert draft.main([str(tmp_path / "book.txt"), "--quiet"]) == 1
    assert capsys.readouterr().err.endswith("; are its columns of fixed width? then save it as CSV\n")
