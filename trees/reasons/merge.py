"""Groups of several trees and boosters, joined into fewer while the joint table costs little more than the two."""

from collections import defaultdict
from collections.abc import Iterable

from trees.reasons.columns import Columns
from trees.reasons.groups import Group, Shape

# Numbers that a table may grow by for one group less to look up.
WORTH_A_GROUP = 300
# Groups that one is compared with: what would grow with the square of the groups grows with them.
MOST_COMPARED = 60


def merged(columns: Columns, groups: Iterable[Group]) -> list[Group]:
    """First among those that cut the same axes, then into those that cut more."""
    shape = Shape(columns)
    by_axes: dict[tuple[int, ...], list[_Costed]] = defaultdict(list)
    for group in groups:
        _put(shape, by_axes[tuple(shape.axes(group.conditions))], _Costed(group, shape.cost(group.conditions)))
    order = sorted(by_axes, key=lambda axes: (len(axes), axes))
    for number, axes in enumerate(order):
        wider = [other for other in order[number + 1 :] if set(axes) < set(other)]
        left = []
        for small in by_axes[axes]:
            candidates = [group for other in wider for group in by_axes[other]]
            if not _unite(shape, candidates, small):
                left.append(small)
        by_axes[axes] = left
    return [costed.group for axes in order for costed in by_axes[axes]]


class _Costed:
    __slots__ = ("cost", "group")

    def __init__(self, group: Group, cost: int) -> None:
        self.group, self.cost = group, cost


def _put(shape: Shape, others: list[_Costed], new: _Costed) -> None:
    if not _unite(shape, others, new):
        others.append(new)


def _unite(shape: Shape, others: list[_Costed], new: _Costed) -> bool:
    """Unite `new` with the one of the others that it costs least to be with; False where none is worth it."""
    best, least, cost = None, WORTH_A_GROUP, 0
    for other in others[-MOST_COMPARED:]:
        joint = shape.cost(other.group.conditions.union(new.group.conditions))
        if joint - other.cost - new.cost < least:
            best, least, cost = other, joint - other.cost - new.cost, joint
    if best is None:
        return False
    best.group.conditions = best.group.conditions.union(new.group.conditions)
    best.group.terms += new.group.terms
    best.cost = cost
    return True
