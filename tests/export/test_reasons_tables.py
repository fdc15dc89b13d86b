"""Tables of contributions: equal to the leaf rule row by row, and to all coalitions through XGBoost itself."""

from dataclasses import replace
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from export.converters.classifier import boosters_of
from export.reasons.rule import contributions_by_covers
from runtime.digest import sha256
from runtime.reader import ModelRefused
from runtime.table_file import REASONS_FILE
from runtime.tables import Tables
from tests.applicants import draw, pipeline
from tests.export.explained import LARGEST_DIFFERENCE, SMALL, Explained, explained, fit, raw_of
from tests.tiers import examples
from training.estimator.boosting import margin
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.preparation import Preparation
from training.estimator.raw_thresholds import fold_log1p
from trees.ensemble import read_ensemble
from trees.reasons.build import build, plan
from trees.reasons.columns import columns_of, raw_thresholds
from trees.reasons.covers import Covers
from trees.reasons.file import content_of
from trees.reasons.rows import Rows


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Explained:
    return fit(tmp_path_factory.mktemp("usual"))


# ---------------------------------------------------------------- against the leaf rule


def agree(its: Explained) -> None:
    found, expected = its.contributions(), its.by_rule()
    assert np.abs(its.without_tables() - expected).max() <= 1e-9
    assert np.abs(found - expected).max() <= LARGEST_DIFFERENCE
    for row, by_rule in zip(found, expected, strict=True):  # the top four, but for ties
        order = np.sort(by_rule)[::-1]
        if len(order) > 4 and order[3] - order[4] > 2 * LARGEST_DIFFERENCE:
            assert set(np.argsort(-row)[:4]) == set(np.argsort(-by_rule)[:4])


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"max_depth": 1},
        {"max_depth": 6, "n_estimators": 6},
        {"max_depth": 9, "n_estimators": 1, "min_child_weight": 0.1},
        {"monotone_constraints": (-1, 1, 0, -1, 1)},
        {"tree_method": "exact", "gamma": 2.0},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"gamma": 1e9},
    ],
    ids=["usual", "stumps", "deep", "very deep", "monotone", "pruned", "forest", "leaves alone"],
)
def test_contributions_are_those_of_the_leaf_rule(parameters: dict[str, Any], tmp_path: Path) -> None:
    agree(fit(tmp_path, **parameters))


@pytest.mark.parametrize(
    "groups",
    [{"money": ["income", "debt"]}, {"person": ["age", "shop", "late"], "where": ["region", "has_paid"]}],
    ids=["numbers", "a number, a category and a row maximum"],
)
def test_groups_are_players(groups: dict[str, list[str]], tmp_path: Path) -> None:
    its = fit(tmp_path, groups)
    assert {player.name for player in its.players.players if player.is_group} == groups.keys()
    agree(its)


def test_contributions_of_pools_and_unseen_levels_are_those_of_the_leaf_rule(tmp_path: Path) -> None:
    frame, target = draw(1_500)
    rare = np.random.default_rng(3).random(1_500) < 0.1
    frame.loc[rare, "shop"] = [f"rare {i % 40}" for i in range(int(rare.sum()))]
    frame.loc[rare[::-1], "income"] = 1.0
    target = np.where(rare, 1, target)
    booster = XGBClassifier(**SMALL)
    fitted = pipeline(CrossFittedClassifier(booster, random_state=0))
    fitted[0].set_params(rare={"shop": 10}).fit(frame)
    assert fitted[0].pools_["shop"]
    fitted.fit(frame, target)
    applicants = frame.iloc[:60].copy()
    applicants.loc[:20, "shop"] = "never seen"
    agree(explained(fitted, tmp_path, applicants, frame.iloc[100:300]))


@given(depth=st.integers(1, 7), seed=st.integers(0, 30), missing=st.floats(0, 0.9), lossguide=st.booleans())
@hypothesis_settings(max_examples=examples(10))
def test_any_trees_on_any_rows_agree_with_the_leaf_rule(
    depth: int, seed: int, missing: float, lossguide: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame, target = draw(500, seed)
    rng = np.random.default_rng(seed)
    for name in ("income", "late_1", "late_2", "late_3", "age"):
        frame.loc[rng.random(500) < missing, name] = np.nan
    leafwise = {"grow_policy": "lossguide", "max_leaves": 12} if lossguide else {}
    booster = XGBClassifier(n_estimators=4, max_depth=depth, learning_rate=0.5, n_jobs=1, **leafwise)
    fitted = pipeline(CrossFittedClassifier(booster, folds=2, calibration="none", random_state=0)).fit(frame, target)
    agree(explained(fitted, tmp_path_factory.mktemp("any"), frame.iloc[:40], frame.iloc[200:300]))


# ---------------------------------------------------------------- against XGBoost itself


@pytest.mark.parametrize("groups", [{}, {"rest": ["debt", "region", "has_paid"]}], ids=["features", "a group"])
def test_contributions_are_those_of_all_coalitions_through_xgboost(
    groups: dict[str, list[str]], tmp_path: Path
) -> None:
    """The definition: the mean over rows and orders of what a feature changes when it is the applicant's."""
    its = fit(tmp_path, groups, n_estimators=6)
    its = explained(its.fitted, tmp_path, its.applicants.iloc[:20], its.reference.iloc[:50], groups)
    applicants, reference = its.prepared
    owner, count = its.players.of_column, len(its.players.players)
    assert count == (5 if groups else 7)
    coalitions = [its for size in range(count + 1) for its in combinations(range(count), size)]
    expected = np.zeros((len(applicants), count))
    for number, applicant in enumerate(applicants):
        rows = np.concatenate([np.where(np.isin(owner, which), applicant, reference) for which in coalitions])
        margins = np.mean([margin(b, rows).astype(float) for b in boosters_of(its.fitted[1])], axis=0)
        worth = dict(zip(coalitions, margins.reshape(len(coalitions), -1).mean(axis=1), strict=True))
        for player in range(count):
            for coalition, value in worth.items():
                if player not in coalition:
                    share = factorial(len(coalition)) * factorial(count - len(coalition) - 1) / factorial(count)
                    joined = worth[tuple(sorted((*coalition, player)))]
                    expected[number, player] += share * (joined - value)
    assert np.abs(its.contributions() - expected).max() <= 2e-6  # XGBoost's own margins are float32


def test_contributions_and_the_mean_add_up_to_the_margin(usual: Explained) -> None:
    raw = usual.fitted[0].raw_inputs(usual.applicants)
    ensembles = [fold_log1p(read_ensemble(b), usual.fitted[0]) for b in boosters_of(usual.fitted[1])]
    assert len(raw["numbers"]) == len(usual.applicants)
    margins = np.zeros(len(usual.applicants))
    for booster in boosters_of(usual.fitted[1]):
        native = booster.get_booster()
        leaves = native.predict(xgboost.DMatrix(usual.prepared[0]), pred_leaf=True).astype(int)
        trees = native.trees_to_dataframe()
        values = {(t, n): g for t, n, g in zip(trees.Tree, trees.Node, trees.Gain, strict=True)}
        margins += [sum(np.float32(values[t, n]).astype(float) for t, n in enumerate(row)) for row in leaves]
    margins = margins / 3 + np.mean([float(its.base_margin) for its in ensembles])
    found = usual.contributions().sum(axis=1) + usual.tables.mean
    assert np.abs(found - margins).max() <= 1e-6


def test_the_mean_is_that_of_the_reference_rows(usual: Explained) -> None:
    found = usual.contributions(usual.reference)
    assert np.abs(found.mean(axis=0)).max() <= LARGEST_DIFFERENCE
    assert usual.tables.mean == pytest.approx(usual.fitted[1].decision_function(usual.prepared[1]).mean(), abs=1e-6)


# ---------------------------------------------------------------- thresholds and values at their ends


def test_thresholds_on_raw_numbers_are_those_of_the_rounded_ones() -> None:
    rng = np.random.default_rng(0)
    largest = np.finfo(np.float32).max
    thresholds = np.concatenate(
        [
            rng.normal(size=500) * 10.0 ** rng.integers(-30, 30, 500),
            [0.0, -0.0, 1e-45, -1e-45, 1.1754944e-38, largest, -largest, np.inf, 1.0, -1.0],
        ]
    ).astype(np.float32)
    found = raw_thresholds(thresholds)
    with np.errstate(over="ignore"):
        for side in (-np.inf, np.inf, None):
            raw = found if side is None else np.nextafter(found, side)
            assert ((raw < found) == (raw.astype(np.float32) < thresholds)).all()
    assert raw_thresholds(np.array([-np.inf], dtype=np.float32)).tolist() == [-np.inf]


def test_values_beside_every_threshold_and_at_the_ends_go_where_the_trees_send_them(usual: Explained) -> None:
    """The sum of the contributions follows the margin through every step of every number."""
    frame = usual.applicants.iloc[:2]
    rows = []
    for axis, name in ((0, "income"), (1, "debt"), (2, "age"), (4, "late_2")):
        addresses = usual.tables._addresses
        values = addresses._thresholds[addresses._axis == axis]
        beside = [values, np.nextafter(values, -np.inf), np.nextafter(values, np.inf)]
        ends = [np.nan, np.inf, -np.inf, 1e300, -1e300, 1e39, -1e39, -0.0, -1.0, 5e-324]
        for value in np.concatenate([*beside, ends]):
            rows.append(frame.assign(**{name: value}))
            if name == "late_2":
                rows.append(frame.assign(late_1=np.nan, late_2=value, late_3=np.nan))
    moved = pd.concat(rows)
    found = usual.contributions(moved).sum(axis=1) + usual.tables.mean
    margins = usual.fitted[1].decision_function(usual.fitted[0].transform(moved))
    assert np.abs(found - margins).max() <= 5e-6


def test_alone_and_again_have_the_same_bits(usual: Explained) -> None:
    assert usual.contributions().tobytes() == usual.contributions().tobytes()


@pytest.mark.parametrize("parameters", [{}, {"max_depth": 7, "n_estimators": 8}, {"gamma": 50.0}])
def test_addresses_without_the_matrix_are_the_same(
    parameters: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = fit(tmp_path, **parameters)
    assert usual.tables._addresses._matrix is not None
    monkeypatch.setattr("runtime.addresses.LARGEST_MATRIX", -1)
    bit_by_bit = replace(usual, tables=Tables.parse(usual.content))
    assert bit_by_bit.tables._addresses._matrix is None
    assert bit_by_bit.contributions().tobytes() == usual.contributions().tobytes()


def test_the_size_is_known_before_the_tables_are_built(usual: Explained) -> None:
    players, preparation = usual.players, usual.fitted[0]
    ensembles = [fold_log1p(read_ensemble(booster), preparation) for booster in boosters_of(usual.fitted[1])]
    planned = plan(columns_of(ensembles, players.columns, players.of_source)).size
    assert 0.9 * planned <= len(usual.content) - 4096 <= 1.1 * planned


# ---------------------------------------------------------------- what is refused


def test_damaged_tables_are_refused(usual: Explained, tmp_path: Path) -> None:
    path, folder, content = str(tmp_path / "reasons.bin"), str(tmp_path), usual.content
    size, digest = len(content), sha256(content)
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    cut, other, junk = content[:-1], b"x" + content[1:], content[:16] + b"!" * (size - 16)
    for damaged, at_start in ((cut, True), (other, True), (junk, True), (flipped, False)):
        Path(path).write_bytes(damaged)
        if at_start:
            with pytest.raises(ModelRefused, match=r"reasons\.bin: expected"):
                REASONS_FILE.check_header(folder, size, "g")
        else:
            REASONS_FILE.check_header(folder, size, "g")
        with pytest.raises(ModelRefused, match=r"reasons\.bin: sha256: expected"):
            Tables.read(folder, digest, "g")
    Path(path).write_bytes(content)
    REASONS_FILE.check_header(folder, size, "g")
    with pytest.raises(ModelRefused, match="expected tables of graph h, got those of g"):
        REASONS_FILE.check_header(folder, size, "h")
    Path(path).unlink()
    with pytest.raises(ModelRefused, match="No such file"):
        REASONS_FILE.check_header(folder, size, "g")


def test_a_pool_that_is_the_only_condition_is_looked_up(tmp_path: Path) -> None:
    """Its bit is the first of all."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"town": [f"town {i % 200}" for i in range(600)]}, dtype=object)
    frame.loc[rng.random(600) < 0.4, "town"] = None
    target = (rng.random(600) < np.where(frame["town"].isna(), 0.6, 0.2)).astype(np.int8)
    preparation = Preparation(categories={"town": []}, rare={"town": 10})
    booster = CrossFittedClassifier(XGBClassifier(**SMALL), random_state=0)
    fitted = Pipeline([("prepare", preparation), ("classify", booster)]).fit(frame, target)
    its = explained(fitted, tmp_path, frame.iloc[:40], frame.iloc[300:400])
    assert np.abs(its.by_rule()).min() > 0.01
    agree(its)


# ---------------------------------------------------------------- tree-path


@pytest.mark.parametrize(
    "parameters",
    [{}, {"max_depth": 6, "n_estimators": 6, "min_child_weight": 0.1}, {"num_parallel_tree": 2, "subsample": 0.5}],
    ids=["usual", "deep", "forest"],
)
def test_tree_path_values_are_those_of_pred_contribs(parameters: dict[str, Any], tmp_path: Path) -> None:
    its = fit(tmp_path, **parameters)
    preparation: Preparation = its.fitted[0]
    boosters = boosters_of(its.fitted[1])
    ensembles = [fold_log1p(read_ensemble(booster), preparation) for booster in boosters]
    columns = columns_of(ensembles, its.players.columns, its.players.of_source)
    tables = Tables.parse(content_of(build(plan(columns), Covers(columns)), len(its.players.players), "g"))
    applicants = raw_of(preparation, its.applicants)
    found = np.array([tables.contributions(*row) for row in zip(*applicants, strict=True)])
    by_covers = contributions_by_covers(boosters, its.players.of_column, its.prepared[0])
    assert np.abs(found - by_covers).max() <= LARGEST_DIFFERENCE
    leaves = Rows(columns, len(its.players.players), by_covers=True)
    by_rows, mean = leaves.contributions(applicants, raw_of(preparation, its.reference))
    assert np.abs(by_rows - by_covers).max() <= 1e-9
    assert mean == pytest.approx(tables.mean, abs=1e-9)
    data = xgboost.DMatrix(its.prepared[0])
    asked = [booster.get_booster().predict(data, pred_contribs=True) for booster in boosters]
    expected = np.asarray(np.mean(asked, axis=0, dtype=np.float64))
    summed = np.zeros_like(found)
    np.add.at(summed.T, its.players.of_column, expected[:, :-1].T)
    assert np.abs(found - summed).max() <= 2e-5  # XGBoost adds in float32
    assert expected[:, -1] == pytest.approx(np.full(len(found), tables.mean), abs=2e-5)
    assert np.abs(found - its.contributions()).max() > 1e-3  # another value than the interventional one
