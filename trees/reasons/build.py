"""From the columns of boosters and reference rows to the arrays of reasons.bin."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from trees.reasons.columns import Columns, NumberAxis, Split
from trees.reasons.covers import Covers
from trees.reasons.groups import Group, Shape, groups_of
from trees.reasons.merge import merged
from trees.reasons.reference import Reference
from trees.reasons.tables import Layout, layout_of, table_of
from trees.refusal import BoosterRefused

MOST_CELLS = 2**31  # an address is an int32
# Share that columns of zeros may add to the tables, so that two widths are looked up in one call.
MOST_PADDING = 0.04


@dataclass(frozen=True)
class Plan:
    """Plan of the tables; it states their size before they are built."""

    columns: Columns
    groups: list[Group]
    layouts: list[Layout]

    @property
    def size(self) -> int:
        """Bytes of the tables and of the arrays that address them."""
        tables = sum(layout.cells * len(layout.players) for layout in self.layouts)
        entries = sum(
            sum(map(len, layout.bits)) + len(layout.axes) + sum(map(self._places, layout.axes))
            for layout in self.layouts
        )
        return 4 * tables + 8 * entries + 12 * len(self.columns.axis_of)

    def _places(self, axis: int) -> int:
        order = self.columns.orders.get(axis)
        return 0 if order is None else len(order.places) + 1


@dataclass(frozen=True)
class Built:
    """The arrays. Groups are ordered by the width of their tables; G groups, E entries, T thresholds, S slots."""

    columns: Columns
    mean: float  # margin, mean over boosters and reference rows
    tables: NDArray[np.float32]  # one after the other, each [cells, width]
    base: NDArray[np.uint32]  # [G] first row of each, among the tables of its width
    widths: list[tuple[int, int, int]]  # width, groups, rows of their tables
    players: NDArray[np.uint16]  # [S] of each column of each table
    starts: NDArray[np.uint32]  # [G] first entry of each group
    bits: NDArray[np.uint32]  # [E] those of thresholds and levels, then "is missing" of each axis
    strides: NDArray[np.uint32]  # [E] added to the address where the bit is set


def plan(columns: Columns) -> Plan:
    """Cuts and merges of a model's trees; takes a tenth of the time of building the tables."""
    share = 1 / len(columns.boosters)
    shape = Shape(columns)
    groups = merged(columns, groups_of(columns, share))
    layouts = _padded([layout_of(columns, shape, group) for group in groups])
    order = sorted(range(len(groups)), key=lambda i: (len(layouts[i].players), layouts[i].axes, layouts[i].bits))
    return Plan(columns, [groups[i] for i in order], [layouts[i] for i in order])


def _padded(layouts: list[Layout]) -> list[Layout]:
    """Give the narrowest tables the next width, where that costs little: fewer widths, fewer calls of numpy."""
    cells: dict[int, int] = {}
    for layout in layouts:
        cells[len(layout.players)] = cells.get(len(layout.players), 0) + layout.cells
    may_add = MOST_PADDING * sum(width * count for width, count in cells.items())
    becomes = {width: width for width in cells}
    for width, wider in pairwise(sorted(cells)):
        if (added := cells[width] * (wider - width)) <= may_add:
            may_add -= added
            cells[wider] += cells[width]
            becomes |= {its: wider for its, as_ in becomes.items() if as_ == width}
    return [
        replace(layout, players=layout.players + layout.players[-1:] * (becomes[width] - width))
        for layout in layouts
        for width in (len(layout.players),)
    ]


def build(planned: Plan, reference: Reference | Covers, progress: Callable[[float], None] = lambda _: None) -> Built:
    """The arrays of a plan. Raises BoosterRefused where addresses would not fit."""
    columns, share = planned.columns, 1 / len(planned.columns.boosters)
    tables: list[NDArray[np.float32]] = []
    base: list[int] = []
    widths: list[tuple[int, int, int]] = []
    mean = sum(columns.base_margins) * share
    mean += sum(tree * share for booster in columns.boosters for tree in booster if not isinstance(tree, Split))
    with threadpool_limits(1, user_api="blas"):  # cores change no bit
        for number, (group, layout) in enumerate(zip(planned.groups, planned.layouts, strict=True)):
            width = len(layout.players)
            if not widths or widths[-1][0] != width:
                widths.append((width, 0, 0))
            _, count, rows = widths[-1]
            base.append(rows)
            widths[-1] = (width, count + 1, rows + layout.cells)
            if rows + layout.cells >= MOST_CELLS:
                raise BoosterRefused("tables of reasons have too many cells to address")
            table, its_mean = table_of(columns, layout, group.terms, reference)
            tables.append(table.astype(np.float32).ravel())
            mean += its_mean
            progress(number / len(planned.groups))
    entries = [_entries(columns, layout) for layout in planned.layouts]
    starts = np.cumsum([0, *map(len, entries)])[:-1]
    flat = np.array([entry for its in entries for entry in its], dtype=np.uint32).reshape(-1, 2)
    return Built(
        columns=columns,
        mean=mean,
        tables=np.concatenate(tables) if tables else np.empty(0, dtype=np.float32),
        base=np.array(base, dtype=np.uint32),
        widths=widths,
        players=np.array([p for layout in planned.layouts for p in layout.players], dtype=np.uint16),
        starts=starts.astype(np.uint32),
        bits=np.ascontiguousarray(flat[:, 0]),
        strides=np.ascontiguousarray(flat[:, 1]),
    )


def _entries(columns: Columns, layout: Layout) -> list[tuple[int, int]]:
    """(bit, what it adds to the address) of a group."""
    found = []
    first_missing = bits_of(columns)
    for i, axis in enumerate(layout.axes):
        stride = layout.strides[i]
        if axis in columns.orders:
            number = columns.axes[axis]
            assert isinstance(number, NumberAxis)
            thresholds = [number.thresholds[bit - number.first] for bit in layout.bits[i]]
            for bit, place in order_bits(columns, axis):
                if reached := sum(place >= threshold for threshold in thresholds):
                    found.append((bit, stride * reached))
            continue
        for rank, bit in enumerate(layout.bits[i], 1):
            found.append((bit, stride if columns.is_number[axis] else stride * rank))
        if layout.missing[i]:
            found.append((first_missing + axis, stride * layout.missing[i]))
    return found


def order_bits(columns: Columns, axis: int) -> list[tuple[int, int]]:
    """The bit in the file and the place of each level of an order, the unseen one last."""
    first = sum(1 for number in columns.axis_of if number not in columns.orders)
    first += sum(len(order.places) + 1 for number, order in columns.orders.items() if number < axis)
    order = columns.orders[axis]
    return list(enumerate([*order.places.values(), order.unseen], first))


def bits_of(columns: Columns) -> int:
    """Number of bits for thresholds and levels; bits of missing numbers follow."""
    ordered = sum(len(order.places) + 1 for order in columns.orders.values())
    return sum(1 for number in columns.axis_of if number not in columns.orders) + ordered
