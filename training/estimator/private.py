"""What training uses of scikit-learn that has no public name; pyproject.toml holds scikit-learn below its next major.

* `SigmoidCalibration`: Platt's calibrator, fitted alone on margins. `CalibratedClassifierCV` fits it only behind a
  classifier of its own, one for each fold, and pipelines hold objects of this class, which the export converts.
"""

from sklearn.calibration import _SigmoidCalibration as SigmoidCalibration

__all__ = ["SigmoidCalibration"]
