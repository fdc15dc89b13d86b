"""The pack: the template's sections in its order, numbers of validation.json, and questions where only people know."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.score import Scale
from tests.conftest import Opened
from tests.fonts import FONT_SETS
from tests.pages import assert_good_page, assert_nothing_is_cut_off
from tests.validation.samples import draw
from tests.validation.test_challenges import subject
from tests.validation.whole import whole
from validation.bands import scores_of
from validation.documents import Validated
from validation.initial import Said, initial_of
from validation.pack import HTML, MARKDOWN, pack_of, write_pack
from validation.page import content_of, described
from validation.rating import Rating
from validation.report.pages import render
from validation.sections.section import Rows, Subject
from validation.settings import Stability, Validation

MANIFEST: dict[str, Any] = {
    "model_version": "0123456789ab",
    "sha256": "f" * 64,
    "calibration": {"boosters": 5, "method": "sigmoid"},
    "features": [{"name": "a|b", "type": "number", "description": "<b>x</b>"}],
}
DATA: dict[str, Any] = {"source": "x.csv", "sha256": "0", "rows": 2_000, "first_time": None, "last_time": None}
DATA |= {"too_young": 3, "without_time": 0}
MORE: dict[str, Any] = {
    "parent": {"pipeline": "9" * 64, "run": "8" * 64, "model_version": "abc"},
    "score": {"points": 600.0, "odds": 50.0, "points_to_double": 20.0},
    "bands": [400.0, 500.0, 600.0],
    "grades": {"names": ["A", "B"], "limits": [0.02]},
    "reasons": {"basis": {"method": "Shapley", "reference": "at-cutoff", "reference_rows": 100}},
    "reference": {"rows": 9_000, "metrics": {"rows": 3_000, "roc_auc": 0.8}},
    "self_check": {"probability_tolerance": 1e-12, "rows": [{}, {}]},
    "versions": {"xgboost": "3.0"},
    "features": [
        {"name": "x", "type": "number", "range": [0.0, 9.0], "nullable": True},
        {"name": "level", "type": "category", "vocabulary": ["a", "b", "c"], "nullable": False},
    ],
}
SECTIONS = ("2.5.2", "2.5.3.1", "2.5.4.1", "2.5.5.1", "2.5.5.2", "2.5.5.3")


def validated(*, outcomes: bool) -> Validated:
    target, p = draw(2_000)
    scale = Scale()
    scores = scores_of(p, scale)
    rating = Rating.of_bands([400.0, 460.0, 480.0, 500.0, 560.0], scale)
    outcome = target.astype(float) if outcomes else np.full(2_000, np.nan)
    initial = initial_of(rating, target[:900], p[:900], scores[:900], Said("test", "90 days"))
    subject = Subject(
        Rows(p, scores, outcome),
        rating,
        scale,
        Validation(),
        Stability(),
        initial,
        no_outcomes="" if outcomes else "none",
    )
    return described(subject, DATA, "0123456789ab")


def test_sections_stand_in_the_template_s_order_with_the_figures_of_the_validation() -> None:
    found = validated(outcomes=True)
    text = pack_of(found, MANIFEST)
    places = [text.index(f"### {number} ") for number in SECTIONS]
    assert places == sorted(places)
    assert text.index("## SR 26-2") > places[-1]
    assert text.index("## EU AI Act, Article 11") > text.index("## SR 26-2")
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert len(headings) == len(SECTIONS) + 2
    figure = found["sections"]["discrimination"]["figure"]
    assert figure is not None
    assert f"p = {figure['initial']['template']['p']:.4g} with the variance of now" in text
    grades = found["sections"]["grades"]["figure"]
    assert grades is not None
    table = text[places[1] : places[2]]
    for its in grades["grades"]:
        assert f"| {its['rows']:,} | {its['defaults']:,} |" in table
    assert f"Herfindahl index {grades['concentration']['customers']['hi']:.4g}" in text
    assert text.count("**Question:**") >= 7
    assert "Rows left out as too young: 3" in text


def test_the_other_two_entries_have_what_was_measured_and_what_the_manifest_says() -> None:
    """Groups, slices, noise, outcomes and grades with few defaults; score scale, bands, inputs, versions, parent."""
    its = found_of(subject(weak_by=0.8, women=1.0))
    text = pack_of(its, MANIFEST | MORE)
    sr, act = text[text.index("## SR 26-2") :].split("## EU AI Act, Article 11")
    figures = {name: section["figure"] or {} for name, section in its["sections"].items()}
    metrics = figures["calibration"]["metrics"]
    assert f"Outcomes: {metrics['rows']:,} of 12,000 customers have one, {metrics['defaults']:,} defaults." in sr
    assert f"Ranking: ROC-AUC {figures['discrimination']['metrics']['roc_auc']:.4g} (" in sr
    weak = [each for each in figures["weak"]["slices"] if each["confirmed"]]
    assert weak
    assert sr.count("Weak where ") == len(weak)
    assert f"{figures['weak']['looked_at']:,} screened" in sr
    assert f"{figures['robustness']['rows']:,} customers asked again" in sr
    assert "No periods: no periods were requested" in sr
    assert "No history is kept" in sr
    for title in (section["title"] for section in its["sections"].values()):
        assert f"| {title} | " in sr
    few = figures["grades"]["low_defaults"]["grades"]
    assert ("Grades with fewer than 20 defaults" in sr) == bool(few)
    ratio = min(group["ratio"] for group in figures["fairness"]["attributes"][0]["groups"] if group["ratio"])
    for entry in (sr, act):
        assert f"sex: lowest adverse impact ratio {ratio:.4g} (" in entry
        assert "Applicants with 560 points or more count as approved (fairness.cutoff)." in entry
        assert "The model is weak in a slice: " in entry
    for words in (
        *("A recalibration of model `abc`", "600 points at odds of 50 to 1", "begin at 400, 500 and end at 600 points"),
        *("Grades A, B, at probabilities 2 %.", "against at-cutoff, 100 reference rows", "Trained on 9,000 applicants"),
        *("ROC-AUC 0.8,", "Each start answers 2 made-up applicants again", "| xgboost | 3\\.0 |".replace("\\", "")),
        *("| 0 to 9 |", "| 3 levels |"),
    ):
        assert words in act, words
    assert act.count("**Question:**") == 6
    assert sr.count("**Question:**") == 6


def found_of(its: Subject) -> Validated:
    return described(its, DATA | {"rows": len(its.rows)}, "0123456789ab")


def test_what_was_not_tested_says_why() -> None:
    text = pack_of(validated(outcomes=False), MANIFEST)
    between = text[text.index("### 2.5.4.1") : text.index("### 2.5.5.3")]
    assert between.count("Not tested: ") == 2
    assert "Not computed: " in between
    assert "PD applied" not in text


def test_names_are_text_in_both_forms(tmp_path: Path) -> None:
    found = validated(outcomes=True)
    write_pack(tmp_path, json.loads(json.dumps(found)), MANIFEST | {"parent": {"pipeline": "9" * 64}})
    assert "recalibrated from pipeline" in (tmp_path / MARKDOWN).read_text()
    page = (tmp_path / HTML).read_text()
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "a|b" in page
    assert page.count("<h4") == len(SECTIONS) + 2


@pytest.mark.tier("land")
def test_a_page_with_every_section_fits_a_browser(tmp_path: Path, open_page: Callable[..., Opened]) -> None:
    """Fourteen grades, migrations between them, few defaults, periods, segments and groups; and the pack of it."""
    its = found_of(whole(np.random.default_rng(1)))
    assert all(section["figure"] is not None for section in its["sections"].values())
    page = tmp_path / "validation.html"
    page.write_text(render("validation", **content_of(its)), encoding="utf-8")
    write_pack(tmp_path, its, MANIFEST | MORE)
    assert page.stat().st_size <= 3_000_000
    assert_good_page(page, open_page)
    for path in (page, tmp_path / HTML):
        for fonts in FONT_SETS:
            assert_nothing_is_cut_off(path, open_page, fonts)


@pytest.mark.tier("land")
def test_the_pack_fits_a_browser(tmp_path: Path, open_page: Callable[..., Opened]) -> None:
    """A pack of 200 features with long names, fourteen grades and groups is small and fits 1200 pixels and A4."""
    its = found_of(subject(weak_by=0.8, women=1.0))
    level = "a level with a name " * 4
    features = [
        {"name": f"a_rather_long_name_of_a_feature_{i}_of_the_last_{i}_months", "type": "category"}
        | {"vocabulary": [level, f"{level}{i}"], "nullable": True, "description": "<b>its</b> meaning, at some length"}
        for i in range(200)
    ]
    write_pack(tmp_path, its, MANIFEST | MORE | {"features": features})
    page = tmp_path / HTML
    assert page.stat().st_size <= 3_000_000
    opened = open_page(page)
    assert opened.requests == [page.as_uri()]
    assert opened.faults == []
    assert opened.page.locator("script, b").count() <= 1, "and no markup of a description"
    for fonts in FONT_SETS:
        assert_nothing_is_cut_off(page, open_page, fonts)


@pytest.mark.parametrize("name", ["calibration", "grades", "migrations", "stability"])
def test_a_section_that_is_not_there_is_no_fault(name: str) -> None:
    found = validated(outcomes=True)
    del found["sections"][name]
    assert "### 2.5.5.3" in pack_of(found, MANIFEST)
