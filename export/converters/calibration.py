"""Calibrators, in scikit-learn's own dtypes and order of operations.

Tensors are [N, 1]. A calibrated probability is float64, as `CalibratedClassifierCV` keeps it.
"""

from typing import Any

import numpy as np
import onnx
from sklearn.isotonic import IsotonicRegression

from export.converters.graph import Graph
from export.converters.isotonic import convert_isotonic
from export.refusal import ExportRefused
from training.estimator.private import SigmoidCalibration

# XGBoost's own bound on the exponent of its sigmoid (src/common/math.h).
LARGEST_EXPONENT = np.float32(88.7)
# e^256, the float64 next to it: among the powers e^(2^j) the one closest to a float64 for its size.
E_TO_256 = 1.5114276650041035e111
# glibc's expf: a power of two in parts, and the polynomial within a part.
EXPF_PARTS = 32
EXPF_CUBE = float.fromhex("0x1.c6af84b912394p-5") / EXPF_PARTS**3
EXPF_SQUARE = float.fromhex("0x1.ebfce50fac4f3p-3") / EXPF_PARTS**2
EXPF_LINE = float.fromhex("0x1.62e42ff0c52d6p-1") / EXPF_PARTS


def convert_calibrator(graph: Graph, calibrator: Any, x: str, dtype: type[np.floating[Any]]) -> str:
    """A fitted scikit-learn calibrator on `x` of the given dtype; None takes `x` for log-odds. Returns float64."""
    if calibrator is None:
        return _one_over_one_plus_exp(graph, graph.node("Neg", as_float64(graph, x, dtype)))
    if isinstance(calibrator, SigmoidCalibration):
        scaled = graph.node("Mul", constant(graph, calibrator.a_), as_float64(graph, x, dtype))
        return _one_over_one_plus_exp(graph, graph.node("Add", scaled, constant(graph, calibrator.b_)))
    if isinstance(calibrator, IsotonicRegression):
        return as_float64(graph, convert_isotonic(graph, calibrator, x, dtype), dtype)
    raise ExportRefused(
        f"calibrator {type(calibrator).__name__} is not supported: expected sigmoid or isotonic calibration"
    )


def convert_booster_probability(graph: Graph, margins: str) -> str:
    """XGBoost's own float32 probabilities for float32 margins of any shape, as its `Sigmoid` computes them."""
    x = graph.node("Min", graph.node("Neg", margins), graph.constant(np.array(LARGEST_EXPONENT)))
    one = graph.constant(np.array(1, dtype=np.float32))
    # 1 + 1e-16 is 1 in float32, so XGBoost's guard against a division by zero changes no bit.
    return graph.node("Div", one, graph.node("Add", _expf(graph, x), one))


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


def _expf(graph: Graph, x: str) -> str:
    """exp(x) in float32 as glibc's expf, which XGBoost calls, computes it: in float64, bit for bit.

    With x / ln 2 * 32 = k + r, k whole and |r| <= 1/2: exp(x) = 2^(k/32) * 2^(r/32), the latter by a polynomial.
    glibc sysdeps/ieee754/flt-32/e_expf.c and e_exp2f_data.c. It is not the rounded exact value in one of 1,000
    cases, and the calibrator behind amplifies that.
    """
    z = graph.node(
        "Mul", as_float64(graph, x, np.float32), constant(graph, float.fromhex("0x1.71547652b82fep+0") * EXPF_PARTS)
    )
    k = graph.node("Round", z)
    r = graph.node("Sub", z, k)
    upper = graph.node("Add", graph.node("Mul", r, constant(graph, EXPF_CUBE)), constant(graph, EXPF_SQUARE))
    lower = graph.node("Add", graph.node("Mul", r, constant(graph, EXPF_LINE)), constant(graph, 1))
    polynomial = graph.node("Add", graph.node("Mul", upper, graph.node("Mul", r, r)), lower)
    scale = graph.node("Pow", constant(graph, 2), graph.node("Mul", k, constant(graph, 1 / EXPF_PARTS)))
    return graph.node("Cast", graph.node("Mul", polynomial, scale), to=onnx.TensorProto.FLOAT)
