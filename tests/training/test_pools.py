"""Rare levels become one, and are said to; what would not fit into memory is refused by the name of the column."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from cli.errors import UserError
from training import memory
from training.artifacts import load_pipeline, save_pipeline
from training.estimator.assembly import assemble
from training.estimator.preparation import Preparation
from training.pools import in_words, pools_of, refuse_pools_of_all
from training.settings import Settings, load_settings, settings_as_dict, settings_as_toml, settings_from_dict


def column(counts: Mapping[Any, int]) -> pd.DataFrame:
    """One category with so many rows of each level."""
    return pd.DataFrame({"job": [level for level, rows in counts.items() for _ in range(rows)]}, dtype=object)


def settings(model: int | None = None, feature: int | None = None, **more: Any) -> Settings:
    """Settings with the one category `job`."""
    job = {"type": "category", **({} if feature is None else {"rare": feature}), **more}
    content: dict[str, Any] = {"features": {"job": job}, "row_max": {}}
    return settings_from_dict(content | ({} if model is None else {"model": {"rare": model}}))


def fitted(counts: Mapping[Any, int], **rare: Any) -> Preparation:
    preparation: Preparation = assemble(settings(**rare))[0]
    return preparation.fit(column(counts))


def indicators(preparation: Preparation, *asked: str | None) -> list[list[float]]:
    matrix: list[list[float]] = preparation.transform(pd.DataFrame({"job": asked}, dtype=object)).tolist()
    return matrix


def test_levels_with_fewer_rows_share_the_last_indicator() -> None:
    preparation = fitted({"a": 10, "b": 9, "c": 30, "d": 1, None: 4})
    assert preparation.vocabularies_ == {"job": ["a", "b", "c", "d"]}  # all were seen in training
    assert list(preparation.get_feature_names_out()) == ["job=a", "job=c", "job=(rare)"]
    assert indicators(preparation, "a", "c", "b", "d") == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]


def test_a_level_that_training_has_not_seen_is_in_the_pool_and_a_missing_one_is_not() -> None:
    preparation = fitted({"a": 10, "b": 2, "c": 3})
    assert indicators(preparation, "new", "(rare)", None, "") == [[0, 1], [0, 1], [0, 0], [0, 0]]


def test_one_rare_level_alone_keeps_its_indicator() -> None:
    preparation = fitted({"a": 40, "b": 1})
    assert preparation.pools_ == {}
    assert indicators(preparation, "a", "b", "new") == [[1, 0], [0, 1], [0, 0]]


def test_a_feature_s_own_number_of_rows_goes_before_the_model_s() -> None:
    counts = {"a": 40, "b": 5, "c": 5}
    assert fitted(counts, model=1, feature=6).pools_ == {"job": ["b", "c"]}
    assert fitted(counts, feature=5).pools_ == {}
    assert fitted(counts, model=41).pools_ == {"job": ["a", "b", "c"]}


def test_a_given_vocabulary_is_not_pooled() -> None:
    preparation = fitted({"a": 40, "b": 1}, vocabulary=["b", "z", "a"])
    assert preparation.pools_ == {}
    assert preparation.raw_columns() == ([], [(0, "b"), (0, "z"), (0, "a")])


def test_where_nothing_is_rare_the_matrix_is_that_of_a_preparation_that_pools_nothing() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(size=500), "job": rng.choice([*"abcdef", None], 500)})
    pooled, plain = (Preparation(["x"], {"job": []}, rare=rare).fit(frame) for rare in ({"job": 10}, None))
    assert pooled.transform(frame).tobytes() == plain.transform(frame).tobytes()


def test_indicators_equal_those_of_an_identity_matrix() -> None:
    levels = [f"level {i}" for i in range(40)]
    frame = pd.DataFrame({"job": np.random.default_rng(1).choice([*levels, "unseen", ""], 900)}, dtype=object)
    preparation = Preparation(categories={"job": levels}).fit(frame)
    places = pd.Index(levels).get_indexer(pd.Index(frame["job"]))
    assert np.array_equal(preparation.transform(frame), np.eye(41, 40, dtype=np.float32)[places])


def test_a_row_of_a_wide_matrix_costs_no_matrix_of_all_levels() -> None:
    """An identity matrix of these levels would take 40 GB."""
    levels = [f"{i:06}" for i in range(100_000)]
    preparation = Preparation(categories={"job": levels}).fit(column({"000000": 1}))
    assert preparation.transform(pd.DataFrame({"job": ["000007", "nobody"]}, dtype=object)).sum(axis=1).tolist() == [
        1,
        0,
    ]


def test_a_preparation_that_was_saved_before_there_were_pools_pools_nothing(tmp_path: Path) -> None:
    older = fitted({"a": 40, "b": 1, "c": 1}, model=1)
    del older.pools_, older.rare
    save_pipeline(Pipeline([("prepare", older)]), tmp_path / "pipeline.skops")
    [preparation] = load_pipeline(tmp_path / "pipeline.skops")
    assert indicators(preparation, "a", "b", "new") == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_a_pool_is_listed_with_its_levels_and_rows() -> None:
    its = settings()
    frame = column({"a": 20, "b": 9, "c": 3})
    [pool] = pools_of(its, assemble(its)[0].fit(frame), frame)
    assert pool == {"feature": "job", "rare": 10, "levels": 3, "pooled": 2, "rows": 12}
    assert in_words(pool) == "features.job: 2 of 3 levels have fewer than 10 training rows; they are pooled, 12 rows"


@pytest.mark.parametrize(("given", "refused"), [({}, False), ({"model": 60}, True), ({"feature": 10}, True)])
def test_a_pool_of_all_levels_is_said_and_refused_where_its_number_of_rows_was_set(
    given: dict[str, int], refused: bool
) -> None:
    its = settings(**given)
    frame = column({"a": 9, "b": 9})
    pools = pools_of(its, assemble(its)[0].fit(frame), frame)
    assert in_words(pools[0]).startswith("features.job: all 2 levels have fewer than ")
    if refused:
        with pytest.raises(UserError, match=r"one pool, .*; set features\.job\.rare lower, or leave the feature out"):
            refuse_pools_of_all(its, pools)
    else:
        refuse_pools_of_all(its, pools)


@pytest.mark.parametrize(
    ("feature", "key"),
    [({"type": "number", "rare": 5}, "rare"), ({"type": "category", "rare": 5, "vocabulary": ["a", "b"]}, "rare")],
)
def test_rare_is_refused_where_nothing_can_be_pooled(feature: dict[str, Any], key: str) -> None:
    with pytest.raises(UserError, match=rf"features\.job\.{key}: "):
        settings_from_dict({"features": {"job": feature}, "row_max": {}})


@pytest.mark.parametrize("value", [0, -3, 2.5, "ten"])
def test_rare_is_a_whole_number_from_one(value: object) -> None:
    with pytest.raises(UserError, match=r"model\.rare: expected a whole number of at least 1, got "):
        settings_from_dict({"model": {"rare": value}})


@pytest.mark.parametrize("feature", [None, 7])
def test_settings_with_and_without_a_feature_s_own_rare_are_read_back(feature: int | None, tmp_path: Path) -> None:
    its = settings(model=4, feature=feature)
    (tmp_path / "again.toml").write_text(settings_as_toml(its))
    assert load_settings(tmp_path / "again.toml", {}) == its
    assert settings_from_dict(settings_as_dict(its)) == its


def test_levels_that_do_not_fit_are_refused_by_column_before_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    its = settings(model=1)
    preparation = assemble(its)[0].fit(column({f"{i}": 1 for i in range(3_000)}))
    monkeypatch.setattr(memory, "free_bytes", lambda: 1_000_000_000)
    memory.refuse_what_does_not_fit(its, preparation, 3_000)
    monkeypatch.setattr(memory, "free_bytes", lambda: 30_000_000)
    with pytest.raises(UserError) as refusal:
        memory.refuse_what_does_not_fit(its, preparation, 3_000)
    assert str(refusal.value).startswith("features.job: its 3,000 levels do not fit in memory: 3,000 training rows")
    assert "set features.job.rare above 1, which pools rarer levels" in str(refusal.value)


def test_numbers_that_do_not_fit_are_refused_without_the_name_of_a_category(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"x{i}" for i in range(50)]
    frame = pd.DataFrame({"job": ["a", "b"], **{name: [1.0, 2.0] for name in names}})
    preparation = Preparation(names, {"job": []}).fit(frame)
    monkeypatch.setattr(memory, "free_bytes", lambda: 1_000)
    with pytest.raises(UserError, match=r"^9,000 training rows and 52 columns take .*--external-memory"):
        memory.refuse_what_does_not_fit(settings(), preparation, 9_000)


def test_the_least_known_limit_is_what_is_free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit, used, parts, machine = (tmp_path / name for name in ("max", "current", "stat", "meminfo"))
    machine.write_text("MemTotal: 9000 kB\nMemAvailable: 5000 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", machine)
    monkeypatch.setattr(memory, "CGROUPS", ((limit, used, parts),))
    monkeypatch.setattr(memory, "_of_limit", lambda: None)
    assert memory.free_bytes() == 5_000 * 1024
    limit.write_text("max\n")
    used.write_text("7\n")
    assert memory.free_bytes() == 5_000 * 1024
    limit.write_text("1007\n")
    assert memory.free_bytes() == 1_000


def test_files_that_a_container_has_read_do_not_count_as_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = limit, used, parts = tuple(tmp_path / name for name in ("max", "current", "stat"))
    limit.write_text("1000\n")
    used.write_text("990\n")
    parts.write_text("anon 290\nfile 700\ninactive_file 500\nactive_file 200\n")
    monkeypatch.setattr(memory, "CGROUPS", (files,))
    monkeypatch.setattr(memory, "_of_machine", lambda: None)
    monkeypatch.setattr(memory, "_of_limit", lambda: None)
    assert memory.free_bytes() == 710


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of a process")
def test_without_proc_the_machine_and_the_limit_of_the_process_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import resource

    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "nothing")
    monkeypatch.setattr(memory, "CGROUPS", ())
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert memory.free_bytes() == machine
    monkeypatch.setattr(resource, "getrlimit", lambda which: (2 * machine, resource.RLIM_INFINITY))
    assert memory.free_bytes() == machine
    monkeypatch.setattr(resource, "getrlimit", lambda which: (10**9, resource.RLIM_INFINITY))
    assert 0 <= (memory.free_bytes() or 0) < 10**9
