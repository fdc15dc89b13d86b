"""Files that training reads and scoring does not, by what they begin with: what each is, and what to do."""

import re

from table.json_lines import is_json
from table.packed import OLD_EXCEL, ZIP, ZSTANDARD
from table.parquet_file import FEATHER, MAGIC

EXPECTED = "expected Parquet, CSV or Arrow"
SHEET = "save its sheet as CSV UTF-8"
COMPRESSED = (
    (re.compile(rb"\x1f\x8b"), "gzip", ".gz"),
    (re.compile(rb"BZh[1-9]1AY&SY"), "bzip2", ".bz2"),
    (re.compile(re.escape(ZSTANDARD)), "zstandard", ".zst"),
)
PACKED = (".gz", ".bz2", ".zst", ".lz4")
"""Suffixes by which Arrow knows a file as compressed."""
XZ = b"\xfd7zXZ\x00"


def foreign_bytes(head: bytes, *, is_unpacked: bool) -> str | None:
    """A line on a file that is not to be read as a CSV: its format and what to do; None for any other.

    `head` are its first bytes, `is_unpacked` True if they were compressed.
    """
    if head.startswith(ZIP):
        if b"opendocument" in head:
            return f"is an OpenDocument; {EXPECTED}; {SHEET}"
        if b"xl/" in head or b"[Content_Types].xml" in head:
            return f"is an Excel workbook; {EXPECTED}; {SHEET}"
        return f"is a zip; {EXPECTED}; extract it and name the file"
    if head.startswith(OLD_EXCEL):
        return f"is an Excel workbook of before 2007, or has a password; {EXPECTED}; {SHEET}"
    if head.startswith(XZ):
        return f"is compressed with xz; {EXPECTED}; decompress it with xz -d"
    if is_unpacked and head.startswith((MAGIC, FEATHER)):
        return "is Parquet or Arrow that was compressed as a whole; decompress it"
    for mark, tool, suffix in COMPRESSED:
        if mark.match(head):
            remedy = "twice; decompress it once" if is_unpacked else f"and not named so; name it .csv{suffix}"
            return f"is compressed with {tool} {remedy}"
    return None


def foreign_text(name: str, head: bytes) -> str | None:
    """As `foreign_bytes`, for text in UTF-8 of a file that the user calls `name`."""
    return f"is JSON; {EXPECTED}; save it as CSV or Parquet" if is_json(name, head) else None
