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
STATISTICS = """
import sys
from cli.lean_imports import STATISTICS, loaded_later

with loaded_later(STATISTICS):
    import sklearn.covariance  # from scipy.stats import chi2
    import sklearn.inspection  # from scipy.stats.mstats import mquantiles
    import sklearn.impute  # from scipy import stats
    import training.run
    assert "scipy.stats._stats_py" not in sys.modules

import numpy as np
from sklearn.isotonic import IsotonicRegression  # spearmanr
from sklearn.metrics import label_ranking_loss, label_ranking_average_precision_score  # rankdata

assert "scipy.stats" not in sys.modules
x = np.arange(60.0)
values = np.column_stack([x, x[::-1] % 7])
assert label_ranking_average_precision_score([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]]) == 1
assert "scipy.stats" in sys.modules
assert not IsotonicRegression(increasing="auto").fit(x, -x).increasing_
assert sklearn.covariance.EllipticEnvelope(random_state=0).fit(values).predict(values).shape == (60,)
assert sklearn.covariance._robust_covariance.chi2(2).ppf(0.5) > 1
assert sklearn.covariance._robust_covariance.chi2.ppf(0.5, 2) > 1
assert sklearn.impute.SimpleImputer(strategy="most_frequent").fit([[1.0], [1.0], [2.0]]).statistics_ == [1]
mquantiles = sklearn.inspection._partial_dependence.mquantiles
assert mquantiles(x, prob=[0.5]) == [29.5]
import scipy.stats
assert scipy.stats.norm.cdf(0) == 0.5
assert scipy.stats.mstats.mquantiles is not None
"""
# Read while other modules still find the stand-in.
WITHIN = """
import sys
from cli.lean_imports import STATISTICS, loaded_later

with loaded_later(STATISTICS):
    from scipy.stats import norm
    from scipy.stats.mstats import mquantiles
    assert norm.cdf(0) == 0.5
    assert mquantiles([1, 2, 3], prob=[0.5]) == [2]
import scipy.stats
assert scipy.stats.mstats.mquantiles([1, 2, 3], prob=[0.5]) == [2]
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


def test_what_scikit_learn_takes_from_scipy_stats_works_when_it_is_needed() -> None:
    _run(STATISTICS)


def test_a_stand_in_gives_way_where_it_is_used_at_once() -> None:
    _run(WITHIN)
