"""One direction of the axes: its scale, its limits and its ticks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from validation.report.plots.scales import ROOM, Plain, limits_of, written

Floats = NDArray[np.float64]
SOFT = "#59626d"


@dataclass
class Direction:
    """A limit that is None follows from the data."""

    scale: Plain = field(default_factory=Plain)
    limits: tuple[float | None, float | None] = (None, None)
    room: float = ROOM
    most: int = 7
    """At most so many steps between ticks."""
    whole: bool = False
    grid: bool = True
    names: tuple[Sequence[float], Sequence[str]] | None = None
    """Ticks that are set: where they are and what stands there."""
    color: str = SOFT
    rotation: float = 0
    written: Callable[[float], str] | None = None
    seen: list[float] = field(default_factory=list)

    def see(self, *values: ArrayLike) -> None:
        """Take values into the limits."""
        for each in values:
            flat = np.asarray(each, dtype=np.float64).ravel()
            flat = flat[np.isfinite(self.scale.forward(flat))]
            if len(flat):
                self.seen += [float(flat.min()), float(flat.max())]

    def set_names(
        self, places: Sequence[float], names: Sequence[str], *, color: str = SOFT, rotation: float = 0
    ) -> None:
        """Names at places, instead of numbers at round ticks."""
        self.names, self.color, self.rotation = (places, names), color, rotation
        self.see(places)

    def settle(self) -> None:
        """Fix the limits."""
        low, high = limits_of(self.scale, self.seen, self.room)
        self.limits = (
            low if self.limits[0] is None else self.limits[0],
            high if self.limits[1] is None else self.limits[1],
        )
        if self.limits[0] == self.limits[1]:
            self.limits = limits_of(self.scale, [float(low), float(low)])

    def shares(self, values: ArrayLike) -> Floats:
        """Positions of values [N], from 0 at the first limit to 1 at the second."""
        first, last = self.scale.forward(np.array(self.limits, dtype=np.float64))
        return np.asarray((self.scale.forward(values) - first) / (last - first))

    def ticks(self) -> tuple[Sequence[float], Sequence[str]]:
        """The ticks within the limits and their names."""
        if self.names is not None:
            return self.names
        low, high = sorted(float(limit) for limit in self.limits if limit is not None)
        places = self.scale.ticks(low, high, self.most, whole=self.whole)
        return places, written(places) if self.written is None else [self.written(place) for place in places]
