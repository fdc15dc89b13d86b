"""One row, a batch, and the export, each against what it replaces in the same run."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import Row
from benchmarks.subject import SILENT, applicants, subject
from benchmarks.timing import spread, take_turns
from export.to_onnx import export
from runtime.session import open_session


def measure() -> Iterator[Row]:
    """Ratios of medians."""
    its = subject()
    preparation, classifier = its.pipeline[0], its.pipeline[1]
    frame = applicants()
    inputs = preparation.raw_inputs(frame)
    row = {name: matrix[:1] for name, matrix in inputs.items()}
    session = open_session((its.folder / "model/model.onnx").read_bytes())
    booster, matrix = classifier.estimators_[0].get_booster(), preparation.transform(frame[:1])
    one = take_turns(
        {
            "graph": lambda: session.run(["probability"], row),
            "booster": lambda: booster.inplace_predict(matrix),
        },
        rounds=9,
        calls=500,
    )
    yield Row("one row, the whole graph (600 trees), µs", f"{one['graph'] * 1e6:.1f}", "")
    yield Row("one row, inplace_predict of one booster (200 trees), µs", f"{one['booster'] * 1e6:.1f}", "")
    yield Row(
        "one row through the graph (600 trees), times as fast as inplace_predict of one booster (200)",
        f"{one['booster'] / one['graph']:.1f}",
        "≥ 5",
        "one-row",
        spread(one["booster"], one["graph"], ".1f"),
    )
    batch = take_turns(
        {
            "runtime": lambda: its.model.predict(**preparation.raw_inputs(frame)),
            "graph": lambda: session.run(None, preparation.raw_inputs(frame)),
            "pipeline": lambda: its.pipeline.predict_proba(frame),
        },
        rounds=9,
    )
    for name, what in (
        ("runtime", "Model.predict"),
        ("graph", "session.run, rows as they come"),
        ("pipeline", "predict_proba"),
    ):
        yield Row(f"batch of {len(frame):,} raw rows, {what}, rows/s", f"{len(frame) / batch[name]:,.0f}", "")
    yield Row(
        f"batch of {len(frame):,} raw rows, times as fast as the pipeline's predict_proba",
        f"{batch['pipeline'] / batch['runtime']:.2f}",
        "≥ 1.0",
        "batch",
        spread(batch["pipeline"], batch["runtime"]),
    )
    with TemporaryDirectory() as folder:
        begin = time.perf_counter()
        export(its.artifacts, Path(folder) / "model", SILENT)
        yield Row("export with certificate, seconds", f"{time.perf_counter() - begin:.1f}", "≤ 15", "export")
