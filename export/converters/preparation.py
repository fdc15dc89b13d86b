"""The raw columns to the matrix that the boosters read, as `training.estimator.preparation` does it."""

import numpy as np
import onnx

from export.converters.graph import ML_DOMAIN, Graph
from export.converters.trees import Route, TreeInputs, low_copy, select
from table.columns import MISSING_CATEGORY
from training.estimator.preparation import POOL, Preparation


def convert_preparation(
    graph: Graph, preparation: Preparation, wanted: set[Route], *, bounded: bool = False
) -> TreeInputs:
    """Columns that splits read, from the inputs `numbers` and `categories`, in the order of Preparation.

    `log1p` is left out: it is monotone, so `export.graph.pipeline` moves it into the thresholds. All numbers are there
    unchanged; row maxima, indicators and copies are there only if splits read them. Copies are `bounded` if a split
    separates missing values from all others; in a row maximum minus infinity counts as missing anyway.
    """
    members, levels = preparation.raw_columns()
    numbers = graph.node("Cast", "numbers", to=onnx.TensorProto.FLOAT)
    blocks, places, width = [numbers], {}, len(preparation.numbers)
    singles = {column: raw[0] for column, raw in enumerate(members) if len(raw) == 1}
    places.update({(column, False): raw for column, raw in singles.items()})
    copied = [column for column in singles if (column, True) in wanted]
    if copied:
        blocks.append(low_copy(graph, select(graph, numbers, [singles[column] for column in copied]), bounded=bounded))
        places.update({(column, True): width + i for i, column in enumerate(copied)})
        width += len(copied)
    for column, raw in enumerate(members):
        if len(raw) > 1:
            lowest = _row_maximum(graph, select(graph, numbers, raw))
            for left in sorted({left for split, left in wanted if split == column}):
                blocks.append(lowest if left else _missing_for_lowest(graph, lowest))
                places[column, left] = width
                width += 1
    used = [i for i in range(len(levels)) if {(len(members) + i, True), (len(members) + i, False)} & wanted]
    single: list[tuple[int, int, str]] = []  # place among the indicators, in `categories`, and level
    pools: list[tuple[int, int]] = []
    for i in used:
        position, level = levels[i]
        if level is POOL:
            pools.append((i, position))
        else:
            single.append((i, position, level))
    if single:
        blocks.append(_indicators(graph, [(position, level) for _, position, level in single]))
    for _, position in pools:
        own = [level for where, level in levels if where == position and level is not POOL]
        blocks.append(_pool(graph, position, own))
    indicators = [i for i, _, _ in single] + [i for i, _ in pools]
    for place, i in enumerate(indicators, width):  # an indicator is never missing
        places[len(members) + i, True] = places[len(members) + i, False] = place
    return TreeInputs(blocks[0] if len(blocks) == 1 else graph.node("Concat", *blocks, axis=1), places)


def _row_maximum(graph: Graph, members: str) -> str:
    """[N, 1]: missing values count as minus infinity, which also stands for "all missing"."""
    axis = graph.constant(np.array([1], dtype=np.int64))
    return graph.node("ReduceMax", low_copy(graph, members), axis, keepdims=1)


def _missing_for_lowest(graph: Graph, x: str) -> str:
    lowest = graph.constant(np.array(-np.inf, dtype=np.float32))
    missing = graph.constant(np.array(np.nan, dtype=np.float32))
    return graph.node("Where", graph.node("Equal", x, lowest), missing, x)


def _indicators(graph: Graph, levels: list[tuple[int, str]]) -> str:
    """One 0/1 column for each (column of `categories`, level).

    Every distinct string gets a number once; an indicator is then the comparison of one column's number with the
    level's. Strings that are no level of any column, the empty one included, are -1 and equal none.
    """
    numbers = {level: i for i, level in enumerate(sorted({level for _, level in levels}))}
    codes = graph.node(
        "LabelEncoder",
        "categories",
        domain=ML_DOMAIN,
        keys_strings=list(numbers),
        values_int64s=list(numbers.values()),
        default_int64=-1,
    )
    repeated = select(graph, codes, [column for column, _ in levels])
    wanted = graph.constant(np.array([[numbers[level] for _, level in levels]], dtype=np.int64))
    return graph.node("Cast", graph.node("Equal", repeated, wanted), to=onnx.TensorProto.FLOAT)


def _pool(graph: Graph, column: int, levels: list[str]) -> str:
    """[N, 1]: 1 where a column of `categories` has a value other than the levels that are not pooled."""
    return graph.node(
        "LabelEncoder",
        select(graph, "categories", [column]),
        domain=ML_DOMAIN,
        keys_strings=[MISSING_CATEGORY, *levels],
        values_floats=[0.0] * (1 + len(levels)),
        default_float=1.0,
    )
