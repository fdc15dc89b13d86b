"""The order in which a batch is scored: rows that take the same branches of the trees, side by side.

A processor predicts a branch from the way that the last rows took. If rows are sorted by the outcomes of the most
travelled splits, it is right far more often, and the trees score up to twice as many rows a second. Each row's answer
has the same bits in any order.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from runtime.manifest import Branch


def branch_order(branches: "Sequence[Branch]", numbers: Any, categories: Any) -> "NDArray[np.intp]":
    """An order of rows [N, n] and [N, c] by the first branch, then by the second, and so on; ties as they came."""
    code = np.zeros(len(numbers), dtype=np.uint32)
    for branch in branches:
        code <<= 1
        code |= holds(branch, numbers, categories)
    return np.argsort(code, kind="stable")


def holds(branch: "Branch", numbers: Any, categories: Any) -> "NDArray[np.bool_]":
    """For each row, True if the condition holds. Missing numbers are skipped; if all are missing, it does not hold."""
    if not branch.numbers:
        return np.asarray(categories[:, branch.category] == branch.level)
    if len(branch.numbers) == 1:
        return np.asarray(numbers[:, branch.numbers[0]] < branch.below)
    return np.asarray(np.fmax.reduce(numbers[:, branch.numbers], axis=1) < branch.below)
