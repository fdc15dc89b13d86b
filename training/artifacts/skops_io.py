"""`skops.io`, imported without Dask and pytest.

skops lists the estimators of scikit-learn, for which it imports all modules of that. Two import Dask and pytest
where they are installed, which takes as long as all the rest and adds no estimator. Import this module only where a
pipeline is read or written; a run loads it beside the fit.
"""

from cli.lean_imports import absent

with absent(("dask", "pytest")):
    import skops.io

dumps = skops.io.dumps
loads = skops.io.loads
get_untrusted_types = skops.io.get_untrusted_types
