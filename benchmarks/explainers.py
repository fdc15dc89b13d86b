"""Contributions of shap, FastTreeSHAP and lastbit against Shapley values by definition: right, refused, or wrong."""

from collections.abc import Iterator

from benchmarks.peers import Peer, asked
from benchmarks.report import Row

EXPLAINERS = {
    "shap": Peer("shap_trees", ("shap",)),
    "fasttreeshap": Peer("fast_trees", ("fasttreeshap",)),
}


def measure() -> Iterator[Row]:
    """A row for each explainer, ours first: the verdict on each case, in log-odds."""
    yield from asked("explaining", EXPLAINERS)
