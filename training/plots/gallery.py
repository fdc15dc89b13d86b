"""All pictures of a run, in the order in which a validator reads."""

from collections.abc import Mapping
from typing import Any

from runtime.score import Scale
from training.evaluation.evidence import Evidence, Part
from training.plots.decisions import PROFIT, approval, profit
from training.plots.discrimination import gains, lift, precision_recall, roc
from training.plots.distribution import ks, scores
from training.plots.features import dependence, importance
from training.plots.ranking import ranking
from training.plots.reliability import reliability
from training.plots.score_bands import bands
from training.plots.search import search
from training.plots.shift import feature_shift, score_shift
from training.plots.style import Picture


def gallery(run: Mapping[str, Any], evidence: Evidence, parts: Mapping[str, Part]) -> dict[str, Picture]:
    """The pictures by name; those of what the run has not, such as a search, are left out."""
    rankings = {name: ranking(parts[name]) for name in ("train", "test")}
    scale = Scale(**run["settings"]["score"])
    pictures = [search(run["tuning"])] if run.get("tuning", {}).get("history") else []
    pictures += [
        roc(rankings, evidence.metrics, evidence.intervals),
        precision_recall(rankings, evidence.metrics, evidence.intervals),
        scores(parts["test"], evidence.edges),
        ks(rankings["test"], scale, evidence.metrics["test"]),
        gains(rankings),
        lift(rankings),
        reliability(dict(evidence.reliability)),
        bands(evidence.bands["test"], evidence.edges),
        approval(evidence.cutoffs),
    ]
    if PROFIT in evidence.cutoffs and evidence.cutoffs[PROFIT].notna().any():
        pictures.append(profit(evidence.cutoffs))
    pictures += [score_shift(evidence.stability["score"]), feature_shift(evidence.stability["features"])]
    pictures.append(importance(evidence.importance))
    pictures += [dependence(name, table, i) for i, (name, table) in enumerate(evidence.dependence.items())]
    return {picture.name: picture for picture in pictures}
