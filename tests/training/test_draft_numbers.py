"""Numbers that are no amounts: the draft leaves them out with a reason, or writes what they seem to mean."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.training.drafts import read_by_its_draft

ROWS = 600
Cells = Sequence[Any] | np.ndarray[Any, Any]


def drafted(folder: Path, name: str, cells: Cells, suffix: str = ".csv") -> tuple[str, dict[str, Any], str]:
    """The draft of a table with this column, its features, and the column's line."""
    rng, file = np.random.default_rng(11), folder / f"book{suffix}"
    frame = pd.DataFrame({name: cells, "rate": rng.uniform(1, 9, len(cells)).round(2)})
    frame["default"] = (rng.random(len(cells)) < 0.25) * 1
    frame.to_parquet(file) if suffix == ".parquet" else frame.to_csv(file, index=False)
    text, content, _ = read_by_its_draft(file)
    [line] = [line for line in text.splitlines() if line.removeprefix("# ").startswith(f"{name} = {{")]
    return text, content["features"], line


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("different", [3, 40, 400])
def test_whole_numbers_that_no_float64_holds_are_left_out(different: int, suffix: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.integers(10**16, 9 * 10**17, different)
    _, features, line = drafted(tmp_path, "konto_stamm", rng.choice(numbers, ROWS), suffix)
    assert "konto_stamm" not in features
    assert "too large for a number to be exact, like an identifier" in line


@pytest.mark.parametrize(
    "cells",
    [
        np.random.default_rng(2).integers(1, 2**53, ROWS) // 1000,
        np.random.default_rng(2).lognormal(60, 3, ROWS),  # amounts of any size
        [*np.arange(ROWS - 20) % 97, *[10**17] * 20],  # a code for missing
    ],
)
def test_large_amounts_are_features(cells: Cells, tmp_path: Path) -> None:
    assert "sum" in drafted(tmp_path, "sum", cells)[1]


@pytest.mark.parametrize(
    ("others", "negative", "codes"),
    [
        (range(4), [-9], [-9]),
        (range(5), [-1], [-1]),
        (range(3), [-8, -9], [-9, -8]),
        (range(4), [-1, -9], [-9, -1]),
        (range(2), [-9], [-9]),
        ([0.5, 1.5, 2.5], [-1], [-1]),
        ([*range(5), 99], [-9], [-9, 99]),
    ],
)
def test_frequent_negative_codes_are_special_among_few_values(
    others: Sequence[int], negative: list[int], codes: list[int], tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    cells = np.where(rng.random(ROWS) < 0.15, rng.choice(negative, ROWS), rng.choice(others, ROWS))
    _, features, line = drafted(tmp_path, "late", cells)
    assert features["late"]["special"] == codes
    assert "for missing?" in line


@pytest.mark.parametrize(("others", "negative"), [(range(2), [-1]), (range(9), [-1, -2])])
def test_negative_codes_that_may_be_values_are_asked_about(
    others: Sequence[int], negative: list[int], tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    cells = np.where(rng.random(ROWS) < 0.15, rng.choice(negative, ROWS), rng.choice(others, ROWS))
    _, features, line = drafted(tmp_path, "late", cells)
    assert "special" not in features["late"]
    assert f"mean missing? then add special = [{', '.join(map(str, sorted(negative)))}]" in line


@pytest.mark.parametrize(
    "cells",
    [
        np.random.default_rng(4).integers(-6, 5, ROWS),
        np.random.default_rng(4).integers(-2, 3, ROWS),  # a scale
        np.random.default_rng(4).normal(0, 900, ROWS).round(2),
        np.random.default_rng(4).choice([-0.5, 0.5, 1.5, 2.5], ROWS),
        [*[-1] * 5, *np.random.default_rng(4).integers(0, 4, ROWS - 5)],  # too rare
    ],
)
def test_genuine_negative_numbers_are_not_asked_about(cells: Cells, tmp_path: Path) -> None:
    line = drafted(tmp_path, "change", cells)[2]
    assert line == 'change = { type = "number", description = "" }'


@pytest.mark.parametrize(
    ("wrong", "said"), [("-1", '"-1"'), ("0", '"0"'), ("", "missing cells"), ("many", "missing cells"), ("1.5", None)]
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_weight_with_a_wrong_cell_is_no_feature(
    wrong: str, said: str | None, *, is_whole: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(7)
    weights = rng.integers(1, 9, ROWS) if is_whole else rng.uniform(0.5, 3, ROWS).round(3)
    text, features, line = drafted(tmp_path, "weight", [wrong, *weights.astype(str)[1:]])
    assert "weight" not in features
    assert '# weight = "weight"  # is it?' in text
    assert "seems to be the weight of a row, which is not a feature: is it?" in line
    assert (f"Then correct {said}: a weight is above 0" in line) == (said is not None)


def test_words_are_no_weights(tmp_path: Path) -> None:
    text, features, _ = drafted(tmp_path, "weight", ["light", "heavy", "medium"] * 200)
    assert features["weight"]["type"] == "category"
    assert "# weight = " not in text.replace("# weight = {", "")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("different", [9, 900, 10**6])
@pytest.mark.parametrize("name", ["sum", "issue_date", "weight"])
def test_numbers_beyond_float64_are_left_out_without_a_warning(name: str, different: int, tmp_path: Path) -> None:
    numbers = np.random.default_rng(8).integers(1, different, ROWS).astype(str)
    _, features, line = drafted(tmp_path, name, ["1e400", "-1e400", *numbers[2:]])
    assert name not in features
    assert '"1e400"' in line
    assert ("too large for a number; correct them, or leave their cells empty" in line) == (name != "weight")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("different", [9, 900])
def test_infinite_numbers_of_parquet_are_left_out_without_a_warning(different: int, tmp_path: Path) -> None:
    numbers = np.random.default_rng(8).integers(0, different, ROWS).astype(float)
    _, features, line = drafted(tmp_path, "sum", [np.inf, -np.inf, *numbers[2:]], ".parquet")
    assert "sum" not in features
    assert "too large for a number" in line


def test_codes_with_an_e_between_figures_are_levels(tmp_path: Path) -> None:
    _, features, _ = drafted(tmp_path, "code", ["1E400", "2B100", "7", "3A900"] * 150)
    assert features["code"]["type"] == "category"
