"""Trees into groups: an optimal cut, each group one table over the cells that its conditions cut.

The group of a node holds all leaves below it; its conditions are those of the node's ancestors and of the splits below.
A single leaf needs no table: beside a cut subtree R it is its value on the path of the parent, and its value less on
the path of R, both in a group below R, whose conditions contain theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from trees.reasons.columns import Columns, Condition, Split

Path = tuple[Condition, ...]


@dataclass(frozen=True)
class Term:
    """A weight that counts where all conditions of a path hold."""

    weight: float
    path: Path


@dataclass
class Conditions:
    """Sets of bits as integers: those of splits that send missing values left, and right."""

    left: int = 0
    right: int = 0

    def union(self, other: "Conditions") -> "Conditions":
        """The conditions of both."""
        return Conditions(self.left | other.left, self.right | other.right)


@dataclass
class Group:
    """Terms whose values are constant on the cells of `conditions`."""

    conditions: Conditions
    terms: list[Term] = field(default_factory=list)


class Shape:
    """Number of classes of each axis within a set of conditions, and the size of a table over them."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def axes(self, conditions: Conditions) -> list[int]:
        """The axes that are cut, in order."""
        bits, axes = conditions.left | conditions.right, []
        while bits:
            axis = self._columns.axis_of[(bits & -bits).bit_length() - 1]
            axes.append(axis)
            bits &= ~self._columns.masks[axis]
        return axes

    def missing_class(self, axis: int, conditions: Conditions) -> int:
        """The class of a missing number: an interval's where all its outcomes are that interval's, else the last."""
        mask = self._columns.masks[axis]
        left, right = conditions.left & mask, conditions.right & mask
        if not left:
            return right.bit_count()
        lowest_left = (left & -left).bit_length()
        if right.bit_length() < lowest_left:
            return right.bit_count()
        return (left | right).bit_count() + 1

    def classes(self, axis: int, conditions: Conditions) -> int:
        """The number of classes of an axis within the conditions."""
        count = ((conditions.left | conditions.right) & self._columns.masks[axis]).bit_count()
        if not self._columns.is_number[axis]:
            return count + 1
        return max(count, self.missing_class(axis, conditions)) + 1

    def players(self, axes: list[int]) -> list[int]:
        """The players whose axes these are, ascending."""
        return sorted({self._columns.player_of[axis] for axis in axes})

    def cost(self, conditions: Conditions) -> int:
        """Cells × players: the numbers of the table."""
        axis_of, masks, is_number = self._columns.axis_of, self._columns.masks, self._columns.is_number
        cells, players, rest = 1, set(), conditions.left | conditions.right
        while rest:
            axis = axis_of[(rest & -rest).bit_length() - 1]
            mask = masks[axis]
            left, right = conditions.left & mask, conditions.right & mask
            apart = is_number[axis] and left and right.bit_length() >= (left & -left).bit_length()
            cells *= (left | right).bit_count() + (2 if apart else 1)  # apart: a class of missing numbers
            players.add(self._columns.player_of[axis])
            rest &= ~mask
        return cells * len(players)


def groups_of(columns: Columns, share: float) -> Iterator[Group]:
    """The groups of all trees, each leaf weighed with `share` (one booster's of the mean)."""
    shape = Shape(columns)
    for booster in columns.boosters:
        for tree in booster:
            if isinstance(tree, Split):
                yield from _Cut(columns, shape, share).groups(tree)


class _Cut:
    """The cut of one tree."""

    def __init__(self, columns: Columns, shape: Shape, share: float) -> None:
        self._columns, self._shape, self._share = columns, shape, share
        self._whole: dict[int, bool] = {}  # by id of the split: one group
        self._inner: dict[int, Conditions] = {}

    def groups(self, tree: Split) -> Iterator[Group]:
        self._cheapest(tree, Conditions())
        yield from self._collect(tree, (), [])

    def _cheapest(self, split: Split, above: Conditions) -> int:
        own = Conditions(1 << split.bit, 0) if split.missing_left else Conditions(0, 1 << split.bit)
        within, inner, parts = above.union(own), own, 0
        for child in (split.left, split.right):
            if isinstance(child, Split):
                parts += self._cheapest(child, within)
                inner = inner.union(self._inner[id(child)])
        self._inner[id(split)] = inner
        whole = self._shape.cost(above.union(inner))
        self._whole[id(split)] = not parts or whole <= parts
        return whole if self._whole[id(split)] else parts

    def _collect(self, split: Split, path: Path, more: list[Term]) -> Iterator[Group]:
        """`more` are terms on parts of the path, to be put into the first group below."""
        if self._whole[id(split)]:
            conditions = self._inner[id(split)]
            for condition in path:
                bit = 1 << condition.bit
                conditions = conditions.union(Conditions(bit, 0) if condition.missing_left else Conditions(0, bit))
            yield Group(conditions, [*more, *self._leaves(split, path)])
            return
        children = [(child, (*path, condition)) for child, condition in _branches(split)]
        leaves = [child for child, _ in children if not isinstance(child, Split)]
        for child, way in children:
            if isinstance(child, Split):
                for value in leaves:
                    weight = value * self._share
                    more = [*more, Term(weight, path), Term(-weight, way)]
                yield from self._collect(child, way, more)
                more = []

    def _leaves(self, split: Split, path: Path) -> Iterator[Term]:
        for child, condition in _branches(split):
            way = (*path, condition)
            if isinstance(child, Split):
                yield from self._leaves(child, way)
            else:
                yield Term(child * self._share, way)


def _branches(split: Split) -> Iterator[tuple[Split | float, Condition]]:
    yield split.left, Condition(split.bit, False, split.missing_left, split.left_share)
    yield split.right, Condition(split.bit, True, split.missing_left, 1 - split.left_share)
