"""A run divided into pieces: each becomes one part of the output, the same on any worker and in any order."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from cli.errors import UserError
from runtime.manifest import Manifest
from scoring.csv_cuts import BLOCK, Cuts
from scoring.csv_rows import CsvRows
from scoring.documents import ScoringRun
from scoring.files import is_csv, open_file
from scoring.formats import PACKED
from scoring.ranges import bring_footer
from scoring.reading import Reading
from storage.address import Address, is_remote
from storage.digest import sha256_of
from storage.files import entries_of
from storage.store import Store
from table.parquet_file import SUFFIXES
from table.parts import Part, part_of, parts_of

ROWS_OF_A_PART = 2**20
SIDE_BY_SIDE = 8  # files in S3 that are looked at at once
SMALL_CSV = 2**26  # bytes: of a CSV in S3 with no more, one part is made without a look
RUN = "_lastbit/run.json"
SUMMARY, REJECTS = "summary.json", "rejects.csv"


@dataclass(frozen=True)
class File:
    """A file of the table.

    `stamp` changes with the file's content; `units` are its row groups, its record batches or, in a CSV, the rows
    between cuts.
    """

    name: str
    place: str
    """A path, or an address in S3."""
    size: int
    stamp: str
    units: tuple[int, ...] | None = None
    starts: tuple[int, ...] | None = None
    """Byte at which each unit of a cut CSV begins."""
    header: int = 0
    """The byte behind the header of a cut CSV."""
    names: tuple[str, ...] = ()
    """The names of the columns of a CSV whose header lacks one."""
    said: tuple[tuple[str, str | None], ...] = ()
    """The columns that are read and that the names of its folders say, with their values."""
    tag: str | None = None
    """The ETag of a file in S3 that is read in ranges."""

    @property
    def cuts(self) -> Cuts | None:
        """Cuts of a CSV."""
        return (
            None
            if self.starts is None or self.units is None
            else Cuts(self.starts, self.units, self.header, self.names)
        )


@dataclass(frozen=True)
class Piece:
    """Some units of a file, or a whole one; `rows` is None if only reading counts them."""

    number: int
    file: int
    start: int
    stop: int
    rows: int | None
    size: int

    @property
    def part(self) -> str:
        """The name of its part in the output."""
        return f"part-{self.number:05d}.parquet"

    @property
    def marker(self) -> str:
        """The file that says that the part is whole."""
        return f"_lastbit/part-{self.number:05d}.json"

    @property
    def is_first(self) -> bool:
        """True for the piece in which its file is digested."""
        return self.start == 0


@dataclass(frozen=True)
class Plan:
    """The files of a table and their pieces, in order."""

    files: tuple[File, ...]
    pieces: tuple[Piece, ...]

    @property
    def rows(self) -> int | None:
        """All rows, where the files say how many."""
        counts = [piece.rows for piece in self.pieces]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def digest(self) -> str:
        """The sha256 of what is scored, by name, size and time of each file, and of how it is cut."""
        files = [
            [file.name, file.size, file.stamp, file.units, file.starts, file.tag]
            + ([file.names, file.said] if file.names or file.said else [])
            for file in self.files
        ]
        pieces = [[piece.file, piece.start, piece.stop] for piece in self.pieces]
        return sha256_of(json.dumps([files, pieces]).encode())


def plan_of(name: str, reading: Reading, rows: int = ROWS_OF_A_PART) -> Plan:
    """The plan for what a user calls `name`: a file, a folder, a pattern, or an address in S3.

    Each file here, and each Parquet file in S3, is opened, so that one that is cut short or has other columns is
    refused before anything is scored. Raises UserError.
    """
    files = tuple(_in_s3(name, reading, rows) if is_remote(name) else _here(name, reading, rows))
    pieces: list[Piece] = []
    for number, file in enumerate(files):
        for start, stop, count in _cuts(file.units, rows):
            share = 1.0 if count is None else count / max(sum(file.units or ()), 1)
            pieces.append(Piece(len(pieces), number, start, stop, count, round(file.size * share)))
    return Plan(files, tuple(pieces))


def _here(name: str, reading: Reading, rows: int) -> Iterator[File]:
    for part in parts_of(name, Path(name)):
        said = _said(part, reading)
        opened = open_file(part.name, part.path, reading, said=said)
        stat = part.path.stat()
        cuts = opened.cut(rows) if isinstance(opened, CsvRows) else None
        units = opened.units if cuts is None else cuts.rows
        place, stamp = str(part.path.absolute()), str(stat.st_mtime_ns)
        file = File(part.name, place, stat.st_size, stamp, None if units is None else tuple(units), said=said)
        if isinstance(opened, CsvRows):
            file = replace(file, names=opened.names)
        yield file if cuts is None else replace(file, starts=cuts.starts, header=cuts.header)


def _said(part: Part, reading: Reading) -> tuple[tuple[str, str | None], ...]:
    wanted = reading.columns
    return tuple((column, value) for column, value in part.values.items() if column in wanted)


def _in_s3(name: str, reading: Reading, rows: int) -> Iterator[File]:
    store = Store()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool, tempfile.TemporaryDirectory(prefix="lastbit-") as work:
        look = partial(_looked_at, store, reading, rows, Path(work))
        yield from pool.map(look, enumerate(_listed(name, store, reading)))


def _looked_at(store: Store, reading: Reading, rows: int, work: Path, numbered: tuple[int, File]) -> File:
    """A file in S3 with its row groups or cuts, if it is Parquet by its name, or a large CSV.

    It is read in ranges if it has several pieces.
    """
    number, file = numbered
    path = work / str(number)
    if not file.size:
        return file
    if Path(file.name).suffix in PACKED:  # is one part, and its beginning alone cannot be unpacked
        return file
    if Path(file.name).suffix.lower() not in SUFFIXES:
        return file if file.size <= SMALL_CSV else _cut_in_s3(store, reading, rows, path, file)
    tag = bring_footer(store, Address.of_object(file.place), file.size, path)
    units = tuple(open_file(file.name, path, reading, said=file.said).units or ())
    path.unlink()
    pieces = len(list(_cuts(units, rows)))
    return replace(file, units=units, tag=tag if pieces > 1 else None)


def _cut_in_s3(store: Store, reading: Reading, rows: int, path: Path, file: File) -> File:
    """A CSV in S3 with its cuts, for which all of it is read once; any other file as it is."""
    address = Address.of_object(file.place)
    head, tag = store.read_range(address, 0, min(BLOCK, file.size))
    path.write_bytes(head)
    opened = open_file(file.name, path, reading, said=file.said) if is_csv(file.name, head) else None
    path.unlink()
    if not isinstance(opened, CsvRows):
        return file
    others = ((first, min(first + BLOCK, file.size)) for first in range(len(head), file.size, BLOCK))
    cuts = opened.cut(rows, chain([head], (store.read_range(address, *each, tag)[0] for each in others)))
    if cuts is None:
        return file
    file = replace(file, units=cuts.rows, starts=cuts.starts, header=cuts.header, names=cuts.names)
    return replace(file, tag=tag) if len(cuts.rows) > 1 else file


def _listed(name: str, store: Store, reading: Reading) -> Iterator[File]:
    address = Address.of_table(name)
    entries = entries_of(store, address) if address.is_several else []
    if entries:
        base = address.before_pattern
        for entry in entries:
            place = str(base / entry.key)
            said = _said(part_of(str(base), Path(entry.key), Path()), reading)
            yield File(place, place, entry.size, entry.written.isoformat(), said=said)
        return
    folder, _, key = address.key.rpartition("/")
    found = next((each for each in store.listed(Address(address.bucket, folder)) if each.key == key), None)
    if found is None:
        raise UserError(f"{name}: no such key; correct the address")
    yield File(name, name, found.size, found.written.isoformat())


def _cuts(units: Sequence[int] | None, rows: int) -> Iterator[tuple[int, int, int | None]]:
    """Neighbouring units with at most `rows` together, or one with more."""
    if units is None:
        yield 0, 0, None
        return
    start, count = 0, 0
    for number, size in enumerate(units):
        if count and count + size > rows:
            yield start, number, count
            start, count = number, 0
        count += size
    yield start, len(units), count


def changed(name: str) -> UserError:
    """The refusal of a file that is another one than the plan saw."""
    return UserError(f"{name}: was changed while it was scored; name another --out and run again")


@dataclass(frozen=True)
class Job:
    """Everything that a worker has to know about a run; `digest` is that of run.json."""

    model: str
    version: str
    explain: bool
    reading: Reading
    out: str
    files: tuple[File, ...]
    digest: str


def identity(plan: Plan, manifest: Manifest, reading: Reading, *, explain: bool, part_rows: int) -> ScoringRun:
    """Identity of a run: model, files, options, and the versions that decide about bytes."""
    import numpy
    import onnxruntime
    import pyarrow

    return {
        "format": 1,
        "model": {"version": manifest.model_version, "sha256": manifest.sha256},
        "settings": {"explain": explain, "part_rows": part_rows, **reading.as_dict()},
        "input": {"files": len(plan.files), "bytes": plan.size, "parts": len(plan.pieces), "plan": plan.digest()},
        "versions": {
            "numpy": numpy.__version__,
            "onnxruntime": onnxruntime.__version__,
            "pyarrow": pyarrow.__version__,
        },
    }
