"""Less discriminatory models among the trials of a search: ROC-AUC lost against adverse impact ratio gained.

A search looks for the lowest log loss; many trials come close to it, and treat groups of people differently. Each trial
is judged on rows that its boosters have not seen, at one share of approved applicants, so that no model looks fairer
only because it is more lenient. No booster sees a group.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from training.settings import Settings
from validation.fairness.compare import APPROVED
from validation.fairness.documents import Frontier, FrontierTrial
from validation.fairness.groups import Attribute, attributes_of
from validation.weights import masses

ATTRIBUTE = "fairness"  # of a trial in the study

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Compared:
    """An attribute of the rows of a search: the groups that have rows enough, the reference first."""

    name: str
    levels: tuple[str, ...]
    codes: NDArray[np.intp]
    groups: tuple[int, ...]


@dataclass
class Judge:
    """Judges trials by the groups of N rows, which a search may repeat; with weights [N]."""

    settings: Settings
    compared: Sequence[_Compared]
    weight: Floats | None = None
    approved: float = field(default=APPROVED)

    @classmethod
    def of(cls, settings: Settings, beside: pd.DataFrame, rows: NDArray[np.intp], weight: Floats | None) -> "Judge":
        """For the rows of a table's columns beside its features."""
        attributes = [its.of(rows) for its in attributes_of(beside, settings.fairness)]
        compared = [_compared(its, settings.fairness.least) for its in attributes]
        return cls(settings, [its for its in compared if len(its.groups) > 1], weight)

    @property
    def made_with(self) -> str:
        """All that decides on a trial's figures besides its boosters."""
        its = self.settings.fairness
        content = [its.groups, dict(its.reference), dict(its.bins), its.least, self._cutoff, self.settings.score]
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    @property
    def _cutoff(self) -> float | None:
        its = self.settings
        return its.reasons.cutoff if its.fairness.cutoff is None else its.fairness.cutoff

    def take_share_of(self, log_odds: Floats) -> None:
        """Approve in every trial as many as the cut-off, where one is set, approves by these log-odds [N, or more]."""
        if self._cutoff is not None:
            scores = np.array(self.settings.score.scores(expit(log_odds).tolist()))
            self.approved = float(np.average(scores >= self._cutoff, weights=self._mass(len(scores))))

    def figures(self, target: Floats, log_odds: Floats) -> dict[str, Any] | None:
        """The figures of a trial by its log-odds of default [N, or N repeated]; None where no group can be compared."""
        mass = self._mass(len(log_odds))
        order = np.argsort(log_odds, kind="stable")
        passed = np.cumsum(mass[order])
        last = min(int(np.searchsorted(passed, self.approved * passed[-1] * (1 - 1e-12))), len(order) - 1)
        is_approved = log_odds <= log_odds[order[last]]
        ratios = [its for compared in self.compared for its in _ratios(compared, is_approved, mass)]
        if not ratios:
            return None
        ratio, group = min(ratios)
        area = roc_auc_score(target, log_odds, sample_weight=mass)
        return {
            "made_with": self.made_with,
            "approved": self.approved,
            "roc_auc": float(area),
            "ratio": ratio,
            "group": group,
        }

    def _mass(self, rows: int) -> Floats:
        mass = masses(self.weight, rows)
        return np.tile(mass, rows // len(mass))


def _compared(attribute: Attribute, least: int) -> _Compared:
    rows = np.bincount(attribute.codes, minlength=len(attribute.levels))
    large = [code for code in np.argsort(-rows, kind="stable").tolist() if rows[code] >= least]
    if attribute.reference is not None:
        first = attribute.levels.index(attribute.reference)
        large = [first, *(code for code in large if code != first)] if first in large else []
    return _Compared(attribute.name, attribute.levels, attribute.codes, tuple(large))


def _ratios(compared: _Compared, is_approved: NDArray[np.bool_], mass: Floats) -> list[tuple[float, str]]:
    """The adverse impact ratio of each group but the reference, with its name."""
    codes = np.tile(compared.codes, len(mass) // len(compared.codes))
    size, approved = (np.bincount(codes, each, len(compared.levels)) for each in (mass, mass * is_approved))
    first, *others = compared.groups
    if approved[first] == 0:
        return []
    rate = approved[first] / size[first]
    return [(float(approved[code] / size[code] / rate), f"{compared.name}: {compared.levels[code]}") for code in others]


def frontier(trials: Sequence[FrozenTrial], judge: Judge, chosen: int) -> Frontier | None:
    """The finished trials that were judged alike; None where the chosen one was not."""
    found: list[FrontierTrial] = [
        {
            "trial": trial.number,
            "roc_auc": its["roc_auc"],
            "ratio": its["ratio"],
            "group": its["group"],
            "kept": False,
        }
        for trial in trials
        if trial.state == TrialState.COMPLETE
        if (its := trial.user_attrs.get(ATTRIBUTE)) is not None
        if its["made_with"] == judge.made_with and math.isclose(its["approved"], judge.approved)
    ]
    best = next((its for its in found if its["trial"] == chosen), None)
    if best is None:
        return None
    loss = judge.settings.fairness.auc_loss
    within = [its for its in found if its["roc_auc"] >= best["roc_auc"] - loss]
    for its in within:
        its["kept"] = not any(
            other["roc_auc"] >= its["roc_auc"]
            and other["ratio"] >= its["ratio"]
            and (other["roc_auc"], other["ratio"]) != (its["roc_auc"], its["ratio"])
            for other in within
        )
    return {"approved": judge.approved, "loss": loss, "chosen": chosen, "trials": found}
