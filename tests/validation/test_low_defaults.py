"""Bounds for grades with few defaults: the paper's tables, direct sums, and how often a true PD is above its bound."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from runtime.grades import Grades
from runtime.score import Scale
from validation.bands import scores_of
from validation.evidence import AnsweredRows
from validation.grades import grade_table, places_of
from validation.page import content_of, described
from validation.rating import Rating
from validation.report.pages import render
from validation.report.tables import low_default_bounds
from validation.sections import grades as grades_section
from validation.sections.section import Rows, Subject
from validation.settings import Stability, Validation
from validation.statistics.low_defaults import FEW, conservative, upper_bounds

ROWS = np.array([100.0, 400, 300])  # grades A, B, C of Pluto and Tasche's example
NONE, SOME = np.zeros(3), np.array([0.0, 2, 1])
LEVELS = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
# Their tables, in %: without defaults; with three; without and a correlation of 12 %.
INDEPENDENT = [(0.09, 0.17, 0.29, 0.37, 0.57, 0.86), (0.10, 0.20, 0.33, 0.43, 0.66, 0.98)]
INDEPENDENT += [(0.23, 0.46, 0.76, 0.99, 1.52, 2.28)]
WITH_DEFAULTS = [(0.46, 0.65, 0.83, 0.97, 1.25, 1.62), (0.52, 0.73, 0.95, 1.10, 1.43, 1.85)]
WITH_DEFAULTS += [(0.56, 0.90, 1.29, 1.57, 2.19, 3.04)]
CORRELATED = [(0.15, 0.40, 0.86, 1.31, 2.65, 5.29), (0.17, 0.45, 0.96, 1.45, 2.92, 5.77)]
CORRELATED += [(0.37, 0.92, 1.89, 2.78, 5.30, 9.84)]


@pytest.mark.parametrize(
    ("defaults", "correlation", "published"),
    [(NONE, 0.0, INDEPENDENT), (SOME, 0.0, WITH_DEFAULTS), (NONE, 0.12, CORRELATED)],
    ids=["no default", "three defaults", "correlated"],
)
def test_bounds_are_those_of_the_paper(
    defaults: NDArray[np.float64], correlation: float, published: list[tuple[float, ...]]
) -> None:
    found = np.array([upper_bounds(ROWS, defaults, level, correlation) for level in LEVELS]).T
    assert 100 * found == pytest.approx(np.array(published), abs=0.0151)  # printed to two decimals


@pytest.mark.parametrize("defaults", [(0, 0, 0), (0, 2, 1), (3, 0, 0), (1, 5, 9)])
@pytest.mark.parametrize("level", [0.5, 0.75, 0.95])
def test_an_independent_bound_is_where_the_sum_of_the_binomial_says(defaults: tuple[int, ...], level: float) -> None:
    found = upper_bounds(ROWS, np.array(defaults, dtype=float), level)
    for k, bound in enumerate(found.tolist()):
        n, d, p = int(ROWS[k:].sum()), sum(defaults[k:]), Fraction(bound)
        tail = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(d + 1))
        assert float(tail) == pytest.approx(1 - level, rel=1e-9)


@pytest.mark.parametrize("correlation", [0.01, 0.24])
def test_a_correlated_bound_is_where_the_integral_over_the_factor_says(correlation: float) -> None:
    found = upper_bounds(ROWS, SOME, 0.9, correlation)
    y = np.linspace(-9, 9, 8_001)
    for k, bound in enumerate(found.tolist()):
        n, d = int(ROWS[k:].sum()), int(SOME[k:].sum())
        p = norm.cdf((norm.ppf(bound) + np.sqrt(correlation) * y) / np.sqrt(1 - correlation))
        tail = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(d + 1))
        assert np.trapezoid(tail * norm.pdf(y), y) == pytest.approx(0.1, abs=1e-8)
    assert (found > upper_bounds(ROWS, SOME, 0.9)).all()


def test_a_true_pd_is_above_its_bound_as_seldom_as_the_confidence_says() -> None:
    rng, truth = np.random.default_rng(1), np.array([0.002, 0.006, 0.03])
    bounds = np.array([upper_bounds(ROWS, rng.binomial(ROWS.astype(int), truth).astype(float)) for _ in range(600)])
    above = (bounds < truth).mean(axis=0)
    assert (above <= 0.25 + 3 * math.sqrt(0.25 * 0.75 / 600)).all()
    assert above[-1] > 0.1  # and it is no bound that always holds


def test_margins_reach_the_bound_and_are_never_below_zero() -> None:
    found = conservative(np.array([0.001, 0.02, np.nan]), ROWS, np.array([0.0, 2, 30]), 0.75)
    assert found.margin[0] == pytest.approx(found.bound[0] - 0.001)
    assert found.margin[1] == pytest.approx(max(found.bound[1] - 0.02, 0))
    assert np.isnan(found.margin[2])
    assert found.is_few.tolist() == [True, True, False]
    assert FEW == 20
    assert conservative(np.array([0.5, 0.5, 0.5]), ROWS, SOME).margin.tolist() == [0, 0, 0]


def book(defaults: tuple[int, ...], rows: tuple[int, ...] = (100, 400, 300)) -> Subject:
    """Customers of grades A, B, C with PDs of 0.5, 4 and 20 %, so many of whom defaulted."""
    p = np.repeat([0.005, 0.04, 0.2], rows)
    outcome = np.concatenate([np.arange(n) < d for n, d in zip(rows, defaults, strict=True)]).astype(float)
    rating = Rating.of_grades(Grades([0.01, 0.1], ["A", "B", "C"]))
    return Subject(Rows(p, scores_of(p, Scale()), outcome), rating, Scale(), Validation(), Stability())


def test_a_validation_bounds_the_grades_with_few_defaults_and_no_others() -> None:
    """From the counts of all grades, the riskiest first; with the settings' confidence and correlation."""
    its = book((0, 19, 20))
    figure = grades_section.make(its).figure
    assert figure is not None
    found = figure["low_defaults"]
    assert [entry["grade"] for entry in found["grades"]] == ["B", "A"], "C has 20 defaults"
    bounds = upper_bounds(ROWS, np.array([0.0, 19, 20]))
    assert [entry["bound"] for entry in found["grades"]] == pytest.approx(bounds[1::-1].tolist(), rel=1e-12)
    correlated = upper_bounds(ROWS, np.array([0.0, 19, 20]), correlation=0.12)
    assert [entry["bound_correlated"] for entry in found["grades"]] == pytest.approx(correlated[1::-1].tolist())
    assert found["grades"][1]["margin"] == pytest.approx(bounds[0] - 0.005)
    other = replace(its, settings=Validation(confidence=0.95, correlation=0.24))
    stricter = grades_section.make(other).figure
    assert stricter is not None
    assert (stricter["low_defaults"]["confidence"], stricter["low_defaults"]["correlation"]) == (0.95, 0.24)
    for entry, looser in zip(stricter["low_defaults"]["grades"], found["grades"], strict=True):
        assert entry["bound"] > looser["bound"]
        assert entry["bound_correlated"] > looser["bound_correlated"]


@pytest.mark.parametrize(("defaults", "shown"), [((0, 0, 0), "CBA"), ((25, 30, 40), ""), ((0, 30, 40), "A")])
def test_a_page_has_bounds_where_defaults_are_few(defaults: tuple[int, ...], shown: str) -> None:
    """Nobody who defaulted is the usual case; a grade without customers is bounded by the riskier ones."""
    about = {"source": "x", "sha256": "0", "rows": 800, "first_time": None, "last_time": None}
    found = described(book(defaults), {**about, "too_young": 0, "without_time": 0})
    page = render("validation", **content_of(found))
    figure = found["sections"]["grades"]["figure"]
    assert figure is not None
    assert "".join(entry["grade"] for entry in figure["low_defaults"]["grades"]) == shown
    assert ("most prudent upper bounds of the PD (Pluto and Tasche)" in page) == bool(shown)
    empty = grades_section.make(book((0, 2, 3), (0, 400, 300))).figure
    assert empty is not None
    [*_, last] = empty["low_defaults"]["grades"]
    assert (last["grade"], last["rows"], last["margin"]) == ("A", 0, None)
    assert last["bound"] == empty["low_defaults"]["grades"][1]["bound"]


def test_the_report_s_bounds_take_effective_numbers_of_weighted_rows() -> None:
    rng = np.random.default_rng(2)
    p = rng.choice([0.005, 0.04, 0.2], 900)
    target = (rng.random(900) < p).astype(np.int8)
    grades = Grades([0.01, 0.1], ["A", "B", "C"])
    parts = [AnsweredRows(target, p, p, weight) for weight in (None, np.full(900, 7.0), rng.gamma(1, 1, 900))]
    plain, alike, unlike = (low_default_bounds(grade_table(part, grades)) for part in parts)
    names = [name for name in map(str, plain) if name.startswith(("Bound", "Margin"))]
    assert len(names) == 4
    assert alike[names].to_numpy() == pytest.approx(plain[names].to_numpy())
    rows, defaults = (
        np.bincount(places_of(grades, p), weights=w, minlength=3).astype(np.float64) for w in (None, target)
    )
    assert plain["Bound, independent"].to_numpy() == pytest.approx(100 * upper_bounds(rows, defaults))
    assert unlike["Bound, independent"][2] != pytest.approx(plain["Bound, independent"][2])


def test_bounds_of_empty_grades_and_of_defaults_only_are_defined() -> None:
    found = upper_bounds(np.array([10.0, 0, 5, 0]), np.array([0.0, 0, 5, 0]))
    assert found[1] == found[2] == 1.0
    assert np.isnan(found[3])
    for confidence, correlation in ((0, 0), (1, 0), (0.5, 1), (0.5, -0.1), (math.nan, 0)):
        with pytest.raises(ValueError, match="expected 0 to 1"):
            upper_bounds(ROWS, NONE, confidence, correlation)
