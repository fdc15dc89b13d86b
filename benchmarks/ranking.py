"""ROC-AUC and log loss against four kinds of tuned model: the same tables, divisions, folds and trials for all.

Every contender is searched for the least log loss in the same number of trials, on the same folds of the same rows.
The long form (six tables, three seeds) takes a night on two cores, the quick one less than an hour. Each cell, a
contender on one division, is kept in a file when it is done: the same command resumes, after Ctrl-C as after kill -9,
and two processes on one folder share the work. The cells behind docs/ranking.md are in the repository; where data,
trials or versions differ, they are measured again. Tables are read from build/sets, or the folder that LASTBIT_SETS
names; what is missing is said before anything is measured. CatBoost comes with requirements/ranking.txt.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import public, sets
from benchmarks.cells import Cell, Cells, Measured
from benchmarks.peer import tuned
from benchmarks.report import show
from benchmarks.results import OURS, Results, markdown, rows_of
from cli.errors import UserError
from cli.parser import Parser
from cli.progress import Progress
from storage.whole_file import write_whole
from table import Table
from training.estimator.assembly import assemble
from training.estimator.folds import with_folds
from training.settings import Tuning
from training.tuning import search
from training.tuning.study import PACKAGES, SEARCH_VERSION

TRIALS, SEEDS = 50, (1, 2, 3)
QUICK_SETS, QUICK_SEEDS = ("Credit Risk", "HMEQ"), (1,)
KEPT = Path("benchmarks/ranked")


@dataclass(frozen=True)
class Plan:
    """Cells of the comparison."""

    sets: Sequence[str] = tuple(public.SETS)
    seeds: Sequence[int] = SEEDS
    contenders: Sequence[str] = tuple(tuned.CONTENDERS)
    trials: int = TRIALS

    @property
    def cells(self) -> list[Cell]:
        """Table by table and seed by seed, ours first."""
        return [
            Cell(name, seed, contender)
            for name in self.sets
            for seed in self.seeds
            for contender in (OURS, *self.contenders)
        ]


def run(plan: Plan, cells: Cells, progress: Progress) -> Results:
    """Measure the cells that are not there yet, and give all that are."""
    refuse_what_is_missing(plan)
    results, planned = Results(), plan.cells
    for number, cell in enumerate(planned):
        settings = settings_of(cell, plan.trials)
        found = cells.find(cell, settings)
        if found is None:
            left = _time_left(planned[number:], cells, plan.trials)
            what = f"{number + 1} of {len(planned)}{left}: {cell.contender} on {cell.table}, seed {cell.seed}"
            with progress.step(what) as show:
                found = cells.measure(cell, settings, lambda cell=cell, show=show: answer(cell, plan.trials, show))  # type: ignore[misc]
        if found is None:
            progress.say("  another process is computing it")
        else:
            results.add(cell, sets.trial(cell.table, cell.seed).test_target, found)
    return results


def refuse_what_is_missing(plan: Plan) -> None:
    """Raise UserError for tables that are not there and libraries that are not installed."""
    if lines := public.missing(list(plan.sets)):
        raise UserError("; ".join(lines))
    for name in plan.contenders:
        package = tuned.CONTENDERS[name].package
        try:
            version(package)
        except PackageNotFoundError:
            raise UserError(
                f"{name}: {package} is not installed; pip install -r requirements/ranking.txt, or leave it out "
                "with --contenders"
            ) from None


def settings_of(cell: Cell, trials: int) -> dict[str, Any]:
    """All that decides on a cell, beside its name."""
    if cell.contender == OURS:
        names, its = list(PACKAGES), SEARCH_VERSION
    else:
        names, its = ["optuna", "numpy", tuned.CONTENDERS[cell.contender].package], tuned.VERSION
    return {
        "data": public.SETS[cell.table].digest,
        "most training rows": sets.MOST_TRAINING_ROWS,
        "trials": trials,
        "folds": tuned.FOLDS,
        "version": its,
        "packages": {name: version(name) for name in names},
    }


def answer(cell: Cell, trials: int, show: Callable[[str], None]) -> Measured:
    """Search and fit one contender, and ask it for the test rows of its division."""
    trial, begin = sets.trial(cell.table, cell.seed), time.monotonic()
    if cell.contender == OURS:
        probability, found = _ours(trial, trials, show)
    else:
        probability, found = tuned.answer(
            tuned.CONTENDERS[cell.contender], trial, trials, lambda number: show(f"trial {number + 1} of {trials}")
        )
    return Measured(np.asarray(probability, dtype=np.float64), time.monotonic() - begin, found)


def _ours(trial: sets.Trial, trials: int, show: Callable[[str], None]) -> tuple[Any, Mapping[str, Any]]:
    """The model that `training.run --tune` finds and fits."""
    settings = replace(trial.settings, tuning=Tuning(trials=trials, folds=tuned.FOLDS))
    settings = with_folds(settings, trial.train_target, None)
    table = Table(
        frame=trial.train,
        target=trial.train_target,
        ids=None,
        time=None,
        group=None,
        dropped_rows=0,
        dropped_note="",
        sha256="",
        source=trial.name,
    )
    with TemporaryDirectory() as folder, threadpool_limits(1, user_api="blas"):
        found = search(settings, table, np.arange(len(trial.train_target)), Path(folder) / "study", _Inner(show))
        pipeline = assemble(found.settings).fit(trial.train, trial.train_target)
    record = {**found.settings.xgboost, "cross-validated log loss": found.record["best_value"]}
    return pipeline.predict_proba(trial.test)[:, 1], record


class _Inner(Progress):
    """Show what a search is busy with in the line of its cell."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(quiet=True)
        self._show = show

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        yield self._show


def _time_left(cells_left: Sequence[Cell], cells: Cells, trials: int) -> str:
    """By the seconds of all cells that were measured so: of the same contender, for as many trials and rows."""
    rates: dict[str, list[float]] = {}
    for name in public.SETS:
        for seed in SEEDS:
            for contender in (OURS, *tuned.CONTENDERS):
                cell = Cell(name, seed, contender)
                if not public.missing([name]) and (found := cells.find(cell, settings_of(cell, trials))):
                    rates.setdefault(contender, []).append(found.seconds / _rows(cell))
    if not rates:
        return ""
    every = np.mean([rate for its in rates.values() for rate in its])
    todo = [cell for cell in cells_left if cells.find(cell, settings_of(cell, trials)) is None]
    seconds = sum(_rows(cell) * float(np.mean(rates.get(cell.contender, [every]))) for cell in todo)
    hours = f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{seconds / 60:.0f} min"
    return f", about {hours} left"


def _rows(cell: Cell) -> int:
    return len(sets.trial(cell.table, cell.seed).train_target)


def main(arguments: Sequence[str]) -> int:
    """`python -m benchmarks ranking` with flags of its own."""
    flags = Parser(prog="python -m benchmarks ranking", description=__doc__)
    flags.add_argument("--quick", action="store_true", help=f"{' and '.join(QUICK_SETS)}, seed {QUICK_SEEDS[0]} alone")
    flags.add_argument("--sets", type=_names, metavar="A,B", help=f"tables: {', '.join(public.SETS)}")
    flags.add_argument("--seeds", type=_numbers, metavar="1,2", help=f"default: {','.join(map(str, SEEDS))}")
    flags.add_argument("--contenders", type=_names, metavar="A,B", help=f"default: {', '.join(tuned.CONTENDERS)}")
    flags.add_argument(
        "--trials", type=int, default=TRIALS, metavar="N", help=f"trials of a search (default: {TRIALS})"
    )
    flags.add_argument(
        "--kept", type=Path, default=KEPT, metavar="FOLDER", help=f"folder of finished cells (default: {KEPT})"
    )
    flags.add_argument("--markdown", type=Path, metavar="FILE", help="also write the results as Markdown")
    flags.add_argument("--show", action="store_true", help="measure nothing; print the results so far")
    args = flags.parse_args(arguments)
    plan = Plan(
        args.sets or (QUICK_SETS if args.quick else tuple(public.SETS)),
        args.seeds or (QUICK_SEEDS if args.quick else SEEDS),
        args.contenders or tuple(tuned.CONTENDERS),
        args.trials,
    )
    for what, given, known in (
        ("--sets", plan.sets, public.SETS),
        ("--contenders", plan.contenders, tuned.CONTENDERS),
    ):
        if unknown := [name for name in given if name not in known]:
            flags.error(f"{what}: no such name: {', '.join(unknown)}; there are {', '.join(known)}")
    if plan.trials < 1:
        flags.error(f"--trials: expected 1 or more, got {plan.trials}")
    cells, progress = Cells(args.kept), Progress()
    try:
        results = measured(plan, cells) if args.show else run(plan, cells, progress)
    except KeyboardInterrupt:
        progress.say(f"Interrupted; the same command resumes with the cells in {args.kept}")
        return 1
    show("ranking", list(rows_of(results)))
    if args.markdown:
        write_whole(args.markdown, markdown(results))
    return 0


def measured(plan: Plan, cells: Cells) -> Results:
    """All cells of the plan that are there."""
    refuse_what_is_missing(plan)
    results = Results()
    for cell in plan.cells:
        if (found := cells.find(cell, settings_of(cell, plan.trials))) is not None:
            results.add(cell, sets.trial(cell.table, cell.seed).test_target, found)
    return results


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in _names(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected whole numbers as in 1,2, got {text}") from None
