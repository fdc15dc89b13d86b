"""Times in unusual forms: the draft offers a format by which training orders them, or leaves them out with a reason."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from table import read_table
from tests.training.drafts import read_by_its_draft
from training.settings import load_settings

ROWS = 600
MONTHS = [(year, month) for year in (2015, 2016, 2017) for month in range(1, 13)]


def drafted(folder: Path, name: str, levels: Sequence[Any], suffix: str = ".csv") -> tuple[str, dict[str, Any], str]:
    """The draft of a table with a column of these levels, its features, and the column's line."""
    rng, file = np.random.default_rng(12), folder / f"book{suffix}"
    # All levels occur: of 600 rows for at most 40 of them.
    cells = [levels[at % len(levels)] for at in rng.permutation(ROWS)]
    frame = pd.DataFrame({name: cells, "rate": rng.uniform(1, 9, ROWS).round(2)})
    frame["default"] = (rng.random(ROWS) < 0.25) * 1
    frame.to_parquet(file) if suffix == ".parquet" else frame.to_csv(file, index=False)
    text, content, _ = read_by_its_draft(file)
    [line] = [line for line in text.splitlines() if line.removeprefix("# ").startswith(f"{name} = {{")]
    return text, content["features"], line


def split_by_time(folder: Path, text: str) -> list[Any]:
    """The moments that training reads once the draft's lines of a time are no comments, in their order."""
    toml = folder / "own.toml"
    toml.write_text(re.sub(r"^# (method|time|time_format) =", r"\1 =", text, flags=re.M), "utf-8")
    times = read_table(load_settings(toml, {}).schema).time
    assert times is not None
    return sorted(set(times.values.tolist()))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("name", "first", "step"),
    [
        ("issue_month", 42_384, 30),
        ("issue_date", 20_100, 7),
        ("opened_at", 1_420_070_400, 86_400),
        ("ts", 1_420_070_400_000, 86_400_000),
    ],
)
def test_counts_of_days_and_seconds_are_offered_with_the_format_that_training_asks_for(
    name: str, first: int, step: int, suffix: str, tmp_path: Path
) -> None:
    levels = [first + step * at for at in range(40)]
    text, features, line = drafted(tmp_path, name, levels, suffix)
    assert name not in features
    assert "looks like times in" in line
    assert '# time_format = "number"' in text
    assert split_by_time(tmp_path, text) == levels


FRENCH = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]
SPANISH = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"]
GERMAN = ["Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]
PERIODS = {
    "French": [f"{FRENCH[month - 1]} {year}" for year, month in MONTHS],
    "Spanish": [f"{SPANISH[month - 1]}-{year % 100}" for year, month in MONTHS],
    "German": [f"{GERMAN[month - 1]} {year % 100}" for year, month in MONTHS],
    "fiscal": [f"FY{year}/Q{quarter}" for year in (15, 16, 17) for quarter in (1, 2, 3, 4)],
    "halves": [f"H{half} {year}" for year in (2015, 2016, 2017) for half in (1, 2)],
    "halves and a word": [*(f"H{half} {year}" for year in (2015, 2016, 2017) for half in (1, 2)), "unbekannt"],
}


@pytest.mark.parametrize("form", PERIODS)
def test_months_and_years_in_any_form_are_no_category_in_silence(form: str, tmp_path: Path) -> None:
    _, features, line = drafted(tmp_path, "vintage", PERIODS[form])
    assert "vintage" not in features
    assert "holds years, such as" in line


@pytest.mark.parametrize(
    ("written", "levels"),
    [
        ("%Y年%m月", [f"{year}年{month}月" for year, month in MONTHS]),
        ("%Y年%m月%d日", [f"{year}年{month}月15日" for year, month in MONTHS]),
        ("%YM%m", [f"{year}M{month:02d}" for year, month in MONTHS]),
        ("'%Y%m", [f"'{year}{month:02d}" for year, month in MONTHS]),
    ],
)
def test_months_with_marks_are_offered_with_their_format(written: str, levels: list[str], tmp_path: Path) -> None:
    text, features, _ = drafted(tmp_path, "vintage", levels)
    assert "vintage" not in features
    assert f'# time_format = "{written}"' in text
    assert [(moment.year, moment.month) for moment in split_by_time(tmp_path, text)] == MONTHS


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_days_of_a_year_are_offered_as_numbers(suffix: str, tmp_path: Path) -> None:
    levels = [2015001 + 1000 * year + 30 * at for year in range(3) for at in range(12)]
    text, features, line = drafted(tmp_path, "vintage", levels, suffix)
    assert "vintage" not in features
    assert re.search(r"(20\d\d)(\d{3}) is day \d+ of \1: are they\?", line)
    assert split_by_time(tmp_path, text) == levels


@pytest.mark.parametrize(
    "levels",
    [
        ["Basel 2004", "Bern", "Biel 3", "Bonn"],
        ["mar 10", "mar 20", "mar 30", "sea 10"],
        ["12A", "7B", "H1 9", "Q7"],
        ["Marsh 10", "May 5", "Decor 12", "Lot 14"],
        ["12345", "2016", "flat"],
        [f"plan {at}" for at in range(1990, 2000)][:1] + [f"plan {at}" for at in range(20)],
    ],
)
def test_categories_with_a_year_in_some_levels_are_features(levels: list[str], tmp_path: Path) -> None:
    assert drafted(tmp_path, "tariff", levels)[1]["tariff"]["type"] == "category"


def test_large_amounts_are_no_days_of_a_year(tmp_path: Path) -> None:
    levels = np.random.default_rng(5).integers(1_900_000, 2_099_999, 40).tolist()
    assert "sum" in drafted(tmp_path, "sum", levels)[1]


LOST = [f"{year}.{month:02d}".replace(".10", ".1") for year, month in MONTHS]


def test_an_october_that_lost_its_zero_is_asked_about_and_offered_as_a_number(tmp_path: Path) -> None:
    text, features, line = drafted(tmp_path, "vintage", LOST)
    assert "vintage" not in features
    assert re.search(r'holds months, "201(\d)\.1" but never "201\1\.10": is it October', line)
    assert "%Y.%m" not in text
    assert split_by_time(tmp_path, text) == [float(level) for level in LOST]


def test_months_of_one_figure_without_october_are_left_out_and_no_format_is_offered(tmp_path: Path) -> None:
    levels = [f"{year}.{month}" for year, month in MONTHS if month != 10]
    text, features, line = drafted(tmp_path, "vintage", levels)
    assert "vintage" not in features
    assert "is it October without its zero, or January?" in line
    assert "# time_format" not in text


@pytest.mark.parametrize("zeros", ["02d", "d"])
def test_months_with_all_their_zeros_are_offered_with_their_format(zeros: str, tmp_path: Path) -> None:
    levels = [f"{year}.{month:{zeros}}" for year, month in MONTHS]
    text, _, line = drafted(tmp_path, "vintage", levels)
    assert '# time_format = "%Y.%m"' in text
    assert "October" not in line
    assert [(moment.year, moment.month) for moment in split_by_time(tmp_path, text)] == MONTHS


def test_months_that_the_file_holds_as_numbers_are_offered_as_numbers(tmp_path: Path) -> None:
    levels = [float(level) for level in LOST]
    text, features, line = drafted(tmp_path, "vintage", levels, ".parquet")
    assert "vintage" not in features
    assert re.search(r"looks like months, (\d{4})\.(\d\d) is month \d+ of \1: are they\?", line)
    assert split_by_time(tmp_path, text) == levels


def test_amounts_like_years_are_no_months(tmp_path: Path) -> None:
    levels = np.random.default_rng(6).uniform(1_900, 2_099, 40).round(2).tolist()
    assert drafted(tmp_path, "sum", levels, ".parquet")[2] == 'sum = { type = "number", description = "" }'
