"""One piece of a run scored and published: the part, its rejected rows, its ids' digests, and last the marker."""

from runtime.model import Model  # first: it keeps onnxruntime and numpy quiet

# isort: split
import csv
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cli.allocation import keep_freed_memory
from cli.errors import UserError
from runtime.manifest import ModelRefused
from scoring.brought import brought, refuse_changed
from scoring.csv_rows import Broken
from scoring.files import Rows, open_rows
from scoring.marker import Entry, Input, Marker
from scoring.names import Runs, digests
from scoring.output import Output, output_of, publish_text, work_folder
from scoring.plan import RUN, File, Job, Piece, changed
from scoring.scorer import Scored, Scorer
from scoring.tally import Tally
from storage.address import Address
from storage.digest import sha256_of
from storage.json_file import json_text
from storage.store import Store

ROW_GROUP = 2**17  # rows of the output
REJECTED = ["file", "row", "id", "reason"]
Report = Callable[[int], None]
"""Receives the number of rows that were read since it was called last."""


class Parts:
    """State of a worker for all its pieces: the model and the destination of parts."""

    def __init__(self, job: Job) -> None:
        """Raise UserError for a model that fails its checks or is another one, and where the output is not seen."""
        keep_freed_memory()
        pa.set_cpu_count(1)
        pa.set_io_thread_count(1)
        try:
            model = Model.load(job.model)
            if (found := model.manifest.model_version) != job.version:
                raise ModelRefused(
                    f"{job.model}: expected model {job.version}, got {found}; was it replaced meanwhile?"
                )
            self._scorer = Scorer(model, job.reading, explain=job.explain)
        except ModelRefused as refusal:
            raise UserError(str(refusal)) from refusal
        self._job = job
        self._output: Output = output_of(job.out)
        run = self._output.read(RUN)
        if run is None or sha256_of(run) != job.digest:
            problem = f"{job.out}: a worker (process {os.getpid()}) does not find this run there"
            raise UserError(f"{problem}; name a folder that all workers share, or s3://")

    def score(self, piece: Piece, report: Report) -> Marker:
        """Score a piece and publish it. Raises UserError."""
        file = self._job.files[piece.file]
        with work_folder(self._output) as work:
            try:
                units = range(piece.start, piece.stop)
                with brought(file, units, self._job.reading.columns, work) as (path, cuts):
                    rows = open_rows(file.name, path, self._job.reading, cuts, file.said)
                    return self._score(piece, file, path, rows, work, report)
            except ModelRefused as refusal:  # some files of a model are read with the first batch that needs them
                raise UserError(str(refusal)) from refusal
            except UnicodeDecodeError as fault:
                raise UserError(f"{file.name}: holds text that is not UTF-8: {fault}; write it as UTF-8") from fault

    def _score(self, piece: Piece, file: File, path: Path, rows: Rows, work: Path, report: Report) -> Marker:
        if file.units is not None and tuple(rows.units or ()) != file.units:
            raise changed(file.name)
        stop = len(rows.units) if rows.units is not None and piece.rows is None else piece.stop
        tally, runs = Tally(), Runs(work / "ids")
        part, rejects = work / "part", work / "rejects"
        with Writer(part, self._scorer.schema) as writer, rejects.open("w", encoding="utf-8", newline="") as refused:
            lines = csv.writer(refused, lineterminator="\n")
            for first, batch in rows.batches(piece.start, stop):
                scored = self._scorer.score(batch, first, is_csv=rows.is_csv)
                writer.add(scored.rows)
                if self._job.reading.id is not None:
                    runs.add(digests(scored.rows.column(0)))
                tally.add(scored.tally)
                tally.rejected += _write(lines, file, scored, self._not_left_out(rows.broken(), tally))
                report(batch.num_rows)
            if not tally.bands:  # a part without a batch
                empty = pa.RecordBatch.from_pylist([], schema=_read_schema(self._job, rows.schema))
                tally.add(self._scorer.score(empty, is_csv=rows.is_csv).tally)
            tally.rejected += _write(lines, file, None, self._not_left_out(rows.broken(), tally))
        runs.flush()
        source = _input(file, path) if piece.is_first else None
        refuse_changed(file)
        stem = piece.marker.removesuffix(".json")
        rows_of_it = self._publish(part, piece.part)
        rejects_of_it = self._publish(rejects, f"{stem}.rejects.csv") if tally.rejected else None
        ids = self._publish(work / "ids", f"{stem}.ids") if runs.lengths else None
        marker = Marker(piece.number, piece.part, tally, rows_of_it, rejects_of_it, ids, tuple(runs.lengths), source)
        publish_text(self._output, piece.marker, json_text(marker.as_dict()))
        return marker

    def _not_left_out(self, broken: list[Broken], tally: Tally) -> list[Broken]:
        """The lines that are to be rejected; those that `data.exclude` leaves out are counted in `tally`."""
        places = [self._scorer.left_out_by(line.cells) for line in broken]
        for place in places:
            if place >= 0:
                tally.left_out[place] += 1
        return [line for line, place in zip(broken, places, strict=True) if place < 0]

    def _publish(self, path: Path, name: str) -> Entry:
        digest, size = sha256_of(path), path.stat().st_size
        self._output.publish(path, name, digest)
        return Entry(name, size, digest)


class Writer:
    """A Parquet file whose row groups have ROW_GROUP rows, whatever batches come."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        coded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        coded += ["reasons.list.element"] if "reasons" in schema.names else []
        self._file = path.open("wb")
        self._writer = pq.ParquetWriter(
            self._file, schema, compression="zstd", compression_level=1, use_dictionary=coded
        )
        self._schema, self._waiting, self._count = schema, list[pa.RecordBatch](), 0

    def __enter__(self) -> "Writer":
        """Return the writer."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Write what is left and close the file; after an exception, close it only."""
        try:
            if kind is None:
                self._flush(self._count)
                self._writer.close()
        finally:
            with suppress(OSError):  # a full disk was reported; the rest of the file is deleted
                self._writer.close()
            with suppress(OSError):
                self._file.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Add rows, and write full row groups."""
        self._waiting.append(batch)
        self._count += batch.num_rows
        while self._count >= ROW_GROUP:
            self._flush(ROW_GROUP)

    def _flush(self, rows: int) -> None:
        table = pa.Table.from_batches(self._waiting, self._schema)
        if rows:
            self._writer.write_table(table.slice(0, rows).combine_chunks(), row_group_size=ROW_GROUP)
        self._waiting = table.slice(rows).to_batches()
        self._count -= rows


def _write(lines: Any, file: File, scored: Scored | None, broken: list[Broken]) -> int:
    """Write rejected rows, and return how many of them no batch has counted."""
    found = [] if scored is None else list(zip(*scored.rejects.to_pydict().values(), strict=True))
    found += [(line.row, None, line.reason) for line in broken]
    for row, name, reason in sorted(found, key=lambda reject: reject[0]):
        lines.writerow([file.name, row, name, reason])
    return len(broken)


def _read_schema(job: Job, schema: pa.Schema) -> pa.Schema:
    return pa.schema([schema.field(column) for column in job.reading.columns_of(schema)])


def _input(file: File, path: Path) -> Input:
    if file.tag is None:
        return Input(file.name, file.size, sha256_of(path))
    return Input(file.name, file.size, Store().sha256_of(Address.of_object(file.place)), file.tag)


def write_header(file: IO[str]) -> None:
    """The header of rejects.csv."""
    csv.writer(file, lineterminator="\n").writerow(REJECTED)
