"""Work that needs no model, in a thread beside the fit: the exploration, and imports for the report."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

from training.labelled import Labelled
from training.settings import Settings

# XGBoost takes Python's lock back after every tree; at Python's own 5 ms a busy thread keeps it that long each time.
SWITCH_SECONDS = 1e-4

Explored = Callable[[], dict[str, Any]]


class _NoLongerWantedError(Exception):
    """The block has ended without asking for the exploration."""


@contextmanager
def explored_beside(settings: Settings, train: Labelled) -> Iterator[Explored]:
    """Explore the training rows while the block runs; the callable given waits for what was found.

    The block has to run with one BLAS thread, so that no figure of the exploration depends on the number of cores. An
    error of the exploration is raised by the callable. A block that ends early, by Ctrl-C too, waits for one feature at
    most.
    """
    ended, interval = Event(), sys.getswitchinterval()

    def show(_: str) -> None:
        if ended.is_set():
            raise _NoLongerWantedError

    def work() -> dict[str, Any]:
        from training.exploration import explore  # optbinning costs a second that a mistake in the table need not wait

        return explore(train.frame, train.target, settings, show, train.weight)

    def load() -> None:
        if not ended.is_set():
            _load_what_saving_needs(pictures=settings.evaluation.plots)

    with ThreadPoolExecutor(1) as threads:
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            threads.submit(load)  # first: skops looks through all modules that are loaded
            exploration = threads.submit(work)
            yield exploration.result
        finally:
            ended.set()
            sys.setswitchinterval(interval)


def _load_what_saving_needs(*, pictures: bool) -> None:
    """Import skops, which imports all of scikit-learn, and what draws, and compile the templates."""
    import training.artifacts.skops_io  # noqa: F401
    import validation.report.report
    from validation.report.pages import compile_templates

    compile_templates()
    if pictures:
        import validation.report.plots.gallery  # noqa: F401
