"""Groups of figures: a module with `measure` each, and what of the repository its figures depend on."""

from collections.abc import Iterator
from importlib import import_module

from benchmarks.report import Row

_SCORES = tuple(
    f"runtime.{name}"
    for name in ("batch", "branches", "columns", "conditions", "model", "planes", "score", "session", "tables")
)
_EXACT = ("trees", "export.graph", "export.converters", "training.estimator", *_SCORES)
_TRAINING = ("table", "population", "trees", "training", "validation")

# Modules and packages by their import names, files by paths; the group's own module is always one of them.
GROUPS: dict[str, tuple[str, ...]] = {
    "exactness": (*_EXACT, "export.certificate"),
    "million": _EXACT,
    "speed": ("trees", "export", *_SCORES),
    "batch": ("trees", "export.batch", *_SCORES, "runtime.dispatch", "runtime.service", "runtime.validate"),
    "startup": ("runtime", "export.packaging", "requirements/lambda.txt"),
    "parts": ("runtime", "export.packaging", "requirements/lambda.txt"),
    "warm": ("runtime", "requirements/lambda.txt"),
    "local": ("local.server",),
    "package": ("runtime", "export.packaging", "requirements/lambda.txt"),
    "training": _TRAINING,
    "fit": ("training.estimator",),
    "scale": _TRAINING,
    "larger": _TRAINING,
    "memory": (*_TRAINING, "export"),
    "reasons": ("trees", "export.reasons", "runtime.explain", *_SCORES),
    "explained": ("runtime", "requirements/lambda.txt"),
    "scoring": ("benchmarks.book", "benchmarks.machine", "scoring", "cli.allocation", *_SCORES),
    "own": ("runtime", "export.own", "export.converters", "export.certificate", "requirements/lambda.txt"),
    "peers": ("benchmarks.fidelity", "export.own", *_EXACT),
    "explainers": ("benchmarks.explaining", "benchmarks.fidelity.cases", "export.own", "export.reasons", *_EXACT),
}
QUICK = ("exactness", "startup", "package")
"""Groups of the headline figures that take about five minutes together."""


def measure(group: str) -> Iterator[Row]:
    """Measure a group, a row at a time."""
    rows: Iterator[Row] = import_module(f"benchmarks.{group}").measure()
    return rows


def measured(group: str) -> tuple[str, ...]:
    """Modules and files whose digests a figure of this group keeps."""
    return (f"benchmarks.{group}", *GROUPS[group])
