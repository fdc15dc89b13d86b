"""Libraries imported without what they would import for others, in processes that have imported nothing yet."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BINS = """
import sys
from cli.lean_imports import loaded_later
from training.exploration.risk import NOT_FOR_BINS

with loaded_later(NOT_FOR_BINS):
    import optbinning
    from optbinning.binning import binning_statistics
    from optbinning.binning.multidimensional import binning_statistics_2d
assert not {"matplotlib", "mpl_toolkits", "cvxpy"} & {name.partition(".")[0] for name in sys.modules}

values, target = list(range(200)) * 2, [0] * 300 + [1] * 100
binning = optbinning.OptimalBinning("x").fit(values, target)
table = binning.binning_table
table.build()
assert "matplotlib" not in sys.modules
assert callable(binning_statistics_2d.make_axes_locatable)

import matplotlib
matplotlib.use("agg")
table.plot(metric="event_rate", savefig=sys.argv[1])
assert binning_statistics.plt.get_backend() == "agg"

piecewise = optbinning.ContinuousOptimalPWBinning("x").fit(values, [float(value) for value in values])
assert abs(piecewise.transform([50.0])[0] - 50) < 1
assert "cvxpy" in sys.modules
"""
PIPELINES = """
import sys
from training.artifacts import skops_io
from skops.io._trusted_types import SKLEARN_ESTIMATOR_TYPE_NAMES

assert not {"dask", "pytest"} & set(sys.modules)
import dask  # found again
print(*sorted(SKLEARN_ESTIMATOR_TYPE_NAMES))
"""


def _run(code: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_optbinning_loads_neither_matplotlib_nor_cvxpy_until_they_are_used(tmp_path: Path) -> None:
    figure = tmp_path / "figure.png"
    _run(BINS, str(figure))
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_skops_lists_the_same_estimators_without_dask_and_pytest() -> None:
    import dask.array  # noqa: F401
    from skops.io._trusted_types import SKLEARN_ESTIMATOR_TYPE_NAMES

    assert _run(PIPELINES).split() == sorted(SKLEARN_ESTIMATOR_TYPE_NAMES)
