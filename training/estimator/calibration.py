"""The calibrators of the margin, which are scikit-learn's, and the choice among them by cross-validation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from runtime.score import Scale
from training.estimator.private import SigmoidCalibration
from validation.documents import CalibrationChoice, CalibrationTrial
from validation.findings import ON_LIMIT
from validation.losses import log_losses
from validation.weights import masses

METHODS = ("none", "sigmoid", "isotonic")
NAMES = {"none": "no calibration", "sigmoid": "sigmoid", "isotonic": "isotonic"}
FOLDS = 5
ERRORS = 2  # standard errors that a lead has to exceed; with one, one clean table in six takes ties for nothing

Losses = list[CalibrationTrial]
Weight = NDArray[np.float64] | None  # [N], above 0; None: rows count alike


def fit_calibrator(
    method: str, x: NDArray[Any], target: NDArray[Any], weight: Weight = None, *, certain_ends: bool = False
) -> Any:
    """scikit-learn's calibrator fitted on margins or probabilities `x` [N] and a 0/1 target [N]; None for "none".

    `certain_ends` lets isotonic regression answer 0 and 1, as CalibratedClassifierCV's does.
    """
    if method == "none":
        return None
    if method == "isotonic":
        if certain_ends:
            return IsotonicRegression(out_of_bounds="clip").fit(x, target, weight)
        return fit_isotonic(x, target, weight)
    with threadpool_limits(1, user_api="blas"):  # no sum depends on the cores; two threads are slower here, too
        return SigmoidCalibration().fit(x, target, weight)


def fit_isotonic(x: NDArray[Any], target: NDArray[Any], weight: Weight = None) -> IsotonicRegression:
    """Isotonic regression whose ends are inside (0, 1), as far as the data support.

    Its first step is often 0 and its last one 1, because the first n rows had no default, or the last n no repayment.
    Both rates are kept away from certainty by Jeffreys' posterior mean for them, 0.5 / (n + 1) (Brown, Cai and DasGupta
    2001, doi:10.1214/ss/1009213286); steps in between stay as they are. With weights n is their sum.
    """
    calibrator = IsotonicRegression(out_of_bounds="clip").fit(x, target, weight)
    fitted, mass = calibrator.predict(x), masses(weight, len(target))
    lowest, highest = (0.5 / (mass[fitted == end].sum() + 1) for end in (0.0, 1.0))
    if lowest == highest == 0.5:  # neither end is certain
        return calibrator
    bounds = (lowest if lowest < 0.5 else None, 1 - highest if highest < 0.5 else None)
    return IsotonicRegression(y_min=bounds[0], y_max=bounds[1], out_of_bounds="clip").fit(x, target, weight)


def calibrated(calibrator: Any, x: NDArray[Any]) -> NDArray[np.float64]:
    """The probability [N] that a fitted calibrator makes of `x`; None takes `x` for log-odds."""
    return np.asarray(expit(x) if calibrator is None else calibrator.predict(x))


def cross_validated(
    x: NDArray[Any],
    target: NDArray[Any],
    methods: Sequence[str] = METHODS,
    seed: int | None = None,
    *,
    weight: Weight = None,
    certain_ends: bool = False,
) -> Losses:
    """Loss of each method on rows that its calibrator has not seen.

    `x` [N] are margins or probabilities of a model that has not seen the rows either. An entry holds `method`,
    `log_loss` and `brier`, the means over all rows, and `log_loss_error` and `brier_error`, the standard errors of
    their difference, row by row, from those of the plain method: the one of "none" and "sigmoid" with the lower log
    loss. `on_limit` is the share of the rows whose probability the score cannot separate from certainty. With weights
    [N] all of them are weighted.
    """
    folds = StratifiedKFold(min(FOLDS, int(np.bincount(target).min())), shuffle=True, random_state=seed)
    fold_of = np.empty(len(target), dtype=np.uint8)
    for number, (_, unseen) in enumerate(folds.split(x, target)):
        fold_of[unseen] = number
    del unseen
    found: dict[str, NDArray[np.float64]] = dict.fromkeys(methods, np.empty(0))
    for method in reversed(methods):  # isotonic needs the most memory: it comes while there are no other answers
        found[method] = p = np.empty(len(target))
        for number in range(folds.n_splits):
            seen, unseen = fold_of != number, fold_of == number
            of_seen = None if weight is None else weight[seen]
            calibrator = fit_calibrator(method, x[seen], target[seen], of_seen, certain_ends=certain_ends)
            p[unseen] = calibrated(calibrator, x[unseen])

    def mean(values: NDArray[np.float64]) -> float:
        return float(np.average(values, weights=weight))

    # Losses are computed where they are asked for: of many rows, those of all methods would be most of the memory.
    plain = found[min((m for m in methods if m != "isotonic"), key=lambda m: mean(log_losses(found[m], target)))]
    return [
        {
            "method": method,
            "log_loss": mean(log_losses(p, target)),
            "log_loss_error": _standard_error(log_losses(p, target) - log_losses(plain, target), weight),
            "brier": mean((p - target) ** 2),
            "brier_error": _standard_error((p - target) ** 2 - (plain - target) ** 2, weight),
            "on_limit": share_on_limit(p, weight),
        }
        for method, p in found.items()
    ]


def choose(comparison: Losses) -> str:
    """The plain method with the lower log loss, or isotonic if its lead is more than chance.

    Isotonic steps tie applicants whom the margin separates. So its log loss has to be lower by more than two
    standard errors, its Brier score not higher, and no more of its probabilities on a limit than an alarm allows.
    """
    plain, isotonic = _plain_and_isotonic(comparison)
    if isotonic is None:
        return str(plain["method"])
    clear = isotonic["log_loss"] + ERRORS * isotonic["log_loss_error"] < plain["log_loss"]
    sound = isotonic["brier"] <= plain["brier"] and isotonic["on_limit"] <= ON_LIMIT
    return "isotonic" if clear and sound else str(plain["method"])


def method_of(classifier: Any) -> str:
    """Calibration of a fitted CrossFittedClassifier or CalibratedClassifierCV, set or chosen."""
    return str(classifier.calibration_ if hasattr(classifier, "calibration_") else classifier.method)


def described(classifier: Any, *, by_settings: bool) -> CalibrationChoice:
    """`describe` for a fitted classifier; without a comparison for scikit-learn's own, whose method is set."""
    choice = describe(method_of(classifier), getattr(classifier, "comparison_", []), by_settings=by_settings)
    spread = getattr(classifier, "spread_", 1.0)
    if spread == 1:
        return choice
    count = len(classifier.estimators_)
    why = f"the mean of {count} boosters spreads less than each (model.correct_spread)"
    return {
        **choice,
        "reason": f"{choice['reason']} Margins were brought {1 - spread:.1%} closer to their average: {why}.",
    }


def describe(chosen: str, comparison: Losses, *, by_settings: bool) -> CalibrationChoice:
    """`chosen`, `by` ("comparison" or "settings"), `reason` (a sentence) and `comparison`, of JSON's types."""
    return {
        "chosen": chosen,
        "by": "settings" if by_settings else "comparison",
        "reason": _reason(chosen, comparison, by_settings),
        "comparison": comparison,
    }


def _reason(chosen: str, comparison: Losses, by_settings: bool) -> str:
    if not comparison:
        return f"The settings ask for {NAMES[chosen]}; nothing else was tried."
    losses = ", ".join(f"{NAMES[entry['method']]} {entry['log_loss']:.5f}" for entry in comparison)
    plain, isotonic = _plain_and_isotonic(comparison)
    preferred = choose(comparison)
    if by_settings:
        why = f"the settings ask for {NAMES[chosen]}"
        why += "" if chosen == preferred else f", where cross-validation prefers {NAMES[preferred]}"
    elif isotonic is None or isotonic["log_loss"] >= plain["log_loss"]:
        why = f"{NAMES[chosen]} has the lowest"
    elif chosen == "isotonic":
        why = "isotonic is lower by more than two standard errors, and its Brier score is not higher"
    else:
        lead, error = plain["log_loss"] - isotonic["log_loss"], isotonic["log_loss_error"]
        fault = f"its lead of {lead:.2g} is no more than two standard errors of {error:.2g}"
        if lead > ERRORS * error:
            beyond = f"{isotonic['on_limit']:.1%} of its probabilities are certainties"
            fault = "its Brier score is higher" if isotonic["brier"] > plain["brier"] else beyond
        why = f"isotonic has the lowest, but ties applicants and {fault}, so {NAMES[chosen]} is chosen"
    return f"Cross-validated log loss: {losses}; {why}."


def _plain_and_isotonic(comparison: Losses) -> tuple[CalibrationTrial, CalibrationTrial | None]:
    plain = min((e for e in comparison if e["method"] != "isotonic"), key=lambda entry: float(entry["log_loss"]))
    return plain, next((entry for entry in comparison if entry["method"] == "isotonic"), None)


def share_on_limit(p: NDArray[np.float64], weight: Weight = None) -> float:
    """The share of probabilities [N] at or beyond the score's default limits."""
    low, high = Scale().probability_limits
    return float(np.average((p <= low) | (p >= high), weights=weight))


def _standard_error(differences: NDArray[np.float64], weight: Weight) -> float:
    """Standard error of the mean; weighted: of a ratio, linearised (Cochran 1977, Sampling Techniques, 6.3)."""
    if weight is None:
        return float(differences.std() / np.sqrt(len(differences)))
    around = differences - np.average(differences, weights=weight)
    return float(np.sqrt((weight**2 * around**2).sum()) / weight.sum())
