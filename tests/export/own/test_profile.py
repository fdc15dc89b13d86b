"""Cuts of a prepared number: found to the last bit, in order, where rounding goes to and fro, and beside zeros."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, QuantileTransformer, StandardScaler

from export.own.floats import middle, numbers, positions
from export.own.prepared import MISSING, Preparation, as_seen, codes
from export.own.prober import Prober
from export.own.profile import Profile, profiles_of
from export.own.raw import RawColumn, RawTable
from export.own.trace import trace

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(FLOATS, FLOATS)
def test_positions_keep_order_and_give_numbers_back(a: float, b: float) -> None:
    place = positions(np.array([a, b]))
    assert (place[0] < place[1]) == (a < b)
    assert numbers(place).tolist() == [a, b]
    low, high = np.sort(place)
    assert low <= middle(low, high) <= high


def profile_of(step: Any, x: Any, thresholds: Any) -> Profile:
    """The profile of one column that one fitted step prepares."""
    table = RawTable((RawColumn("x", "number", np.dtype(float), np.nan, 1.0),), frozenset({0}), {}, named=False)
    steps = (("step", step),)
    base = {"numbers": np.array([[float(np.median(x))]])}
    prober = Prober(Preparation(steps, tuple(trace(steps, ["x"])), (0,)), table, base)
    nullable = {0: prober.refusal(0, np.nan, [0]) is None}
    return profiles_of(prober, {0: thresholds}, {"numbers": x[:, None]}, nullable)[0]


def looked_up(profile: Profile, x: Any) -> Any:
    return profile.codes[np.searchsorted(profile.cuts, x, side="right")]


@pytest.mark.parametrize(
    "step",
    [
        StandardScaler(),
        QuantileTransformer(n_quantiles=200, output_distribution="normal"),
        FunctionTransformer(np.square),
        FunctionTransformer(np.reciprocal),
        KBinsDiscretizer(7, encode="ordinal", quantile_method="averaged_inverted_cdf"),
    ],
    ids=lambda step: type(step).__name__,
)
@pytest.mark.filterwarnings("ignore")
def test_a_looked_up_number_has_the_code_of_its_prepared_value(step: Any) -> None:
    x = np.random.default_rng(0).lognormal(5, 1.5, 2_000) - 200
    fitted = step.fit(x[:, None])
    prepared = as_seen(fitted.transform(x[:, None]), [0])[:, 0]
    thresholds = np.unique(prepared)[1:-1:3]
    profile = profile_of(fitted, x, thresholds)
    near = (positions(profile.cuts)[:, None] + np.arange(-100, 101)).ravel()
    for asked in (x, numbers(near), np.linspace(-1e6, 1e6, 10_000)):
        expected = codes(as_seen(fitted.transform(asked[:, None]), [0])[:, 0], thresholds)
        assert np.array_equal(looked_up(profile, asked), expected)


def test_a_step_that_goes_to_and_fro_is_followed() -> None:
    """Some of 4,000 thresholds on normal quantiles are crossed three times, within a few float64."""
    x = np.sort(np.random.default_rng(0).lognormal(5, 1.5, 4_000))
    fitted = QuantileTransformer(n_quantiles=200, output_distribution="normal").fit(x[:, None])
    thresholds = np.unique(as_seen(fitted.transform(x[:, None]), [0]))[1:-1]
    profile = profile_of(fitted, x, thresholds)
    asked = numbers((positions(profile.cuts)[:, None] + np.arange(-40, 41)).ravel())
    expected = codes(as_seen(fitted.transform(asked[:, None]), [0])[:, 0], thresholds)
    assert np.array_equal(looked_up(profile, asked), expected)


def test_a_zero_of_a_sparse_matrix_is_missing_and_the_numbers_beside_it_are_not() -> None:
    x = np.arange(200.0)
    centred = KBinsDiscretizer(3, encode="onehot", quantile_method="averaged_inverted_cdf").fit(x[:, None])
    profile = profile_of(centred, x, np.array([0.5], dtype=np.float32))
    edge = float(centred.bin_edges_[0][1])
    asked = np.array([-1e9, np.nextafter(edge, -np.inf), edge, 1e9])
    assert looked_up(profile, asked).tolist() == [1, 1, MISSING, MISSING]


def test_a_stored_zero_is_a_value() -> None:
    from scipy import sparse

    stored = sparse.csr_array((np.array([0.0, 2.0]), np.array([0, 1]), np.array([0, 2, 2])), shape=(2, 2))
    seen = as_seen(stored, [0, 1])
    assert seen[0].tolist() == [0.0, 2.0]
    assert np.isnan(seen[1]).all()


def test_missing_values_of_a_nullable_column_are_missing() -> None:
    frame = pd.DataFrame({"x": pd.array([1, None], dtype="Int64")})
    assert np.isnan(as_seen(frame, [0])[1, 0])
