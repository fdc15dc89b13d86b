"""Marker of a whole part: its files with their digests, and the counts of its rows.

    {"piece": 3, "part": "part-00003.parquet", "tally": {"rows": 1000, …}, "runs": [1000],
     "files": {"rows": {"name": "part-00003.parquet", "bytes": 33291, "sha256": "5ab1…"}}}

A worker writes it last, beside the part. It goes to the parent as this type and to the next run as JSON.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from scoring.tally import Tally


@dataclass(frozen=True)
class Entry:
    """A file of the output."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Input:
    """A file of the table. Of one that S3 gave in ranges the sha256 may be unknown; its ETag then says what it was."""

    name: str
    bytes: int
    sha256: str | None
    etag: str | None = None

    @property
    def digest(self) -> str:
        """Digest of the bytes."""
        return self.sha256 or f"etag:{self.etag}"

    def as_dict(self) -> dict[str, Any]:
        """In JSON's types; an ETag only without a sha256."""
        its = asdict(self)
        return its if self.sha256 is None else {key: value for key, value in its.items() if key != "etag"}


@dataclass(frozen=True)
class Marker:
    """A piece that is done."""

    piece: int
    part: str
    tally: Tally
    rows: Entry
    rejects: Entry | None = None
    ids: Entry | None = None
    runs: tuple[int, ...] = ()
    """Lengths of the sorted runs of `ids`."""
    input: Input | None = None
    """With the first piece of a file: that file."""

    @property
    def files(self) -> list[Entry]:
        """All that the piece has put into the output, besides its marker."""
        return [entry for entry in (self.rows, self.rejects, self.ids) if entry is not None]

    def as_dict(self) -> dict[str, Any]:
        """In JSON's types."""
        files = {"rows": self.rows, "rejects": self.rejects, "ids": self.ids}
        return {
            "piece": self.piece,
            "part": self.part,
            "tally": self.tally.as_dict(),
            **({} if self.input is None else {"input": self.input.as_dict()}),
            "files": {what: asdict(entry) for what, entry in files.items() if entry is not None},
            "runs": list(self.runs),
        }

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """Read the result of `as_dict`. Raises TypeError, KeyError, AttributeError or ValueError for anything else."""
        files = {what: Entry(**its) for what, its in entry["files"].items()}
        source = Input(**entry["input"]) if "input" in entry else None
        tally, runs = Tally.of(entry["tally"]), tuple(map(int, entry["runs"]))
        return cls(entry["piece"], entry["part"], tally, **files, runs=runs, input=source)
