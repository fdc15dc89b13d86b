"""The search for XGBoost's parameters: trials of a cross-validated booster, proposed by TPE, cut short by a median.

Loss against rounds is one curve of a trial; a trial that learns at half the rate needs twice the rounds. So curves
are drawn against rounds times learning rate: a step is as many rounds as learn `STEP`, and the pruner compares
what has learnt equally long. The number of trees is found, not searched: it is where the curve is lowest.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState
from sklearn.model_selection import train_test_split

from cli.progress import Progress
from cli.words import escaped
from table import Table
from training.documents import SearchRecord, SearchTrial
from training.estimator.assembly import assemble, booster_parameters
from training.settings import Settings
from training.settings.xgboost_parameters import Value
from training.tuning.frontier import ATTRIBUTE, Judge, frontier
from training.tuning.growth import Folds
from training.tuning.space import DEFAULTS, KNOWN, Space, chosen, place, searched
from training.tuning.study import finished, made_with, open_study
from validation.weights import per_mean

MOST_ROWS = 100_000
"""A search uses at most so many training rows, stratified: more take longer and choose no better."""
MOST_TREES = 1_000
"""The most trees of a booster that a search chooses, unless the settings have more."""
STEP = 0.3
PATIENCE = 6
"""Steps without a lower loss after which a trial ends."""
WARM_UP = 8
"""Steps before a trial is pruned."""
LEAST_GAIN = 1e-6
"""Smallest decrease of mean log loss that counts as an improvement."""
RANDOM_TRIALS = 10
"""After so many trials TPE begins to propose; until then places are drawn at random."""
METRIC = "cross-validated log loss"


@dataclass(frozen=True)
class Found:
    """Result of a search."""

    settings: Settings
    """Settings with the best parameters instead of those that were set."""
    record: SearchRecord
    """For run.json: `trials`, `pruned`, `best_value`, `baseline_value` (of the parameters that were set), ..."""


@dataclass(frozen=True)
class _Curve:
    """End of a trial: its lowest loss, the rounds that it takes, and the loss with the settings' number of trees."""

    loss: float
    rounds: int
    baseline: float | None
    pruned: bool
    fairness: dict[str, Any] | None = None
    """Figures on groups of people, if the settings name some; see training.tuning.frontier."""


def search(settings: Settings, table: Table, training_rows: NDArray[np.intp], file: Path, progress: Progress) -> Found:
    """Try `settings.tuning.trials` sets of parameters on the training rows and return the settings with the best.

    The first set is the settings' own. Trials that `file` already holds are taken from there: a search that was
    interrupted resumes and ends alike. Raises UserError for the file of another search.
    """
    space, wanted = searched(settings), settings.tuning.trials
    rows = _rows(training_rows, table.target, settings.split.seed)
    if len(rows) < len(training_rows):
        progress.say(f"  The search takes {len(rows):,} of the {len(training_rows):,} training rows, stratified")
    with (
        progress.step(f"Searching parameters in {wanted} trials") as show,
        open_study(file, made_with(settings, table.sha256)) as kept,
    ):
        there = finished(kept)
        if there:
            used = f"the first {wanted} are taken, as asked for" if len(there) > wanted else f"{wanted} are asked for"
            progress.say(f"  {escaped(str(file))} holds {len(there)} trials; {used}")
        study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=WARM_UP))
        study.add_trials(there[:wanted])
        judge = _judge(settings, table, rows, study)
        if len(there) < wanted:
            with _folds(settings, table, rows) as folds:
                try:
                    for trial in _trials(study, settings, space, folds, show, judge):
                        kept.add_trial(trial)
                except KeyboardInterrupt:
                    progress.say(f"  {len(finished(kept))} trials are in {escaped(str(file))}; a search resumes there")
                    raise
    return _found(settings, study, file, len(rows), judge)


def _rows(training_rows: NDArray[np.intp], target: NDArray[np.int8], seed: int) -> NDArray[np.intp]:
    """The rows that are searched on, of a large table a stratified part."""
    if len(training_rows) <= MOST_ROWS:
        return training_rows
    chosen, _ = train_test_split(training_rows, train_size=MOST_ROWS, random_state=seed, stratify=target[training_rows])
    return np.asarray(chosen)


def _folds(settings: Settings, table: Table, rows: NDArray[np.intp]) -> Folds:
    pipeline = assemble(settings)
    return Folds(
        pipeline[:-1].fit_transform(table.frame.iloc[rows]),
        table.target[rows],
        None if table.group is None else table.group.codes[rows],
        folds=settings.tuning.folds,
        seed=settings.split.seed,
        fixed=booster_parameters(settings, pipeline[0]),
        calibrated=settings.model.calibration != "none",
        weight=None if table.weight is None else per_mean(table.weight[rows]),
    )


def _trials(
    study: Study, settings: Settings, space: Space, folds: Folds, show: Callable[[str], None], judge: Judge | None
) -> Iterator[FrozenTrial]:
    """The trials that are still to be done, one after the other, each when it has ended."""
    begin, before = time.monotonic(), len(study.trials)
    for number in range(before, settings.tuning.trials):
        show(_progress(study, number, settings.tuning.trials, (time.monotonic() - begin) / max(1, number - before)))
        # Each trial has draws of its own, so that it is the same whether or not the search was interrupted before.
        seed = np.random.SeedSequence([settings.split.seed, number]).generate_state(1)[0]
        study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=RANDOM_TRIALS, multivariate=True, constant_liar=False, seed=int(seed)
        )
        if number <= len(KNOWN):
            study.enqueue_trial(place(KNOWN[number - 1] if number else settings.xgboost, space))
        trial = study.ask(dict(space))
        parameters = {} if number == 0 else chosen(trial.params)
        curve = _grow(trial, folds, parameters, settings, judge)
        trial.set_user_attr("parameters", {**settings.xgboost, **parameters, "n_estimators": curve.rounds})
        trial.set_user_attr("baseline", curve.baseline)
        if curve.fairness is not None:
            trial.set_user_attr(ATTRIBUTE, curve.fairness)
        if curve.pruned:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, curve.loss)
        yield study.trials[number]


def _judge(settings: Settings, table: Table, rows: NDArray[np.intp], study: Study) -> Judge | None:
    """Frontier of the groups that the settings name, approving as many applicants as the earlier trials."""
    if table.beside is None:
        return None
    judge = Judge.of(settings, table.beside, rows, None if table.weight is None else table.weight[rows])
    judged = [its for trial in study.trials if (its := trial.user_attrs.get(ATTRIBUTE))]
    alike = [its["approved"] for its in judged if its["made_with"] == judge.made_with]
    return replace(judge, approved=alike[0]) if alike else judge


def _grow(
    trial: Trial, folds: Folds, parameters: Mapping[str, Value], settings: Settings, judge: Judge | None
) -> _Curve:
    """Grow boosters until their loss falls no more, until they are pruned, or there are the most trees.

    The first trial, the settings' own, has at least the settings' number of trees. Neither it nor the known sets are
    pruned.
    """
    as_set: Any = settings.xgboost["n_estimators"]
    rate: Any = {**DEFAULTS, **settings.xgboost, **parameters}["learning_rate"]
    kept, own = "n_estimators" in settings.tuning.keep, trial.number == 0
    size = max(1, round(STEP / rate))
    most = as_set if kept else max(MOST_TREES, as_set)
    best, baseline, pruned, log_odds = (np.inf, as_set), None, False, folds.log_odds
    for rounds, loss in folds.losses(parameters, sorted({*range(size, most, size), most, *([as_set] if own else [])})):
        if kept or loss < best[0] - LEAST_GAIN:
            best, log_odds = (loss, as_set if kept else rounds), folds.log_odds
        if rounds == as_set:
            baseline = loss
        if rounds % size == 0:
            trial.report(loss, rounds // size)
            pruned = trial.number > len(KNOWN) and trial.should_prune()
        no_better = not kept and rounds >= best[1] + PATIENCE * size
        if pruned or (no_better and not (own and rounds < as_set)):
            break
    if judge is None or pruned:
        return _Curve(*best, baseline, pruned)
    if own:
        judge.take_share_of(log_odds)
    return _Curve(*best, baseline, pruned, judge.figures(folds.target, log_odds))


def _progress(study: Study, number: int, wanted: int, seconds: float) -> str:
    if number == 0:
        return f"trial 1 of {wanted}"
    left = seconds * (wanted - number)
    time_left = f", about {left / 60:.0f} min left" if left >= 90 else f", about {left:.0f} s left" if left else ""
    return f"trial {number + 1} of {wanted}, {METRIC} {study.best_value:.5f} (as set {_baseline(study):.5f}){time_left}"


def _baseline(study: Study) -> float:
    return float(study.trials[0].user_attrs["baseline"])


def _found(settings: Settings, study: Study, file: Path, rows: int, judge: Judge | None) -> Found:
    best = study.best_trial
    parameters: dict[str, Value] = best.user_attrs["parameters"]
    history: list[SearchTrial] = []
    lowest = np.inf
    for trial in study.trials:
        pruned = trial.state == TrialState.PRUNED
        lowest = min(lowest, np.inf if pruned else trial.values[0])
        history.append(
            {
                "trial": trial.number,
                "value": None if pruned else trial.values[0],
                "best": lowest,
                "pruned": pruned,
                "parameters": trial.user_attrs["parameters"],
            }
        )
    record: SearchRecord = {
        "metric": METRIC,
        "trials": len(history),
        "pruned": sum(trial["pruned"] for trial in history),
        "best_trial": best.number,
        "best_value": best.values[0],
        "baseline_value": _baseline(study),
        "parameters": parameters,
        "study": str(file),
        "rows": rows,
        "folds": settings.tuning.folds,
        "history": history,
    }
    its = None if judge is None else frontier(study.trials, judge, best.number)
    if its is not None:
        record["frontier"] = its
    return Found(replace(settings, xgboost=parameters), record)
