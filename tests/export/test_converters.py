"""Trees and calibrators against XGBoost and scikit-learn themselves, bit for bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from xgboost import XGBClassifier

from export.certificate.certify import calibrator_values
from export.certificate.comparison import bits_equal
from export.converters.calibration import convert_booster_probability, convert_calibrator
from export.converters.graph import ContractGraph
from export.converters.trees import convert_margins, with_copies
from export.refusal import ExportRefused
from runtime.session import open_session
from training.estimator.private import SigmoidCalibration
from trees.ensemble import read_ensemble
from trees.refusal import BoosterRefused


def run_calibrator(calibrator: Any, values: NDArray[Any]) -> NDArray[np.float64]:
    graph = ContractGraph()
    dtype = values.dtype.type
    graph.rename(convert_calibrator(graph, calibrator, "x", dtype), "p")
    kind = helper.np_dtype_to_tensor_dtype(values.dtype)
    model = graph.model(
        [helper.make_tensor_value_info("x", kind, ["N", 1])],
        [helper.make_tensor_value_info("p", TensorProto.DOUBLE, ["N", 1])],
        "",
    )
    answer: NDArray[np.float64] = open_session(model.SerializeToString()).run(None, {"x": values[:, None]})[0]
    return answer[:, 0]


def run_margins(classifiers: list[XGBClassifier], X: NDArray[np.float32]) -> NDArray[np.float32]:
    graph = ContractGraph()
    ensembles = [read_ensemble(classifier) for classifier in classifiers]
    margins = convert_margins(graph, with_copies(graph, "X", ensembles), ensembles)
    for i, margin in enumerate(margins):
        graph.rename(margin, f"margin_{i}")
    model = graph.model(
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", X.shape[1]])],
        [helper.make_tensor_value_info(f"margin_{i}", TensorProto.FLOAT, ["N", 1]) for i in range(len(margins))],
        "",
    )
    return np.hstack(open_session(model.SerializeToString()).run(None, {"X": X}))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [1, 2, 3, 50, 3_000])
def test_isotonic_is_exact_at_every_knot_beside_it_and_between(dtype: type[np.floating[Any]], rows: int) -> None:
    rng = np.random.default_rng(rows)
    x = rng.normal(size=rows).astype(dtype)
    target = (rng.random(rows) < expit(2 * x)).astype(float)
    calibrator = IsotonicRegression(out_of_bounds="clip").fit(x, target)
    values = np.concatenate([calibrator_values(calibrator, dtype), rng.normal(size=5_000).astype(dtype)])
    expected = calibrator.predict(values).astype(np.float64)
    assert bits_equal(expected, run_calibrator(calibrator, values)) == len(values)


@given(
    st.lists(
        st.tuples(st.floats(-50, 50, width=32), st.floats(0, 1, width=32)),
        min_size=1,
        max_size=40,
        unique_by=lambda t: t[0],
    ),
    st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=20),
    st.sampled_from([np.float32, np.float64]),
)
def test_isotonic_is_exact_for_any_knots(
    points: list[tuple[float, float]], asked: list[float], dtype: type[np.floating[Any]]
) -> None:
    x, y = np.array(points, dtype=dtype).T
    calibrator = IsotonicRegression(out_of_bounds="clip").fit(np.ascontiguousarray(x), np.ascontiguousarray(y))
    values = np.concatenate([np.array(asked, dtype=dtype), calibrator_values(calibrator, dtype)])
    with np.errstate(all="ignore"):
        slopes = np.diff(calibrator.y_thresholds_) / np.diff(calibrator.X_thresholds_)
    if not np.isfinite(slopes).all():  # two knots closer than a slope can distinguish
        with pytest.raises(ExportRefused, match="not finite"):
            run_calibrator(calibrator, values)
        return
    got = run_calibrator(calibrator, values)
    assert bits_equal(calibrator.predict(values).astype(np.float64), got) == len(values)


@given(st.floats(-5, -0.1), st.floats(-5, 5), st.sampled_from([np.float32, np.float64]))
def test_sigmoid_is_within_two_ulp_of_one_everywhere(a: float, b: float, dtype: type[np.floating[Any]]) -> None:
    calibrator = SigmoidCalibration()
    calibrator.a_, calibrator.b_ = np.float64(a), np.float64(b)
    values = np.concatenate([np.linspace(-300, 300, 5_001), [1e-30, -1e-30, 0.0]]).astype(dtype)
    got, expected = run_calibrator(calibrator, values), calibrator.predict(values)
    assert np.abs(got - expected).max() <= 4.5e-16
    assert np.isfinite(got).all()
    small = (expected < 1e-3) & (expected > 1e-300)  # the tail keeps its digits: ONNX's own Sigmoid loses them
    assert np.abs(got[small] / expected[small] - 1).max(initial=0) < 1e-15


def test_a_value_answers_the_same_alone_and_in_a_batch_of_any_size() -> None:
    values = np.random.default_rng(0).normal(size=67) * 4
    batch = run_calibrator(None, values)
    for size in (1, 2, 3, 7, 8, 9, 33):
        part = np.concatenate([run_calibrator(None, values[i : i + size]) for i in range(0, 66, size)])
        assert bits_equal(part[:66], batch[: len(part)][:66]) == 66


def missing(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float32]:
    X = rng.normal(size=(rows, columns)).astype(np.float32)
    X[rng.random(X.shape) < 0.25] = np.nan
    X[rng.random(X.shape) < 0.02] = rng.choice([np.inf, -np.inf, 0.0, -0.0, 3e38])
    return X


FORMS: dict[str, dict[str, Any]] = {
    "stumps": {"max_depth": 1},
    "deep": {"max_depth": 11, "min_child_weight": 0},
    "one leaf each": {"max_depth": 3, "gamma": 1e9},
    "leafwise": {"grow_policy": "lossguide", "max_leaves": 20, "max_depth": 0},
    "scale_pos_weight": {"scale_pos_weight": 9.0},
    "base_score": {"base_score": 0.07},
    "monotone": {"monotone_constraints": (1, -1, 0, 0, 0)},
    "exact, pruned": {"tree_method": "exact", "gamma": 3.0},
    "several trees a round": {"num_parallel_tree": 3, "subsample": 0.6},
    "delta step": {"max_delta_step": 0.3, "reg_alpha": 1.0, "reg_lambda": 3.0},
}


@pytest.mark.parametrize("form", FORMS)
def test_margins_are_bit_equal(form: str) -> None:
    rng = np.random.default_rng(3)
    X = missing(rng, 4_000, 5)
    X_fit = np.where(np.isinf(X), np.float32(2), X)
    y = (np.nan_to_num(X_fit[:, 0]) + rng.normal(size=len(X)) > 0.7).astype(int)
    classifiers = [
        XGBClassifier(**{"n_estimators": 20, "n_jobs": 1, "random_state": seed, **FORMS[form]}).fit(X_fit, y)
        for seed in range(2)
    ]
    expected = np.column_stack([c.predict(X, output_margin=True) for c in classifiers])
    got = run_margins(classifiers, X)
    assert bits_equal(expected, got) == expected.size


@pytest.mark.parametrize("parallel", [1, 3])
def test_early_stopping_ends_at_the_best_round(parallel: int) -> None:
    rng = np.random.default_rng(4)
    X = missing(rng, 2_000, 4)
    X[np.isinf(X)] = 1
    y = (np.nan_to_num(X[:, 0]) + rng.normal(size=len(X)) > 0).astype(int)
    classifier = XGBClassifier(
        n_estimators=300,
        learning_rate=0.5,
        early_stopping_rounds=4,
        num_parallel_tree=parallel,
        subsample=0.5,
        n_jobs=1,
    ).fit(X[:1_000], y[:1_000], eval_set=[(X[1_000:], y[1_000:])], verbose=False)
    rounds = classifier.best_iteration + 1
    assert rounds < 290
    assert len(read_ensemble(classifier).trees) == rounds * parallel
    assert bits_equal(classifier.predict(X, output_margin=True)[:, None], run_margins([classifier], X)) == len(X)


def test_probabilities_without_a_calibrator_are_bit_equal() -> None:
    """They depend on the last bit of the C library's expf, which XGBoost calls."""
    rng = np.random.default_rng(6)
    X = missing(rng, 60_000, 4)
    y = (np.nan_to_num(np.clip(X[:, 0], -9, 9)) + rng.normal(size=len(X)) > 0).astype(int)
    X_fit = np.where(np.isinf(X), np.float32(2), X)
    classifier = XGBClassifier(n_estimators=30, learning_rate=1.5, n_jobs=1).fit(X_fit, y)
    margins = classifier.predict(X, output_margin=True)
    graph = ContractGraph()
    graph.rename(convert_booster_probability(graph, "m"), "p")
    model = graph.model(
        [helper.make_tensor_value_info("m", TensorProto.FLOAT, ["N"])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["N"])],
        "",
    )
    got = open_session(model.SerializeToString()).run(None, {"m": margins})[0]
    assert np.ptp(margins) > 10
    assert bits_equal(classifier.predict_proba(X)[:, 1], got) == len(X)


def test_the_base_margin_is_what_xgboost_starts_from() -> None:
    X = np.zeros((50, 1), dtype=np.float32)
    y = np.arange(50) % 5 == 0
    classifier = XGBClassifier(n_estimators=1, base_score=0.125, gamma=1e9, reg_lambda=1e30).fit(X, y)
    assert read_ensemble(classifier).base_margin == np.float32(-np.log(7))


def test_base_score_is_read_as_a_bare_number_too() -> None:
    """XGBoost before 3.1 writes 1.25E-1 where newer versions write [1.25E-1]."""
    X = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    classifier = XGBClassifier(n_estimators=3, base_score=0.125).fit(X, X[:, 0] > 1)
    expected = read_ensemble(classifier)
    text = classifier.get_booster().save_raw("json").decode()
    assert '"base_score":"[1.25E-1]"' in text
    older = XGBClassifier()
    older.load_model(bytearray(text.replace('"[1.25E-1]"', '"1.25E-1"').encode()))
    assert read_ensemble(older).base_margin == expected.base_margin


def refusal(**parameters: Any) -> str:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(300, 3)).astype(np.float32)
    y = rng.integers(0, parameters.pop("classes", 2), 300)
    with pytest.raises(BoosterRefused) as refused:
        read_ensemble(XGBClassifier(**{"n_estimators": 3, "n_jobs": 1, **parameters}).fit(X, y))
    return str(refused.value)


@pytest.mark.filterwarnings("ignore")  # newer versions of XGBoost deprecate gblinear
@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"booster": "gblinear"}, "booster gblinear is not supported: expected gbtree"),
        ({"missing": -1.0}, "missing=-1.0 is not supported here: only NaN is missing"),
        ({"objective": "binary:hinge"}, "objective binary:hinge is not supported: expected binary:logistic"),
        ({"objective": "binary:logitraw"}, "objective binary:logitraw is not supported"),
        ({"classes": 3}, "multi-class boosters are not supported"),
    ],
)
def test_what_is_not_exact_is_refused_by_name(parameters: dict[str, Any], named: str) -> None:
    message = refusal(**parameters)
    assert named in message
    assert "\n" not in message


@pytest.mark.filterwarnings("ignore")
def test_native_categoricals_are_refused() -> None:
    import pandas as pd

    frame = pd.DataFrame({"shop": pd.Categorical(np.random.default_rng(0).choice(list("abcd"), 400))})
    target = (frame["shop"] == "a").astype(int)
    classifier = XGBClassifier(n_estimators=2, enable_categorical=True, tree_method="hist").fit(frame, target)
    with pytest.raises(BoosterRefused, match="native categorical splits are not supported here"):
        read_ensemble(classifier)


def test_isotonic_that_does_not_clip_is_refused() -> None:
    calibrator = IsotonicRegression(out_of_bounds="nan").fit(np.arange(4.0), np.arange(4.0) / 4)
    with pytest.raises(ExportRefused, match="out_of_bounds='nan'"):
        run_calibrator(calibrator, np.zeros(1))
