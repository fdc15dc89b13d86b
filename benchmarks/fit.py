"""Fit of the probabilities: ours against the plain script's model, the same parameters, tables and seeds."""

from collections.abc import Iterator
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss

from benchmarks import sets
from benchmarks.peer import plain
from benchmarks.report import Row
from training.estimator.assembly import assemble
from validation.calibration import expected_calibration_error, group


def measure() -> Iterator[Row]:
    """Means over the seeds, the script's first."""
    for name in sets.names():
        figures: dict[str, list[tuple[float, float]]] = {}
        for trial in sets.trials(name):
            target = trial.test_target
            theirs, ours = _plain(trial), _ours(trial)
            for what, figure in METRICS.items():
                figures.setdefault(what, []).append((figure(target, theirs), figure(target, ours)))
        for what, pairs in figures.items():
            theirs_mean, ours_mean = mean(pair[0] for pair in pairs), mean(pair[1] for pair in pairs)
            better = sum(ours <= theirs for theirs, ours in pairs)
            shown = f"{theirs_mean:.5f} → {ours_mean:.5f}, better in {better} of {len(pairs)}"
            key = f"{name}-{what}".lower().replace(" ", "-")
            yield Row(f"{what}, script → ours: {name}", shown, "lower", key)


def _calibration_error(target: NDArray[np.int8], probability: NDArray[np.float64]) -> float:
    return expected_calibration_error(group(target, probability))


METRICS: dict[str, Any] = {
    "log loss": log_loss,
    "Brier score": brier_score_loss,
    "calibration error": _calibration_error,
}


def _ours(trial: sets.Trial) -> NDArray[np.float64]:
    pipeline = assemble(trial.settings).fit(trial.train, trial.train_target)
    return np.asarray(pipeline.predict_proba(trial.test)[:, 1])


def _plain(trial: sets.Trial) -> NDArray[np.float64]:
    preparation = assemble(trial.settings)[0]
    fitted = plain.model().fit(preparation.fit_transform(trial.train), trial.train_target)
    return np.asarray(fitted.predict_proba(preparation.transform(trial.test))[:, 1])
