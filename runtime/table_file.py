"""The format of reasons.bin and batch.bin: a header of JSON and raw arrays behind it, each at a multiple of 64 bytes.

A start compares only the first bytes, which costs almost nothing; the first use compares and maps the whole file.
trees.table_file writes the format: raise a VERSION where an older reader could misread a newer file.
"""

import json
import os
from typing import TYPE_CHECKING, Any

from runtime.reader import EXPORT_AGAIN, ModelRefused

if TYPE_CHECKING:
    from mmap import mmap
    from typing import TypeAlias

    from numpy.typing import NDArray

    Parsed: TypeAlias = tuple[dict[str, Any], dict[str, NDArray[Any]]]

ALIGNED = 64
MOST_HEADER = 64 * 2**20


class TableFile:
    """One of the two files: its name, what it holds, its first bytes, its version, and its arrays with their dtypes."""

    __slots__ = ("arrays", "content", "magic", "name", "version")

    def __init__(self, name: str, content: str, magic: bytes, version: int, arrays: dict[str, str]) -> None:
        self.name = name
        self.content = content
        self.magic = magic
        self.version = version
        self.arrays = arrays

    def check_header(self, folder: str, size: int, graph: str) -> None:
        """Refuse a file of another size than the manifest says, of another format, or of another graph."""
        path = f"{folder}/{self.name}"
        try:
            found = os.stat(path).st_size  # noqa: PTH116  (pathlib: 5 ms of start-up)
            with open(path, "rb") as file:  # noqa: PTH123
                start = file.read(self._fixed)
                head = file.read(min(_length_of(start), MOST_HEADER))
        except OSError as fault:
            raise ModelRefused(f"{path}: expected {self.content}, got: {fault.strerror}; {EXPORT_AGAIN}") from None
        if found != size:
            raise ModelRefused(f"{path}: expected {size} bytes, got {found}; {EXPORT_AGAIN}")
        self._refuse_other(path, start, head, graph)

    def read(self, folder: str, digest: str, graph: str) -> "Parsed":
        """Map the file whose sha256 is `digest`. Raises ModelRefused for any other, or one of another graph."""
        import mmap  # a start does without

        from runtime.digest import sha256

        path = f"{folder}/{self.name}"
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as fault:
            raise ModelRefused(f"{path}: expected {self.content}, got: {fault.strerror}; {EXPORT_AGAIN}") from None
        except ValueError:
            raise ModelRefused(f"{path}: expected {self.content}, got an empty file; {EXPORT_AGAIN}") from None
        if (found := sha256(content)) != digest:
            raise ModelRefused(f"{path}: sha256: expected {digest}, got {found}; {EXPORT_AGAIN}")
        start = content[: self._fixed]
        self._refuse_other(path, start, content[self._fixed : self._fixed + _length_of(start)], graph)
        return self.parse(content)

    def parse(self, content: "bytes | mmap") -> "Parsed":
        """The header and the arrays of a file whose bytes are known to be whole; the arrays are not copied."""
        import numpy as np  # who deploys a file does without

        place = self._fixed + _length_of(content[: self._fixed])
        head = json.loads(content[self._fixed : place])
        arrays = {}
        for name, kind in self.arrays.items():
            if name not in head["lengths"]:  # most files have no graph
                arrays[name] = np.empty(0, kind)
                continue
            place += -place % ALIGNED
            arrays[name] = np.frombuffer(content, kind, head["lengths"][name], place)
            place += arrays[name].nbytes
        return head, arrays

    @property
    def _fixed(self) -> int:
        """Bytes in front of the JSON: the first ones, the version, the JSON's length."""
        return len(self.magic) + 8

    def _refuse_other(self, path: str, start: bytes, head: bytes, graph: str) -> None:
        version = int.from_bytes(start[len(self.magic) : -4], "little")
        if start[: len(self.magic)] != self.magic or version != self.version:
            expected = f"{self.content} of version {self.version}"
            raise ModelRefused(f"{path}: expected {expected}, got other bytes; {EXPORT_AGAIN}")
        try:
            of = json.loads(head)["graph"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ModelRefused(f"{path}: expected a header of JSON, got other bytes; {EXPORT_AGAIN}") from None
        if of != graph:
            raise ModelRefused(f"{path}: expected tables of graph {graph}, got those of {of}; {EXPORT_AGAIN}")


def _length_of(start: bytes) -> int:
    """Bytes of the JSON."""
    return int.from_bytes(start[-4:], "little")


REASONS_FILE = TableFile(
    "reasons.bin",
    "tables of reasons",
    b"LBREASON",
    1,
    {
        "thresholds": "<f8",
        "axis": "<u2",
        "base": "<u4",
        "starts": "<u4",
        "bits": "<u4",
        "strides": "<u4",
        "players": "<u2",
        "tables": "<f4",
        "graph": "<u1",
    },
)
BATCH_FILE = TableFile(
    "batch.bin",
    "tables of batches",
    b"LBATCHES",
    1,
    {
        "thresholds": "<f8",
        "conditions": "<u4",
        "masks": "<u2",
        "terms": "<u2",
        "order": "<u2",
        "leaves": "<f4",
        "calibrator": "<u1",
    },
)
