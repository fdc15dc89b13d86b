"""Tables of batches: equal to the graph and to XGBoost to the bit, for every shape of tree and every kind of row."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from export.batch.build import BuiltBatch, build_batch
from export.certificate import probes
from export.certificate.comparison import Answer, ask_graph, bits_equal
from export.certificate.tables import ComparedTables
from export.converters.classifier import boosters_of
from export.graph.pipeline import Contract, build
from export.refusal import ExportRefused
from runtime import planes
from runtime.batch import CHUNK, PART, Batch
from runtime.planes import Block, in_blocks, in_order, transposed
from runtime.session import open_session
from tests.applicants import draw, pipeline
from training.estimator.boosting import MarginXGBClassifier, margin
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.preparation import Preparation
from training.players import players_of
from trees.batch.blocks import LEAVES, blocks_of
from trees.batch.codes import coded, planes_for
from trees.batch.conditions import Node, leaves_of

SMALL: dict[str, Any] = {"n_estimators": 12, "max_depth": 4, "learning_rate": 0.3, "n_jobs": 1}


@dataclass
class Tabled:
    """A fitted pipeline, its graph, and its tables."""

    fitted: Pipeline
    contract: Contract
    built: BuiltBatch
    frame: pd.DataFrame

    def __post_init__(self) -> None:
        self.session = open_session(self.contract.model.SerializeToString())
        self.batch = self.built.batch or pytest.fail(self.built.why)
        self.real = self.fitted[0].raw_inputs(self.frame)

    def agrees(self, inputs: dict[str, NDArray[Any]]) -> None:
        """Assert the bits of the graph, margins and probabilities, and those of XGBoost's margins."""
        graph = ask_graph(self.session, inputs)
        words = inputs.get("categories", np.empty((len(graph.margin), 0), dtype=object))
        probability, margins = self.batch.predict(inputs["numbers"], words)
        assert bits_equal(margins, graph.margin) == graph.margin.size
        assert bits_equal(probability, graph.probability) == len(graph.probability)
        matrix = self.fitted[0].transform(self.fitted[0].frame(inputs))
        its_own = np.column_stack([margin(booster, matrix) for booster in boosters_of(self.fitted[1])])
        assert bits_equal(margins, its_own) == its_own.size

    def every_kind(self) -> None:
        """Compare at every threshold and beside it, missing, infinite and extreme numbers, levels unseen."""
        columns = probes.RawColumns(self.fitted[0], frozenset({"has_paid"}))
        for part in probes.at_every_split(self.contract.ensembles, columns, self.real, 4_000):
            self.agrees(part)
        self.agrees(probes.without_values(columns, self.real))
        self.agrees(probes.beyond_range(columns, self.real))
        for part in probes.with_unseen_categories(columns, self.real, 4_000):
            self.agrees(part)
        self.agrees(probes.at_random(columns, self.real, 3_000, seed=3))


def tabled(classifier: Any, **parameters: Any) -> Tabled:
    frame, target = draw(1_500)
    fitted = pipeline(classifier, **parameters).fit(frame, target)
    contract = build(fitted)
    return Tabled(fitted, contract, build_batch(contract, players_of(fitted[0], {}).columns, "g"), frame)


def cross_fitted(**parameters: Any) -> Tabled:
    return tabled(CrossFittedClassifier(XGBClassifier(**SMALL | parameters), random_state=0))


@pytest.fixture(scope="module")
def usual() -> Tabled:
    return cross_fitted()


# ---------------------------------------------------------------- against graph and XGBoost

SHAPES: dict[str, dict[str, Any]] = {
    "depth 1": {"max_depth": 1},
    "depth 2": {"max_depth": 2},
    "depth 3": {"max_depth": 3},
    "depth 4": {},
    "depth 5": {"max_depth": 5},
    "depth 7": {"max_depth": 7, "min_child_weight": 0},
    "leaf-wise": {"grow_policy": "lossguide", "max_leaves": 31, "max_depth": 0, "min_child_weight": 0},
    "leaf-wise, few leaves": {"grow_policy": "lossguide", "max_leaves": 9, "max_depth": 0, "min_child_weight": 0},
    "no splits": {"gamma": 1e9},
    "some trees without splits": {"gamma": 8},
    "forest": {"num_parallel_tree": 4, "subsample": 0.6, "n_estimators": 3},
    "exact, pruned": {"tree_method": "exact", "gamma": 1.0},
    "monotone": {"monotone_constraints": {"income": -1, "age": 1}},
    "rare levels": {"max_depth": 6, "colsample_bytree": 0.3},
}


@pytest.mark.sample(4)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_tree_has_the_graph_s_bits(shape: str) -> None:
    parameters = dict(SHAPES[shape])
    if "monotone_constraints" in parameters:
        parameters["monotone_constraints"] = (-1, 0, 1)
    cross_fitted(**parameters).every_kind()


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "isotonic": lambda: CrossFittedClassifier(XGBClassifier(**SMALL), calibration="isotonic", random_state=0),
    "none": lambda: CrossFittedClassifier(XGBClassifier(**SMALL), calibration="none", random_state=0),
    "sigmoid on probabilities": lambda: CalibratedClassifierCV(XGBClassifier(**SMALL), cv=3),
    "isotonic on margins": lambda: CalibratedClassifierCV(MarginXGBClassifier(**SMALL), cv=3, method="isotonic"),
    "booster alone": lambda: XGBClassifier(**SMALL),
    "base score": lambda: XGBClassifier(**SMALL, base_score=0.03),
}


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_calibrator_is_the_graph_s_own_part(name: str) -> None:
    its = tabled(CLASSIFIERS[name]())
    its.agrees(its.real)


def test_pools_of_rare_levels_have_the_graph_s_bits() -> None:
    frame, target = draw(2_000)
    rng = np.random.default_rng(5)
    frame["shop"] = [f"shop {n}" for n in rng.zipf(1.4, len(frame)).clip(max=60)]
    preparation = Preparation(numbers=["income", "age"], categories={"shop": []}, rare={"shop": 30})
    fitted = Pipeline([("prepare", preparation), ("classify", XGBClassifier(**SMALL))]).fit(frame, target)
    contract = build(fitted)
    its = Tabled(fitted, contract, build_batch(contract, players_of(fitted[0], {}).columns, "g"), frame)
    assert fitted[0].pools_["shop"]
    its.every_kind()


@pytest.mark.sample(6)
@pytest.mark.parametrize(
    "rows", [1, 63, 64, 65, 127, 128, 129, PART - 1, PART, PART + 1, CHUNK - 1, CHUNK + 1, 2 * CHUNK + 130]
)
def test_any_number_of_rows_has_the_bits_of_rows_alone(usual: Tabled, rows: int) -> None:
    columns = probes.RawColumns(usual.fitted[0], frozenset({"has_paid"}))
    drawn = probes.at_random(columns, usual.real, rows, seed=rows)
    usual.agrees(drawn)
    last = {name: matrix[-1:] for name, matrix in drawn.items()}
    alone = usual.batch.predict(last["numbers"], last["categories"])
    together = usual.batch.predict(drawn["numbers"], drawn["categories"])
    assert [its[0].tobytes() for its in alone] == [its[-1].tobytes() for its in together]


def test_trees_of_many_shapes_in_one_model_are_added_in_order(usual: Tabled, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks with pairs and without take turns, and each tree is a block of its own."""
    import trees.batch.blocks as blocks

    monkeypatch.setattr(blocks, "NODES", 1)
    its = cross_fitted(grow_policy="lossguide", max_leaves=40, max_depth=0, gamma=2.0, n_estimators=20)
    widths = {entry["planes"] for entry in json.loads(its.built.content[16:].split(b"\x00")[0])["blocks"]}
    assert min(widths) <= 4 < max(widths)
    its.agrees(its.real)


def test_texts_are_read_as_the_graph_reads_them(usual: Tabled) -> None:
    texts = ["shoes", "shoes\0", "Shoes", "", "nan", "None", "größe", "1", np.str_("books"), float("nan"), None, 1]
    rows = {name: np.repeat(matrix[:1], len(texts), axis=0) for name, matrix in usual.real.items()}
    rows["categories"][:, 0] = texts
    probability, margins = usual.batch.predict(rows["numbers"], rows["categories"])
    graph = ask_graph(usual.session, rows)
    assert bits_equal(margins, graph.margin) == margins.size
    assert bits_equal(probability, graph.probability) == len(texts)


def test_numbers_in_any_memory_order_are_read_alike(usual: Tabled) -> None:
    numbers, words = usual.real["numbers"], usual.real["categories"]
    expected = usual.batch.predict(numbers, words)
    for same in (np.asfortranarray(numbers), np.repeat(numbers, 2, axis=0)[::2]):
        assert [its.tobytes() for its in usual.batch.predict(same, words)] == [its.tobytes() for its in expected]


def test_numpy_s_buffer_and_error_state_are_as_before(usual: Tabled) -> None:
    before = np.getbufsize(), np.geterr()
    usual.batch.predict(usual.real["numbers"], usual.real["categories"])
    assert (np.getbufsize(), np.geterr()) == before


def test_the_file_is_the_same_every_time(usual: Tabled) -> None:
    again = build_batch(usual.contract, players_of(usual.fitted[0], {}).columns, "g")
    assert again.content == usual.built.content


# ---------------------------------------------------------------- what the tables are made of


@st.composite
def trees(draw_: Callable[..., Any], conditions: int = 6) -> Node | float:
    counter = iter(range(10**6))

    def grow(depth: int) -> Node | float:
        if depth == 0 or draw_(st.integers(0, 3)) == 0:
            return float(next(counter))
        return Node(draw_(st.integers(0, conditions - 1)), grow(depth - 1), grow(depth - 1))

    return grow(draw_(st.integers(0, 7)))


@given(trees())
def test_each_leaf_has_a_number_of_its_own_that_its_planes_make(tree: Node | float) -> None:
    planes = planes_for(len(leaves_of(tree)))
    its = coded(tree, planes)
    assert sorted(its.leaves.values()) == sorted(leaves_of(tree))
    assert all(0 <= number < 1 << planes for number in its.leaves)
    for holds in range(64):
        node, inner, number = tree, its.root, 0
        while isinstance(node, Node):
            assert inner is not None
            on = bool(holds >> node.condition & 1)
            number |= sum(1 << plane for plane in (inner.on_planes if on else inner.off_planes))
            node, inner = (node.on, inner.on) if on else (node.off, inner.off)
        assert its.leaves[number] == node


@pytest.mark.parametrize("pairs", [True, False])
def test_transposed_planes_are_the_bytes_of_rows(pairs: bool) -> None:
    rng = np.random.default_rng(0)
    lanes, rows, trees_ = (4, 384, 3) if pairs else (8, 192, 3)
    bits = rng.integers(0, 2, (lanes, trees_, rows)).astype(np.uint8)
    words = np.packbits(bits, axis=-1, bitorder="little").view(np.uint64)
    if pairs:
        words = words.reshape(4, trees_, 2, -1).transpose(0, 2, 1, 3)
    codes = transposed(words.copy()).reshape(trees_, -1)
    numbers = sum(bits[plane].astype(int) << plane for plane in range(lanes))
    for tree in range(trees_):
        found = np.stack([codes[tree] & 15, codes[tree] >> 4], axis=-1).ravel() if pairs else codes[tree]
        assert in_order(found.astype(np.float32), pairs=pairs).tolist() == numbers[tree].tolist()


@pytest.mark.parametrize("pairs", [True, False])
def test_the_order_of_blocks_is_undone(pairs: bool) -> None:
    rows = np.arange(256, dtype=np.float32)
    assert in_order(in_blocks(rows, pairs=pairs), pairs=pairs).tolist() == rows.tolist()


def test_few_leaves_of_a_deep_tree_are_not_padded() -> None:
    tree: Node | float = 0.0
    for depth in range(40):
        tree = Node(depth % 6, tree, float(depth + 1))
    assert planes_for(len(leaves_of(tree))) == 6
    assert len(coded(tree, 6).leaves) == 41


# ---------------------------------------------------------------- what is refused, and what is left out


def test_a_tree_of_too_many_leaves_leaves_batches_to_the_graph() -> None:
    frame, target = draw(3_000)
    target = np.random.default_rng(0).integers(0, 2, len(target)).astype(np.int8)
    booster = XGBClassifier(n_estimators=2, max_depth=14, min_child_weight=0, reg_lambda=0, learning_rate=1, n_jobs=1)
    fitted = pipeline(booster).fit(frame, target)
    built = build_batch(build(fitted), players_of(fitted[0], {}).columns, "g")
    assert built.batch is None
    assert built.record is None
    assert "leaves, and more than 128 are not faster by tables" in built.why


def wrong_leaf(content: bytes, batch: Batch) -> Batch:
    block = batch._blocks[0][0]
    block._tables = block._tables.copy()
    block._tables.view(np.int32)[0] ^= 1
    return batch


def wrong_condition(content: bytes, batch: Batch) -> Batch:
    number = batch._conditions._numbers[0]
    number.not_below, number.below = number.below, number.not_below
    return batch


def wrong_calibrator(content: bytes, batch: Batch) -> Batch:
    its_own = batch._probability

    def moved(names: Any, feed: Any) -> Any:
        return [np.nextafter(its_own(names, feed)[0], 1)]

    batch._probability = moved
    return batch


@pytest.mark.parametrize("wrong", [wrong_leaf, wrong_condition, wrong_calibrator])
def test_tables_that_differ_by_a_bit_are_refused(usual: Tabled, wrong: Callable[[bytes, Batch], Batch]) -> None:
    batch = wrong(usual.built.content, Batch.parse(usual.built.content))
    with pytest.raises(ExportRefused, match=r"batch\.bin: [\d,]+ of 1,500 rows of the kind 'real' are not bit-equal"):
        ComparedTables(batch).compare("real", usual.real, ask_graph(usual.session, usual.real))


def test_what_was_compared_is_counted(usual: Tabled) -> None:
    compared = ComparedTables(usual.batch)
    answer: Answer = ask_graph(usual.session, usual.real)
    compared.compare("real", usual.real, answer)
    compared.compare("real", usual.real, answer)
    assert compared.found == {"rows": 3_000, "margins_bit_equal": 3_000, "probabilities_bit_equal": 3_000}


@given(st.lists(st.sampled_from([0.0, -0.0, 1e-8, -0.25, 3e38, 1e-45]), min_size=1, max_size=20))
def test_trees_that_are_leaves_alone_are_added_one_after_the_other(weights: list[float]) -> None:
    leaves = np.array(weights, dtype=np.float32)
    entry = {"trees": len(leaves), "planes": 0, "levels": [], "terms": []}
    block = Block(entry, lambda name, count: leaves if name == "leaves" else np.empty(0), pairs=True)
    total = np.array([0.0, 1.5, -0.1, np.inf, np.nan, 1e-45], dtype=np.float32)
    expected = total.copy()
    with np.errstate(over="ignore"):
        for weight in leaves:
            expected += weight
        block.add_alone(total)
    assert total.tobytes() == expected.tobytes()


def test_a_numpy_that_adds_in_another_order_is_not_asked_for_sums(
    usual: Tabled, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert planes.adds_row_by_row()
    monkeypatch.setattr(planes, "adds_row_by_row", lambda: False)
    usual.agrees(usual.real)


def test_long_runs_of_leaves_are_a_block_of_their_own() -> None:
    split = Node(0, on=1.0, off=2.0)
    kinds = [block.planes for block in blocks_of([[split, *[0.5] * LEAVES, split, *[0.5] * (LEAVES - 1)]], [0.1])]
    assert kinds == [1, 0, 1]
