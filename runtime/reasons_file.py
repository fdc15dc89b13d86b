"""The first bytes of reasons.bin, which a start compares, since it costs almost nothing. runtime.tables reads on."""

import json
import os
from typing import Any

from runtime.reader import EXPORT_AGAIN, ModelRefused

MAGIC, VERSION = b"LBREASON", 1
FIXED = len(MAGIC) + 8
MOST_HEADER = 64 * 2**20


def check_header(path: str, size: int, graph: str) -> None:
    """Refuses a file of another size than the manifest says, of another format, or of another graph.

    What costs a start almost nothing; `Tables.read` compares all.
    """
    try:
        found = os.stat(path).st_size  # noqa: PTH116  (pathlib: 5 ms of start-up)
        with open(path, "rb") as file:  # noqa: PTH123
            start = file.read(FIXED)
            head = file.read(min(length_of(start), MOST_HEADER))
    except OSError as fault:
        raise ModelRefused(f"{path}: expected tables of reasons, got: {fault.strerror}; {EXPORT_AGAIN}") from None
    if found != size:
        raise ModelRefused(f"{path}: expected {size} bytes, got {found}; {EXPORT_AGAIN}")
    header_of(path, start, head, graph)


def length_of(start: bytes) -> int:
    return int.from_bytes(start[-4:], "little")


def header_of(path: str, start: bytes, head: bytes, graph: str) -> dict[str, Any]:
    version = int.from_bytes(start[len(MAGIC) : -4], "little")
    if start[: len(MAGIC)] != MAGIC or version != VERSION:
        raise ModelRefused(f"{path}: expected tables of reasons of version {VERSION}, got other bytes; {EXPORT_AGAIN}")
    try:
        content = json.loads(head)
        of = content["graph"]
    except (ValueError, TypeError, KeyError):
        raise ModelRefused(f"{path}: expected a header of JSON, got other bytes; {EXPORT_AGAIN}") from None
    if of != graph:
        raise ModelRefused(f"{path}: expected tables of graph {graph}, got those of {of}; {EXPORT_AGAIN}")
    return dict(content)
