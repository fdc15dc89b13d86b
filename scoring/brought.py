"""A file of the table where a worker can read it: on this machine, or brought from S3, whole or the bytes of a piece.

A Parquet file in S3 with several pieces is read in ranges: its footer, and the columns of the row groups that are
asked for. They are written to their own places in a file with holes, which is then read like any other. S3 has no
checksum for ranges: the ETag says that all are of one object, and pages with a checksum are compared with it.
Of a cut CSV the header and the rows of the piece are brought, one behind the other.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pyarrow.parquet as pq

from cli.disk import in_words
from cli.errors import UserError
from scoring.csv_cuts import Cuts
from scoring.plan import File, changed
from scoring.ranges import bring_footer
from storage.address import Address, is_remote
from storage.store import Store

NEAR = 2**20  # bytes of columns that are not needed, and cost less than one more request
BESIDE = 128  # bytes that Arrow may read behind a column


@contextmanager
def brought(file: File, units: range, columns: Collection[str], work: Path) -> Iterator[tuple[Path, Cuts | None]]:
    """A file that has at least some columns of some of its units, and the cuts of a CSV in it.

    Raises UserError for another file.
    """
    if not is_remote(file.place):
        refuse_changed(file)
        yield Path(file.place), file.cuts
        return
    path = work / f"input{PurePosixPath(file.name).suffix}"
    address, store = Address.of_object(file.place), Store()
    cuts = file.cuts
    if file.tag is not None and cuts is not None:
        first, last = (
            cuts.starts[unit] if unit < len(cuts.starts) else file.size for unit in (units.start, units.stop)
        )
        for part in (((0, cuts.header),) if first else ()) + ((first, last),):
            store.append_range(address, path, *part, file.tag)
        cuts = cuts.beside_header(units.start)
    elif file.tag is not None:
        bring_footer(store, address, file.size, path, file.tag)
        store.download_ranges(address, path, _ranges(path, units, columns), file.tag)
    else:
        store.download(address, path)
        if path.stat().st_size != file.size:
            raise changed(file.name)
    yield path, cuts


def refuse_changed(file: File) -> None:
    """Raise UserError for a file here that is another one than the plan saw."""
    if is_remote(file.place):
        return
    try:
        stat = Path(file.place).stat()
    except OSError as fault:
        raise UserError(f"{in_words(fault)}; workers have to see every file under its name") from fault
    if (stat.st_size, str(stat.st_mtime_ns)) != (file.size, file.stamp):
        raise changed(file.name)


def _ranges(path: Path, groups: range, columns: Collection[str]) -> list[tuple[int, int]]:
    """The bytes of some columns of row groups, ascending; neighbours that are near in one range."""
    metadata = pq.read_metadata(path)
    needed: list[tuple[int, int]] = []
    for group in groups:
        its = metadata.row_group(group)
        for number in range(its.num_columns):
            column = its.column(number)
            if column.path_in_schema.partition(".")[0] in columns:
                offsets = [column.data_page_offset]
                offsets += [column.dictionary_page_offset] if column.has_dictionary_page else []
                needed.append((min(offsets), min(offsets) + column.total_compressed_size + BESIDE))
    size = path.stat().st_size
    merged: list[tuple[int, int]] = []
    for first, last in sorted(needed):
        if merged and first - merged[-1][1] <= NEAR:
            merged[-1] = merged[-1][0], max(merged[-1][1], min(last, size))
        else:
            merged.append((first, min(last, size)))
    return merged
