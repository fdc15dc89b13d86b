"""Bands: the same as in serving to the last bit, and what is in each."""

import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from runtime.score import Bands, Scale, band, band_labels
from validation import bands as module
from validation.bands import band_edges, band_table, scores_of
from validation.evidence import Part

EDGES = [410.0, 438.0, 466.0, 470.0]
SCORES = st.one_of(
    st.sampled_from([f(e) for e in EDGES for f in (float, lambda e: math.nextafter(e, 0), lambda e: e + 1e-9)]),
    st.floats(300, 600),
)


def part(scores: list[float], target: list[int], probability: list[float] | None = None) -> Part:
    p = np.full(len(scores), 0.25) if probability is None else np.array(probability)
    return Part(pd.DataFrame(index=range(len(scores))), np.array(target, dtype=np.int8), p, np.array(scores))


@given(st.lists(st.floats(0, 1), max_size=30))
def test_scores_are_the_runtime_s_to_the_last_bit(probabilities: list[float]) -> None:
    scale = Scale(probability_limits=(1e-6, 0.999))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", 7)
        assert scores_of(np.array(probabilities), scale).tolist() == [scale.score(p) for p in probabilities]


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a number from 0 to 1, got nan"):
        scores_of(np.array([0.5, math.nan]), Scale())


@given(st.lists(st.tuples(SCORES, st.integers(0, 1)), min_size=1, max_size=60))
def test_everybody_is_in_the_band_of_the_runtime(applicants: list[tuple[float, int]]) -> None:
    scores, target = map(list, zip(*applicants, strict=True))
    table = band_table(part(scores, target), EDGES)
    sizes = Counter(band(score, EDGES) for score in scores)
    defaults = Counter(band(score, EDGES) for score, bad in applicants if bad)
    assert dict(zip(table["Band"], table["Band Size"], strict=True)) == {
        **dict.fromkeys(band_labels(EDGES), 0),
        **sizes,
    }
    assert table["# Default"].tolist() == [defaults[name] for name in table["Band"]]
    inside = [name for name in table["Band"] if name.startswith("[")]
    assert inside == band_labels(EDGES)
    assert table["% Total Population"].iloc[-1] == pytest.approx(100)


def test_what_the_columns_say() -> None:
    probability = [0.5, 0.4, 0.2, 0.1, 0.1, 0.1]
    table = band_table(part([400, 420, 430, 440, 450, 480], [1, 1, 0, 1, 0, 0], probability), EDGES)
    assert table["Band"].tolist() == ["below 410", "[410, 438)", "[438, 466)", "[466, 470]", "above 470"]
    rows = table.set_index("Band")
    assert rows["Band Size"].tolist() == [1, 2, 2, 0, 1]
    assert rows["# Default"].tolist() == [1, 1, 1, 0, 0]
    second = rows.loc["[410, 438)"]
    assert second["% Total Population"] == pytest.approx(50)
    assert second["Band Precision"] == second["Observed"] == pytest.approx(50)
    assert second["Cumulative Precision"] == pytest.approx(100 * 2 / 3)
    assert second["Cumulative Recall"] == pytest.approx(100 * 2 / 3)
    assert second["Cumulative F1-Score"] == pytest.approx(100 * 2 / 3)
    assert second["Predicted"] == pytest.approx(30)
    assert second["Odds"] == 1
    interval = binomtest(1, 2).proportion_ci(method="exact")
    assert (second["Low"], second["High"]) == pytest.approx((100 * interval.low, 100 * interval.high))
    assert rows["Odds"].tolist()[:3] == [0, 1, 1]
    assert rows["Odds"].iloc[-1] == math.inf
    assert rows.loc["[466, 470]", ["Observed", "Predicted", "Low", "High", "Odds"]].isna().all()


def test_edges_step_by_a_factor_of_e_in_the_odds() -> None:
    everywhere = np.linspace(413.2, 744.0, 100)
    assert band_edges(everywhere, Scale()) == [*map(float, range(410, 746, 28)), 750]  # nobody above 746
    assert band_edges(np.array([600.0]), Scale()) == [600, 628]
    assert band_edges(np.array([600.0, 601.0, 602.5]), Scale(points_to_double=0.2))[:3] == [600, 601, 602]


@pytest.mark.parametrize(("scores", "edges"), [
    ([413.2, 744], [410, 438, 750]),
    ([413.2, 500, 744], [410, 438, 522, 750]),
    ([413.2, 420, 439, 500], [410, 438, 466, 500]),
    ([500, 501, 639.5], [500, 528, 640]),
    ([500, 570], [500, 528, 570]),  # the highest score is a band's upper edge, which belongs to it
    ([410, 437.9, 438], [410, 438, 440]),
    ([-5e-324], [-10, 0]),
    ([5e-324], [0, 10]),
])  # fmt: skip
def test_a_band_without_applicants_is_merged(scores: list[float], edges: list[float]) -> None:
    assert band_edges(np.array(scores), Scale()) == edges


@given(st.lists(st.floats(-200, 1_300), min_size=1, max_size=40), st.floats(0.5, 60))
def test_no_band_is_empty(scores: list[float], points_to_double: float) -> None:
    edges = band_edges(np.array(scores), Scale(points_to_double=points_to_double))
    assert edges == sorted(set(edges))
    bands = Bands(edges)
    assert {bands.name(score) for score in scores} == set(bands.labels[1:-1])
