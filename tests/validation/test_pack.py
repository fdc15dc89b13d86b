"""The pack: the template's sections in its order, numbers of validation.json, and questions where only people know."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.score import Scale
from tests.validation.samples import draw
from validation.bands import scores_of
from validation.documents import Validated
from validation.initial import Said, initial_of
from validation.pack import HTML, MARKDOWN, pack_of, write_pack
from validation.page import described
from validation.rating import Rating
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


@pytest.mark.parametrize("name", ["calibration", "grades", "migrations", "stability"])
def test_a_section_that_is_not_there_is_no_fault(name: str) -> None:
    found = validated(outcomes=True)
    del found["sections"][name]
    assert "### 2.5.5.3" in pack_of(found, MANIFEST)
