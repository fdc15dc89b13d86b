"""Evidence on a fitted model for run.json, report and model card, gathered in one place.

Tables are data frames whose column names are the headings that people read. Everything else is of JSON's types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runtime.grades import Grades
from validation.documents import Alarm, CalibrationChoice
from validation.fairness.documents import FairnessFigures
from validation.fairness.groups import Attribute
from validation.reasons import ReasonsEvidence
from validation.slices.documents import Overfit, Robustness, WeakSlices
from validation.weights import masses


class Answered(Protocol):
    """Facts of N applicants without their features: `AnsweredRows`, or a `Part`."""

    @property
    def target(self) -> NDArray[np.int8]:
        """1 for a default, 0 for none [N]."""

    @property
    def probability(self) -> NDArray[np.float64]:
        """Calibrated probability of default, 0 to 1 [N]."""

    @property
    def score(self) -> NDArray[np.float64]:
        """Score in points [N]."""

    @property
    def weight(self) -> NDArray[np.float64] | None:
        """Sample weight [N]; None where rows count alike."""

    @property
    def groups(self) -> tuple[Attribute, ...]:
        """The attributes by which groups of people are compared."""

    @property
    def mass(self) -> NDArray[np.float64]:
        """The weight of each row [N], 1 each where rows count alike."""


@dataclass(frozen=True)
class AnsweredRows:
    """N applicants whose features are not at hand; the fields are as in Part."""

    target: NDArray[np.int8]
    probability: NDArray[np.float64]
    score: NDArray[np.float64]
    weight: NDArray[np.float64] | None = None
    groups: tuple[Attribute, ...] = ()

    @property
    def mass(self) -> NDArray[np.float64]:
        """The weights [N], 1 each without weights."""
        return masses(self.weight, len(self.target))


@dataclass(frozen=True)
class Part:
    """The N applicants of one part of the table (train or test), with what the model answers for them."""

    frame: pd.DataFrame  # [N] raw feature columns
    target: NDArray[np.int8]  # [N], 1 for an applicant who defaulted
    probability: NDArray[np.float64]  # [N] of default, 0 to 1
    score: NDArray[np.float64]  # [N] in points
    weight: NDArray[np.float64] | None = None  # [N] above 0; None: each counts alike
    groups: tuple[Attribute, ...] = ()  # of people, which no model reads

    @property
    def mass(self) -> NDArray[np.float64]:
        """The weights [N], 1 each without weights."""
        return masses(self.weight, len(self.target))


@dataclass(frozen=True)
class Evidence:
    """Evidence for validators, by part (`train`, `test`) where it belongs to one."""

    metrics: Mapping[str, Mapping[str, float]]
    """Metrics by part and name, see validation.metrics."""
    intervals: Mapping[str, Mapping[str, tuple[float, float]]]
    """Bootstrap confidence bounds of those metrics that have one, by part and name."""
    edges: list[float]
    """Edges of the score bands."""
    bands: Mapping[str, pd.DataFrame]
    """Bands by part, see validation.bands."""
    cutoffs: pd.DataFrame
    """Result of approving from each score on in the test part, see validation.cutoffs."""
    reliability: Mapping[str, pd.DataFrame]
    """Observed beside predicted default rate by part, see validation.calibration."""
    calibration: CalibrationChoice
    """The calibrator, and cross-validated mean losses with standard errors."""
    alarms: list[Alarm]
    """One for each thing that a validator has to look at; empty is good."""
    stability: Mapping[str, Any]
    """Test against train, the fields of validation.documents.StabilityFindings; empty if nothing was compared."""
    importance: pd.DataFrame
    """Feature, "Mean points" (mean absolute contribution to the score), "Share" in %; the largest first."""
    dependence: Mapping[str, pd.DataFrame]
    """By the most important features: Value (a number or a level), "Mean score", "Low", "High" (quartiles), "Share"."""
    exploration: Mapping[str, Any]
    """Exploration of the training rows, see training.exploration: `features`, `correlations`, `suspects`."""
    missing: Mapping[str, float]
    """Share of the training rows, 0 to 1, that lack each raw column."""
    reasons: ReasonsEvidence | None = None
    """Reasons of applicants of the test; None if none are given."""
    no_reasons: str = ""
    """Why there are no reasons, as a sentence; empty where the settings want none."""
    grades: Grades | None = None
    """The master scale, None for none."""
    by_grade: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """Grades by part, if the model has grades; see validation.grades."""
    fairness: FairnessFigures | None = None
    """Figures of the test part by group; None if the settings name no groups."""
    weak: WeakSlices | None = None
    """Where the test is worst."""
    overfit: Overfit | None = None
    """By slice, train against test."""
    robustness: Robustness | None = None
    """Effect of small changes of the inputs on the test part."""
