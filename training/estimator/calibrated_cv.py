"""scikit-learn's CalibratedClassifierCV with a method that cross-validation chooses."""

from typing import Any, Self

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import cross_val_predict

from training.estimator.calibration import choose, cross_validated


class AutoCalibratedClassifierCV(CalibratedClassifierCV):  # type: ignore[misc]
    """A CalibratedClassifierCV whose `method`, "sigmoid" or "isotonic", is found by `fit`.

    Both are compared on the answers of clones of the estimator for rows that they have not seen: their decision
    function if they have one, or else their probability. The fit itself is scikit-learn's.

    Attributes
    ----------
    method : the one that was chosen.
    comparison_ : what each loses in cross-validation, see training.estimator.calibration.cross_validated.

    """

    def __init__(
        self, estimator: Any = None, *, cv: Any = None, n_jobs: int | None = None, ensemble: Any = "auto"
    ) -> None:
        super().__init__(estimator, cv=cv, n_jobs=n_jobs, ensemble=ensemble)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Self:
        """Fit on X [N, m] and y [N] with two classes, with weights [N]."""
        target = np.unique(y, return_inverse=True)[1]
        answer = "decision_function" if hasattr(self.estimator, "decision_function") else "predict_proba"
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        params = {} if weight is None else {"sample_weight": weight}
        unseen = cross_val_predict(
            self.estimator, X, target, cv=self.cv, n_jobs=self.n_jobs, method=answer, params=params
        )
        unseen = unseen if unseen.ndim == 1 else unseen[:, 1]
        if weight is not None:  # scikit-learn's sigmoid wants both of one type, and margins are float32
            unseen = unseen.astype(np.float64)
        self.comparison_ = cross_validated(
            unseen, target, ("sigmoid", "isotonic"), seed=0, weight=weight, certain_ends=True
        )
        self.method = choose(self.comparison_)
        super().fit(X, y, sample_weight, **fit_params)
        return self
