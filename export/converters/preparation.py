"""The raw columns to the matrix that the boosters read, as `training.preparation` does it."""

import numpy as np
import onnx

from export.graph import ML_DOMAIN, Graph
from training.preparation import Preparation


def convert_preparation(graph: Graph, preparation: Preparation) -> str:
    """The float32 matrix [N, m] from the inputs `numbers` and `categories`; columns as Preparation orders them.

    Without `log1p`: that is monotone, so `export.contract` moves it into the thresholds instead.
    """
    blocks: list[str] = []
    if preparation.numbers:
        numbers = graph.node("Cast", "numbers", to=onnx.TensorProto.FLOAT)
        position = {name: i for i, name in enumerate(preparation.numbers)}
        if preparation.single_ == list(preparation.numbers):
            blocks.append(numbers)
        elif preparation.single_:
            blocks.append(_columns(graph, numbers, [position[name] for name in preparation.single_]))
        blocks += [
            _row_maximum(graph, _columns(graph, numbers, [position[name] for name in members]))
            for members in (preparation.row_max or {}).values()
        ]
    levels = [(column, level) for column, levels in enumerate(preparation.vocabularies_.values()) for level in levels]
    if levels:
        blocks.append(_indicators(graph, levels))
    return blocks[0] if len(blocks) == 1 else graph.node("Concat", *blocks, axis=1)


def _columns(graph: Graph, matrix: str, columns: list[int]) -> str:
    return graph.node("Gather", matrix, graph.constant(np.array(columns, dtype=np.int64)), axis=1)


def _row_maximum(graph: Graph, members: str) -> str:
    """[N, 1]: missing values count as minus infinity, and a maximum of minus infinity is missing."""
    lowest = graph.constant(np.array(-np.inf, dtype=np.float32))
    missing = graph.constant(np.array(np.nan, dtype=np.float32))
    filled = graph.node("Where", graph.node("IsNaN", members), lowest, members)
    largest = graph.node("ReduceMax", filled, graph.constant(np.array([1], dtype=np.int64)), keepdims=1)
    return graph.node("Where", graph.node("Equal", largest, lowest), missing, largest)


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
    repeated = _columns(graph, codes, [column for column, _ in levels])
    wanted = graph.constant(np.array([[numbers[level] for _, level in levels]], dtype=np.int64))
    return graph.node("Cast", graph.node("Equal", repeated, wanted), to=onnx.TensorProto.FLOAT)
