"""Scales of an axis: linear, logarithmic, or logarithmic beyond a threshold; and round ticks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
ROOM = 0.05  # of the span, beyond the data where no limits are set
MOST_OF_A_LOGARITHM = 9


class Plain:
    """Equal differences are equally far apart."""

    def forward(self, values: ArrayLike) -> Floats:
        """Positions of values [N] in units of the scale; NaN for values outside its domain."""
        return np.asarray(values, dtype=np.float64)

    def backward(self, places: Floats) -> Floats:
        """The values at those places."""
        return places

    def ticks(self, low: float, high: float, most: int, *, whole: bool) -> list[float]:
        """Multiples of a round step, at most `most` steps; `whole` numbers only, if asked for."""
        steps = [step for step in STEPS if not whole or step != 2.5]
        rough = (high - low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(step for step in (each * power for each in steps) if step >= rough * (1 - 1e-9))
        step = max(step, 1.0) if whole else step
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return [round(number * step, 12 - math.floor(math.log10(step))) for number in range(first, last + 1)]


class Logarithmic(Plain):
    """Equal ratios are equally far apart; 0 and less have no place."""

    def forward(self, values: ArrayLike) -> Floats:
        """Places of values: their logarithms to base 10; NaN where a value is 0 or below."""
        values = np.asarray(values, dtype=np.float64)
        return np.log10(np.where(values > 0, values, np.nan))

    def backward(self, places: Floats) -> Floats:
        """Values of places."""
        return np.asarray(10.0**places)

    def ticks(self, low: float, high: float, most: int, *, whole: bool) -> list[float]:
        """Powers of ten with three times each, where that are few; else every second power, third, ..."""
        powers = _powers(low, high)
        found = _within([factor * 10.0**power for power in powers for factor in (1, 3)], low, high)
        if len(found) <= MOST_OF_A_LOGARITHM:
            return found
        return _within([10.0**power for power in powers[:: -(-len(powers) // MOST_OF_A_LOGARITHM)]], low, high)


@dataclass(frozen=True)
class Symmetric(Plain):
    """Plain up to a threshold on both sides of 0, logarithmic beyond: a decade is as long as the plain part's half."""

    threshold: float

    def forward(self, values: ArrayLike) -> Floats:
        """Places of values: linear up to the threshold, logarithmic beyond it, signed."""
        values = np.asarray(values, dtype=np.float64)
        size = np.abs(values) / self.threshold
        return np.asarray(np.sign(values) * np.where(size > 1, 1 + np.log10(np.maximum(size, 1)), size))

    def backward(self, places: Floats) -> Floats:
        """Values of places."""
        beyond = np.sign(places) * self.threshold * 10.0 ** (np.abs(places) - 1)
        return np.where(np.abs(places) > 1, beyond, places * self.threshold)

    def ticks(self, low: float, high: float, most: int, *, whole: bool) -> list[float]:
        """0 and powers of ten beyond the threshold, every second power where they are many."""
        largest = max(abs(low), abs(high))
        powers = [power for power in _powers(self.threshold, largest) if 10.0**power >= self.threshold]
        powers = powers[:: -(-len(powers) // most)] if powers else []
        sizes = [10.0**power for power in powers]
        return _within([*(-size for size in reversed(sizes)), 0.0, *sizes], low, high)


def limits_of(scale: Plain, seen: Sequence[float], room: float = ROOM) -> tuple[float, float]:
    """From the lowest to the highest of the data, with some room on both sides."""
    places = scale.forward(seen)
    places = places[np.isfinite(places)]
    low, high = (float(places.min()), float(places.max())) if len(places) else (0.0, 1.0)
    around = room * (high - low) or max(abs(high) * ROOM, ROOM)
    ends = scale.backward(np.array([low - around, high + around]))
    return float(ends[0]), float(ends[1])


def written(ticks: Sequence[float]) -> list[str]:
    """Ticks with as many decimals as they need, all alike."""
    if any(tick and not 1e-4 <= abs(tick) < 1e7 for tick in ticks):
        return [f"{tick:.4g}".replace("-", "\N{MINUS SIGN}") for tick in ticks]
    decimals = max((len(f"{tick:.10g}".partition(".")[2]) for tick in ticks), default=0)
    return [f"{tick:.{decimals}f}".replace("-", "\N{MINUS SIGN}") for tick in ticks]


def _powers(low: float, high: float) -> list[int]:
    return list(range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1))


def _within(ticks: Sequence[float], low: float, high: float) -> list[float]:
    return [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9) or (tick == 0 and low <= 0 <= high)]
