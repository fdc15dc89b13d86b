"""A graph of skl2onnx beside its pipeline: equal, or refused with the first row."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skl2onnx
from numpy.typing import NDArray
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from export.refusal import ExportRefused
from lastbit import compare, register, unregister
from tests.export.own.pipelines import booster, rows_of

pytestmark = pytest.mark.tier("land")
OPSET = {"": 18, "ai.onnx.ml": 3}


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    unregister()
    register()
    yield
    unregister()
    register()  # as other tests of this process expect


@pytest.fixture(scope="module")
def rows() -> tuple[pd.DataFrame, NDArray[np.int64]]:
    X, y = rows_of()
    return X[["income", "late", "city"]], y


def one_hot(*, sparse: bool) -> ColumnTransformer:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=sparse)
    return ColumnTransformer(
        [("city", encoder, ["city"])], remainder="passthrough", sparse_threshold=1.0 if sparse else 0.0
    )


def graph_of(fitted: Any) -> Any:
    kinds = [("income", DoubleTensorType), ("late", DoubleTensorType), ("city", StringTensorType)]
    options = {id(fitted): {"zipmap": False}}
    types = [(name, kind([None, 1])) for name, kind in kinds]
    return skl2onnx.to_onnx(fitted, initial_types=types, target_opset=OPSET, options=options)


def test_a_dense_preparation_is_equal(rows: tuple[pd.DataFrame, Any]) -> None:
    X, y = rows
    fitted = make_pipeline(one_hot(sparse=False), booster()).fit(X, y)
    assert compare(graph_of(fitted), fitted, X) == {"rows": 3_000, "bit_equal": 3_000, "largest_difference": 0.0}


@pytest.mark.parametrize(
    ("graph", "line"),
    [
        ("nowhere.onnx", "graph: nowhere.onnx is not a file; give the .onnx file, its bytes or the ModelProto"),
        (Path("tests"), "graph: tests is not a file; give the .onnx file, its bytes or the ModelProto"),
        (5, "graph: expected a path, bytes or a ModelProto, got int"),
        (None, "graph: expected a path, bytes or a ModelProto, got NoneType"),
        (bytearray(b"no graph"), "graph: expected an ONNX model, got 8 bytes of something else"),
    ],
)
def test_what_is_no_graph_is_refused_in_one_line(graph: object, line: str) -> None:
    with pytest.raises(ExportRefused, match=f"^{re.escape(line)}$"):
        compare(graph, None, [])


def test_a_sparse_preparation_is_refused_with_a_row(rows: tuple[pd.DataFrame, Any]) -> None:
    X, y = rows
    fitted = make_pipeline(one_hot(sparse=True), booster()).fit(X, y)
    with pytest.raises(ExportRefused, match=r"differs from the pipeline by up to .* real rows, first in row \d+"):
        compare(graph_of(fitted).SerializeToString(), fitted, X)


def test_inputs_of_other_columns_are_refused(rows: tuple[pd.DataFrame, Any]) -> None:
    X, y = rows
    fitted = make_pipeline(one_hot(sparse=False), booster()).fit(X, y)
    with pytest.raises(ExportRefused, match="expected one input for each column"):
        compare(graph_of(fitted), fitted, X.rename(columns={"late": "later"}))


def test_a_matrix_is_compared(rows: tuple[pd.DataFrame, Any]) -> None:
    X, y = rows
    numbers = X[["income", "late"]].to_numpy()
    fitted = make_pipeline(SimpleImputer(), StandardScaler(), booster()).fit(numbers, y)
    types = [("x", DoubleTensorType([None, 2]))]
    made = skl2onnx.to_onnx(fitted, initial_types=types, target_opset=OPSET, options={id(fitted): {"zipmap": False}})
    assert compare(made, fitted, numbers)["rows"] == 3_000
    with pytest.raises(ExportRefused, match="expected 100 real rows or more, got 9"):
        compare(made, fitted, numbers[:9])
