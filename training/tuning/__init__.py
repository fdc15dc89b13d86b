"""The search for XGBoost's parameters: cross-validated, pruned, seeded, and resumed where it was interrupted."""

from training.tuning.study import study_file
from training.tuning.trials import Found, search

__all__ = ["Found", "search", "study_file"]
