"""ROC-AUC against three kinds of tuned model: the same tables, divisions, folds and number of trials for all.

This takes an hour or two on two cores. Each answer is kept in build/ranking.json, so that a run goes on where the last
one was stopped; remove the file to measure again.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks import sets
from benchmarks.peer import tuned
from benchmarks.report import Row
from benchmarks.subject import SILENT
from table import Table
from training.estimator.assembly import assemble
from training.settings import Tuning
from training.tuning import search

TRIALS = 50
KEPT = Path("build/ranking.json")
OURS = "ours"


def measure() -> Iterator[Row]:
    """Means over the seeds on the test rows; ours against the best of the others on the same table."""
    for name in sets.names():
        aucs = {contender: mean(measured(contender, name)) for contender in tuned.CONTENDERS}
        ours = mean(measured(OURS, name))
        best = max(aucs, key=lambda contender: aucs[contender])
        for contender, auc in aucs.items():
            yield Row(f"{name}: {contender}, ROC-AUC", f"{auc:.4f}", "")
        yield Row(f"{name}: ours", f"{ours:.4f}", "")
        yield Row(f"  ours against the best ({best})", f"{ours - aucs[best]:+.4f}", "≥ -0.002")


def measured(contender: str, name: str) -> list[float]:
    """The AUC of each seed, from the file where it is there."""
    aucs = []
    for seed in sets.SEEDS:
        key = f"{name}, seed {seed}, {contender}, {TRIALS} trials"
        kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
        if key not in kept:
            trial = sets.trial(name, seed)
            answer = _ours(trial) if contender == OURS else tuned.answer(contender, trial, TRIALS)
            kept_auc = float(roc_auc_score(trial.test_target, answer))
            kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
            KEPT.parent.mkdir(exist_ok=True)
            fresh = KEPT.with_suffix(".new")
            fresh.write_text(json.dumps(kept | {key: kept_auc}, indent=1))
            fresh.replace(KEPT)
            kept = kept | {key: kept_auc}
        aucs.append(kept[key])
    return aucs


def _ours(trial: sets.Trial) -> NDArray[np.float64]:
    """Probabilities of the test applicants from what `training.run --tune` fits."""
    settings = replace(trial.settings, tuning=Tuning(trials=TRIALS))
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
    with TemporaryDirectory() as folder:
        rows = np.arange(len(trial.train_target))
        found = search(settings, table, rows, Path(folder) / "study", SILENT)
    pipeline = assemble(found.settings).fit(trial.train, trial.train_target)
    return np.asarray(pipeline.predict_proba(trial.test)[:, 1])
