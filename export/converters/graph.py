"""A graph under construction: the few operations that the converters need, over two kinds of graph.

`ContractGraph` builds the project's own model.onnx. `SklearnGraph` writes into a conversion that skl2onnx is
running, so that the same converters serve a user's own pipeline.
"""

from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

# Pinned together: operator set 18 is the newest whose operators all have been there since ONNX Runtime 1.14, and a
# runtime refuses a file whose IR version is newer than itself (onnxruntime #20559, #23602).
OPSET = 18
ML_OPSET = 3
IR_VERSION = 8
ML_DOMAIN = "ai.onnx.ml"


class Graph(Protocol):
    """Builder that converters write to. Tensors go by name."""

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add an operator with one output and return the name of that output."""

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant and return its name."""


class ContractGraph:
    """A graph of our own, with nothing in it but what the converters write."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = {}

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output, named after the operator; return the output's name."""
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def constant(self, value: NDArray[Any]) -> str:
        """Add an initializer, once for equal arrays; return its name."""
        key = (str(value.dtype), value.shape, value.tobytes())
        if key not in self.constants:
            name = f"constant_{len(self.constants)}"
            self.constants[key] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return str(self.constants[key].name)

    def rename(self, output: str, name: str) -> None:
        """Name the output of an operator for callers of the graph."""
        for node in self.nodes:
            node.output[:] = [name if tensor == output else tensor for tensor in node.output]
            node.input[:] = [name if tensor == output else tensor for tensor in node.input]

    def model(self, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto], doc: str) -> onnx.ModelProto:
        """The finished model, checked, opset and IR version pinned."""
        graph = helper.make_graph(self.nodes, "lastbit", inputs, outputs, list(self.constants.values()))
        model = helper.make_model(
            graph,
            producer_name="lastbit",
            doc_string=doc,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(ML_DOMAIN, ML_OPSET)],
        )
        onnx.checker.check_model(model, full_check=True)
        return model


class SklearnGraph:
    """The part of a graph that one skl2onnx converter writes."""

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope = scope
        self.container = container

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output to skl2onnx's container; return the output's name."""
        output = str(self.scope.get_unique_variable_name(operator.lower()))
        self.container.add_node(
            operator,
            list(inputs),
            [output],
            op_domain=domain,
            op_version=ML_OPSET if domain else min(OPSET, self.container.target_opset),
            name=self.scope.get_unique_operator_name(operator),
            **attributes,
        )
        return output

    def constant(self, value: NDArray[Any]) -> str:
        """Add an initializer to skl2onnx's container; return its name."""
        name = str(self.scope.get_unique_variable_name("constant"))
        self.container.add_initializer(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), list(value.shape), value.reshape(-1).tolist()
        )
        return name
