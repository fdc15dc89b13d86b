"""The settings of reasons, and the rows that training keeps for them."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cli.errors import UserError
from cli.progress import Progress
from training.reason_texts import said_of
from training.reasons import (
    MOST_ROWS,
    OWN_ROWS,
    REFERENCE_ROWS,
    ReferenceRows,
    drawn_rows,
    read_drawn,
    read_own_rows,
    reference_rows,
    write_own_rows,
    write_reference,
)
from training.settings import (
    Settings,
    load_settings,
    settings_as_dict,
    settings_as_toml,
    settings_from_dict,
    with_reasons_of,
)
from training.settings.reasons import Reasons, ReasonText

TABLES: dict[str, Any] = {
    "features": {"income": "number", "late_1": "number", "late_2": "number", "shop": "category"},
    "row_max": {"late": ["late_1", "late_2"]},
    "reasons": {"reference": "at-cutoff", "cutoff": 520, "values": False},
    "reason_groups": {"behaviour": ["late", "shop"]},
    "reason_texts": {
        "income": {"text": "Income is low", "code": "R01", "missing": {"en": "No income", "de": "Kein Einkommen"}},
        "behaviour": {"inquiries": True},
    },
}


def settings_of(tables: Mapping[str, Any], **flags: object) -> Settings:
    return settings_from_dict(tables, {name.replace("__", "."): value for name, value in flags.items()})


def with_reasons(**reasons: Any) -> Settings:
    return replace(settings_of(TABLES), reasons=Reasons(**reasons))


def test_reasons_are_read_and_written_again(tmp_path: Path) -> None:
    settings = settings_of(TABLES)
    assert settings.reasons == Reasons("at-cutoff", 520.0, values=False)
    assert settings.reason_groups == {"behaviour": ("late", "shop")}
    assert settings.reason_texts["income"].text == {"": "Income is low"}
    assert settings.reason_texts["behaviour"] == ReasonText(inquiries=True)
    assert settings_from_dict(settings_as_dict(settings)) == settings
    (tmp_path / "again.toml").write_text(settings_as_toml(settings))
    assert load_settings(tmp_path / "again.toml", {}) == settings


@pytest.mark.parametrize(
    ("table", "entry", "said"),
    [
        ("reasons", {"reference": "at-cutoff"}, 'reasons.cutoff: reasons.reference = "at-cutoff" needs the lowest'),
        ("reasons", {"window": 0}, "reasons.window: expected a number above 0, got 0"),
        ("reasons", {"refrence": "all"}, "reasons.refrence: unknown key; did you mean reference"),
        ("reason_groups", {"a": ["income"], "b": ["income"]}, "income is in reason_groups.a already"),
        ("reason_groups", {"a": ["late_1", "income"]}, "sees only the row maximum late; name late_2 too, or none"),
        ("reason_groups", {"a": ["incme"]}, "reason_groups.a: expected features, got incme; did you"),
        ("reason_groups", {"income": ["shop"]}, "reason_groups.income: is the name of a feature"),
        ("reason_groups", {"a": []}, "expected at least one feature, got none"),
        ("reason_texts", {"incme": {"text": "x"}}, "reason_texts.incme: no such feature or group; did you mean income"),
        ("reason_texts", {"income": "low"}, "reason_texts.income: expected a table"),
        ("reason_texts", {"income": {"text": 1}}, "text: expected text, or a table of texts by language, got 1"),
        ("reason_texts", {"income": {"text": {"en": ""}}}, "text: expected text, or a table of texts by language"),
        ("reason_texts", {"income": {"missing": {"": "a", "en": "b"}}}, "missing: expected text, or a table of texts"),
        ("reason_texts", {"late_1": {"inquiries": True}}, "inquiries: its points are those of late; mark late instead"),
    ],
)
def test_reasons_that_cannot_be_are_refused(table: str, entry: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as refused:
        settings_of({**TABLES, "reason_groups": {}, "reason_texts": {}, table: entry})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_status == 2


def test_inquiries_are_marked_where_the_points_are() -> None:
    """A mark that no answer would follow is refused: the fifth key factor must not be lost."""
    tables = {**TABLES, "reason_groups": {"asked": ["income", "late"]}}
    settings = settings_of({**tables, "reason_texts": {"asked": {"inquiries": True}}})
    assert settings.reason_texts["asked"].inquiries
    for name in ("income", "late", "late_2"):
        with pytest.raises(UserError, match=f"reason_texts.{name}.inquiries: its points are those of asked; mark ask"):
            settings_of({**tables, "reason_texts": {name: {"inquiries": True}}})


@pytest.mark.parametrize(
    ("text", "missing", "said"),
    [
        ("Debt", {}, {"": "Debt: no value"}),
        ({"en": "Debt", "de": "Schulden"}, {}, {"en": "Debt", "de": "Schulden"}),
        ({"en": "Debt", "de": "Schulden"}, {"de": "fehlt"}, {"en": "Debt", "de": "fehlt"}),
        ({"en": "Debt", "de": "Schulden"}, "None given", {"": "None given"}),
        ({}, {"en": "No income", "de": "Kein Einkommen"}, {"en": "No income", "de": "Kein Einkommen"}),
    ],
)
def test_every_language_has_a_text_for_a_missing_value(text: Any, missing: Any, said: dict[str, str]) -> None:
    entry = {"text": text, "missing": missing}
    assert said_of(settings_of({**TABLES, "reason_texts": {"income": entry}}))["income"].missing == said


def test_a_group_may_name_all_of_a_row_maximum() -> None:
    settings_of({**TABLES, "reason_groups": {"a": ["late_1", "late_2"]}, "reason_texts": {}})


def test_groups_and_texts_of_features_that_a_flag_leaves_out_go_too() -> None:
    narrowed = settings_of(
        {**TABLES, "reason_groups": {"a": ["income", "shop"]}, "reason_texts": {"shop": {}}}, features=("income",)
    )
    assert narrowed.reason_groups == {"a": ("income",)}
    assert narrowed.reason_texts == {}


def test_a_file_of_reference_rows_is_beside_its_toml(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[features]\nage = "number"\n[reasons]\nreference = "approved.csv"\n')
    assert load_settings(tmp_path / "a.toml", {}).reasons.reference == str(tmp_path / "approved.csv")
    (tmp_path / "a.toml").write_text('[features]\nage = "number"\n[reasons]\nreference = "best"\n')
    assert load_settings(tmp_path / "a.toml", {}).reasons.reference == "best"


# ---------------------------------------------------------------- rows


def chosen(settings: Settings, folder: Path) -> ReferenceRows | None:
    return reference_rows(settings, read_drawn(folder, {path.name for path in folder.iterdir()}))


def rows(count: int) -> tuple[pd.DataFrame, Any]:
    frame = pd.DataFrame(
        {"income": np.arange(count, dtype=float), "credit_score": "x", "shop": ["a", None] * (count // 2)}
    )
    return frame, np.linspace(400, 700, count)


def test_a_draw_is_seeded_and_keeps_scores_and_the_total(tmp_path: Path) -> None:
    frame, score = rows(MOST_ROWS + 2_000)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_reference(tmp_path / name, with_reasons(), frame, score)
    assert (tmp_path / "a" / REFERENCE_ROWS).read_bytes() == (tmp_path / "b" / REFERENCE_ROWS).read_bytes()
    drawn = pd.read_parquet(tmp_path / "a" / REFERENCE_ROWS)
    assert list(drawn.columns) == ["income", "credit_score", "shop", "credit_score_"]
    assert len(drawn) == MOST_ROWS
    assert (drawn["credit_score_"] == score[drawn["income"].astype(int)]).all()
    found = chosen(with_reasons(), tmp_path / "a")
    assert found is not None
    assert (len(found.frame), found.total, list(found.frame.columns)) == (MOST_ROWS, len(frame), list(frame.columns))


def test_rows_are_drawn_as_often_as_their_weight_says() -> None:
    frame, score = rows(2_000)
    weight = np.where(np.arange(2_000) % 10 == 0, 50.0, 1.0)
    drawn = drawn_rows(frame, score, 0, weight)
    times = np.bincount(drawn["income"].astype(int), minlength=2_000)
    expected = 2_000 * weight / weight.sum()
    assert (np.abs(times - expected) < 1).all()  # systematic: rounded up or down, no more
    assert (drawn["credit_score_"] == score[drawn["income"].astype(int)]).all()
    assert (len(drawn), drawn.attrs["total"]) == (2_000, 2_000)
    few = drawn_rows(frame, score, 0, np.where(np.arange(2_000) < 5, 1.0, 1e-12))
    assert set(few["income"]) == set(range(5))


def test_what_was_drawn_by_weight_says_so(tmp_path: Path) -> None:
    frame, score = rows(400)
    weight = np.linspace(1, 3, 400)
    write_reference(tmp_path, with_reasons(), frame, score, weight)
    found = chosen(with_reasons(), tmp_path)
    best = chosen(with_reasons(reference="best"), tmp_path)
    assert found is not None
    assert best is not None
    assert (found.weighted, best.weighted, len(found.frame), found.total) == (True, True, 400, 400)
    assert found.frame["income"].mean() == pytest.approx(np.average(np.arange(400), weights=weight), abs=2)
    write_reference(tmp_path, with_reasons(), frame, score)
    its = chosen(with_reasons(), tmp_path)
    assert its is not None
    assert not its.weighted


def test_rows_are_those_of_the_chosen_scores(tmp_path: Path) -> None:
    frame, score = rows(4_000)
    write_reference(tmp_path, with_reasons(), frame, score)
    at_cutoff = chosen(with_reasons(reference="at-cutoff", cutoff=500.0, window=30.0), tmp_path)
    best = chosen(with_reasons(reference="best"), tmp_path)
    assert at_cutoff is not None
    assert best is not None
    taken = score[at_cutoff.frame["income"].astype(int)]
    assert (taken.min() >= 500, taken.max() <= 530, len(taken)) == (True, True, ((score >= 500) & (score <= 530)).sum())
    assert sorted(best.frame["income"]) == list(range(3_800, 4_000))
    assert (at_cutoff.total, best.total) == (4_000, 4_000)


def test_the_best_are_a_hundred_at_least(tmp_path: Path) -> None:
    frame, score = rows(300)
    write_reference(tmp_path, with_reasons(), frame, score)
    best = chosen(with_reasons(reference="best"), tmp_path)
    assert best is not None
    assert len(best.frame) == 100


def test_a_choice_that_leaves_too_few_rows_is_refused(tmp_path: Path) -> None:
    frame, score = rows(300)
    write_reference(tmp_path, with_reasons(), frame, score)
    with pytest.raises(
        UserError, match=r"expected 100 rows or more, found 0 in 20 points from 900 up, where the refer"
    ):
        chosen(with_reasons(reference="at-cutoff", cutoff=900.0), tmp_path)
    write_reference(tmp_path, with_reasons(), frame[:60], score[:60])
    with pytest.raises(UserError, match="best: expected 100 rows or more, found 60"):
        chosen(with_reasons(reference="best"), tmp_path)
    assert chosen(with_reasons(), tmp_path) is None


def test_artifacts_of_before_have_no_reference_rows(tmp_path: Path) -> None:
    assert chosen(with_reasons(), tmp_path) is None


def test_a_file_of_applicants_is_read_and_kept(tmp_path: Path) -> None:
    own = pd.DataFrame({"income": range(150), "late_1": 0, "late_2": 1, "shop": "a", "other": 1})
    own.to_csv(tmp_path / "own.csv", index=False)
    settings = with_reasons(reference=str(tmp_path / "own.csv"))
    frame = read_own_rows(settings, Progress(quiet=True))
    write_own_rows(tmp_path, settings, frame)
    found = chosen(settings, tmp_path)
    assert found is not None
    assert (found.total, list(found.frame.columns)) == (150, ["income", "late_1", "late_2", "shop"])
    own[:90].to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(UserError, match=r"own\.csv: reasons.reference: expected 100 applicants or more, found 90"):
        read_own_rows(settings, Progress(quiet=True))
    write_own_rows(tmp_path / "none", with_reasons(), read_own_rows(with_reasons(), Progress(quiet=True)))
    assert not (tmp_path / "none" / OWN_ROWS).exists()


def test_a_file_of_reasons_that_is_not_there_names_its_own_flag(tmp_path: Path) -> None:
    for path, remedy in (
        (tmp_path / "no.toml", "give --reasons an existing TOML file"),
        (tmp_path, "give --reasons the"),
    ):
        with pytest.raises(UserError, match=remedy):
            with_reasons_of(Settings(), path)


def test_rows_of_a_wide_table_are_drawn_without_a_warning() -> None:
    wide = pd.DataFrame({f"feature_{number}": np.arange(50.0) for number in range(200)}, copy=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = drawn_rows(wide, np.arange(50.0), 0)
    assert drawn["credit_score"].tolist() == list(range(50))
