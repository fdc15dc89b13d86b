"""Overfit by slice: the log loss on training rows beside that on test rows.

A log loss divided by what the probabilities expect of it is about 1 on rows that a model has not seen, and below 1 on
those that it has learnt by heart. It rises from train to test in every slice of a model that overfits; a slice stands
out where it rises by more than in all other rows. Errors are those that the probabilities themselves expect.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, xlogy

from validation.calibration import log_odds
from validation.evidence import Part
from validation.metrics import PROBABILITY_LIMITS
from validation.sample import sampled_rows
from validation.slices.cells import cells_of
from validation.slices.documents import Overfit, OverfitSlice
from validation.statistics.multiple import holm
from validation.statistics.weighted_auc import weighted_area

MOST_ROWS = 50_000  # of each part
MOST_SHOWN = 10
LEAST_ROWS = 100  # of a slice in each part
LEAST_FOR_AUC = 10  # of either outcome
LEVEL = 0.01
# The loss of a slice that rises by less than a tenth more than that of others changes hardly a decision.
LEAST_EXCESS = 0.1

Floats = NDArray[np.float64]


def overfit_slices(train: Part, test: Part, seed: int) -> Overfit:
    """The slices of one feature, of a sample of each part with the same columns."""
    parts = [_Drawn(part, seed) for part in (train, test)]
    cells = [list(cells_of(part.frame, parts[0].frame)) for part in parts]
    found: list[OverfitSlice] = []
    place: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]] = {}
    sums = [part.sums(part.everybody) for part in parts]
    for of_train, of_test in zip(*cells, strict=True):
        for code, words in enumerate(of_train.words):
            masks = of_train.codes == code, of_test.codes == code
            if min(mask.sum() for mask in masks) >= LEAST_ROWS:
                found += _compared(words, parts, masks, sums)
                place[words] = masks
    adjusted = holm([its["p"] for its in found])
    for its, p in zip(found, adjusted.tolist(), strict=True):
        its["adjusted_p"], its["confirmed"] = p, p < LEVEL and its["excess"] >= LEAST_EXCESS
    found.sort(key=lambda its: its["p"])
    for its in found[:MOST_SHOWN]:
        in_train, in_test = place[its["slice"]]
        its["train_auc"], its["test_auc"] = parts[0].auc(in_train), parts[1].auc(in_test)
    (loss, expected, _), (test_loss, test_expected, _) = sums
    return {
        "looked_at": len(found),
        "level": LEVEL,
        "least_excess": LEAST_EXCESS,
        "rise": float(test_loss / test_expected - loss / expected),
        "slices": found[:MOST_SHOWN],
    }


class _Drawn:
    """Some rows of a part with their loss, the expected loss and its variance, each with its weight."""

    def __init__(self, part: Part, seed: int) -> None:
        rows = sampled_rows(len(part.target), MOST_ROWS, seed)
        self.frame: pd.DataFrame = part.frame.iloc[rows]
        self.target, self.probability, self.weight = part.target[rows], part.probability[rows], part.mass[rows]
        p = np.clip(self.probability, *PROBABILITY_LIMITS)
        entropy = -(xlogy(p, p) + xlogy(1 - p, 1 - p))
        loss = -np.log(np.where(self.target == 1, p, 1 - p))
        variance = p * (1 - p) * log_odds(p, PROBABILITY_LIMITS) ** 2
        self._columns = np.stack([self.weight * loss, self.weight * entropy, self.weight**2 * variance])

    @property
    def everybody(self) -> NDArray[np.bool_]:
        return np.ones(len(self.target), dtype=bool)

    def sums(self, mask: NDArray[np.bool_]) -> Floats:
        """Loss, expected loss and variance of the loss of some rows."""
        return np.asarray(self._columns[:, mask].sum(axis=1))

    def auc(self, mask: NDArray[np.bool_]) -> float | None:
        """The area within a slice, None of too few."""
        target = self.target[mask]
        if min(target.sum(), len(target) - target.sum()) < LEAST_FOR_AUC:
            return None
        return weighted_area(target, self.probability[mask], self.weight[mask]).value


def _compared(
    words: str, parts: Sequence[_Drawn], masks: Sequence[NDArray[np.bool_]], sums: Sequence[Floats]
) -> list[OverfitSlice]:
    """The slice, or nothing where all rows are in it."""
    ratios, variances = [], []
    for part, mask, every in zip(parts, masks, sums, strict=True):
        inside = part.sums(mask)
        for loss, expected, variance in (inside, every - inside):
            if expected <= 0:
                return []
            ratios.append(loss / expected)
            variances.append(variance / expected**2)
    in_train, of_train, in_test, of_test = ratios
    excess = float((in_test - in_train) - (of_test - of_train))
    return [
        {
            "slice": words,
            "train_rows": int(masks[0].sum()),
            "test_rows": int(masks[1].sum()),
            "train_auc": None,
            "test_auc": None,
            "train_loss": float(in_train),
            "test_loss": float(in_test),
            "excess": excess,
            "p": float(ndtr(-excess / np.sqrt(sum(variances)))),
            "adjusted_p": 1.0,
            "confirmed": False,
        }
    ]
