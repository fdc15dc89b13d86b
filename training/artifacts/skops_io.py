"""`skops.io`, imported without Dask, pytest and scipy.stats.

skops lists the estimators of scikit-learn, for which it imports all of scikit-learn's modules. Two of them import Dask
and pytest if these are installed, which takes as long as everything else and adds no estimator. Import this module only
to read or write a pipeline; a run loads it beside the fit.
"""

from cli.lean_imports import STATISTICS, absent, loaded_later

with absent(("dask", "pytest")), loaded_later(STATISTICS):
    import skops.io

dumps = skops.io.dumps
loads = skops.io.loads
get_untrusted_types = skops.io.get_untrusted_types
