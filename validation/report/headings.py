"""Display names of the metrics of run.json."""

METRICS = {
    "rows": "Applicants",
    "defaults": "Defaults",
    "weight": "Sum of weights",
    "weighted_defaults": "Sum of weights of defaults",
    "effective_rows": "Effective sample size",
    "effective_defaults": "Effective number of defaults",
    "default_rate": "Default rate",
    "mean_probability": "Mean predicted probability",
    "roc_auc": "ROC-AUC",
    "gini": "Gini",
    "ks": "Kolmogorov-Smirnov",
    "pr_auc": "PR-AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "brier_reliability": "Brier: reliability",
    "brier_resolution": "Brier: resolution",
    "brier_uncertainty": "Brier: uncertainty",
    "ece": "Expected calibration error",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
    "on_limit": "Share on a probability limit",
    "precision": "Precision at the threshold",
    "recall": "Recall at the threshold",
    "f1": "F1 at the threshold",
}


def title_of(metric: str) -> str:
    """The title of a metric; one that is not known by its name."""
    return METRICS.get(metric, metric.replace("_", " ").capitalize())
