"""The search for XGBoost's parameters: cross-validated, pruned, seeded, and resumed where it was interrupted."""

from training.tuning.search import Found, search
from training.tuning.study import study_file

__all__ = ["Found", "search", "study_file"]
