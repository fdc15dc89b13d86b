"""Grades found on rows: the best division there is, its rule kept, too many refused; and what is in each."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import xlogy
from scipy.stats import beta
from sklearn.isotonic import IsotonicRegression

from cli.errors import UserError
from export.own.settings import own_settings
from runtime.grades import Grades
from runtime.score import Scale
from tests.validation.samples import draw
from training.settings import settings_from_dict
from validation import grades as grades_module
from validation.evidence import Part
from validation.grades import LEAST_OUTCOMES, grade_table, grades_of, limits_in_words, places_of, roundest
from validation.rating import Rating
from validation.settings import MasterScale

Floats = NDArray[np.float64]


def likelihood(target: NDArray[np.int8], place: NDArray[np.intp], weight: Floats) -> float:
    total = 0.0
    for grade in np.unique(place):
        its = place == grade
        mass, bad = weight[its].sum(), (weight * target)[its].sum()
        total += float(xlogy(bad, bad / mass) + xlogy(mass - bad, (mass - bad) / mass))
    return total


def every_division(
    target: NDArray[np.int8], p: Floats, starts: Floats, count: int, share: float, least: int, weight: Floats
) -> list[float]:
    """The likelihoods of all divisions at some of `starts` with filled grades and rising rates: brute force."""
    found = []
    for cuts in itertools.combinations(starts, count - 1):
        place = np.searchsorted(cuts, p, side="right")
        groups = [place == grade for grade in range(count)]
        rates = [np.average(target[its], weights=weight[its]) for its in groups]
        filled = all(
            weight[its].sum() >= share * weight.sum() and min(target[its].sum(), (1 - target[its]).sum()) >= least
            for its in groups
        )
        if filled and all(low < high for low, high in itertools.pairwise(rates)):
            found.append(likelihood(target, place, weight))
    return found


def blocks_of(target: NDArray[np.int8], p: Floats, weight: Floats) -> Floats:
    """The first probability of each of scikit-learn's isotonic steps but the lowest."""
    fitted = IsotonicRegression().fit(p, target, weight).predict(p)
    return np.array([p[fitted == step].min() for step in np.unique(fitted)[1:]])


@pytest.mark.parametrize("weighted", [False, True], ids=["rows", "weights"])
@pytest.mark.parametrize(("seed", "count"), list(itertools.product(range(4), (2, 3, 4))))
def test_limits_are_those_of_the_best_of_all_divisions(seed: int, count: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    p = rng.choice(np.linspace(0.05, 0.9, 14), 160)
    target = (rng.random(160) < p).astype(np.int8)
    weight = rng.integers(1, 4, 160).astype(np.float64) if weighted else np.ones(160)
    best = every_division(target, p, blocks_of(target, p, weight), count, 0.1, LEAST_OUTCOMES, weight)
    scale = MasterScale(count=count, least_share=0.1)
    if not best:
        with pytest.raises(UserError, match=r"grades\.count: expected"):
            grades_of(scale, target, p, weight)
        return
    found = grades_of(scale, target, p, weight if weighted else None)
    assert found is not None
    assert likelihood(target, places_of(found, p), weight) == pytest.approx(max(best), abs=1e-9)
    assert len(np.unique(places_of(found, p))) == count


@pytest.mark.parametrize(("seed", "count"), list(itertools.product(range(4), (2, 3, 4))))
def test_no_division_with_rising_rates_is_likelier_where_grades_need_not_be_filled(
    seed: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one that cuts a block, which no grade does."""
    monkeypatch.setattr(grades_module, "LEAST_OUTCOMES", 0)
    rng = np.random.default_rng(seed)
    p = rng.choice(np.linspace(0.05, 0.9, 14), 160)
    target, ones = (rng.random(160) < p).astype(np.int8), np.ones(160)
    best = every_division(target, p, np.unique(p)[1:], count, 0, 0, ones)
    found = grades_of(MasterScale(count=count, least_share=0), target, p)
    assert found is not None
    assert likelihood(target, places_of(found, p), ones) == pytest.approx(max(best), abs=1e-9)


def test_found_grades_rise_are_filled_and_are_the_same_again() -> None:
    target, p = draw(20_000, seed=3)
    scale = MasterScale(count=12)
    found, again = (grades_of(scale, target[order], p[order]) for order in (slice(None), slice(None, None, -1)))
    assert found is not None
    assert again is not None
    assert found.limits == again.limits
    assert found.names == [str(number) for number in range(1, 13)]
    table = grade_table(Part(np.zeros(0), target, p, p), found)  # type: ignore[arg-type]
    assert (np.diff(table["Observed"]) > 0).all()
    assert (table["Share"] >= 1).all()
    assert (table["Defaults"] >= LEAST_OUTCOMES).all()
    assert table["Applicants"].sum() == 20_000


def test_more_grades_than_rows_support_are_refused_with_how_many_they_do() -> None:
    target, p = draw(400, seed=1)
    with pytest.raises(
        UserError, match=r"^grades\.count: expected at most (\d+), got 40 for 400 training rows"
    ) as refused:
        grades_of(MasterScale(count=40), target, p)
    most = int(str(refused.value).split("at most ")[1].split(",")[0])
    assert grades_of(MasterScale(count=most), target, p) is not None
    with pytest.raises(UserError, match=f"expected at most {most}, got {most + 1}"):
        grades_of(MasterScale(count=most + 1), target, p)


def test_a_model_with_one_probability_has_no_two_grades() -> None:
    target, _ = draw(500)
    with pytest.raises(UserError, match=r"expected rows for two grades or more, got 2"):
        grades_of(MasterScale(count=2), target, np.full(500, 0.2))
    with pytest.raises(UserError, match="needs rows with outcomes"):
        grades_of(MasterScale(count=2), None, np.full(500, 0.2))


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_min=True))
def test_a_limit_is_the_roundest_number_between(one: float, other: float) -> None:
    low, high = sorted((one, other))
    if low == high:
        return
    limit = roundest(low, high)
    assert low < limit <= high
    if limit < high:
        digits = len(f"{limit:.17g}".replace(".", "").strip("0").split("e")[0])
        assert digits == len(repr(limit).replace(".", "").strip("0").split("e")[0]) or digits >= 16


def test_weights_of_a_grade_are_its_rows_that_many_times() -> None:
    target, p = draw(600, seed=2)
    weight = np.random.default_rng(5).integers(1, 5, 600)
    grades = Grades([0.05, 0.1, 0.2, 0.6], list("ABCDE"))
    weighted = grade_table(Part(np.zeros(0), target, p, p, weight.astype(float)), grades)  # type: ignore[arg-type]
    repeated = grade_table(
        Part(np.zeros(0), np.repeat(target, weight), np.repeat(p, weight), np.repeat(p, weight)),  # type: ignore[arg-type]
        grades,
    )
    for column in ("Share", "Predicted", "Observed"):
        assert weighted[column].to_numpy() == pytest.approx(repeated[column].to_numpy(), rel=1e-12)
    assert weighted["Weight"].tolist() == repeated["Applicants"].tolist()
    assert weighted["Weight of defaults"].tolist() == repeated["Defaults"].tolist()
    counts = np.bincount(places_of(grades, p), minlength=5)
    assert weighted["Applicants"].tolist() == counts.tolist()
    low, high = weighted["Low"] / 100, weighted["High"] / 100
    assert ((low <= weighted["Observed"] / 100) & (weighted["Observed"] / 100 <= high)).all()


def test_intervals_of_a_grade_are_clopper_pearson_s_and_an_empty_grade_stands_there() -> None:
    target = np.array([0] * 95 + [1] * 5 + [1], dtype=np.int8)
    p = np.array([0.02] * 100 + [0.9])
    table = grade_table(Part(np.zeros(0), target, p, p), Grades([0.1, 0.5], ["A", "B", "C"]))  # type: ignore[arg-type]
    assert table["Low"][0] == pytest.approx(100 * beta.ppf(0.025, 5, 96))
    assert table["High"][0] == pytest.approx(100 * beta.ppf(0.975, 6, 95))
    assert table["Applicants"].tolist() == [100, 0, 1]
    assert np.isnan(table["Observed"][1])
    assert table["PD, %"].tolist() == ["below 10", "10 to 50", "from 50"]


def test_a_rating_of_grades_is_theirs_from_the_other_end() -> None:
    grades = Grades([0.05, 0.2], ["A", "B", "C"])
    rating = Rating.of([400.0, 500.0], Scale(), grades)
    p = np.array([0.0, np.nextafter(0.05, 0), 0.05, np.nextafter(0.2, 0), 0.2, 1.0])
    assert [rating.labels[k] for k in rating.places(p, p)] == [grades.name(each) for each in p.tolist()]
    assert rating.limits == (1.0, 0.2, 0.05, 0.0)
    document = {"bands": [400.0, 500.0], "grades": {"limits": grades.limits, "names": grades.names}}
    assert Rating.of_manifest(document, Scale()) == rating
    assert Rating.of_manifest({"bands": [400.0, 500.0]}, Scale()) == Rating.of_bands([400.0, 500.0], Scale())


def test_two_grades_have_no_middle() -> None:
    assert limits_in_words(Grades([0.0123], ["A", "B"])) == ["below 1.23", "from 1.23"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"limits": [0.2, 0.1]}, "grades.limits: expected ascending probabilities, got [0.2, 0.1]"),
        ({"limits": [0.1, 0.1]}, "grades.limits: expected ascending probabilities"),
        ({"limits": [0.0, 0.1]}, "grades.limits: expected probabilities above 0 and below 1"),
        ({"limits": [0.1, 5]}, "grades.limits: expected probabilities above 0 and below 1"),
        ({"limits": [0.1, float("nan")]}, "grades.limits: expected a list of ascending probabilities"),
        ({"limits": 0.1}, "grades.limits: expected a list of ascending probabilities, got 0.1"),
        ({"limits": ["0.1"]}, "grades.limits: expected a list of ascending probabilities"),
        ({"limits": [n / 200 for n in range(1, 150)]}, "grades.limits: expected at most 99 limits"),
        ({"limits": [0.1], "names": ["A"]}, "grades.names: expected 2 names, one per grade, got 1"),
        ({"limits": [0.1], "names": ["A", "A"]}, 'grades.names: "A" is listed 2 times'),
        ({"limits": [0.1], "names": ["A", ""]}, "grades.names: expected texts that are not empty"),
        ({"names": ["A"]}, "grades.names: needs grades"),
        ({"count": 3, "names": ["A"]}, "grades.names: expected 3 names, one per grade, got 1"),
        ({"count": 3, "limits": [0.1]}, "grades.count: contradicts grades.limits"),
        ({"count": 1}, "grades.count: expected a whole number from 2 to 100, got 1"),
        ({"count": 101}, "grades.count: expected a whole number from 2 to 100, got 101"),
        ({"count": 2.5}, "grades.count: expected a whole number from 2 to 100, got 2.5"),
        ({"counts": 3}, "grades.counts: unknown key; did you mean count?"),
        ({"least_share": 1}, "grades.least_share: expected a number"),
    ],
)
def test_a_wrong_master_scale_is_refused_in_one_line(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError) as refused:
        own_settings({"grades": values})
    with pytest.raises(UserError) as in_training:
        settings_from_dict({"grades": values}, file="config")
    assert str(refused.value) == str(in_training.value)
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)
