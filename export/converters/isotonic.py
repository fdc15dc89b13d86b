"""Isotonic calibration: linear interpolation between knots, in scikit-learn's dtype and order of operations.

scikit-learn asks SciPy to interpolate. For float64 SciPy asks numpy.interp; for float32 it has a formula of its own,
which SciPy 1.18 replaced by another that rounds differently. The calibrator's answers show which one it uses.

In the graph a search tree (a TreeEnsembleRegressor of one tree) finds the segment of x, tables give what the formula
needs of that segment, and plain arithmetic does the rest.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from sklearn.isotonic import IsotonicRegression

from export.converters.graph import ML_DOMAIN, Graph
from export.refusal import ExportRefused

# Both formulas mostly agree where a line is flat or short, so few knots are asked at many places.
ENOUGH_VALUES = 2_000

Array = NDArray[np.floating[Any]]


def convert_isotonic(graph: Graph, calibrator: IsotonicRegression, x: str, dtype: type[np.floating[Any]]) -> str:
    """The calibrated probability of `x` [N, 1], in `dtype`. Raises ExportRefused where it cannot be exact."""
    knots, values = np.asarray(calibrator.X_thresholds_), np.asarray(calibrator.y_thresholds_)
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
    if dtype is np.float64:
        return _like_numpy(graph, x, knots, values, slopes)
    if len(knots) == 1 or _answers_like(calibrator, _slope_form):
        return _like_scipy_with_slopes(graph, x, knots, values, slopes)
    if _answers_like(calibrator, _weights_form):
        return _like_scipy_with_weights(graph, x, knots, values)
    raise ExportRefused(
        "isotonic calibrator: this SciPy interpolates float32 by a formula that has not been shown exact; calibrate "
        "margins in float64 (CrossFittedClassifier), or use a SciPy that the tests know"
    )


def _like_numpy(graph: Graph, x: str, knots: Array, values: Array, slopes: Array) -> str:
    """numpy.interp: slope * (x - x_lo) + y_lo in the segment whose lower knot is at or below x."""
    zero = np.zeros(1, knots.dtype)
    slope, x_lo, y_lo = _segment(
        graph,
        _search(graph, x, knots, "BRANCH_LT"),
        np.concatenate([zero, slopes, zero]),
        np.concatenate([knots[:1], knots]),
        np.concatenate([values[:1], values]),
    )
    return graph.node("Add", graph.node("Mul", slope, graph.node("Sub", x, x_lo)), y_lo)


def _like_scipy_with_slopes(graph: Graph, x: str, knots: Array, values: Array, slopes: Array) -> str:
    """SciPy before 1.18: slope * (x - x_lo) + y_lo in the segment whose upper knot is at or above x.

    A value at a knot comes from the segment on its left, and the last knot's value may differ from the last of
    `values`.
    """
    zero = np.zeros(1, knots.dtype)
    highest = slopes[-1:] * (knots[-1:] - knots[-2:-1]) + values[-2:-1] if len(knots) > 1 else values
    slope, x_lo, y_lo = _segment(
        graph,
        _search(graph, x, knots, "BRANCH_LEQ"),
        np.concatenate([zero, slopes, zero]),
        np.concatenate([knots[:1], knots]),
        np.concatenate([values[:1], values[:-1], highest]),
    )
    return graph.node("Add", graph.node("Mul", slope, graph.node("Sub", x, x_lo)), y_lo)


def _like_scipy_with_weights(graph: Graph, x: str, knots: Array, values: Array) -> str:
    """SciPy since 1.18: both ends of the segment, weighted by how near they are, after x is clipped to the knots."""
    first, last = graph.constant(knots[:1]), graph.constant(knots[-1:])
    x = graph.node("Min", graph.node("Max", x, first), last)
    x_lo, x_hi, y_lo, y_hi = _segment(
        graph, _search(graph, x, knots[1:-1], "BRANCH_LEQ"), knots[:-1], knots[1:], values[:-1], values[1:]
    )
    width = graph.node("Sub", x_hi, x_lo)
    right = graph.node("Mul", graph.node("Div", graph.node("Sub", x, x_lo), width), y_hi)
    left = graph.node("Mul", graph.node("Div", graph.node("Sub", x_hi, x), width), y_lo)
    return graph.node("Add", right, left)


def _slope_form(x: Array, x_lo: Array, x_hi: Array, y_lo: Array, y_hi: Array) -> Array:
    return (y_hi - y_lo) / (x_hi - x_lo) * (x - x_lo) + y_lo


def _weights_form(x: Array, x_lo: Array, x_hi: Array, y_lo: Array, y_hi: Array) -> Array:
    return (x - x_lo) / (x_hi - x_lo) * y_hi + (x_hi - x) / (x_hi - x_lo) * y_lo


def _answers_like(calibrator: IsotonicRegression, formula: Callable[..., Array]) -> bool:
    """True if the calibrator's values between its knots are a formula's, to the bit."""
    knots, values = calibrator.X_thresholds_, calibrator.y_thresholds_
    ends = knots[:-1], knots[1:], values[:-1], values[1:]
    for share in np.linspace(0.01, 0.99, 5 + ENOUGH_VALUES // len(knots)):
        x = np.clip(
            knots[:-1] + np.diff(knots) * knots.dtype.type(share), np.nextafter(knots[:-1], knots[1:]), knots[1:]
        )
        if not np.array_equal(calibrator.predict(x), formula(x, *ends)):
            return False
    return True


def _segment(graph: Graph, number: str, *tables: Array) -> list[str]:
    """Values of each table for the segment, [N, 1]."""
    return [graph.node("Gather", graph.constant(table), number) for table in tables]


def _search(graph: Graph, x: str, knots: Array, mode: str) -> str:
    """Number of ascending knots below x (BRANCH_LEQ) or at most x (BRANCH_LT), int32 [N, 1]."""
    number = graph.node("TreeEnsembleRegressor", x, domain=ML_DOMAIN, **_search_tree(knots, mode))
    return graph.node("Cast", number, to=onnx.TensorProto.INT32)


def _search_tree(knots: NDArray[np.floating[Any]], mode: str) -> dict[str, Any]:
    """One balanced tree whose leaves are the numbers of the segments."""
    feature: list[str] = []
    thresholds: list[float] = []
    true_ids: list[int] = []
    false_ids: list[int] = []
    leaves: dict[int, int] = {}

    def grow(low: int, high: int) -> int:
        """Add the subtree that distinguishes the segments low to high (both included); return its node."""
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
