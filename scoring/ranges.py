"""The footer of a Parquet file in S3, in a file with holes: its columns and row groups without the rows."""

from pathlib import Path

from cli.errors import UserError
from storage.address import Address
from storage.store import Store
from table.parquet_file import CUT_SHORT, MAGIC

FOOTER = 2**16  # bytes in which most footers are
LENGTH = 4


def bring_footer(store: Store, address: Address, size: int, path: Path, tag: str | None = None) -> str:
    """Writes first and last bytes of an object of `size` bytes to their places in a file; returns the object's ETag.

    Raises UserError for an object that is no whole Parquet file, or has another ETag than `tag`.
    """
    first = max(size - FOOTER, 0)
    tail, tag = store.read_range(address, first, size, tag)
    if len(tail) < LENGTH + len(MAGIC) or not tail.endswith(MAGIC):
        raise UserError(f"{address}: {CUT_SHORT}")
    length = int.from_bytes(tail[-len(MAGIC) - LENGTH : -len(MAGIC)], "little") + LENGTH + len(MAGIC)
    if length > len(tail):
        if length > size:
            raise UserError(f"{address}: {CUT_SHORT}")
        first = size - length
        tail, _ = store.read_range(address, first, size, tag)
    with path.open("wb") as file:
        file.write(MAGIC)
        file.seek(first)
        file.write(tail)
    return tag
