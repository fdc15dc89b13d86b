"""Preparation of raw columns, unseen values included."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from tests.applicants import NUMBERS, draw, pipeline
from training.estimator.preparation import Preparation, log1p, row_maximum

NAN = float("nan")


def fitted(frame: pd.DataFrame, **parameters: Any) -> Preparation:
    return Preparation(**parameters).fit(frame)


def test_columns_come_in_the_order_numbers_maxima_indicators() -> None:
    frame, target = draw(200)
    preparation = pipeline()[0].fit(frame, target)
    assert list(preparation.get_feature_names_out()) == [
        *("log1p(income)", "log1p(debt)", "age", "has_paid", "late"),
        *("shop=books", "shop=garden", "shop=shoes", "region=north", "region=south"),
    ]
    matrix = preparation.transform(frame)
    assert matrix.dtype == np.float32
    assert matrix.shape == (200, 10)


def test_a_missing_and_an_unseen_category_have_no_indicator() -> None:
    frame = pd.DataFrame({"shop": ["a", "b", None]})
    preparation = fitted(frame, categories={"shop": []})
    asked = pd.DataFrame({"shop": ["a", "b", None, "", np.nan, "c", "A"]})
    assert preparation.transform(asked).tolist() == [[1, 0], [0, 1], *[[0, 0]] * 5]


def test_a_given_vocabulary_is_kept_in_its_order() -> None:
    preparation = fitted(pd.DataFrame({"shop": ["a", "z"]}), categories={"shop": ["z", "y", "a"]})
    assert preparation.vocabularies_ == {"shop": ["z", "y", "a"]}


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([True, False, None], dtype="boolean"),
        pd.Series([True, False, None], dtype=object),
        pd.Series([1.0, 0.0, NAN]),
        pd.Series([1, 0, None], dtype="Int64"),
    ],
    ids=["boolean", "object", "float", "Int64"],
)
def test_a_boolean_is_one_zero_or_missing(column: "pd.Series[bool]") -> None:
    frame = pd.DataFrame({"has_paid": column})
    matrix = fitted(frame, numbers=["has_paid"]).transform(frame)
    assert np.array_equal(matrix, np.array([[1], [0], [NAN]]), equal_nan=True)


def test_columns_without_any_value_and_constant_columns_stay() -> None:
    frame = pd.DataFrame({"nothing": [NAN, NAN], "same": [7.0, 7.0], "empty": pd.Series([None, None], dtype=object)})
    preparation = fitted(frame, numbers=["nothing", "same"], categories={"empty": []})
    assert np.array_equal(preparation.transform(frame), [[NAN, 7], [NAN, 7]], equal_nan=True)


def test_raw_inputs_and_frame_are_inverses() -> None:
    frame, target = draw(300)
    preparation = pipeline()[0].fit(frame, target)
    inputs = preparation.raw_inputs(frame)
    assert inputs["numbers"].dtype == np.float64
    assert inputs["numbers"].shape == (300, len(NUMBERS))
    again = preparation.raw_inputs(preparation.frame(inputs))
    assert all(np.array_equal(inputs[n], again[n], equal_nan=n == "numbers") for n in inputs)
    assert np.array_equal(
        preparation.transform(frame), preparation.transform(preparation.frame(inputs)), equal_nan=True
    )


def test_beyond_float32_a_number_is_infinite_without_a_warning() -> None:
    frame = pd.DataFrame({"x": [1e300, -1e300, 3.5e38]})
    assert fitted(frame, numbers=["x"]).transform(frame).ravel().tolist() == [np.inf, -np.inf, np.inf]


def test_row_maximum_skips_missing_values_and_minus_infinity() -> None:
    rows = np.array([[1, 2], [NAN, 2], [NAN, NAN], [-np.inf, 1], [-np.inf, -np.inf], [np.inf, NAN]], np.float32)
    assert np.array_equal(row_maximum(rows), [2, 2, NAN, 1, NAN, np.inf], equal_nan=True)


def test_log1p_is_continued_to_the_left() -> None:
    x = np.array([-np.inf, -5, -1, 0, np.e - 1, np.inf, NAN], dtype=np.float32)
    expected = [-np.inf, -np.inf, -np.inf, 0, 1, np.inf, NAN]
    assert np.allclose(log1p(x), expected, equal_nan=True)


@given(st.floats(width=32, allow_nan=False), st.floats(width=32, allow_nan=False))
def test_log1p_is_monotone(a: float, b: float) -> None:
    low, high = sorted((np.float32(a), np.float32(b)))
    assert log1p(np.array([low])) <= log1p(np.array([high]))


def test_it_is_an_estimator_that_can_be_cloned_and_says_when_it_is_not_fitted() -> None:
    frame, _ = draw(10)
    unfitted = clone(pipeline()[0])
    assert unfitted.get_params()["log1p"] == ["income", "debt"]
    with pytest.raises(NotFittedError):
        unfitted.transform(frame)
