"""A number for each leaf of a tree, with as few bits as its leaves need, and the masks that each bit comes from.

A node's mask says which rows reach it. Bit j of a row's number is set if the row reaches a leaf whose number has bit j,
so plane j is the union of masks of leaves; where all leaves below a node have the bit, the node's mask stands for them.
Numbers follow the tree (one bit a level, set where the condition holds) wherever they fit: then a full tree of depth d
needs no more masks than nodes. A tree that is deep in one place only is not padded: its leaves are numbered in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from trees.batch.conditions import Node

MOST_PLANES = 8  # a leaf's number is a byte


@dataclass(eq=False)
class Inner:
    """A node with children, ready to be laid out."""

    condition: int
    on: "Inner | None" = None  # None for a leaf
    off: "Inner | None" = None
    on_planes: list[int] = field(default_factory=list)  # planes that the mask of a child is part of
    off_planes: list[int] = field(default_factory=list)

    @property
    def needs_off(self) -> bool:
        """True if the mask of the rows for which the condition does not hold is read."""
        return self.off is not None or bool(self.off_planes)


@dataclass(frozen=True)
class Coded:
    """A tree: its root (None for a leaf alone) and its leaves by number."""

    root: Inner | None
    leaves: dict[int, float]


def planes_for(leaves: int) -> int:
    """Number of bits for this many leaves."""
    return max(1, (leaves - 1).bit_length())


def coded(tree: Node | float, planes: int) -> Coded:
    """The tree with leaves numbered in this many bits, which must be enough."""
    numbers: dict[int, int] = {}  # of the leaf on each side of a node: id(node) · 2 + side
    leaves: dict[int, float] = {}
    if not isinstance(tree, Node):
        return Coded(None, {0: tree})
    counts: dict[int, int] = {}
    _count(tree, counts)

    def put(node: Node, is_on: bool, number: int, weight: float) -> None:
        numbers[2 * id(node) + is_on] = number
        leaves[number] = weight

    def follow(node: Node, first: int, bits: int) -> None:
        half = 1 << (bits - 1) if bits else 0
        if max(counts.get(id(child), 1) for child in (node.on, node.off)) > half:
            for number, (parent, is_on, weight) in enumerate(_leaves(node, counts), first):
                put(parent, is_on, number, weight)
            return
        for child, is_on, start in ((node.off, False, first), (node.on, True, first + half)):
            if isinstance(child, Node):
                follow(child, start, bits - 1)
            else:
                put(node, is_on, start, child)

    follow(tree, 0, planes)
    return Coded(_inner(tree, 0, numbers), leaves)


def _count(tree: Node | float, counts: dict[int, int]) -> int:
    if not isinstance(tree, Node):
        return 1
    counts[id(tree)] = _count(tree.on, counts) + _count(tree.off, counts)
    return counts[id(tree)]


def _leaves(node: Node, counts: dict[int, int]) -> Iterator[tuple[Node, bool, float]]:
    """The leaves below a node, those of the larger child first: its numbers then share more bits."""
    sides = [(node.on, True), (node.off, False)]
    for child, is_on in sorted(sides, key=lambda side: -counts.get(id(side[0]), 1)):
        if isinstance(child, Node):
            yield from _leaves(child, counts)
        else:
            yield node, is_on, child


def _inner(tree: Node, above: int, numbers: dict[int, int]) -> Inner:
    """`above` has the bits that all leaves below the node have."""
    inner = Inner(tree.condition)
    for child, is_on in ((tree.on, True), (tree.off, False)):
        shared = _shared(child, tree, numbers, is_on=is_on)
        planes = [plane for plane in range(MOST_PLANES) if (shared & ~above) >> plane & 1]
        below = _inner(child, shared, numbers) if isinstance(child, Node) else None
        if is_on:
            inner.on, inner.on_planes = below, planes
        else:
            inner.off, inner.off_planes = below, planes
    return inner


def _shared(child: Node | float, parent: Node, numbers: dict[int, int], *, is_on: bool) -> int:
    if not isinstance(child, Node):
        return numbers[2 * id(parent) + is_on]
    return _shared(child.on, child, numbers, is_on=True) & _shared(child.off, child, numbers, is_on=False)
