"""Points and bands: the reference's numbers, the edges, and one ulp on either side of them."""

import doctest
import math
from decimal import Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import problem, score, validate
from runtime.score import Scale, band, band_labels
from tests.runtime.model_builder import BANDS


@pytest.mark.parametrize("module", [score, problem, validate])
def test_the_examples_in_the_docstrings_hold(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted > 0
    assert results.failed == 0


@given(
    st.floats(1e-8, 1 - 1e-8),
    st.floats(-1e4, 1e4),
    st.floats(1e-3, 1e3),
    st.one_of(st.floats(1, 1e3), st.floats(-1e3, -1)),
)
def test_points_are_those_of_the_formula_in_forty_digits(p: float, points: float, odds: float, double: float) -> None:
    """Offset + factor * log(good : bad odds), as scorecards define it, without the roundings of floats."""
    with localcontext(prec=40):
        risk, factor = Decimal(p), Decimal(double) / Decimal(2).ln()
        expected = Decimal(points) + factor * ((1 - risk) / risk / Decimal(odds)).ln()
    came = Scale(points, odds, double).score(p)
    assert came == pytest.approx(float(expected), rel=0, abs=1e-12 * (abs(points) + 100 * abs(double)))


@given(st.floats(1e-6, 0.5), st.floats(1, 1e3))
def test_twice_the_odds_are_points_to_double_more(p: float, double: float) -> None:
    scale = Scale(points_to_double=double)
    odds = (1 - p) / p
    assert scale.score(1 / (1 + 2 * odds)) - scale.score(p) == pytest.approx(double, abs=1e-7)


def test_beyond_the_limits_the_score_stays() -> None:
    scale = Scale()
    lowest, highest = scale.probability_limits
    assert scale.score(0) == scale.score(lowest) == scale.score(math.nextafter(lowest, 0))
    assert scale.score(1) == scale.score(highest) == scale.score(math.nextafter(highest, 1))


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_risk_is_never_more_points(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert Scale().score(low) >= Scale().score(high)


@pytest.mark.parametrize("wrong", [math.nan, -1e-300, 1.0000000000000002, math.inf])
def test_what_is_no_probability(wrong: float) -> None:
    with pytest.raises(ValueError, match="expected a number from 0 to 1"):
        Scale().score(wrong)


def test_a_band_begins_at_its_edge() -> None:
    labels = band_labels(BANDS)
    assert labels[0] == "[410, 438)"
    assert labels[-1] == "[606, 630]"
    assert len(labels) == len(BANDS) - 1
    for label, (low, high) in zip(labels, pairwise(BANDS), strict=True):
        assert band(low, BANDS) == band(math.nextafter(high, 0), BANDS) == label
    assert band(630, BANDS) == labels[-1]
    assert band(math.nextafter(410, 0), BANDS) == "below 410"
    assert band(math.nextafter(630, 1000), BANDS) == "above 630"
