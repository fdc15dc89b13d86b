"""The proof of monotone signs: it holds for what XGBoost fits, and refuses a graph with one leaf changed."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from export.certificate import monotone
from export.certificate.crossing import crossings
from export.certificate.monotone import prove_signs
from export.certificate.tracing import Column, Trees, trees_of
from export.graph.pipeline import Contract, build
from export.refusal import ExportRefused
from runtime.score import Scale
from runtime.session import open_session
from tests.applicants import draw, pipeline
from tests.tiers import examples
from training.estimator.boosting import MarginXGBClassifier
from training.estimator.crossfit import CrossFittedClassifier

# income (log1p), debt (log1p), age, has_paid, late (a row maximum)
SIGNS = (-1, 1, 0, -1, 1)
SMALL: dict[str, Any] = {"n_estimators": 15, "max_depth": 4, "learning_rate": 0.3, "n_jobs": 1}
SIGNED: dict[str, Any] = SMALL | {"monotone_constraints": SIGNS}
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "cross-fit sigmoid": lambda: CrossFittedClassifier(XGBClassifier(**SIGNED), calibration="sigmoid", random_state=0),
    "cross-fit isotonic": lambda: CrossFittedClassifier(
        XGBClassifier(**SIGNED), calibration="isotonic", random_state=0
    ),
    "cross-fit none": lambda: CrossFittedClassifier(XGBClassifier(**SIGNED), calibration="none", random_state=0),
    "cv sigmoid on margin": lambda: CalibratedClassifierCV(MarginXGBClassifier(**SIGNED), cv=3),
    "cv isotonic on margin": lambda: CalibratedClassifierCV(MarginXGBClassifier(**SIGNED), cv=3, method="isotonic"),
    "cv sigmoid on probability": lambda: CalibratedClassifierCV(XGBClassifier(**SIGNED), cv=3),
    "cv isotonic on probability": lambda: CalibratedClassifierCV(XGBClassifier(**SIGNED), cv=3, method="isotonic"),
    "booster alone": lambda: XGBClassifier(**SIGNED),
}
Proof = tuple[Pipeline, dict[str, Any]]


@pytest.fixture(autouse=True)
def fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monotone, "SWEPT_ROWS", 4_000)


def fit(classifier: Any) -> Proof:
    frame, target = draw(1_500)
    fitted = pipeline(classifier).fit(frame, target)
    return fitted, fitted[0].raw_inputs(frame)


def proof(fitted: Pipeline, real: dict[str, Any], contract: Contract | None = None, **other: Any) -> Any:
    contract = contract or build(fitted)
    session = other.get("session") or open_session(contract.model.SerializeToString())
    return prove_signs(fitted, contract, session, real, frozenset({"has_paid"}), other.get("scale", Scale()))


# ---------------------------------------------------------------- what holds


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_signs_are_proven_for_every_form(name: str) -> None:
    found = {finding["feature"]: finding for finding in proof(*fit(CLASSIFIERS[name]()))}
    assert {feature: finding["sign"] for feature, finding in found.items()} == {
        "income": -1,
        "debt": 1,
        "has_paid": -1,
        "late": 1,
    }
    for finding in found.values():
        assert finding["splits"] >= finding["trees"] > 0
        assert finding["rows"] >= 8
        assert finding["holds"] is True
        assert finding["largest_fall"] <= (0 if name.startswith("cross-fit") else 1.2e-7)


def test_a_model_without_signs_has_no_findings() -> None:
    assert proof(*fit(None)) == []
    zeros = XGBClassifier(**SMALL, monotone_constraints=(0, 0, 0))
    assert proof(*fit(CrossFittedClassifier(zeros, random_state=0))) == []


def test_a_feature_without_a_split_holds() -> None:
    frame, target = draw(900)
    frame["age"] = 40.0
    fitted = pipeline(CrossFittedClassifier(XGBClassifier(**SMALL, monotone_constraints=(0, 0, 1)))).fit(frame, target)
    assert proof(fitted, fitted[0].raw_inputs(frame)) == [
        {"feature": "age", "sign": 1, "trees": 0, "splits": 0, "rows": 0, "largest_fall": 0.0, "holds": True}
    ]


@given(
    signs=st.tuples(*[st.sampled_from([-1, 0, 1])] * 5),
    depth=st.integers(1, 6),
    seed=st.integers(0, 50),
    more=st.sampled_from([{}, {"subsample": 0.6}, {"tree_method": "exact"}, {"num_parallel_tree": 2}]),
)
@hypothesis_settings(max_examples=examples(8))
def test_what_xgboost_constrains_is_proven_and_the_contrary_is_not(
    signs: tuple[int, ...], depth: int, seed: int, more: dict[str, Any]
) -> None:
    frame, target = draw(500, seed)
    booster = XGBClassifier(
        n_estimators=6, max_depth=depth, learning_rate=0.5, n_jobs=1, monotone_constraints=signs, **more
    )
    fitted = pipeline(CrossFittedClassifier(booster, folds=2, calibration="none", random_state=0)).fit(frame, target)
    real = fitted[0].raw_inputs(frame)
    found = proof(fitted, real)
    assert [finding["sign"] for finding in found] == [sign for sign in signs if sign]
    for finding in found:
        column = ["income", "debt", "age", "has_paid", "late"].index(finding["feature"])
        for fold in fitted[1].estimators_:
            fold.monotone_constraints = tuple(-sign if i == column else 0 for i, sign in enumerate(signs))
        if finding["splits"]:
            with pytest.raises(ExportRefused, match=f"{finding['feature']} = {-finding['sign']} does not hold"):
                proof(fitted, real)


# ---------------------------------------------------------------- trees: against every pair of applicants

COLUMNS = [
    Column(frozenset([0])),
    Column(frozenset([0]), low=True),
    Column(frozenset([1])),
    Column(frozenset([1]), low=True),
    Column(frozenset([2, 3])),
    Column(frozenset([2, 3]), low=True),
    Column(frozenset()),
]
VALUES = (0.5, 1.5, 2.5)
MISSING = np.nan


@st.composite
def trees(draw: st.DrawFn) -> Trees:
    nodes: list[tuple[int, float, int, int, float]] = []  # column, threshold, left, right, leaf

    def grow(depth: int) -> int:
        node = len(nodes)
        nodes.append((0, 0.0, -1, -1, float(draw(st.integers(0, 3)))))
        if depth and draw(st.booleans()) | (depth == 4):
            column = draw(st.integers(0, len(COLUMNS) - 1))
            threshold = 1.0 if column == 6 else float(draw(st.integers(1, 2)))
            left = grow(depth - 1)
            nodes[node] = (column, threshold, left, grow(depth - 1), 0.0)
        return node

    grow(4)
    column, threshold, left, right, leaf = (np.array(values) for values in zip(*nodes, strict=True))
    return Trees(
        output="",
        place=column,
        columns=COLUMNS,
        splits=left >= 0,
        threshold=threshold.astype(np.float32),
        left=left,
        right=right,
        leaf=leaf.astype(np.float32),
        tree=np.zeros(len(nodes), dtype=np.int64),
    )


def answer(tree: Trees, numbers: tuple[float, ...], level: float) -> float:
    """Walk the tree as the graph does: NaN goes right, minus infinity left."""
    node = 0
    while tree.splits[node]:
        column = COLUMNS[tree.place[node]]
        present = [numbers[i] for i in column.numbers if not np.isnan(numbers[i])]
        value = max(present) if present else -np.inf if column.low else np.nan
        value = value if column.numbers else level
        node = int(tree.left[node] if value < tree.threshold[node] else tree.right[node])
    return float(tree.leaf[node])


def falls(tree: Trees, moved: int) -> bool:
    """True if any applicant's answer falls as one number rises."""
    others = [(*VALUES, MISSING)] * 3
    for *rest, level in product(*others, (0.0, 1.0)):
        answers = [answer(tree, (*rest[:moved], value, *rest[moved:]), level) for value in VALUES]
        if answers != sorted(answers):
            return True
    return False


@given(trees())
@hypothesis_settings(max_examples=examples(300))
def test_crossings_are_found_just_where_an_answer_falls(tree: Trees) -> None:
    assert any(crossings(tree, frozenset([0]), 1)) == falls(tree, 0)
    assert any(crossings(tree, frozenset([2, 3]), 1)) == falls(tree, 2)


def test_leaves_that_cross_on_other_values_are_no_fall() -> None:
    """X < 1: a < 1: 0 or 10; else a < 1: 1 or 11. The bounds of the two sides overlap, the applicants do not."""
    tree = Trees(
        output="",
        place=np.array([0, 2, 0, 0, 2, 0, 0]),
        columns=COLUMNS,
        splits=np.array([True, True, False, False, True, False, False]),
        threshold=np.ones(7, dtype=np.float32),
        left=np.array([1, 2, -1, -1, 5, -1, -1]),
        right=np.array([4, 3, -1, -1, 6, -1, -1]),
        leaf=np.array([0, 0, 0, 10, 0, 1, 11], dtype=np.float32),
        tree=np.full(7, 3),
    )
    assert list(crossings(tree, frozenset([0]), 1)) == []
    [crossing, *_] = crossings(tree, frozenset([0]), -1)
    assert (crossing.tree, crossing.threshold) == (3, 1.0)
    missing_left = replace(tree, place=np.array([0, 2, 0, 0, 3, 0, 0]))
    [crossing] = crossings(missing_left, frozenset([0]), 1)  # a missing: right on one side, left on the other
    assert (crossing.below, crossing.above) == (10.0, 1.0)


# ---------------------------------------------------------------- what is refused


@pytest.fixture(scope="module")
def signed() -> Proof:
    return fit(CLASSIFIERS["cross-fit isotonic"]())


def edited(fitted: Pipeline, edit: Callable[[onnx.GraphProto], None]) -> Contract:
    contract = build(fitted)
    edit(contract.model.graph)
    return contract


def of_kind(graph: onnx.GraphProto, kind: str) -> list[onnx.NodeProto]:
    return [node for node in graph.node if node.op_type == kind]


def a_leaf_above_all_others(graph: onnx.GraphProto) -> None:
    """The last one below the first split on debt."""
    trees_node = of_kind(graph, "TreeEnsembleRegressor")[1]
    given = {a.name: a for a in trees_node.attribute}
    traced = trees_of_graph(graph)[1]
    root = next(
        node for node in np.flatnonzero(traced.splits) if traced.columns[traced.place[node]].numbers == frozenset([1])
    )
    leaf = int(traced.left[root])
    while traced.splits[leaf]:
        leaf = int(traced.right[leaf])
    key = (given["nodes_treeids"].ints[leaf], given["nodes_nodeids"].ints[leaf])
    keys = list(zip(given["target_treeids"].ints, given["target_nodeids"].ints, strict=True))
    given["target_weights"].floats[keys.index(key)] = 100.0


def trees_of_graph(graph: onnx.GraphProto) -> list[Trees]:
    return trees_of(helper.make_model(graph))


def plus_infinity_for_missing(graph: onnx.GraphProto) -> None:
    where = of_kind(graph, "Where")[0]
    graph.initializer.append(numpy_helper.from_array(np.array(np.inf, dtype=np.float32), "up"))
    where.input[1] = "up"


def at_or_above_goes_left(graph: onnx.GraphProto) -> None:
    modes = next(a for a in of_kind(graph, "TreeEnsembleRegressor")[0].attribute if a.name == "nodes_modes").strings
    modes[:] = [b"BRANCH_GTE" if mode == b"BRANCH_LT" else mode for mode in modes]


def a_knot_s_value_down(graph: onnx.GraphProto) -> None:
    tables = [t for t in graph.initializer if t.data_type == onnx.TensorProto.DOUBLE and len(t.dims) == 1]
    y_lo = max(tables, key=lambda table: (table.dims[0], tables.index(table)))
    values = numpy_helper.to_array(y_lo).copy()
    values[len(values) // 2] = values[0] - 0.1
    y_lo.CopyFrom(numpy_helper.from_array(values, y_lo.name))


def a_mean_turned_round(graph: onnx.GraphProto) -> None:
    divisor = next(tensor for tensor in graph.initializer if tensor.name == of_kind(graph, "Div")[0].input[1])
    divisor.CopyFrom(numpy_helper.from_array(np.array(-3.0), divisor.name))


def a_probability_of_more_than_trees(graph: onnx.GraphProto) -> None:
    last = next(node for node in graph.node if "probability" in node.output)
    graph.node.insert(0, helper.make_node("ReduceSum", ["numbers"], ["more"], keepdims=1))
    graph.node.remove(last)
    graph.node.append(helper.make_node("Add", [last.input[0], "more"], ["higher"]))
    graph.node.append(helper.make_node("Reshape", ["higher", last.input[1]], ["probability"]))


FAULTS = [
    (a_leaf_above_all_others, r"(income|debt) = -?1 does not hold: in tree \d+ of booster 1 a leaf of .* threshold"),
    (plus_infinity_for_missing, "the trees of 3 boosters cannot be traced to the inputs"),
    (at_or_above_goes_left, "expected a sum of trees that go left below a threshold"),
    (a_knot_s_value_down, "calibrator 0 falls from"),
    (a_mean_turned_round, "the probability falls from"),
    (a_probability_of_more_than_trees, "probability is made of numbers too, not only of TreeEnsembleRegressor"),
]


@pytest.mark.parametrize(("fault", "said"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_graph_that_breaks_a_sign_is_refused(
    signed: Proof, fault: Callable[[onnx.GraphProto], None], said: str
) -> None:
    fitted, real = signed
    with pytest.raises(ExportRefused, match=said) as refused:
        proof(fitted, real, edited(fitted, fault))
    assert "\n" not in str(refused.value)


def test_a_graph_that_answers_otherwise_than_it_reads_is_refused(signed: Proof) -> None:
    """The trees hold, the session is of a model without signs: real rows show it."""
    fitted, real = signed
    free, _ = fit(CrossFittedClassifier(XGBClassifier(**SMALL), random_state=0))
    session = open_session(build(free).model.SerializeToString())
    with pytest.raises(ExportRefused, match=r"does not hold on .* real rows with its value led through all thresholds"):
        proof(fitted, real, session=session)


def test_a_scale_that_rises_with_risk_is_refused(signed: Proof) -> None:
    with pytest.raises(ExportRefused, match="points do not fall with each rise of the probability"):
        proof(*signed, scale=Scale(points_to_double=-20.0))


def test_a_sigmoid_that_falls_is_refused() -> None:
    """As one that was fitted on a model that is worse than chance."""
    fitted, real = fit(CLASSIFIERS["cross-fit sigmoid"]())
    fitted[1].calibrator_.a_ = 0.5
    with pytest.raises(
        ExportRefused, match=r"xgboost.monotone_constraints: calibrator 0 falls from 1 to 1 as the margin"
    ):
        proof(fitted, real)


def test_signs_that_no_proof_is_known_for_are_refused() -> None:
    on_a_level = XGBClassifier(**SMALL, monotone_constraints=(0, 0, 0, 0, 0, 1))
    with pytest.raises(ExportRefused, match="monotone_constraints on shop=books is not supported: a category has no"):
        proof(*fit(CrossFittedClassifier(on_a_level, random_state=0)))
    as_text = XGBClassifier(**SMALL, monotone_constraints="(1,0,0)")
    with pytest.raises(
        ExportRefused, match=r"monotone_constraints='\(1,0,0\)' is not supported here: expected a tuple"
    ):
        proof(*fit(CrossFittedClassifier(as_text, random_state=0)))
