"""A script: opens boosters from standard input, looks at their trees, and lets each answer.

    python -I open_booster.py LIBRARY SIZE ...

It calls XGBoost's library directly, because importing the package takes ten times as long. This process exists so that
it may crash.
"""

import ctypes
import json
import math
import sys
from collections.abc import Sequence
from typing import Any

OPENED = "+"  # printed for each
REFUSED = 3  # exit status; standard error says why
MOST_COLUMNS = 1_000_000  # of a prepared matrix; more are not made to let a booster answer


class RefusedError(Exception):
    """Fault of a booster, in words."""


def open_all(library_path: str, sizes: Sequence[str]) -> int:
    """Open boosters of these sizes, one after the other; return the exit status."""
    library = ctypes.CDLL(library_path)
    library.XGBGetLastError.restype = ctypes.c_char_p
    for size in sizes:
        try:
            _try(library, sys.stdin.buffer.read(int(size)))
        except (RefusedError, ValueError, KeyError, TypeError, IndexError, AttributeError) as fault:
            sys.stderr.write(" ".join(str(fault).split())[:200] or type(fault).__name__)
            return REFUSED
        sys.stdout.write(OPENED)
        sys.stdout.flush()
    return 0


def _try(library: ctypes.CDLL, state: bytes) -> None:
    def call(name: str, *arguments: Any) -> None:
        if library[name](booster, *arguments):
            raise RefusedError(library.XGBGetLastError().decode(errors="replace"))

    booster, size, text = ctypes.c_void_p(), ctypes.c_uint64(), ctypes.POINTER(ctypes.c_char)()
    library.XGBoosterCreate(None, ctypes.c_uint64(0), ctypes.byref(booster))
    call("XGBoosterUnserializeFromBuffer", state, ctypes.c_uint64(len(state)))
    call("XGBoosterSaveModelToBuffer", b'{"format": "json"}', ctypes.byref(size), ctypes.byref(text))
    learner = json.loads(ctypes.string_at(text, size.value))["learner"]
    look_at(learner)
    columns = int(learner["learner_model_param"]["num_feature"])
    call("XGBoosterSetParam", b"nthread", b"1")
    how: dict[str, float] = {"type": 1, "training": False, "iteration_begin": 0, "iteration_end": 0}
    how |= {"strict_shape": False, "missing": math.nan, "cache_id": 0}
    shape, dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
    answer = ctypes.POINTER(ctypes.c_float)()
    returned = (ctypes.byref(shape), ctypes.byref(dimensions), ctypes.byref(answer))
    for value in (0.0, math.nan):
        row = (ctypes.c_float * columns)(*[value] * columns)
        matrix = {"data": [ctypes.addressof(row), True], "shape": [1, columns], "typestr": "<f4", "version": 3}
        words = [json.dumps(word).encode() for word in (matrix, how)]
        call("XGBoosterPredictFromDense", *words, None, *returned)


def look_at(learner: dict[str, Any]) -> None:
    """Raise RefusedError where a booster's trees would lead out of their arrays, for whatever row."""
    parameters, model = learner["learner_model_param"], learner["gradient_booster"]
    while "trees" not in model:  # with dropout they stand one floor lower
        model = model["model"] if "model" in model else model["gbtree"]
    columns = int(parameters["num_feature"])
    if not 0 < columns <= MOST_COLUMNS:
        raise RefusedError(f"num_feature: expected 1 to {MOST_COLUMNS:,}, got {columns:,}")
    trees, groups, ends = model["trees"], model["tree_info"], model.get("iteration_indptr")
    outputs = max(1, int(parameters.get("num_class", 1)), int(parameters.get("num_target", 1)))
    if len(groups) != len(trees) or not all(0 <= group < outputs for group in groups):
        raise RefusedError("tree_info: expected the output of each tree")
    if ends is not None and (ends[:1] != [0] or ends[-1] != len(trees) or sorted(ends) != ends):
        raise RefusedError("iteration_indptr: expected the first tree of each round, ascending")
    for number, tree in enumerate(trees):
        if not _is_whole(tree, columns):
            raise RefusedError(f"tree {number}: expected nodes that lead to its leaves")


def _is_whole(tree: dict[str, Any], columns: int) -> bool:
    left, right, read = tree["left_children"], tree["right_children"], tree["split_indices"]
    size = len(left)
    if any(len(tree[name]) != size for name in ("right_children", "split_indices", "split_conditions", "default_left")):
        return False
    seen, waiting = [False] * size, [0]  # nodes deleted by pruning have no parent and are never read
    while waiting:
        node = waiting.pop()
        if not 0 <= node < size or seen[node]:
            return False
        seen[node] = True
        if left[node] == -1 and right[node] == -1:
            continue
        if not 0 <= read[node] < columns:
            return False
        waiting += [left[node], right[node]]
    return _has_whole_categories(tree, size)


def _has_whole_categories(tree: dict[str, Any], size: int) -> bool:
    held = len(tree.get("categories", ()))
    starts, sizes = tree.get("categories_segments", ()), tree.get("categories_sizes", ())
    return all(0 <= node < size for node in tree.get("categories_nodes", ())) and all(
        min(start, its) >= 0 and start + its <= held for start, its in zip(starts, sizes, strict=True)
    )


if __name__ == "__main__":
    sys.exit(open_all(sys.argv[1], sys.argv[2:]))
