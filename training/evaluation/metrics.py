"""How well probabilities of default fit what happened; each figure from scikit-learn or SciPy."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)


def evaluate(target: NDArray[np.int8], probability: NDArray[np.float64], threshold: float) -> dict[str, float]:
    """Metrics of probabilities [N] of default against a 0/1 target [N] that has both values.

    `precision`, `recall` and `f1` are those of the rule "default from `threshold` on"; without a predicted
    default the first and the last are 0.
    """
    predicted = probability >= threshold
    precision, recall, f1, _ = precision_recall_fscore_support(target, predicted, average="binary", zero_division=0)
    auc = roc_auc_score(target, probability)
    figures = {
        "rows": len(target),
        "defaults": int(target.sum()),
        "default_rate": target.mean(),
        "mean_probability": probability.mean(),
        "roc_auc": auc,
        "gini": 2 * auc - 1,
        "pr_auc": average_precision_score(target, probability),
        "ks": ks_2samp(probability[target == 0], probability[target == 1]).statistic,
        "log_loss": log_loss(target, probability, labels=[0, 1]),
        "brier": brier_score_loss(target, probability),
        "threshold": threshold,
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }
    return {name: value if isinstance(value, int) else float(value) for name, value in figures.items()}
