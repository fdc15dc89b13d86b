"""Trees side by side, in blocks that are processed level by level, all trees of a block at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from trees.batch.codes import Coded, Inner, coded, planes_for
from trees.batch.conditions import Node, leaves_of

# Inner nodes of a block: their masks, 512 bytes each for a part of the rows, stay near a core.
NODES = 4_096
# Single leaves that follow one another and are added without a look-up. Boosting that has nothing left to learn makes
# hundreds of them.
LEAVES = 8


@dataclass(frozen=True)
class Level:
    """The inner nodes of one depth. Those whose second mask is read come first."""

    conditions: list[int]
    masks: list[int]  # the row of each one's own mask, among those of the levels above; none for roots
    second: int  # how many have the mask of rows for which the condition does not hold


@dataclass(frozen=True)
class Block:
    """Trees of one booster. Masks are numbered level by level: first those of conditions that hold, then the second."""

    booster: int
    trees: int
    planes: int
    """Bits of a leaf's number; 0 where every tree is a leaf."""
    levels: list[Level]
    terms: list[list[int]]
    """Masks to unite: the first of each plane that has one, then the second of each that has two, and so on; planes
    with the most come first."""
    order: list[int]
    """[planes × trees] where each tree's plane is among those; their count for a plane without any."""
    leaves: NDArray[np.float32]
    """[trees, 2^planes] by number."""


def blocks_of(boosters: Sequence[Sequence[Node | float]], base_margins: Sequence[float]) -> list[Block]:
    """The blocks of all boosters, in order. A base margin is added to the first tree's leaves, as in the graph."""
    blocks = []
    for number, trees in enumerate(boosters):
        for first, its in _runs(trees):
            blocks.append(_block(number, its, np.float32(base_margins[number]) if first == 0 else np.float32(0)))
    return blocks


def _runs(trees: Sequence[Node | float]) -> Iterable[tuple[int, Sequence[Node | float]]]:
    """Consecutive trees that a block has room for, with the position of the first; long runs of single leaves apart."""
    first, nodes = 0, 0
    alone = _alone(trees)
    for i, tree in enumerate(trees):
        size = len(leaves_of(tree)) - 1
        if i > first and (nodes + size > NODES or alone[i] != alone[i - 1]):
            yield first, trees[first:i]
            first, nodes = i, 0
        nodes += size
    yield first, trees[first:]


def _alone(trees: Sequence[Node | float]) -> list[bool]:
    """True for trees in a run of single leaves that is long enough for a block of its own."""
    found: list[bool] = []
    for is_leaf, its in groupby(not isinstance(tree, Node) for tree in trees):
        count = len(list(its))
        found += [is_leaf and count >= LEAVES] * count
    return found


def _block(booster: int, trees: Sequence[Node | float], base: np.float32) -> Block:
    """`base` is added to the leaves of the first tree."""
    planes = max(planes_for(len(leaves_of(tree))) for tree in trees)
    if not any(isinstance(tree, Node) for tree in trees):
        planes = 0
    its = [coded(tree, planes) for tree in trees]
    leaves = np.zeros((len(its), 1 << planes), dtype=np.float32)
    for row, tree in zip(leaves, its, strict=True):
        for code, weight in tree.leaves.items():
            row[code] = weight
    leaves[0] += base
    levels, terms = _levels(its)
    items = sorted(terms, key=lambda item: (-len(terms[item]), item))
    place = {item: i for i, item in enumerate(items)}
    most = max(map(len, terms.values()), default=0)
    return Block(
        booster=booster,
        trees=len(its),
        planes=planes,
        levels=levels,
        terms=[[terms[item][k] for item in items if len(terms[item]) > k] for k in range(most)],
        order=[place.get((tree, plane), len(items)) for plane in range(planes) for tree in range(len(its))],
        leaves=leaves,
    )


def _levels(trees: Sequence[Coded]) -> tuple[list[Level], dict[tuple[int, int], list[int]]]:
    """The levels, and for each tree and plane the masks that make it."""
    terms: dict[tuple[int, int], list[int]] = {}
    levels: list[Level] = []
    nodes: list[tuple[int, int, Inner]] = [(-1, tree, its.root) for tree, its in enumerate(trees) if its.root]
    first = 0
    while nodes:
        nodes.sort(key=lambda node: (not node[2].needs_off, node[0], node[1]))
        second = sum(node.needs_off for _, _, node in nodes)
        masks = [mask for mask, _, _ in nodes] if levels else []
        levels.append(Level([node.condition for _, _, node in nodes], masks, second))
        below: list[tuple[int, int, Inner]] = []
        for i, (_, tree, node) in enumerate(nodes):
            sides = [(first + i, node.on, node.on_planes), (first + len(nodes) + i, node.off, node.off_planes)]
            for mask, child, planes in sides:
                for plane in planes:
                    terms.setdefault((tree, plane), []).append(mask)
                if child is not None:
                    below.append((mask, tree, child))
        first += len(nodes) + second
        nodes = below
    return levels, terms
