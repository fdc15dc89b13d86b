"""Axes of the pictures: round ticks, places on each scale, and outlines that stay within the axes."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from validation.report.plots.axes import Axes
from validation.report.plots.features import scaled
from validation.report.plots.scales import Logarithmic, Plain, Symmetric, limits_of, written
from validation.report.plots.style import DOT, INK, TEST, drawing, label

pytestmark = pytest.mark.tier("land")

SCALES = (Plain(), Logarithmic(), Symmetric(0.5), Symmetric(1e6))
numbers = st.floats(-1e12, 1e12, allow_subnormal=False)


@given(numbers, st.floats(1e-6, 1e12), st.integers(2, 9), st.booleans())
def test_plain_ticks_are_even_within_the_limits_and_few(low: float, span: float, most: int, whole: bool) -> None:
    high = low + span
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        return
    ticks = Plain().ticks(low, high, most, whole=whole)
    assert len(ticks) <= most + 1
    slack = 1e-6 * (high - low)
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    if len(ticks) > 2:
        steps = np.diff(ticks)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-4)
    if whole:
        assert all(tick.is_integer() for tick in ticks)


def test_ticks_of_shares_are_round() -> None:
    assert Plain().ticks(0, 1, 5, whole=False) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert Plain().ticks(0, 0.013, 4, whole=False) == [0, 0.005, 0.01]
    assert Plain().ticks(-3, 8, 7, whole=True) == [-2, 0, 2, 4, 6, 8]


@given(st.floats(-12, 11), st.floats(0.1, 20))
def test_logarithmic_ticks_are_powers_of_ten_or_three_times_one(power: float, decades: float) -> None:
    ticks = Logarithmic().ticks(10**power, 10 ** (power + decades), 5, whole=False)
    assert len(ticks) <= 9
    for tick in ticks:
        assert any(
            math.isclose(math.log10(tick / factor) % 1, whole, abs_tol=1e-6) for factor in (1, 3) for whole in (0, 1)
        )


@pytest.mark.parametrize("scale", SCALES)
@given(st.lists(st.floats(1e-9, 1e12), min_size=2, max_size=20, unique=True))
def test_a_scale_keeps_the_order_and_leads_back(scale: Plain, values: list[float]) -> None:
    ascending = np.sort(values)
    places = scale.forward(ascending)
    assert (np.diff(places) >= 0).all()
    np.testing.assert_allclose(scale.backward(places), ascending, rtol=1e-9)


def test_a_symmetric_scale_is_odd_and_joins_at_the_threshold() -> None:
    scale = Symmetric(5.0)
    values = np.array([0, 1, 4.999_999, 5, 5.000_001, 500])
    np.testing.assert_array_equal(scale.forward(-values), -scale.forward(values))
    assert np.ptp(scale.forward(values)[2:5]) < 1e-6
    assert scale.ticks(-60, 20_000, 6, whole=False) == [-10, 0, 10, 100, 1_000, 10_000]


def test_limits_of_nothing_and_of_one_value_have_a_span() -> None:
    for scale in SCALES:
        for seen in ([], [3.0], [3.0, 3.0]):
            low, high = limits_of(scale, seen)
            assert low < high
            assert all(low < value < high for value in seen)


def test_numbers_at_ticks_have_the_same_decimals() -> None:
    assert written([-0.5, 0, 0.5, 1]) == ["\N{MINUS SIGN}0.5", "0.0", "0.5", "1.0"]
    assert written([0, 20, 40]) == ["0", "20", "40"]
    assert written([0, 2e9]) == ["0", "2e+09"]


def test_text_is_escaped_and_what_is_not_finite_is_left_out() -> None:
    with drawing() as canvas:
        axes = canvas.axes()
        axes.plot([0, 1, math.nan, 3, math.inf], [0, 1, 2, 3, 4], **TEST)
        axes.plot([0, math.nan], [0, 0], **DOT | {"color": INK})
        axes.text(1, math.nan, "nowhere", color=INK)
        label(axes, "<b>&\N{GREEK SMALL LETTER ALPHA}中ع🙂", "points")
    root = ElementTree.fromstring(canvas.svg)
    assert "<b>&α中ع🙂" in "".join(root.itertext())
    assert "nowhere" not in "".join(root.itertext())
    assert not re.search(r"\b(nan|inf)\b", canvas.svg)


def test_a_long_name_of_an_axis_ends_within_the_picture() -> None:
    with drawing() as canvas:
        label(canvas.axes(left=3.4), "", "mean score, and the middle half of the applicants")
    assert "text-anchor: end" in re.findall(r"<text[^>]*>mean score", canvas.svg)[0]


@pytest.mark.parametrize(
    ("values", "pressed"),
    [
        (np.linspace(-2.5, 2.5, 15), False),  # around 0: its median says nothing of its size
        (np.array([0, 0.5, 1, 2, 3, 4]), False),
        (np.array([0, 0, 1, 2, 3, 900]), True),
        (np.array([-40_000, -3, -2, -1, 0, 1, 2]), True),
    ],
)
def test_only_a_few_large_values_make_an_axis_logarithmic(values: NDArray[np.float64], pressed: bool) -> None:
    axes = Axes(0, 0, 100, 100)
    scaled(axes, pd.Series(values))
    assert isinstance(axes.x.scale, Symmetric) is pressed
    if isinstance(axes.x.scale, Symmetric):
        assert axes.x.scale.threshold == np.median(np.abs(values[values != 0]))
