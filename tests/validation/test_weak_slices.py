"""Slices: what is planted is found, what is clean is not, and each figure is that of the rows of the slice."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.metrics import log_loss, roc_auc_score

from tests.tiers import Sample
from validation.evidence import Part
from validation.slices.cells import cells_of
from validation.slices.overfit import overfit_slices
from validation.slices.weak import LEVEL, weak_slices

Floats = NDArray[np.float64]


def table(rows: int, seed: int, features: int = 6) -> tuple[pd.DataFrame, Floats, np.random.Generator]:
    """Features that say nothing, some missing, and log-odds of default."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{i}": rng.lognormal(0, 1, rows) for i in range(features)})
    frame["c"] = rng.choice(np.array([*"abcdef", None], dtype=object), rows)
    frame["few"] = rng.integers(0, 3, rows).astype(float)
    frame.loc[rng.random(rows) < 0.1, "x0"] = np.nan
    return frame, rng.normal(-2, 1.1, rows), rng


def outcomes(x: Floats, rng: np.random.Generator) -> NDArray[np.int8]:
    return np.asarray(rng.random(len(x)) < expit(x), dtype=np.int8)


def planted(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """A slice of two features with 7 % of the rows."""
    return ((frame["c"] == "b") & (frame["x1"] > frame["x1"].quantile(0.5))).to_numpy()


@pytest.mark.tier("land")  # a share of draws, of which the quick tier has too few
def test_a_table_with_the_outcomes_of_its_probabilities_has_hardly_ever_a_finding(sample: Sample) -> None:
    """Even where the whole table is off, which is not the slices' finding."""
    found = []
    for seed in sample(range(500), 25):
        frame, x, rng = table(3_000, seed)
        figures = weak_slices(frame, outcomes(x + 0.4 * (seed % 2), rng), expit(x), seed)
        found.append(any(its["confirmed"] for its in figures["slices"]))
    assert np.mean(found) <= 0.05


@pytest.mark.tier("land")  # a share of draws, of which the quick tier has too few
def test_a_slice_of_twice_the_odds_is_found(sample: Sample) -> None:
    found = []
    for seed in sample(range(100), 10):
        frame, x, rng = table(20_000, seed)
        figures = weak_slices(frame, outcomes(x + np.log(2) * planted(frame), rng), expit(x), seed)
        found.append(any("c is b" in its["slice"] and its["confirmed"] for its in figures["slices"]))
    assert np.mean(found) >= 0.8


@pytest.mark.tier("land")  # a share of draws, of which the quick tier has too few
def test_a_slice_that_is_ranked_at_random_is_found_by_its_log_loss(sample: Sample) -> None:
    found = []
    for seed in sample(range(100), 10):
        frame, x, rng = table(12_000, seed)
        mask = (frame["c"] == "b").to_numpy()
        right = np.where(mask, expit(x)[mask].mean(), expit(x))
        figures = weak_slices(frame, (rng.random(len(x)) < right).astype(np.int8), expit(x), seed)
        found.append(any(its["slice"] == "c is b" and its["confirmed"] for its in figures["slices"]))
        found[-1] &= any(its["measure"] == "log loss" for its in figures["slices"])
    assert np.mean(found) >= 0.8


def test_the_figures_of_a_slice_are_those_of_its_rows_in_the_half_that_did_not_find_it() -> None:
    frame, x, rng = table(12_000, 1)
    target, p = outcomes(x + planted(frame), rng), expit(x)
    figures = weak_slices(frame, target, p, 1)
    its = next(its for its in figures["slices"] if "c is b" in its["conditions"])
    order = np.random.default_rng([1, 1]).permutation(np.arange(12_000))
    second = np.sort(order[6_000:])
    mask = _mask(frame, its["conditions"])[second]
    y, q = target[second][mask], p[second][mask]
    assert its["rows"] == mask.sum()
    assert its["defaults"] == y.sum()
    assert its["observed"] == pytest.approx(y.mean())
    assert its["predicted"] == pytest.approx(q.mean())
    assert its["adjusted_p"] == pytest.approx(min(1, its["p"] * figures["tested"]), rel=1e-6)
    assert binomtest(int(y.sum()), len(y), float(q.mean()), "greater").pvalue < LEVEL
    json.dumps(figures, allow_nan=False)


def _mask(frame: pd.DataFrame, conditions: list[str]) -> NDArray[np.bool_]:
    """The rows that a slice's conditions say, read again from their words."""
    mask = np.ones(len(frame), dtype=bool)
    for words in conditions:
        name, _, rest = words.partition(" ")
        column = frame[name]
        if rest == "is missing":
            its = column.isna()
        elif rest.startswith("is "):
            its = column.astype(str) == rest[3:]
        elif rest.startswith("below "):
            its = column < float(rest[6:])
        elif rest.endswith(" and above"):
            its = column >= float(rest.removesuffix(" and above"))
        else:
            low, high = map(float, rest.split(" to below "))
            its = (column >= low) & (column < high)
        mask &= its.to_numpy()
    return mask


def test_weights_of_a_slice_s_rows_count() -> None:
    """Rows that carry no weight to speak of cannot make a slice weak."""
    frame, x, rng = table(12_000, 2)
    mask = planted(frame)
    target = outcomes(x + 2.0 * mask, rng)
    light = np.where(mask & (target == 1), 1e-6, 1.0)
    sure = weak_slices(frame, target, expit(x), 2)["slices"][0]
    assert sure["confirmed"]
    assert "c is b" in sure["slice"]
    weighted = weak_slices(frame, target, expit(x), 2, light)["slices"]
    assert not any(its["observed"] > its["predicted"] and "c is b" in its["slice"] for its in weighted)


def test_the_same_seed_gives_the_same_and_another_halves_anew() -> None:
    frame, x, rng = table(4_000, 3)
    target = outcomes(x + planted(frame), rng)
    assert weak_slices(frame, target, expit(x), 3) == weak_slices(frame, target, expit(x), 3)
    assert weak_slices(frame, target, expit(x), 3)["slices"] != weak_slices(frame, target, expit(x), 4)["slices"]


@pytest.mark.parametrize("defaults", [0, 1, 40])
def test_too_few_defaults_or_goods_give_no_slice(defaults: int) -> None:
    frame, x, _ = table(40, 4)
    figures = weak_slices(frame, (np.arange(40) < defaults).astype(np.int8), expit(x), 4)
    assert figures["slices"] == []


def test_cells_hold_each_row_once_and_say_where_it_is() -> None:
    frame, _, _ = table(3_000, 5)
    frame["spike"] = np.where(np.arange(3_000) < 2_700, 0.0, np.arange(3_000.0))
    frame["only"] = 7.0
    frame["none"] = np.nan
    cells = {its.feature: its for its in cells_of(frame, frame)}
    assert cells["few"].words == ("few is 0", "few is 1", "few is 2", "few is missing")
    assert cells["spike"].words[0] == "spike below 2700"
    assert set(cells) == {*frame.columns} - {"none"}
    for name, its in cells.items():
        assert its.codes.min() >= 0
        assert ((its.codes == len(its.words) - 1) == frame[name].isna().to_numpy()).all()
    assert np.bincount(cells["x1"].codes).max() == 600


def test_a_level_or_number_that_the_first_half_has_not_is_in_no_cell() -> None:
    by = pd.DataFrame({"c": np.array(["a", "b"] * 50, dtype=object), "n": [0.0, 1.0] * 50})
    [c, n] = cells_of(pd.DataFrame({"c": np.array(["z", "a", None], dtype=object), "n": [2.0, 0.5, np.nan]}), by)
    assert c.codes.tolist() == [-1, 0, 2]
    assert n.codes.tolist() == [-1, -1, 2]


def parts(seed: int, learnt: bool) -> tuple[Part, Part]:
    """Train and test; where `learnt`, the training rows of one level are known by heart."""
    made = []
    for part in (0, 1):
        frame, x, rng = table(10_000, 10 * seed + part)
        target = outcomes(x, rng)
        by_heart = learnt and part == 0
        p = np.where((frame["c"] == "b") & by_heart, expit(x + 3 * (2 * target - 1)), expit(x))
        made.append(Part(frame, target, p, 600 - 50 * x))
    return made[0], made[1]


@pytest.mark.tier("land")  # a share of draws, of which the quick tier has too few
def test_a_slice_that_is_known_by_heart_is_found_and_others_are_not(sample: Sample) -> None:
    seeds = sample(range(60), 6)
    found = [[its["slice"] for its in overfit_slices(*parts(s, True), s)["slices"] if its["confirmed"]] for s in seeds]
    clean = [any(its["confirmed"] for its in overfit_slices(*parts(s, False), s)["slices"]) for s in seeds]
    assert np.mean([its[:1] == ["c is b"] for its in found]) >= 0.8
    assert np.mean(clean) <= 0.05


def test_losses_of_an_overfit_slice_are_those_of_its_rows() -> None:
    train, test = parts(1, True)
    its = overfit_slices(train, test, 1)["slices"][0]
    assert its["slice"] == "c is b"
    for part, loss, auc in ((train, "train_loss", "train_auc"), (test, "test_loss", "test_auc")):
        mask = (part.frame["c"] == "b").to_numpy()
        y, p = part.target[mask], part.probability[mask]
        entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean()
        assert its[loss] == pytest.approx(log_loss(y, p) / entropy)  # type: ignore[literal-required]
        assert its[auc] == pytest.approx(roc_auc_score(y, p))  # type: ignore[literal-required]
