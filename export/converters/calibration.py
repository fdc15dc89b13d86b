"""Calibrators, in scikit-learn's own dtypes and order of operations.

Tensors are [N, 1]. A calibrated probability is float64, as `CalibratedClassifierCV` keeps it.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

from export.graph import ML_DOMAIN, Graph
from export.refusal import ExportRefused

# XGBoost's own bound on the exponent of its sigmoid (src/common/math.h).
LARGEST_EXPONENT = np.float32(88.7)
# e^256, the float64 next to it: among the powers e^(2^j) the one closest to a float64 for its size.
E_TO_256 = 1.5114276650041035e111


def convert_calibrator(graph: Graph, calibrator: Any, x: str, dtype: type[np.floating[Any]]) -> str:
    """A fitted scikit-learn calibrator on `x` of the given dtype; None takes `x` for log-odds. Returns float64."""
    if calibrator is None:
        return _one_over_one_plus_exp(graph, graph.node("Neg", as_float64(graph, x, dtype)))
    if isinstance(calibrator, _SigmoidCalibration):
        scaled = graph.node("Mul", constant(graph, calibrator.a_), as_float64(graph, x, dtype))
        return _one_over_one_plus_exp(graph, graph.node("Add", scaled, constant(graph, calibrator.b_)))
    if isinstance(calibrator, IsotonicRegression):
        return _convert_isotonic(graph, calibrator, x, dtype)
    raise ExportRefused(
        f"calibrator {type(calibrator).__name__} is not supported: expected sigmoid or isotonic calibration"
    )


def convert_booster_probability(graph: Graph, margin: str) -> str:
    """XGBoost's own float32 probability for a float32 margin.

    All in float32, as XGBoost does it, but for the exponential: rounded from float64 it agrees with the C
    library's expf far more often than ONNX Runtime's float32 Exp does (onnxruntime #26281).
    """
    x = graph.node("Min", graph.node("Neg", margin), graph.constant(np.array(LARGEST_EXPONENT)))
    power = graph.node("Cast", _exp(graph, as_float64(graph, x, np.float32)), to=onnx.TensorProto.FLOAT)
    one = graph.constant(np.array(1, dtype=np.float32))
    # 1 + 1e-16 is 1 in float32, so XGBoost's guard against a division by zero changes no bit.
    return graph.node("Div", one, graph.node("Add", power, one))


def mean(graph: Graph, terms: list[str]) -> str:
    """The mean of float64 tensors, added left to right."""
    total = terms[0]
    for term in terms[1:]:
        total = graph.node("Add", total, term)
    return total if len(terms) == 1 else graph.node("Div", total, constant(graph, len(terms)))


def as_float64(graph: Graph, x: str, dtype: type[np.floating[Any]]) -> str:
    """`x`, cast if it is not float64 already."""
    return x if dtype is np.float64 else graph.node("Cast", x, to=onnx.TensorProto.DOUBLE)


def constant(graph: Graph, value: float) -> str:
    """A float64 scalar."""
    return graph.constant(np.array(value, dtype=np.float64))


def _one_over_one_plus_exp(graph: Graph, x: str) -> str:
    """1 / (1 + exp(x)) in float64. ONNX's Sigmoid and LOGISTIC lose the tails."""
    one = constant(graph, 1)
    return graph.node("Div", one, graph.node("Add", _exp(graph, x), one))


def _exp(graph: Graph, x: str) -> str:
    """exp(x) in float64 as (e^256)^(x/256).

    ONNX Runtime computes Exp in vectors and the last elements of a tensor one by one, with other bits: 7 % of
    probabilities then differ between a row alone and the same row in a batch. Pow is the C library's, element by
    element, x/256 is exact, and the constant's rounding adds 4e-20 · |x|: the result is the C library's exp in
    all but a few of 1,000 cases, which is what SciPy's expit calls.
    """
    return graph.node("Pow", constant(graph, E_TO_256), graph.node("Mul", x, constant(graph, 1 / 256)))


def _convert_isotonic(graph: Graph, calibrator: IsotonicRegression, x: str, dtype: type[np.floating[Any]]) -> str:
    """Linear interpolation between the knots, as scikit-learn does it, which asks SciPy, which asks NumPy.

    With float64 knots that is numpy.interp: the segment whose lower knot is at or below x. With float32 knots it
    is SciPy's own formula, all in float32: the segment whose upper knot is at or above x, so that a value at a
    knot is computed from the segment on its left. Both then take slope * (x - x_lo) + y_lo.

    A search tree finds the number of the segment; three tables hold slope, x_lo and y_lo. Left of the first knot
    and right of the last the slope is 0.
    """
    knots = np.asarray(calibrator.X_thresholds_)
    values = np.asarray(calibrator.y_thresholds_)
    if knots.dtype != dtype or values.dtype != dtype:
        raise ExportRefused(
            f"isotonic calibrator with {knots.dtype} knots on {np.dtype(dtype)} input is not supported: "
            "fit it on the dtype that it is used with"
        )
    if calibrator.out_of_bounds != "clip":
        raise ExportRefused(
            f"isotonic calibrator with out_of_bounds={calibrator.out_of_bounds!r} is not supported: expected 'clip'"
        )
    with np.errstate(all="ignore"):
        slopes = np.diff(values) / np.diff(knots)
    if not np.isfinite(slopes).all():
        raise ExportRefused("isotonic calibrator with two knots so close that the slope between them is not finite")
    zero = np.zeros(1, dtype)
    highest = values[-1:]
    if dtype is np.float32 and len(knots) > 1:  # SciPy's formula evaluates the last knot too
        highest = slopes[-1:] * (knots[-1:] - knots[-2:-1]) + values[-2:-1]
    tables = {
        "slope": np.concatenate([zero, slopes, zero]),
        "x_lo": np.concatenate([knots[:1], knots]),
        "y_lo": np.concatenate([values[:1], values[:-1], highest]),
    }
    if dtype is np.float64:
        tables["y_lo"][-1] = values[-1]
    at_knot = "BRANCH_LT" if dtype is np.float64 else "BRANCH_LEQ"
    number = graph.node("TreeEnsembleRegressor", x, domain=ML_DOMAIN, **_search_tree(knots.astype(dtype), at_knot))
    segment = graph.node("Cast", number, to=onnx.TensorProto.INT32)
    slope, x_lo, y_lo = (
        graph.node("Gather", graph.constant(table.astype(dtype)), segment) for table in tables.values()
    )
    rise = graph.node("Mul", slope, graph.node("Sub", x, x_lo))
    return as_float64(graph, graph.node("Add", rise, y_lo), dtype)


def _search_tree(knots: NDArray[np.floating[Any]], mode: str) -> dict[str, Any]:
    """One balanced tree whose leaf is the number of knots below x (BRANCH_LEQ) or at most x (BRANCH_LT)."""
    feature: list[str] = []
    thresholds: list[float] = []
    true_ids: list[int] = []
    false_ids: list[int] = []
    leaves: dict[int, int] = {}

    def grow(low: int, high: int) -> int:
        """Adds the subtree that tells the segments low to high (both included) apart; returns its node."""
        node = len(feature)
        feature.append("LEAF" if low == high else mode)
        middle = (low + high) // 2  # left: segments up to `middle`; the knot at this index is the next threshold
        thresholds.append(0.0 if low == high else float(knots[middle]))
        true_ids.append(0)
        false_ids.append(0)
        if low == high:
            leaves[node] = low
        else:
            true_ids[node] = grow(low, middle)
            false_ids[node] = grow(middle + 1, high)
        return node

    grow(0, len(knots))
    nodes = len(feature)
    common = {
        "nodes_treeids": [0] * nodes,
        "nodes_nodeids": list(range(nodes)),
        "nodes_featureids": [0] * nodes,
        "nodes_modes": feature,
        "nodes_truenodeids": true_ids,
        "nodes_falsenodeids": false_ids,
        "target_treeids": [0] * len(leaves),
        "target_nodeids": list(leaves),
        "target_ids": [0] * len(leaves),
        "n_targets": 1,
        "aggregate_function": "SUM",
        "post_transform": "NONE",
    }
    numbers = list(leaves.values())
    if knots.dtype == np.float32:
        return common | {"nodes_values": thresholds, "target_weights": [float(n) for n in numbers]}
    return common | {
        "nodes_values_as_tensor": numpy_helper.from_array(np.array(thresholds), "thresholds"),
        "target_weights_as_tensor": numpy_helper.from_array(np.array(numbers, dtype=np.float64), "segments"),
    }
