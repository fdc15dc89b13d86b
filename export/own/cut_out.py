"""The part of your own pipeline's graph that makes columns from several raw ones, as a separate graph.

Conditions on such columns cannot be translated to raw values. reasons.bin holds this part, and the runtime runs it for
an applicant who is explained (runtime.made_columns).
"""

from collections.abc import Iterator, Sequence
from itertools import chain

import onnx
from onnx import TensorProto, helper

from export.own.graph import MATRIX, Built, Place, mixed_of


def mixed_places(built: Built) -> list[Place]:
    """The prepared columns that are made of several, in the order of the matrix, which has them last."""
    return [place for place in built.places if place.mixed is not None]


def cut_out(built: Built) -> bytes:
    """The graph from raw columns to those of `mixed_places`, float32 [N, k]; its operators are the whole graph's."""
    whole = built.contract.model
    [matrix] = [node for node in whole.graph.node if MATRIX in node.output]
    blocks = list(matrix.input) if matrix.op_type == "Concat" else [MATRIX]
    wanted = blocks[-len(mixed_of(built.places)) :]
    nodes = _needed(whole.graph.node, wanted)
    read = {name for node in nodes for name in _reads(node)}
    graph = helper.make_graph(
        [*nodes, helper.make_node("Concat", wanted, ["columns"], axis=1)],
        "columns of several",
        [value for value in whole.graph.input if value.name in read],
        [helper.make_tensor_value_info("columns", TensorProto.FLOAT, ["N", len(mixed_places(built))])],
        [value for value in whole.graph.initializer if value.name in read],
    )
    part = helper.make_model(graph, ir_version=whole.ir_version, opset_imports=list(whole.opset_import))
    onnx.checker.check_model(part, full_check=True)
    return bytes(part.SerializeToString(deterministic=True))


def _needed(nodes: Sequence[onnx.NodeProto], wanted: Sequence[str]) -> list[onnx.NodeProto]:
    """The nodes behind some tensors, in their order, which is one in which they can run."""
    names, found = set(wanted), []
    for node in reversed(nodes):
        if names & set(node.output):
            found.append(node)
            names |= set(_reads(node))
    return found[::-1]


def _reads(node: onnx.NodeProto) -> Iterator[str]:
    """The tensors that a node reads, within its branches and loops too."""
    yield from node.input
    for attribute in node.attribute:
        for inner in chain([attribute.g] if attribute.HasField("g") else [], attribute.graphs):
            for its in inner.node:
                yield from _reads(its)
