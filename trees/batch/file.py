"""batch.bin: a header of JSON and raw arrays behind it, each at a multiple of 64 bytes, for numpy to map.

runtime.batch reads it: raise its VERSION where an older reader could misread a newer file.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.batch import ALIGNED, ARRAYS
from runtime.batch_file import MAGIC, VERSION
from trees.batch.blocks import Block
from trees.batch.conditions import Conditions


def content_of(
    conditions: Conditions, blocks: Sequence[Block], graph: str, calibrator: bytes, reads: Sequence[str]
) -> bytes:
    """The file's bytes. `graph` is the sha256 of model.onnx; `calibrator` a part of it that reads margins by these
    names, one for each booster."""
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
        for name, kind in ARRAYS.items()
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
        "lengths": {name: len(arrays[name]) for name in ARRAYS},
    }
    text = json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    parts = [MAGIC, VERSION.to_bytes(4, "little"), len(text).to_bytes(4, "little"), text]
    size = sum(map(len, parts))
    for name in ARRAYS:
        parts += [bytes(-size % ALIGNED), arrays[name].tobytes()]
        size += len(parts[-2]) + len(parts[-1])
    return b"".join(parts)
