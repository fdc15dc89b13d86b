"""The split by group: a group is in one part and in one fold."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.splits import BY_GROUP, BY_TIME, DAYS, mistake_in, table_of
from training.estimator import folds
from training.estimator.folds import FoldsRefused, folds_of, with_folds
from training.settings import Settings
from training.split import Parts, split, split_facts


def in_one_part(parts: Parts, who: Any) -> bool:
    return not set(np.array(who)[parts["train"]]) & set(np.array(who)[parts["test"]])


def test_groups_stay_together_and_shares_are_near(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    who = rng.zipf(1.6, 4_000) % 300
    bad = (rng.random(4_000) < np.where(who % 3 == 0, 0.3, 0.05)).astype(int)
    for size in (0.25, 0.4):
        settings = replace(BY_GROUP, split=replace(BY_GROUP.split, test_size=size))
        table = table_of(tmp_path, settings, who=who, bad=bad)
        parts = split(table, settings)
        assert in_one_part(parts, who)
        facts = split_facts(table, parts)
        assert facts["test"]["rows"] / 4_000 == pytest.approx(size, abs=0.03)
        assert facts["test"]["defaults"] / bad.sum() == pytest.approx(size, abs=0.03)
        assert facts["train"]["groups"] + facts["test"]["groups"] == len(set(who))
        np.testing.assert_array_equal(split(table, settings)["test"], parts["test"])
    other = split(table, replace(settings, split=replace(settings.split, seed=4)))
    assert not np.array_equal(other["test"], parts["test"])


def test_missing_groups_are_named(tmp_path: Path) -> None:
    who = ["a", None, "b", "c"] * 5
    assert mistake_in(tmp_path, BY_GROUP, who=who) == (
        "rows.csv: column who: expected a group in every row, 5 rows have none (line 3, line 7, line 11 and 2 more); "
        "fill it in, or leave such rows out"
    )


def test_too_few_groups_are_refused(tmp_path: Path) -> None:
    assert mistake_in(tmp_path, BY_GROUP, who=["a"] * 20) == (
        "rows.csv: column who: expected two groups or more, got 1; name another column as split.group"
    )
    assert mistake_in(tmp_path, BY_GROUP, who=["a", "a", "b", "b"] * 5) == (
        "rows.csv: column who: expected a group with a negative row for each of 2 folds of the training part, got 1; "
        "add groups, or change model.folds"
    )


def test_groups_in_both_parts_of_time_are_refused(tmp_path: Path) -> None:
    settings = replace(BY_TIME, split=replace(BY_TIME.split, group="who"))
    who = [f"c{row % 10}" for row in range(20)]
    assert mistake_in(tmp_path, settings, when=DAYS, who=who) == (
        'rows.csv: column who: 5 groups have rows in both parts, such as "c5", "c6", "c7"; a group must be in one: '
        'choose another split.test_from, use split.method = "group", or leave split.group out'
    )
    table = table_of(tmp_path, settings, when=DAYS, who=[f"c{row // 2}" for row in range(15)] + ["z"] * 5)
    assert split_facts(table, split(table, settings))["test"]["groups"] == 1


@pytest.mark.parametrize("rows", [600, 3_000])
def test_folds_keep_groups_together(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways, by scikit-learn's StratifiedGroupKFold and, for large tables, its GroupKFold."""
    monkeypatch.setattr(folds, "STRATIFIED_GROUP_ROWS", 1_000)
    rng = np.random.default_rng(0)
    groups, target = rng.integers(0, 150, rows), rng.integers(0, 2, rows)
    found = folds_of(target, groups, 3, 7)
    assert sorted(np.concatenate([unseen for _, unseen in found])) == list(range(rows))
    for seen, unseen in found:
        assert not set(groups[seen]) & set(groups[unseen])
        assert len(seen) + len(unseen) == rows
        assert len(unseen) == pytest.approx(rows / 3, rel=0.1)
    again = folds_of(target, groups, 3, 7)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found, again, strict=True))


def test_groups_of_which_no_folds_can_be_made() -> None:
    target = np.array([0, 0, 0, 0, 1, 1])
    with pytest.raises(FoldsRefused, match="groups: expected one for each of 3 folds at least, got 2"):
        folds_of(target, np.array([0, 0, 0, 1, 1, 1]), 3, 0)
    with pytest.raises(FoldsRefused, match="all rows of a class fall into fold"):
        folds_of(target, np.array([0, 1, 2, 3, 4, 4]), 2, 0)


def test_rows_of_one_group_count_as_one_for_the_folds() -> None:
    target = np.arange(9_000) % 2
    assert with_folds(Settings(), target, np.arange(9_000) // 4).model.folds == 5
    assert with_folds(Settings(), target, np.arange(9_000) // 10).model.folds == 3
