"""FastTreeSHAP's TreeExplainer with reference rows, on the classifier."""

from typing import Any

import fasttreeshap

from benchmarks.fidelity.cases import Case


def explain(its: Case, rows: Any, reference: Any) -> Any:
    """Contributions in log-odds."""
    explainer = fasttreeshap.TreeExplainer(its.pipeline, data=reference, feature_perturbation="interventional")
    return explainer.shap_values(rows)
