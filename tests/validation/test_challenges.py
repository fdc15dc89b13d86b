"""Groups of people, weak slices and robustness on the page of a validation: what is a finding there."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from runtime.score import Scale
from tests.tiers import Sample as Drawn
from validation.bands import scores_of
from validation.fairness.groups import attributes_of
from validation.rating import Rating
from validation.sections import people, robust, weak
from validation.sections.listed import SECTIONS
from validation.sections.section import Rows, Sample, Subject
from validation.settings import Fairness, Stability, Validation
from validation.verdict import findings_of

Floats = NDArray[np.float64]
ROWS = 12_000
FAIRNESS = Fairness(groups=("sex",), reference={"sex": "m"}, cutoff=560.0)
RATING = Rating.of_bands([float(edge) for edge in range(440, 700, 40)], Scale())


def answer(frame: pd.DataFrame) -> Floats:
    return np.asarray(expit(-2 + frame["x"].to_numpy()))


def subject(seed: int = 0, weak_by: float = 0.0, women: float = 0.0, few: int = ROWS) -> Subject:
    """Customers whose outcomes are drawn from what the model answers, but for a slice; women have a lower x."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(np.array(["f", "m"], dtype=object), ROWS)
    level = rng.choice(np.array(["a", "b", "c", "d", "e"], dtype=object), ROWS)
    frame = pd.DataFrame({"x": rng.normal(size=ROWS) + women * (sex == "f"), "level": level})
    probability = answer(frame)
    risk = expit(np.log(probability / (1 - probability)) + weak_by * (level == "b"))
    outcome = (rng.random(ROWS) < risk).astype(float)
    outcome[few:] = np.nan
    drawn = np.sort(rng.permutation(ROWS)[:10_000])
    return Subject(
        Rows(probability, scores_of(probability, Scale()), outcome),
        RATING,
        Scale(),
        Validation(),
        Stability(),
        sample=Sample(frame.iloc[drawn].reset_index(drop=True), drawn),
        answer=answer,
        people=tuple(attributes_of(pd.DataFrame({"sex": sex}), FAIRNESS)),
        fairness=FAIRNESS,
        seed=seed,
    )


def found(its: Subject) -> list[tuple[str, str]]:
    sections = [section for section in SECTIONS if section.name in ("fairness", "weak", "robustness")]
    parts = {section.name: section.make(its) for section in sections}
    assert len(parts) == 3
    assert all(part.figure is not None for part in parts.values())
    return [(finding["section"], finding["message"]) for finding in findings_of(parts, sections)]


@pytest.mark.tier("land")  # a share of draws, of which the quick tier has too few
def test_a_clean_table_has_hardly_ever_a_finding_in_these_sections(sample: Drawn) -> None:
    assert np.mean([bool(found(subject(seed))) for seed in sample(range(100), 5)]) <= 0.05


@pytest.mark.tier("land")  # a share of draws, of which the quick tier has too few
def test_a_weak_slice_is_a_finding_of_the_page(sample: Drawn) -> None:
    hits = [any("level is b" in said for _, said in found(subject(s, weak_by=0.8))) for s in sample(range(50), 5)]
    assert np.mean(hits) >= 0.8


def test_a_group_that_is_approved_less_often_is_a_finding_with_whose_limit_it_is() -> None:
    [claim, *_] = [claim for claim in people.make(subject(women=1.0)).claims if claim.p < 1e-6]
    assert claim.value < 0.8
    assert (claim.whose, claim.limit) == ("custom", "0.8, the four-fifths rule")
    said = [message for section, message in found(subject(women=1.0)) if section == "fairness"]
    assert len(said) == 1
    assert said[0].startswith("sex: f is approved 0.")


def test_slices_are_of_rows_with_an_outcome_only() -> None:
    its = subject(few=6_000)
    part = weak.make(its)
    assert part.figure is not None
    assert part.figure["of"] == 6_000
    assert part.figure["rows"] == (~np.isnan(its.rows.outcome[its.sample.rows])).sum()  # type: ignore[union-attr]
    assert weak.make(subject(few=0)).figure is None


def test_without_groups_there_is_no_figure_of_people_and_why() -> None:
    its = subject()
    part = people.make(Subject(its.rows, its.rating, its.scale, its.settings, its.limits))
    assert part.figure is None
    assert "fairness.groups" in part.why


def test_one_feature_that_moves_grades_by_small_changes_is_worth_a_look() -> None:
    narrow = Rating.of_bands([float(edge) for edge in range(400, 700, 5)], Scale())
    [its] = robust.make(replace(subject(), rating=narrow)).found
    assert (its.level, its.whose) == ("look", "custom")
    assert "in x alone" in its.message


@pytest.mark.parametrize("name", ["sample", "answer"])
def test_a_model_that_cannot_be_asked_again_has_no_robustness(name: str) -> None:
    without = {"sample": replace(subject(), sample=None), "answer": replace(subject(), answer=None)}
    assert robust.make(without[name]).figure is None
