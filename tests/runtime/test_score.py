"""Points and bands: the reference's numbers, the edges, and one ulp on either side of them."""

import doctest
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import problem, score, validate
from runtime.score import Scale, band, band_labels
from tests.runtime.model_builder import BANDS


@pytest.mark.parametrize("module", [score, problem, validate])
def test_the_examples_in_the_docstrings(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted > 0
    assert results.failed == 0


def test_the_reference_probability() -> None:
    assert Scale().score(0.23453453928232193) == 521.2536138390417


# 600 points at odds of 50 : 1, and 20 more for each doubling: 100 : 1 and 200 : 1, or 20 fewer at 25 : 1.
@pytest.mark.parametrize(("odds", "points"), [(50, 600), (100, 620), (200, 640), (25, 580), (1, 487.1229)])
def test_points_double_the_odds(odds: float, points: float) -> None:
    assert Scale().score(1 / (1 + odds)) == pytest.approx(points, abs=1e-4)


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
