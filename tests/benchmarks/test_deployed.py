"""The peer's folder: it has what its pickle needs for an answer, and nothing else that it would pay for."""

import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest

from benchmarks.deployed import copy_classes
from tests import applicants
from training.estimator.boosting import MarginXGBClassifier
from training.estimator.calibrated_cv import AutoCalibratedClassifierCV
from training.estimator.crossfit import CrossFittedClassifier

CODE = """
import joblib, sys
pipeline, rows, out = sys.argv[1:]
joblib.dump(joblib.load(pipeline).predict_proba(joblib.load(rows)), out)
print(sorted({"pydantic", "table.cells", "training.settings.engine"} & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    "classifier",
    [
        CrossFittedClassifier(folds=2, calibration="sigmoid"),
        CrossFittedClassifier(folds=2, calibration="isotonic"),
        AutoCalibratedClassifierCV(MarginXGBClassifier(n_estimators=5), cv=2),
    ],
    ids=["sigmoid", "isotonic", "calibrated-cv"],
)
def test_the_peer_s_copy_of_the_classes_answers_as_the_pipeline_does(classifier: object, tmp_path: Path) -> None:
    frame, target = applicants.draw(600)
    fitted = applicants.pipeline(classifier).fit(frame, target)
    folder, files = tmp_path / "peer", [tmp_path / name for name in ("pipeline", "rows", "out")]
    copy_classes(folder)
    joblib.dump(fitted, files[0])
    joblib.dump(frame, files[1])
    command = [sys.executable, "-P", "-c", CODE, *map(str, files)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
    assert np.array_equal(joblib.load(files[2]), fitted.predict_proba(frame))
