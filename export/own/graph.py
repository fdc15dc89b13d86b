"""A pipeline of somebody's as the one graph of the contract.

The trees compare a prepared number with thresholds, and no more. So the graph does not repeat the arithmetic of
imputers, scalers and encoders: it looks up between which thresholds the prepared value is, in one search tree for
each number, whose cuts were found by bisection through the pipeline itself, and the thresholds become whole numbers.
Numbers that pass through as they are need no search. See docs/decisions/0009-own-pipelines-by-bisection.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from export.converters.classifier import convert_classifier
from export.converters.graph import ML_DOMAIN, ContractGraph
from export.converters.trees import TreeInputs, convert_margins, isolate_missing, low_copy, select
from export.graph.pipeline import Contract
from export.own.mixed import convert_mixed
from export.own.prepared import MISSING, Preparation
from export.own.profile import Profile
from export.own.raw import RawTable
from export.own.trace import Mixed
from trees.ensemble import Ensemble

MATRIX = "prepared"


@dataclass(frozen=True)
class Place:
    """A prepared column in the graph's matrix."""

    preparation: int
    column: int
    profile: Profile | None
    """None for a number that passes through as it is, and for what steps make that mix columns."""
    mixed: Mixed | None = None


@dataclass(frozen=True)
class Built:
    """The graph, and what of it is compared with the fitted preparations."""

    contract: Contract
    places: tuple[Place, ...]
    """In the order of the matrix."""


def passes_through(preparation: Preparation, column: int, *, is_sparse: bool, kind: str) -> bool:
    """True for a number or boolean that reaches a dense matrix as it is."""
    its = preparation.columns[column]
    return kind != "category" and not is_sparse and not its.stages and its.mixed is None and its.levels is None


def build_own(
    table: RawTable,
    preparations: Sequence[Preparation],
    profiles: Sequence[Mapping[int, Profile]],
    ensembles: Sequence[Ensemble],
    classifier: Any,
    sparse: Sequence[bool],
    *,
    first_class: bool,
) -> Built:
    """The graph of fitted boosters behind their preparations, some of which make `sparse` matrices.

    `first_class` takes the probability of the first class. Columns without a profile pass through as they are, or come
    from steps that mix columns.
    """
    graph = ContractGraph()
    ranked = [
        _ranked(ensembles[booster], profiles[number])
        for number, preparation in enumerate(preparations)
        for booster in preparation.boosters
    ]
    order = [booster for preparation in preparations for booster in preparation.boosters]
    own = dict(zip(order, ranked, strict=True))
    routes = [set().union(*(own[booster].routes() for booster in preparation.boosters)) for preparation in preparations]
    places = _places(preparations, profiles, routes)
    matrix = _matrix(graph, table, preparations, places, sparse)
    inputs = _tree_inputs(graph, matrix, places, routes, bounded=isolate_missing(list(own.values())))
    margins_of: dict[int, str] = {}
    for number, preparation in enumerate(preparations):
        its = [own[booster] for booster in preparation.boosters]
        margins_of.update(zip(preparation.boosters, convert_margins(graph, inputs[number], its), strict=True))
    margins = [margins_of[booster] for booster in range(len(ensembles))]
    answers = convert_classifier(graph, classifier, margins, both_classes=first_class)
    margin = margins[0] if len(margins) == 1 else graph.node("Concat", *margins, axis=1)
    graph.rename(margin, "margin")
    answer = answers.first if first_class else answers.second
    if not answers.calibrations:  # an XGBClassifier's own probability is float32
        answer = graph.node("Cast", answer, to=TensorProto.DOUBLE)
    flat = graph.constant(np.array([-1], dtype=np.int64))
    graph.rename(graph.node("Reshape", answer, flat), "probability")
    graph.rename(matrix, MATRIX)
    shapes = [("numbers", TensorProto.DOUBLE, len(table.numbers))]
    if table.vocabularies_:
        shapes.append(("categories", TensorProto.STRING, len(table.vocabularies_)))
    outputs = [
        helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["N"]),
        helper.make_tensor_value_info("margin", TensorProto.FLOAT, ["N", len(ensembles)]),
    ]
    doc = "Probability of default, and each booster's margin in log-odds, from raw columns. NaN and '' are missing."
    model = graph.model([helper.make_tensor_value_info(n, k, ["N", w]) for n, k, w in shapes], outputs, doc)
    calibrations = tuple((calibrator, "margin" if x == margin else x, p) for calibrator, x, p in answers.calibrations)
    named = ("margin",) if len(margins) == 1 else tuple(margins)
    ours = tuple(own[i] for i in range(len(ensembles)))
    contract = Contract(model, ours, calibrations, mean_of_margins=False, margins=named)
    return Built(contract, tuple(places))


def with_matrix(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with the prepared matrix as one more output."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    shown.graph.output.append(helper.make_tensor_value_info(MATRIX, TensorProto.FLOAT, None))
    return shown


def _ranked(ensemble: Ensemble, profiles: Mapping[int, Profile]) -> Ensemble:
    """The ensemble with the thresholds on numbers that are looked up replaced by their rank, from 1."""
    for column in ensemble.thresholds():
        profile = profiles.get(column)
        if profile is not None and not len(profile.values):
            ensemble = ensemble.move_thresholds(column, profile.rank)
    return ensemble


def _places(
    preparations: Sequence[Preparation],
    profiles: Sequence[Mapping[int, Profile]],
    routes: Sequence[set[tuple[int, bool]]],
) -> list[Place]:
    """The columns that some split reads: those that pass through, looked-up numbers, then categories by raw column."""
    places = [
        Place(number, column, profiles[number].get(column), preparations[number].columns[column].mixed)
        for number in range(len(preparations))
        for column in sorted({column for column, _ in routes[number]})
    ]

    mixed = mixed_of(places)

    def block(place: Place) -> tuple[int, int]:
        if place.mixed is not None:
            return 3, mixed.index(place.mixed)
        if place.profile is None:
            return 0, 0
        return (1, 0) if not len(place.profile.values) else (2, place.profile.raw)

    return sorted(places, key=block)


def mixed_of(places: Sequence[Place]) -> list[Mixed]:
    """Each once, in the order of its first place."""
    found: list[Mixed] = []
    for place in places:
        if place.mixed is not None and place.mixed not in found:
            found.append(place.mixed)
    return found


def _matrix(
    graph: ContractGraph,
    table: RawTable,
    preparations: Sequence[Preparation],
    places: Sequence[Place],
    sparse: Sequence[bool],
) -> str:
    names = [column.name for column in table.columns]
    blocks = []
    through = [place for place in places if place.profile is None and place.mixed is None]
    if through:
        raws = [preparations[place.preparation].columns[place.column].raw for place in through]
        at = [table.numbers.index(names[raw]) for raw in raws]
        numbers = graph.node("Cast", "numbers", to=TensorProto.FLOAT)
        blocks.append(numbers if at == list(range(len(table.numbers))) else select(graph, numbers, at))
    searched = [place.profile for place in places if place.profile is not None and not len(place.profile.values)]
    if searched:
        blocks.append(_search(graph, searched, [table.numbers.index(names[profile.raw]) for profile in searched]))
    by_level: dict[int, list[Profile]] = {}
    for place in places:
        if place.profile is not None and len(place.profile.values):
            by_level.setdefault(place.profile.raw, []).append(place.profile)
    vocabularies = list(table.vocabularies_)
    for raw, its in by_level.items():
        blocks.append(_levels(graph, vocabularies.index(names[raw]), list(table.levels[raw]), its))
    for i, mixed in enumerate(mixed_of(places)):
        own = [place for place in places if place.mixed is mixed]
        made = convert_mixed(graph, table, mixed, i, is_sparse=sparse[own[0].preparation])
        chosen = [preparations[place.preparation].columns[place.column].place for place in own]
        blocks.append(graph.node("Gather", made, graph.constant(np.array(chosen, dtype=np.int64)), axis=1))
    if not blocks:  # no tree splits, and the kernel wants a column
        if table.numbers:
            return select(graph, graph.node("Cast", "numbers", to=TensorProto.FLOAT), [0])
        first = select(graph, "categories", [0])
        zero = {"keys_strings": [""], "values_floats": [0.0], "default_float": 0.0}
        return graph.node("LabelEncoder", first, domain=ML_DOMAIN, **zero)
    return blocks[0] if len(blocks) == 1 else graph.node("Concat", *blocks, axis=1)


def _search(graph: ContractGraph, profiles: Sequence[Profile], at: Sequence[int]) -> str:
    """[N, m] float32: the code of each number, by one search tree for each, and that of a missing one."""
    attributes = _search_trees(profiles, at)
    found = graph.node("TreeEnsembleRegressor", "numbers", domain=ML_DOMAIN, **attributes)
    absent = graph.node("IsNaN", select(graph, "numbers", at))
    return graph.node("Where", absent, graph.constant(_as_values([p.missing for p in profiles])[None, :]), found)


def _search_trees(profiles: Sequence[Profile], at: Sequence[int]) -> dict[str, Any]:
    """A balanced tree for each profile, whose leaves are the codes of its segments."""
    trees: list[tuple[int, int, str, float, int, int]] = []
    leaves: list[tuple[int, int, float]] = []
    for number, profile in enumerate(profiles):
        nodes, its = _search_tree(profile)
        trees += [(number, i, *node) for i, node in enumerate(nodes)]
        leaves += [(number, node, value) for node, value in its]
    ids, node_ids, modes, thresholds, left, right = (list(part) for part in zip(*trees, strict=True))
    leaf_trees, leaf_nodes, weights = (list(part) for part in zip(*leaves, strict=True))
    return {
        "nodes_treeids": ids,
        "nodes_nodeids": node_ids,
        "nodes_featureids": [at[tree] for tree in ids],
        "nodes_modes": modes,
        "nodes_values_as_tensor": numpy_helper.from_array(np.array(thresholds, dtype=np.float64), "cuts"),
        "nodes_truenodeids": left,
        "nodes_falsenodeids": right,
        "target_treeids": leaf_trees,
        "target_nodeids": leaf_nodes,
        "target_ids": leaf_trees,
        "target_weights_as_tensor": numpy_helper.from_array(np.array(weights, dtype=np.float64), "codes"),
        "n_targets": len(profiles),
        "aggregate_function": "SUM",
        "post_transform": "NONE",
    }


def _search_tree(profile: Profile) -> tuple[list[tuple[str, float, int, int]], list[tuple[int, float]]]:
    """Mode, cut, left and right child of each node, the root first; and the leaves with their codes."""
    values = _as_values(profile.codes)
    nodes: list[tuple[str, float, int, int]] = []
    leaves: list[tuple[int, float]] = []

    def grow(low: int, high: int) -> int:
        """Add the subtree of the segments low to high, both included; return its node."""
        node = len(nodes)
        nodes.append(("LEAF", 0.0, 0, 0))
        if low == high:
            leaves.append((node, float(values[low])))
            return node
        half = (low + high) // 2
        left, right = grow(low, half), grow(half + 1, high)
        nodes[node] = ("BRANCH_LT", float(profile.cuts[half]), left, right)
        return node

    grow(0, len(profile.cuts))
    return nodes, leaves


def _levels(graph: ContractGraph, position: int, levels: list[str], profiles: Sequence[Profile]) -> str:
    """[N, m] float32: what each prepared column of one category is for a level, a missing and an unseen one."""
    number = graph.node(
        "LabelEncoder",
        select(graph, "categories", [position]),
        domain=ML_DOMAIN,
        keys_strings=[*levels, ""],
        values_int64s=list(range(len(levels) + 1)),
        default_int64=len(levels) + 1,
    )
    rows = graph.node("Reshape", number, graph.constant(np.array([-1], dtype=np.int64)))
    values = np.column_stack([profile.values for profile in profiles])
    return graph.node("Gather", graph.constant(values), rows, axis=0)


def _tree_inputs(
    graph: ContractGraph,
    matrix: str,
    places: Sequence[Place],
    routes: Sequence[set[tuple[int, bool]]],
    *,
    bounded: bool,
) -> list[TreeInputs]:
    """Inputs of the trees of each preparation: the matrix, and copies of columns whose missing values go left."""
    found: list[dict[tuple[int, bool], int]] = [{} for _ in routes]
    copied = []
    for i, place in enumerate(places):
        found[place.preparation][place.column, False] = i
        if (place.column, True) in routes[place.preparation]:
            if _may_be_missing(place.profile):
                copied.append(i)
            else:
                found[place.preparation][place.column, True] = i
    if copied:
        copies = low_copy(graph, select(graph, matrix, copied), bounded=bounded)
        matrix_and_copies = graph.node("Concat", matrix, copies, axis=1)
        for i, place_number in enumerate(copied):
            place = places[place_number]
            found[place.preparation][place.column, True] = len(places) + i
        matrix = matrix_and_copies
    return [TreeInputs(matrix, its) for its in found]


def _may_be_missing(profile: Profile | None) -> bool:
    if profile is None:
        return True
    return bool(profile.missing == MISSING or (profile.codes == MISSING).any() or np.isnan(profile.values).any())


def _as_values(codes: Any) -> NDArray[np.float32]:
    values = np.asarray(codes, dtype=np.float32)
    return np.where(values == MISSING, np.float32(np.nan), values)
