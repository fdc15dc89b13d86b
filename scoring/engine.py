"""The scoring core within another engine: one scorer a process, a row out for each row in, columns every engine reads.

    answers(batches, "model")  # record batches in, record batches out: Spark's mapInArrow, Ray, DuckDB, Polars

A scorer is built with the first batch of a process and ends with the process. An engine that opened a session for each
batch would spend more on sessions than on rows (onnxruntime #9473, #5363, #5093).
"""

from collections.abc import Iterable, Iterator
from functools import cache
from threading import Lock

import numpy as np
import pyarrow as pa

from scoring.scorer import Scored, Scorer

REJECTED = pa.field("rejected", pa.string())
"""Why a row has no answer; null where it has one."""


_LOCK = Lock()
_kept = cache(Scorer.load)


def scorer_of(model: str, *, explain: bool = False) -> Scorer:
    """The scorer of this process over the model in a folder. Raises UserError as Scorer.load does."""
    with _LOCK:  # threads that begin together wait for the first
        return _kept(model, explain=explain)


def schema_of(model: str, *, explain: bool = False) -> pa.Schema:
    """The columns of `answers`: those of a part, text in place of dictionaries, and `rejected`."""
    return _schema_of(scorer_of(model, explain=explain))


def answers(batches: Iterable[pa.RecordBatch], model: str, *, explain: bool = False) -> Iterator[pa.RecordBatch]:
    """The answers to all rows, in their order; a row that the runtime would refuse has its id, nulls and the reason.

    Batches may have any size; memory holds one chunk of the core's besides.
    """
    scorer = scorer_of(model, explain=explain)
    schema, at_once = _schema_of(scorer), scorer.reading.rows_at_once
    for batch in batches:
        for first in range(0, batch.num_rows, at_once):
            some = batch.slice(first, at_once)
            scored = scorer.score(some, 0)
            yield _whole(scored, some.num_rows, schema, has_ids=scorer.reading.id is not None)


def _whole(scored: Scored, count: int, schema: pa.Schema, *, has_ids: bool) -> pa.RecordBatch:
    """Answers and rejects, whose rows are counted from 0, as one batch."""
    columns = [column.cast(field.type) for column, field in zip(scored.rows.columns, schema, strict=False)]
    refused = scored.rejects.column("row").to_numpy()
    reasons = np.full(count, None, dtype=object)
    if len(refused):
        is_refused = np.zeros(count, dtype=bool)
        is_refused[refused] = True
        places = pa.array(np.cumsum(~is_refused) - 1, mask=is_refused)
        columns = [column.take(places) for column in columns]
        reasons[refused] = scored.rejects.column("reason").to_pylist()
        if has_ids:
            ids = np.array(columns[0].to_pylist(), dtype=object)
            ids[refused] = scored.rejects.column("id").to_pylist()
            columns[0] = pa.array(ids, pa.string())
    return pa.RecordBatch.from_arrays([*columns, pa.array(reasons, REJECTED.type)], schema=schema)


def _schema_of(scorer: Scorer) -> pa.Schema:
    return pa.schema([*(pa.field(its.name, _plain(its.type)) for its in scorer.schema), REJECTED])


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type that every engine knows: without dictionaries, and nullable all through."""
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(its.name, _plain(its.type)) for its in kind])
    return kind
