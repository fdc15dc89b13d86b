"""Steps that mix columns, as the stock converters of skl2onnx compute them: close to scikit-learn, and compared.

A sum of float64 depends on the order of its terms, and BLAS takes another one by machine and by number of rows; so
such a step cannot be equal by construction. It is taken only with a stated tolerance.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from sklearn.impute import SimpleImputer

from export.converters import operators
from export.converters.graph import ML_DOMAIN, ML_OPSET, OPSET, ContractGraph
from export.own.faults import said_of
from export.own.raw import RawTable
from export.own.trace import Mixed
from export.refusal import ExportRefused
from runtime.session import open_session


def convert_mixed(graph: ContractGraph, table: RawTable, mixed: Mixed, number: int, *, is_sparse: bool) -> str:
    """Add the steps to the graph and return their matrix, float32 [N, m]; NaN where a sparse matrix has no entry.

    Raises ExportRefused where skl2onnx does not know a step.
    """
    columns = [table.columns[raw] for raw in mixed.raws]
    texts = [column.type == "category" for column in columns]
    alike = len(set(texts)) == 1
    if alike:
        kind = StringTensorType if texts[0] else DoubleTensorType
        types = [("raw", kind([None, len(columns)]))]
    else:
        types = [
            (column.name, (StringTensorType if text else DoubleTensorType)([None, 1]))
            for column, text in zip(columns, texts, strict=True)
        ]
    try:
        made = convert_sklearn(
            mixed.step,
            initial_types=types,
            target_opset={"": OPSET, ML_DOMAIN: ML_OPSET},
            custom_shape_calculators={SimpleImputer: operators.set_imputed_shape},
            custom_conversion_functions={SimpleImputer: _convert_imputer},
        )
        open_session(made.SerializeToString())
    except Exception as fault:  # whatever a converter raises for what it does not know
        said = said_of(fault)
        raise ExportRefused(f"{mixed.where}: skl2onnx does not convert it ({type(fault).__name__}: {said})") from None
    if strange := {entry.domain for entry in made.opset_import} - {"", ML_DOMAIN}:
        raise ExportRefused(
            f"{mixed.where}: skl2onnx needs operators of {sorted(strange)}, which not every runtime has"
        )
    prefix = f"mixed_{number}_"
    part = compose.add_prefix_graph(made.graph, prefix)
    for proto in part.initializer:
        graph.constants[proto.name, (), b""] = proto
    names = [column.name for column in columns] if not alike else []
    for place, value in enumerate(part.input):
        its = [names[place]] if names else [column.name for column in columns]
        graph.nodes.append(onnx.helper.make_node("Identity", [_chosen(graph, table, its)], [value.name]))
    graph.nodes.extend(part.node)
    matrix = graph.node("Cast", part.output[0].name, to=TensorProto.FLOAT)
    if not is_sparse:
        return matrix
    before = graph.node("Cast", part.output[0].name, to=TensorProto.DOUBLE)  # float32 has zeros of its own: 1e-50
    zero = graph.node("Equal", before, graph.constant(np.array(0, dtype=np.float64)))
    return graph.node("Where", zero, graph.constant(np.array(np.nan, dtype=np.float32)), matrix)


def _convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Numbers only: the contract's missing text is "", which is another level to skl2onnx."""
    if not operators.is_our_imputer(operator.raw_operator, operator.inputs):
        raise ExportRefused("SimpleImputer of this kind")
    operators.convert_imputer(scope, operator, container)


def _chosen(graph: ContractGraph, table: RawTable, names: Sequence[str]) -> str:
    """The raw columns of these names, all numbers or all texts."""
    known = table.numbers if names[0] in table.numbers else list(table.vocabularies_)
    source = "numbers" if names[0] in table.numbers else "categories"
    places = np.array([known.index(name) for name in names], dtype=np.int64)
    return graph.node("Gather", source, graph.constant(places), axis=1)
