"""A report of many features shows the important ones and folds the others; names may be of any script."""

import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from runtime.score import Scale
from table.settings import Feature
from tests.validation.report.conftest import written
from tests.validation.report.sample import Sample, table_sample
from validation.page import content_of, described
from validation.rating import Rating
from validation.report import words
from validation.report.pages import render
from validation.report.plots import shift
from validation.report.plots.bars import LONGEST_NAME, bars, columns, short
from validation.report.plots.features import dependence, importance
from validation.sections.section import Rows, Subject
from validation.settings import Stability, Validation
from validation.stability import reference_of, shifts

WIDE = 60
SCRIPTS = [
    "年収",
    "收入_税后",
    "доход",
    "εισόδημα",
    "الدخل",
    "हिन्दी आय",
    "소득",
    "รายได้",
    "รายได้ 🏦",
    "הכנסה",
    "$income$ ^2_a$",
]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Sixty numbers, the last of them worth something, and names of eleven scripts."""
    rng = np.random.default_rng(8)
    names = [*SCRIPTS, *(f"feature {i}" for i in range(WIDE - len(SCRIPTS)))]
    frame = pd.DataFrame(rng.normal(size=(600, WIDE)), columns=names)
    risk = 2 * frame[names[-1]] + 1.5 * frame[SCRIPTS[0]] + frame[SCRIPTS[4]] + frame[SCRIPTS[-1]]
    frame["default"] = (rng.random(600) < 1 / (1 + np.exp(1 - risk))).astype(int)
    content = {"features": dict.fromkeys(names, "number"), "data": {"id": ""}, "row_max": {}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return table_sample(frame, content, tmp_path_factory.mktemp("wide"))


@pytest.fixture(scope="module")
def page(wide: Sample, tmp_path_factory: pytest.TempPathFactory) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return (written(wide, tmp_path_factory.mktemp("wide")) / "report.html").read_text(encoding="utf-8")


def folded(page: str) -> tuple[str, list[str]]:
    """The open part of a page, and the content of each fold of features; settings are many for any table."""
    folds = re.findall(r"<details>.*?</details>", page, re.DOTALL)
    features = [fold for fold in folds if "All other settings" not in fold]
    return re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL), features


def test_the_most_important_are_open_and_every_feature_is_there(wide: Sample, page: str) -> None:
    visible, folds = folded(page)
    assert len(folds) >= 4  # raw columns, importance, stability, exploration
    assert all(f"<summary>{WIDE - words.SHOWN} more</summary>" in fold for fold in folds)
    first = wide.evidence.importance["Feature"].head(2)
    assert set(first) <= {SCRIPTS[0], SCRIPTS[4], SCRIPTS[-1], f"feature {WIDE - len(SCRIPTS) - 1}"}
    for table in re.findall(r'<table class="sortable">.*?</table>', visible, re.DOTALL):
        if "The raw columns" in table:
            assert [name for name in first if f"<td>{name}</td>" in table] == list(first)
            assert table.count("<tr>") == words.SHOWN + 1
    assert all(f"<td>{name}</td>" in page for name in wide.evidence.importance["Feature"])


def test_the_card_has_the_most_important_and_says_where_the_others_are(
    wide: Sample, tmp_path_factory: pytest.TempPathFactory
) -> None:
    card = (written(wide, tmp_path_factory.mktemp("card"), plots=False) / "model_card.md").read_text(encoding="utf-8")
    assert f"The most important {words.SHOWN} of {WIDE}; `schema.json` lists all." in card
    assert f"`{wide.evidence.importance['Feature'].iloc[0]}`" in card


def test_few_features_are_not_folded(everything: Sample, tmp_path_factory: pytest.TempPathFactory) -> None:
    few = (written(everything, tmp_path_factory.mktemp("few")) / "report.html").read_text(encoding="utf-8")
    assert folded(few)[1] == []


def test_the_exploration_page_folds_too(wide: Sample) -> None:
    suspects = [{"feature": f"feature {i}", "reason": "is constant", "leak": False} for i in range(45)]
    found = {**wide.evidence.exploration, "suspects": suspects}
    visible, folds = folded(render("exploration", found=found, source="table.csv", sha256="0", dropped_rows=0))
    assert [re.search(r"<summary>(.*?)</summary>", fold)[1] for fold in folds] == ["20 more", "35 more", "35 more"]  # type: ignore[index]
    assert 'data-sort="26"' in folds[1]
    assert 'data-sort="25"' in visible


def test_the_page_of_a_validation_folds_too(wide: Sample) -> None:
    train, test = wide.parts["train"], wide.parts["test"]
    features = [Feature(str(name), "number") for name in train.frame]
    reference = reference_of(train.frame, train.score, features, Stability())
    found = shifts(reference, test.frame + 9, test.score, Stability())
    entries = [
        entry | {"missing": 0.0, "missing_in_training": 0.0, "unseen": 0.0, "examples": []}
        for entry in found["features"]
    ]
    moved = [entry["feature"] for entry in entries if entry["moved"]]
    assert len(moved) == WIDE
    outcome = np.where(np.arange(len(test.score)) % 2, np.nan, test.target)
    rows = Rows(test.probability, test.score, outcome)
    stability = {**found, "features": entries, "moved": moved, "by_period": [], "grades": []}
    rating = Rating.of_bands([400.0, 500.0, 600.0], Scale())
    subject = Subject(rows, rating, Scale(), Validation(), Stability(), no_initial="it is old", stability=stability)
    data = {"source": "a.csv", "sha256": "0", "rows": len(rows), "first_time": None, "last_time": None}
    visible, folds = folded(
        render("validation", **content_of(described(subject, {**data, "too_young": 0, "without_time": 0})))
    )
    assert len(folds) == 2
    assert f"<b>More findings.</b> {WIDE}" in visible


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_name_of_any_script_is_drawn_without_a_warning(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = bars([name, "age"], [2.0, 1.0], "points", ".1f")
    assert name in "".join(ElementTree.fromstring(svg).itertext())


@pytest.mark.parametrize(("name", "width"), [("abc", 3), ("年収", 4), ("é", 1), ("e\u0301", 1), ("소득", 4), ("", 0)])
def test_letters_of_east_asia_take_two_columns(name: str, width: int) -> None:
    assert columns(name) == width


@pytest.mark.parametrize("name", ["年収" * 40, "x" * 99, "a年" * 30, "e\u0301" * 80])
def test_a_long_name_is_cut_to_the_same_width_in_any_script(name: str) -> None:
    assert LONGEST_NAME - 3 <= columns(short(name)) <= LONGEST_NAME
    assert (short(name)[0], short(name)[-1]) == (name[0], name[-1])


def along(score: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"Value": [1.0, 2.0], "Mean score": score, "Low": score, "High": score, "Share": [50.0, 50.0]})


def test_what_is_flat_is_called_flat() -> None:
    assert dependence("age", along([600.0, 600.4]), 0).alt == (
        "Along age the mean score is flat: 600 points at every value, within 0.4."
    )
    assert "lowest, 600 points, at 1 and highest, 602, at 2" in dependence("age", along([600.0, 602.0]), 0).alt
    nothing = pd.DataFrame({"Feature": ["a", "b"], "Mean points": [0.0, 0.0], "Share": [0.0, 0.0]})
    assert importance(nothing).alt == "Flat: no feature moves the score."


def test_a_population_that_has_not_moved_is_called_flat(everything: Sample) -> None:
    train = everything.parts["train"]
    settings = [Feature("income", "number")]
    frame = pd.DataFrame({"income": np.arange(len(train.score), dtype=float)})
    found = shifts(reference_of(frame, train.score, settings, Stability()), frame, train.score, Stability())
    assert "It is flat: no bin moved." in shift.score_shift(found["score"]).alt
    assert shift.feature_shift(found["features"]).alt.startswith("Flat: no feature moved; all 1 features are below")
