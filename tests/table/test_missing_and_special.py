"""Values that stand for missing, special codes with and without an indicator, and the words of booleans."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.errors import UserError
from table import Table, read_table
from training.settings import Data, Settings, load_settings, settings_as_dict, settings_as_toml, settings_from_dict

TOML = """
[data]
id = ""
target = "lost"
missing = ["unknown", "--", 999]
[features]
wage = { type = "number", special = [-1, -2.5], indicator = "wage_withheld" }
owns = { type = "boolean", true = ["owner"], false = ["tenant"], special = ["lodger"] }
trade = { type = "category", special = ["not asked"] }
"""


def settings_for(folder: Path, text: str = TOML, **data: Any) -> Settings:
    (folder / "s.toml").write_text(text)
    settings = load_settings(folder / "s.toml", {})
    return replace(settings, data=replace(settings.data, **data))


def table_of(folder: Path, columns: dict[str, Any], settings: Settings) -> Table:
    length = len(next(iter(columns.values())))
    target = {"lost": [row % 2 for row in range(length)]}
    if settings.data.file and settings.data.file.endswith(".parquet"):
        pq.write_table(pa.table(columns | target), settings.data.file)
    else:
        names = [*columns, "lost"]
        rows = zip(*(columns | target).values(), strict=True)
        lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
        Path(str(settings.data.file)).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_table(settings.schema)


GOOD: dict[str, list[Any]] = {"wage": [1, 2, 3, 4], "owns": [1, 0, 1, 0], "trade": ["a", "b", "a", "b"]}


def read(folder: Path, column: str, cells: list[Any], *, file: str = "t.csv", text: str = TOML) -> list[Any]:
    settings = settings_for(folder, text, file=str(folder / file))
    good = {name: (usual * len(cells))[: len(cells)] for name, usual in GOOD.items()}
    found: list[Any] = table_of(folder, good | {column: cells}, settings).frame[column].tolist()
    return found


def test_missing_words_count_in_every_column(tmp_path: Path) -> None:
    wages = read(tmp_path, "wage", ["unknown", " -- ", "999", "999.0", "9990", "5", "NA"])
    np.testing.assert_array_equal(wages, [np.nan] * 4 + [9990, 5, np.nan])
    assert read(tmp_path, "trade", ["unknown", " --", "999.00", "Unknown", "x", "NA"]) == [
        *(None, None, None),
        *("Unknown", "x", None),
    ]
    np.testing.assert_array_equal(read(tmp_path, "owns", ["--", "1", "999", "no"]), [np.nan, 1, np.nan, 0])


@pytest.mark.parametrize(
    "wages",
    [
        pa.array([-1, 7, 999, None], pa.int32()),
        pa.array([-1.0, 7.0, 999.0, None]),
        pa.array([Decimal("-1.00"), Decimal("7.00"), Decimal("999.00"), None], pa.decimal128(8, 2)),
        pa.array(["-1", "7", "unknown", None]),
    ],
    ids=lambda column: str(column.type),
)
def test_codes_are_missing_in_parquet_of_any_type(wages: Any, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, file=str(tmp_path / "t.parquet"))
    table = table_of(tmp_path, GOOD | {"wage": wages}, settings)
    np.testing.assert_array_equal(table.frame["wage"], [np.nan, 7, np.nan, np.nan])
    assert table.frame["wage_withheld"].tolist() == [1, 0, 0, 0]


def test_a_special_code_is_missing_and_its_indicator_is_a_feature(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, file=str(tmp_path / "t.csv"))
    assert [(feature.name, feature.type) for feature in settings.features] == [
        ("wage", "number"),
        ("wage_withheld", "boolean"),
        ("owns", "boolean"),
        ("trade", "category"),
    ]
    frame = table_of(tmp_path, GOOD | {"wage": ["-1.0", "-2.50", "-2", ""]}, settings).frame
    np.testing.assert_array_equal(frame["wage"], [np.nan, np.nan, -2, np.nan])
    assert frame["wage_withheld"].tolist() == [1, 1, 0, 0]


def test_settings_with_an_indicator_survive_json_and_toml(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, file=str(tmp_path / "t.csv"), exclude={"desk": ("x", "")}, negative=("0",))
    assert settings_from_dict(settings_as_dict(settings)) == settings
    (tmp_path / "again.toml").write_text(settings_as_toml(settings))
    assert load_settings(tmp_path / "again.toml", {}) == settings


def test_special_codes_of_one_column_stay_in_the_others(tmp_path: Path) -> None:
    assert read(tmp_path, "trade", ["-1", "not asked", "lodger", "x"]) == ["-1", None, "lodger", "x"]


def test_words_of_a_boolean_add_to_the_usual_ones(tmp_path: Path) -> None:
    owns = read(tmp_path, "owns", ["Owner", "TENANT", "lodger", "yes", "f", ""])
    np.testing.assert_array_equal(owns, [1, 0, np.nan, 1, 0, np.nan])


@pytest.mark.parametrize("words", [("Y", "N"), ("t", "f"), ("On", "off"), ("1.00", "0.00"), ("1e0", "-0"), ("T", "No")])
def test_usual_words_of_booleans_need_no_setting(words: tuple[str, str], tmp_path: Path) -> None:
    assert read(tmp_path, "owns", [*words, *words]) == [1, 0, 1, 0]


def test_own_words_go_before_the_usual_ones(tmp_path: Path) -> None:
    text = TOML.replace('true = ["owner"], false = ["tenant"]', "true = [0], false = [1]")
    assert read(tmp_path, "owns", ["0", "1", "no", "yes"], text=text) == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("special = [-1, -2.5], ", "", "wage.indicator: needs the codes that it indicates; set special, or leave"),
        ('"wage_withheld"', '"trade"', "wage.indicator: trade is a feature already; give the indicator a name"),
        ("[-1, -2.5]", '["n/k"]', 'wage.special: expected numbers, got "n/k"; name words in data.missing'),
        ("[-1, -2.5]", "[999]", 'wage.special: "999" is in data.missing too; take it out of one of them'),
        ('["tenant"]', '["OWNER"]', 'owns.false: "OWNER" is in true as well; name each word in one of them'),
        ('type = "category"', 'type = "category", true = ["x"]', "trade.true: needs a boolean feature, got a category"),
        ('special = ["not asked"]', "special = [[1]]", "trade.special: expected text, a number, true or false, or a"),
    ],
)
def test_contradictions_are_one_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"s\.toml: features\.") as caught:
        settings_for(tmp_path, TOML.replace(old, new))
    assert caught.value.exit_status == 2
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"positive": ["a", 1], "negative": ["1.0"]}, 'data.negative: "1" is in data.positive too; name each value in'),
        ({"positive": "x", "missing": "x"}, 'data.positive: "x" is in data.missing too; take it out of one of them'),
        ({"negative": ["x"], "missing": "x"}, 'data.negative: "x" is in data.missing too; take it out of one of them'),
        ({"exclude": {"desk": []}}, "data.exclude.desk: expected values, got none"),
        (
            {"exclude": "desk"},
            'data.exclude: expected a table of columns and values, got "desk"; for example',
        ),
        ({"positive": []}, "data.positive: expected text, a number, true or false, or a list of them, got []"),
        ({"missing": ["x", "x"]}, 'data.missing: "x" is listed 2 times; list it once'),
    ],
)
def test_contradicting_outcomes_are_one_line(data: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as caught:
        settings_from_dict({"data": data, "features": {"a": "number"}})
    assert message in str(caught.value)


def test_data_of_defaults_excludes_nothing() -> None:
    assert (Data().positive, Data().negative, Data().exclude, Data().missing) == (("1",), (), {}, ())


def remarks(folder: Path, wages: list[float]) -> tuple[str, ...]:
    frame = pd.DataFrame({"wage": wages, "lost": [row % 2 for row in range(len(wages))]})
    frame.to_csv(folder / "t.csv", index=False)
    content = {"data": {"file": str(folder / "t.csv"), "id": "", "target": "lost"}, "features": {"wage": "number"}}
    return read_table(settings_from_dict(content).schema).remarks


@pytest.mark.parametrize(
    ("codes", "written"),
    [([-1], "-1"), ([-98, -97, -99], "-99, -98, -97"), ([99_999], "99999"), ([-5, 400_000], "-5, 400000")],
)
def test_numbers_that_may_be_codes_are_remarked_on(codes: list[float], written: str, tmp_path: Path) -> None:
    wages = [float(wage) for wage in range(1_000, 3_000)]
    for code in codes:
        wages += [code] * 30
    assert remarks(tmp_path, wages) == (
        f"column wage: {written} may be codes, not numbers; special = [{written}] makes them missing",
    )


@pytest.mark.parametrize(
    "wages",
    [
        list(range(-50, 2_000)),
        [0] * 500 + list(range(500)),
        [-1] * 3 + list(range(2_000)),
        [-1] * 50 + [0, 1, 2] * 50,
        [5_000] * 50 + list(range(3_000)),
        [-0.5] * 50 + list(range(2_000)),
        [10**6] * 3 + list(range(2_000)),
    ],
)
def test_numbers_that_are_no_codes_get_no_remark(wages: list[float], tmp_path: Path) -> None:
    assert remarks(tmp_path, wages) == ()


def numbered(folder: Path, cells: list[float], key: str) -> Table:
    text = f'[data]\nid = ""\ntarget = "lost"\n[features]\nwage = {{ type = "number", {key} }}\n'
    settings = settings_for(folder, text, file=str(folder / "t.csv"))
    return table_of(folder, {"wage": cells}, settings)


MIDST: dict[str, tuple[float, list[float]]] = {
    "surrounded": (0, [float(v) for v in range(-60, 60) if v]),
    "lowest of counts": (0, [float(1 + v % 9) for v in range(120)]),
    "highest of grades": (10, [float(v % 10) for v in range(120)]),
    "surrounded far off": (500, [float(1_000 * (v % 7)) for v in range(120)]),
}
APART: dict[str, tuple[float, list[float]]] = {
    "below ages": (-9, [float(18 + v % 60) for v in range(120)]),
    "just below counts": (-1, [float(v % 9) for v in range(120)]),
    "above days": (365_243, [float(v) for v in range(120)]),
    "nothing among wages": (0, [900.0 + v for v in range(120)]),
    "of few others": (0, [float(v) for v in range(-20, 20) if v]),
}


@pytest.mark.parametrize("case", MIDST)
def test_a_frequent_special_code_among_the_values_is_refused(case: str, tmp_path: Path) -> None:
    code, others = MIDST[case]
    cells = others + [code] * len(others)
    with pytest.raises(UserError) as refused:
        numbered(tmp_path, cells, f"special = [{code}]")
    assert f"got {code:g}, which is 5" in str(refused.value)
    assert "features.wage.indicator" in str(refused.value)
    kept = numbered(tmp_path, cells, f'special = [{code}], indicator = "wage_there"')
    assert kept.frame["wage_there"].sum() == len(others)


@pytest.mark.parametrize("case", MIDST)
def test_a_rare_special_code_among_the_values_is_taken(case: str, tmp_path: Path) -> None:
    code, others = MIDST[case]
    frame = numbered(tmp_path, others + [code] * (len(others) // 4), f"special = [{code}]").frame
    assert frame["wage"].isna().sum() == len(others) // 4


@pytest.mark.parametrize("case", APART)
def test_a_frequent_special_code_far_from_the_values_is_taken(case: str, tmp_path: Path) -> None:
    code, others = APART[case]
    frame = numbered(tmp_path, others + [code] * len(others), f"special = [{code}]").frame
    assert frame["wage"].isna().sum() == len(others)
