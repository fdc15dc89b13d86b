"""Content of reasons.bin, which runtime.tables reads."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.table_file import REASONS_FILE
from trees.reasons.build import Built, order_bits
from trees.reasons.columns import NumberAxis
from trees.table_file import bytes_of


def content_of(built: Built, players: int, graph: str, made: bytes = b"") -> bytes:
    """The bytes of the file; `players` is their number, `graph` the sha256 of the graph that the tables explain.

    `made` is the graph that computes numbers from raw columns, if the model has such numbers.
    """
    columns = built.columns
    plain = [axis for number, axis in enumerate(columns.axes) if number not in columns.orders]
    numbers = [axis for axis in plain if isinstance(axis, NumberAxis)]
    thresholds = [axis.thresholds for axis in numbers]
    arrays: dict[str, NDArray[Any]] = {
        "thresholds": np.concatenate(thresholds) if thresholds else np.empty(0),
        "axis": np.repeat(np.arange(len(numbers)), list(map(len, thresholds))).astype(np.uint16),
        "base": built.base,
        "starts": built.starts,
        "bits": built.bits,
        "strides": built.strides,
        "players": built.players,
        "tables": built.tables,
    }
    if made:
        arrays["graph"] = np.frombuffer(made, dtype=np.uint8)
    head: dict[str, Any] = {
        "graph": graph,
        "players": players,
        "mean": built.mean,
        "numbers": [list(axis.positions) for axis in numbers],
        "categories": [
            {
                "position": axis.category,
                "levels": {level: axis.first + i for i, level in enumerate(axis.levels) if level is not None},
                "own": list(axis.own),
                "pool": axis.first + axis.levels.index(None) if None in axis.levels else None,
            }
            for axis in plain
            if not isinstance(axis, NumberAxis)
        ]
        + [
            {
                "position": order.category,
                "levels": dict(zip(order.places, (bit for bit, _ in order_bits(columns, number)), strict=False)),
                "own": [],
                "pool": order_bits(columns, number)[-1][0],
            }
            for number, order in sorted(columns.orders.items())
        ],
        "widths": [list(width) for width in built.widths],
    }
    return bytes_of(REASONS_FILE, head, arrays)
