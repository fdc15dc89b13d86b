"""Content of batch.bin, which runtime.batch reads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.table_file import BATCH_FILE
from trees.batch.blocks import Block
from trees.batch.conditions import Conditions
from trees.table_file import bytes_of


def content_of(
    conditions: Conditions, blocks: Sequence[Block], graph: str, calibrator: bytes, reads: Sequence[str]
) -> bytes:
    """The file's bytes.

    `graph` is the sha256 of model.onnx; `calibrator` a part of it that reads margins by the names `reads`, one for each
    booster.
    """
    flat: dict[str, list[Any]] = {
        "thresholds": [part for number in conditions.numbers for part in (number.not_below, number.below)],
        "conditions": [level.conditions for block in blocks for level in block.levels],
        "masks": [level.masks for block in blocks for level in block.levels],
        "terms": [terms for block in blocks for terms in block.terms],
        "order": [block.order for block in blocks],
        "leaves": [block.leaves.ravel() for block in blocks],
        "calibrator": [np.frombuffer(calibrator, dtype=np.uint8)],
    }
    arrays: dict[str, NDArray[Any]] = {
        name: np.concatenate([np.empty(0, dtype=kind), *map(np.asarray, flat[name])]).astype(kind)
        for name, kind in BATCH_FILE.arrays.items()
    }
    head: dict[str, Any] = {
        "graph": graph,
        "conditions": conditions.count,
        "numbers": [
            {
                "positions": list(number.positions),
                "not_below": len(number.not_below),
                "below": len(number.below),
                "float32": number.in_float32,
            }
            for number in conditions.numbers
        ],
        "categories": [
            {
                "position": axis.category,
                "levels": {level: i for i, level in enumerate(axis.levels) if level is not None},
                "own": list(axis.own),
                "pool": axis.levels.index(None) if None in axis.levels else None,
                "count": len(axis.levels),
            }
            for axis in conditions.categories
        ],
        "blocks": [
            {
                "booster": block.booster,
                "trees": block.trees,
                "planes": block.planes,
                "levels": [[len(level.conditions), level.second] for level in block.levels],
                "terms": list(map(len, block.terms)),
            }
            for block in blocks
        ],
        "reads": list(reads),
    }
    return bytes_of(BATCH_FILE, head, arrays)
