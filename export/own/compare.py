"""Comparison of a pipeline with a graph that skl2onnx made: on real rows, and on rows mixed from them by column."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray

from cli.words import shown
from export.own.prepared import unheard
from export.own.raw import FEWEST_ROWS
from export.refusal import ExportRefused
from runtime.session import open_session

MIXED = 2_000  # rows with each value from another real row
OUTPUT = "probabilities"
DTYPES = {"tensor(double)": np.float64, "tensor(float)": np.float32, "tensor(int64)": np.int64}


@unheard()
def compare_graph(graph: Any, pipeline: Any, X: Any, tolerance: float) -> dict[str, float]:
    """Count over all rows. Raises ExportRefused, naming the first row that differs by more than the tolerance."""
    session = open_session(_bytes_of(graph))
    outputs = [output.name for output in session.get_outputs()]
    if OUTPUT not in outputs:
        raise ExportRefused(f"graph: expected an output {OUTPUT}, got {shown(outputs)}; export without zipmap")
    if len(X) < FEWEST_ROWS:
        raise ExportRefused(f"rows: expected {FEWEST_ROWS} real rows or more, got {len(X)}")
    rows = equal = 0
    largest = 0.0
    for kind, part in (("real", X), ("mixed", _mixed(X))):
        got = np.asarray(session.run([OUTPUT], _feed(session, part))[0])
        expected = np.asarray(pipeline.predict_proba(part))
        if got.shape != expected.shape:
            raise ExportRefused(f"graph: expected probabilities of shape {list(expected.shape)}, got {list(got.shape)}")
        difference = np.nan_to_num(np.abs(got.astype(np.float64) - expected.astype(np.float64)), nan=np.inf).max(axis=1)
        if (worst := float(difference.max())) > tolerance:
            differs = np.flatnonzero(difference > tolerance)
            row = int(differs[0])
            raise ExportRefused(
                f"the graph differs from the pipeline by up to {worst:.1e}, on "
                f"{len(differs):,} of {len(part):,} {kind} rows, first in row {row}: expected {expected[row, 1]!s}, "
                f"got {got[row, 1]!s}; "
                "lastbit.export_model takes more pipelines"
            )
        rows, equal = rows + len(part), equal + int((got == expected).all(axis=1).sum())
        largest = max(largest, worst)
    return {"rows": rows, "bit_equal": equal, "largest_difference": largest}


def _bytes_of(graph: Any) -> bytes:
    if isinstance(graph, onnx.ModelProto):
        return bytes(graph.SerializeToString())
    if isinstance(graph, str | Path):
        if not Path(graph).is_file():
            raise ExportRefused(f"graph: {graph} is not a file; give the .onnx file, its bytes or the ModelProto")
        content = Path(graph).read_bytes()
    elif isinstance(graph, bytes | bytearray | memoryview):
        content = bytes(graph)
    else:
        raise ExportRefused(f"graph: expected a path, bytes or a ModelProto, got {type(graph).__name__}")
    try:
        read = onnx.load_model_from_string(content)
    except DecodeError:
        read = onnx.ModelProto()
    if not read.graph.node:
        raise ExportRefused(f"graph: expected an ONNX model, got {len(content)} bytes of something else")
    return content


def _feed(session: Any, rows: Any) -> dict[str, NDArray[Any]]:
    """The graph's inputs. Raises ExportRefused where they are not the columns, or one matrix of all of them."""
    inputs = session.get_inputs()
    width = rows.shape[1]
    if len(inputs) == 1 and inputs[0].shape[-1] in (width, None) and (width > 1 or not hasattr(rows, "columns")):
        return {inputs[0].name: np.asarray(rows).astype(DTYPES.get(inputs[0].type, object))}
    names = [each.name for each in inputs]
    known = list(getattr(rows, "columns", []))
    if sorted(names) != sorted(map(str, known)):
        raise ExportRefused(f"graph: expected one input for each column, {shown(known)}, got {shown(names)}")
    return {each.name: _column(rows[each.name], each.type) for each in inputs}


def _column(column: "pd.Series[Any]", kind: str) -> NDArray[Any]:
    if kind == "tensor(string)":
        return column.astype(object).where(column.notna(), "").to_numpy(dtype=object)[:, None]
    return column.to_numpy(dtype=DTYPES.get(kind, np.float64))[:, None]


def _mixed(rows: Any) -> Any:
    """Rows with each value drawn from its column."""
    rng = np.random.default_rng(0)
    if isinstance(rows, pd.DataFrame):
        drawn = {name: rows[name].iloc[rng.integers(len(rows), size=MIXED)].array for name in rows.columns}
        return pd.DataFrame(drawn)
    matrix = np.asarray(rows)
    return np.column_stack([matrix[rng.integers(len(matrix), size=MIXED), i] for i in range(matrix.shape[1])])
