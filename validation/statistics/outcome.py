"""What a test answers."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Tested:
    """A statistic and its p value; both NaN where the test is not defined."""

    statistic: float
    p: float

    @property
    def is_defined(self) -> bool:
        """True where there is a p value."""
        return not math.isnan(self.p)
