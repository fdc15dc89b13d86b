"""One book in one process, in two, and on Spark's workers: the same bits. Skipped where Spark or its JVM is missing."""

import os
import shutil
import sys
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoring.engine import answers, schema_of
from tests.scoring.conftest import Score, book_of
from tests.stopped import ROOT

pytestmark = [
    pytest.mark.tier("full"),
    pytest.mark.filterwarnings("ignore"),  # of what Spark itself calls
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs a JVM, and there is no java here"),
]


def test_spark_gives_the_bits_of_one_process_and_of_two(
    score: Score, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spark_sql = pytest.importorskip("pyspark.sql", reason="Spark is not installed: pip install pyspark")
    from_arrow_schema = pytest.importorskip("pyspark.sql.pandas.types").from_arrow_schema
    book = tmp_path / "book.parquet"
    pq.write_table(book_of(6_000), book, row_group_size=1_000)
    assert score(book, "one") == 0
    assert score(book, "two", "--workers", "2") == 0
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    builder = spark_sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.sql.files.maxPartitionBytes", 100_000)
    spark = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", 700).getOrCreate()
    try:
        asked = spark.read.parquet(str(book))
        assert asked.rdd.getNumPartitions() > 1
        columns = from_arrow_schema(schema_of(str(model)))
        found = asked.mapInArrow(partial(answers, model=str(model)), columns).toArrow().sort_by("uuid")
    finally:
        spark.stop()
    assert found.column("rejected").null_count == 6_000
    for out in ("one", "two"):
        rows = pa.concat_tables(pq.read_table(path) for path in sorted((tmp_path / out).glob("part-*.parquet")))
        expected = rows.sort_by("uuid")
        for name in expected.column_names:
            its = found.column(name).combine_chunks()
            assert its.equals(expected.column(name).cast(its.type).combine_chunks())
            if its.type == pa.float64():
                assert its.to_numpy().tobytes() == expected.column(name).to_numpy().tobytes()
