"""Exploration: figures that the libraries confirm, and leaks that are found where they were planted, only there."""

import json
import math
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from table import Table, read_table, synthetic_table
from tests.applicants import draw
from training import exploration
from training.exploration import explore
from training.exploration.column import Column
from training.exploration.correlations import duplicates
from training.exploration.out_of_fold import worth_of
from training.settings import Feature, Settings, load_settings

pytestmark = pytest.mark.tier("land")

# What optbinning does that pandas 4 will not take; pandas 2 has no such warning.
COMING = getattr(pd.errors, "Pandas4Warning", DeprecationWarning)
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", category=COMING)
    from optbinning import OptimalBinning

EXAMPLES = Path(__file__).parents[2] / "examples"
KINDS = {"has_paid": "boolean", "shop": "category", "region": "category"}
Found = dict[str, Any]


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Give SIGINT back to Python: OR-Tools has it where a test calls optbinning itself."""
    yield
    signal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT))


def features(frame: pd.DataFrame, **kinds: Any) -> Settings:
    """Settings with a feature for each column of a frame."""
    known = KINDS | kinds
    return Settings(features=tuple(Feature(str(name), known.get(str(name), "number")) for name in frame), row_max={})


@pytest.fixture(scope="module")
def population() -> Table:
    return synthetic_table(Settings().schema)


@pytest.fixture(scope="module")
def applicants() -> tuple[pd.DataFrame, NDArray[np.int8]]:
    return draw(3_000)


@pytest.fixture(scope="module")
def found(applicants: Any) -> Found:
    frame, target = applicants
    return explore(frame, target, features(frame))


def of(found: Found, name: str) -> Found:
    entry: Found = next(entry for entry in found["features"] if entry["feature"] == name)
    return entry


def reasons(frame: pd.DataFrame, target: NDArray[np.int8], **kinds: Any) -> dict[str, str]:
    """The suspects by feature, with their texts."""
    suspects = explore(frame, target, features(frame, **kinds))["suspects"]
    assert len({suspect["feature"] for suspect in suspects}) == len(suspects)
    return {suspect["feature"]: suspect["reason"] for suspect in suspects}


# ---------------------------------------------------------------- figures


def test_it_is_json_and_sorted(found: Found, applicants: Any) -> None:
    frame, target = applicants
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["rows"], found["defaults"], found["looked_at"]) == (3_000, int(target.sum()), 3_000)
    values = [entry["iv"] for entry in found["features"]]
    assert values == sorted(values, reverse=True)
    assert {entry["feature"] for entry in found["features"]} == set(frame)


def test_missing_distinct_and_quantiles_are_those_of_the_column(found: Found, applicants: Any) -> None:
    frame, _ = applicants
    for entry in found["features"]:
        column = frame[entry["feature"]]
        assert entry["missing_share"] == column.isna().mean()
        assert entry["distinct"] == column.nunique()
        assert (entry["quantiles"] is None) == (entry["feature"] in KINDS)
    quantiles = of(found, "age")["quantiles"]
    assert (quantiles["min"], quantiles["max"]) == (frame["age"].min(), frame["age"].max())
    shares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    expected = np.quantile(frame["age"].dropna(), shares, method="inverted_cdf")
    assert list(quantiles.values())[1:-1] == expected.tolist()


def test_distributions_are_whole(found: Found) -> None:
    for entry in found["features"]:
        values, histogram = entry["distribution"]["values"], entry["distribution"]["histogram"]
        total = sum(value["share"] for value in values) + sum(histogram["shares"] if histogram else [])
        assert total == pytest.approx(1 - entry["missing_share"])
    debt = of(found, "debt")["distribution"]
    assert [value["bin"] for value in debt["values"]] == ["0"]
    assert debt["histogram"]["low"] > 0
    assert [value["bin"] for value in of(found, "has_paid")["distribution"]["values"]] == ["false", "true"]


def test_bins_are_optbinning_s(found: Found, applicants: Any) -> None:
    """Rows, default rate, weight of evidence and information value as its own table has them."""
    frame, target = applicants
    for name in ("income", "debt", "age", "shop"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=COMING)
            binning = OptimalBinning(name, "categorical" if name == "shop" else "numerical", max_n_bins=10)
            table = binning.fit(frame[name].to_numpy(), target).binning_table.build()
        table = table.drop(index="Totals")
        table = table[table["Count"] > 0]
        bins = pd.DataFrame(of(found, name)["bins"])
        assert bins["rows"].tolist() == table["Count"].tolist()
        np.testing.assert_allclose(bins["default_rate"], table["Event rate"].astype(float))
        np.testing.assert_allclose(bins["woe"], table["WoE"].astype(float), atol=1e-12)
        np.testing.assert_allclose(bins["iv"], table["IV"].astype(float), atol=1e-12)
        whole = bins["iv"].sum()
        if name == "shop":  # out of fold: what its levels' own rates flatter is left out
            assert 0.8 * whole < of(found, name)["iv"] < 1.1 * whole
        else:
            assert of(found, name)["iv"] == pytest.approx(whole)


def test_the_area_is_that_of_the_bins_default_rates_and_of_levels_out_of_fold(found: Found, applicants: Any) -> None:
    frame, target = applicants

    def in_sample(name: str) -> float:
        levels = frame[name].fillna(-1) if name == "has_paid" else frame[name].fillna("")
        return float(roc_auc_score(target, levels.map(pd.Series(target).groupby(levels).mean())))

    assert of(found, "has_paid")["auc"] == pytest.approx(in_sample("has_paid"))
    assert in_sample("shop") - 0.03 < of(found, "shop")["auc"] < in_sample("shop")
    for entry in found["features"]:
        assert 0.5 <= entry["auc"] <= 1


def test_bins_cover_all_rows_and_keep_missing_ones(found: Found) -> None:
    for entry in found["features"]:
        assert sum(part["rows"] for part in entry["bins"]) == 3_000
        assert sum(part["share"] for part in entry["bins"]) == pytest.approx(1)
        assert entry["bins"][-1]["bin"] == "missing"
        assert entry["bins"][-1]["share"] == pytest.approx(entry["missing_share"])


def test_whole_numbers_are_named_by_those_in_the_bin() -> None:
    rng = np.random.default_rng(0)
    late = rng.integers(0, 40, 4_000).astype(float)
    target = (rng.random(4_000) < np.where(late > 30, 0.5, np.where(late == 0, 0.01, 0.1))).astype(np.int8)
    frame = pd.DataFrame({"late": late})
    bins = explore(frame, target, features(frame))["features"][0]["bins"]
    ends = [part["bin"].split(" to ") for part in bins]
    numbers = [number for end in ends for number in range(int(end[0]), int(end[-1]) + 1)]
    assert numbers == list(range(40))
    for end, part in zip(ends, bins, strict=True):
        assert part["rows"] == ((late >= int(end[0])) & (late <= int(end[-1]))).sum()


def test_pure_and_small_bins_are_shown_where_optbinning_has_none() -> None:
    target = np.array([0] * 900 + [1] * 100, dtype=np.int8)
    frame = pd.DataFrame({"copy": target.astype(float)})
    entry = explore(frame, target, features(frame))["features"][0]
    assert [(part["bin"], part["default_rate"]) for part in entry["bins"]] == [("0", 0), ("1", 1)]
    assert entry["auc"] == 1
    assert entry["bins"][1]["woe"] == pytest.approx(math.log((0.5 / 900) / 1))


def test_correlations_are_scipy_s(found: Found, applicants: Any) -> None:
    frame, target = applicants
    doubled = frame.assign(twice=frame["income"] ** 2 + frame["age"] * 1e7)
    pairs = explore(doubled, target, features(doubled))["correlations"]
    assert [(pair["a"], pair["b"]) for pair in pairs] == [("income", "twice")]
    both = doubled[["income", "twice"]].dropna()
    assert pairs[0]["spearman"] == pytest.approx(spearmanr(both["income"], both["twice"]).statistic)
    assert found["correlations"] == []


def test_many_rows_are_sampled_with_their_default_rate(applicants: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, target = applicants
    monkeypatch.setattr(exploration, "MOST_ROWS", 1_000)
    first, second = (explore(frame, target, features(frame)) for _ in range(2))
    assert first == second
    assert (first["rows"], first["defaults"], first["looked_at"]) == (3_000, int(target.sum()), 1_000)
    for entry in first["features"]:
        assert entry["missing_share"] == frame[entry["feature"]].isna().mean()
        assert sum(part["rows"] for part in entry["bins"]) == 1_000
        rate = sum(part["rows"] * part["default_rate"] for part in entry["bins"]) / 1_000
        assert rate == pytest.approx(target.mean(), abs=1e-3)


cell = st.none() | st.sampled_from([0.0, 1.0, -1.0, 2.5, 3e38, -3e38, 1e-40])
label = st.none() | st.sampled_from(["a", "b", "1", "2025-01-31", "x" * 50])


@given(st.lists(st.tuples(cell, cell, st.none() | st.booleans(), label, st.booleans()), min_size=2, max_size=40))
def test_any_table_is_explored(rows: list[tuple[Any, ...]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b", "owner", "shop", "bad"])
    target = frame.pop("bad").to_numpy(dtype=np.int8)
    target[:2] = 0, 1
    frame = frame.astype({"a": float, "b": float, "owner": float})
    found = explore(frame, target, features(frame, owner="boolean"))
    json.dumps(found, allow_nan=False)
    for entry in found["features"]:
        assert sum(part["rows"] for part in entry["bins"]) == len(frame)
        assert entry["iv"] >= 0


# ---------------------------------------------------------------- leaks


def test_honest_tables_have_no_suspects(population: Table) -> None:
    """Several features of the built-in population have an information value near 1, and are what they seem."""
    found = explore(population.frame, population.target, Settings())
    assert found["features"][1]["iv"] > 1
    assert found["suspects"] == []
    for example in ("german_credit", "lending_club"):
        settings = load_settings(EXAMPLES / example / "settings.toml", {})
        table = read_table(settings.schema)
        assert explore(table.frame, table.target, settings)["suspects"] == []


def planted(table: Table) -> dict[str, tuple[str, Any]]:
    """Columns that know the outcome, each with what has to be said of it."""
    rng = np.random.default_rng(3)
    y = table.target
    rows = np.arange(len(y))
    bad = y == 1
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, len(y)), "D")
    paid_after = pd.Series(day + pd.to_timedelta(np.where(bad, rng.integers(90, 400, len(y)), 30), "D"))
    as_number = paid_after.dt.strftime("%Y%m%d").astype(float)
    has_paid = table.frame["has_paid"].to_numpy() == 1
    return {
        "copy": ("it is the target", y.astype(float)),
        "opposite": ("it is the target", 1.0 - y),
        "status": ("it is the target", np.where(bad, "charged off", "paid").astype(object)),
        "noisy": ("ranks defaults with a ROC-AUC of 0.9", y + rng.normal(0, 0.3, len(y))),
        "recovered": (
            "applicants at “all others” defaulted",
            np.where(bad & (rng.random(len(y)) < 0.4), rng.lognormal(5, 1, len(y)), 0.0),
        ),
        "collector": (
            "applicants with a value defaulted",
            pd.Series(rng.choice(["a", "b"], len(y))).where(bad & (rng.random(len(y)) < 0.2), None).to_numpy(object),
        ),
        "collected": (
            "applicants with a value defaulted",
            np.where(bad & (rng.random(len(y)) < 0.7), rng.random(len(y)), np.nan),
        ),
        "rating_after": ("applicants without a value defaulted", np.where(bad, np.nan, rng.integers(1, 9, len(y)))),
        "last_payment": (
            "those who defaulted and",
            np.where(rng.random(len(y)) < np.where(bad, 0.3, 0.9), rng.random(len(y)), np.nan),
        ),
        "row": ("the rows seem to be in order of their outcome", rows + bad * len(y) * 0.8 // 1),
        "account": (
            "a different value in almost every row",
            np.array([f"a{i * 7919 % 99_991}" for i in rows], object),
        ),
        "closed": ("looks like dates (2024", as_number.to_numpy()),
        "closed_text": ("looks like dates (2024", paid_after.dt.strftime("%Y-%m-%d").to_numpy(dtype=object)),
        "closed_seconds": ("looks like dates (17", paid_after.astype("datetime64[s]").astype("int64").to_numpy(float)),
        "months": (
            "carries almost the same information as avg_payment_span_0_12m",
            table.frame["avg_payment_span_0_12m"] / 30.4,
        ),
        "paid_word": ("occur in pairs", np.where(has_paid, "yes", "no").astype(object)),
        "shop": ("occur in pairs", table.frame["merchant_group"].str.upper().to_numpy(dtype=object)),
        "constant": ("has a single value, 7", np.full(len(y), 7.0)),
        "always": ("has a single value, true", np.ones(len(y))),
        "empty": ("is missing in every row", np.full(len(y), np.nan)),
        "rarely": ("is missing in 99.5", np.where(rng.random(len(y)) < 0.005, rng.random(len(y)), np.nan)),
    }


def test_planted_leaks_are_found_and_nothing_else(population: Table) -> None:
    leaks = planted(population)
    frame = population.frame.assign(**{name: values for name, (_, values) in leaks.items()})
    kinds = {"has_paid": "boolean", "copy": "boolean", "always": "boolean"} | dict.fromkeys(
        ("merchant_group", "status", "collector", "account", "closed_text", "paid_word", "shop"), "category"
    )
    told = reasons(frame, population.target, **kinds)
    assert {name: told.get(name) for name, (phrase, _) in leaks.items() if phrase not in told.get(name, "")} == {}
    assert told.keys() == leaks.keys()


@pytest.mark.parametrize("rows", [1_000, 5_000])
def test_planted_leaks_are_found_among_few_rows(rows: int) -> None:
    frame, target = draw(rows, seed=5)
    rng = np.random.default_rng(0)
    leaks: dict[str, Any] = {
        "copy": target.astype(float),
        "noisy": target + rng.normal(0, 0.2, rows),
        "recovered": np.where((target == 1) & (rng.random(rows) < 0.5), 100 * rng.random(rows), np.nan),
        "again": frame["income"] * 12,
    }
    assert reasons(frame.assign(**leaks), target).keys() == leaks.keys()


def test_measures_are_no_identifiers() -> None:
    """An amount in cents is nearly another one in every row; a row number is so without gaps."""
    frame, target = draw(1_000, seed=2)
    cents = np.round(np.random.default_rng(0).lognormal(8, 1, 1_000) * 100)
    assert len(np.unique(cents)) > 990
    told = reasons(frame.assign(cents=cents, number=np.random.default_rng(1).permutation(1_000) + 5_000.0), target)
    assert told == {"number": "has a different value in almost every row, like an identifier"}


def test_ctrl_c_stays_python_s() -> None:
    """OR-Tools would leave SIGINT at its default, which ends a process without a word."""
    code = """
import signal
from tests.applicants import draw
from training.exploration import explore
from training.exploration.column import Column
from training.exploration.correlations import duplicates
from training.exploration.out_of_fold import worth_of
from training.settings import Feature, Settings
frame, target = draw(300)
explore(frame[["income"]], target, Settings(features=(Feature("income", "number"),), row_max={}))
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("caught")
"""
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=EXAMPLES.parent, capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (0, "caught\n"), said.stderr


@pytest.mark.parametrize("levels", [20, 200, 500, 1_500])
@pytest.mark.parametrize("seed", range(3))
def test_random_levels_are_worth_about_nothing(levels: int, seed: int) -> None:
    rng = np.random.default_rng([levels, seed])
    target = (rng.random(2_000) < 0.2).astype(np.int8)
    worth = worth_of(rng.integers(0, levels, 2_000), target)
    assert worth is not None
    assert worth.iv < 0.15
    assert worth.auc < 0.57


@pytest.mark.parametrize("levels", [3, 30, 200])
def test_levels_of_different_risk_keep_most_of_their_worth(levels: int) -> None:
    rng = np.random.default_rng(levels)
    risk, codes = rng.beta(2, 8, levels), rng.integers(0, levels, 10_000)
    target = (rng.random(10_000) < risk[codes]).astype(np.int8)
    worth = worth_of(codes, target)
    assert worth is not None
    assert worth.auc == pytest.approx(roc_auc_score(target, risk[codes]), abs=0.03)


@pytest.mark.parametrize("rows", [30, 60, 100, 400])
def test_independent_numbers_do_not_go_in_pairs(rows: int) -> None:
    rng = np.random.default_rng(rows)
    target = (np.arange(rows) % 3 == 0).astype(np.int8)
    columns = [Column.of(Feature(name, "number"), rng.normal(size=rows), target) for name in ("a", "b")]
    assert duplicates(columns, np.arange(rows), []) == {}
