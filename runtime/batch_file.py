"""The first bytes of batch.bin, which a start compares, since it costs almost nothing. runtime.batch reads on."""

import json
import os
from typing import Any

from runtime.reader import EXPORT_AGAIN, ModelRefused

FILE = "batch.bin"
MAGIC, VERSION = b"LBATCHES", 1
FIXED = len(MAGIC) + 8
MOST_HEADER = 64 * 2**20


def check_header(path: str, size: int, graph: str) -> None:
    """Refuses a file of another size than the manifest says, of another format, or of another graph.

    What costs a start almost nothing; `read_batch` compares all.
    """
    try:
        found = os.stat(path).st_size  # noqa: PTH116  (pathlib: 5 ms of start-up)
        with open(path, "rb") as file:  # noqa: PTH123
            start = file.read(FIXED)
            head = file.read(min(length_of(start), MOST_HEADER))
    except OSError as fault:
        raise ModelRefused(f"{path}: expected tables of batches, got: {fault.strerror}; {EXPORT_AGAIN}") from None
    if found != size:
        raise ModelRefused(f"{path}: expected {size} bytes, got {found}; {EXPORT_AGAIN}")
    header_of(path, start, head, graph)


def length_of(start: bytes) -> int:
    """Bytes of the JSON behind the first FIXED."""
    return int.from_bytes(start[-4:], "little")


def header_of(path: str, start: bytes, head: bytes, graph: str) -> dict[str, Any]:
    """The header's JSON. Raises ModelRefused for other bytes, and for tables of another graph."""
    version = int.from_bytes(start[len(MAGIC) : -4], "little")
    if start[: len(MAGIC)] != MAGIC or version != VERSION:
        raise ModelRefused(f"{path}: expected tables of batches of version {VERSION}, got other bytes; {EXPORT_AGAIN}")
    try:
        content = json.loads(head)
        of = content["graph"]
    except (ValueError, TypeError, KeyError):
        raise ModelRefused(f"{path}: expected a header of JSON, got other bytes; {EXPORT_AGAIN}") from None
    if of != graph:
        raise ModelRefused(f"{path}: expected tables of graph {graph}, got those of {of}; {EXPORT_AGAIN}")
    return dict(content)
