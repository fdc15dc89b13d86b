"""Counts of scored rows; tallies of parts add up to that of a run."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass
class Tally:
    """Counts by band, grade and bin of the training scores; of each feature those missing and those new to training."""

    rows: int = 0
    rejected: int = 0
    bands: list[int] = field(default_factory=list)
    grades: list[int] = field(default_factory=list)
    """Empty for a model without grades."""
    bins: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    unusual: list[int] = field(default_factory=list)
    """Numbers outside of the range that training saw, categories that it did not see."""
    left_out: list[int] = field(default_factory=list)
    """Rows by value of `data.exclude`, in its order."""

    @property
    def read(self) -> int:
        """Rows scored, rejected and left out."""
        return self.rows + self.rejected + sum(self.left_out)

    def add(self, other: "Tally") -> None:
        """Add the counts of other rows."""
        self.rows += other.rows
        self.rejected += other.rejected
        for name in ("bands", "grades", "bins", "missing", "unusual", "left_out"):
            mine, its = getattr(self, name), getattr(other, name)
            setattr(self, name, [a + b for a, b in zip(mine, its, strict=True)] if mine else list(its))

    def as_dict(self) -> dict[str, Any]:
        """In JSON's types."""
        return asdict(self)

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """Read the result of `as_dict`. Raises TypeError or KeyError for anything else."""
        return cls(**entry)

    @classmethod
    def sum(cls, tallies: Iterable["Tally"]) -> Self:
        """All of them together."""
        whole = cls()
        for tally in tallies:
            whole.add(tally)
        return whole
