"""Private names of scikit-learn that training uses; pyproject.toml holds scikit-learn below its next major.

* `SigmoidCalibration`: Platt's calibrator, fitted alone on margins. `CalibratedClassifierCV` fits it only behind a
  classifier of its own, one for each fold, and pipelines hold objects of this class, which the export converts.
"""

from sklearn.calibration import _SigmoidCalibration as SigmoidCalibration

__all__ = ["SigmoidCalibration"]
