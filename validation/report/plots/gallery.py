"""All pictures of a run, in the order in which a validator reads."""

from collections.abc import Iterator, Mapping
from typing import Any

from runtime.score import Scale
from validation.evidence import Answered, Evidence
from validation.reasons import ReasonsEvidence
from validation.report.plots import reasons
from validation.report.plots.decisions import PROFIT, approval, profit
from validation.report.plots.discrimination import gains, lift, precision_recall, roc
from validation.report.plots.distribution import ks, scores
from validation.report.plots.features import dependence, importance
from validation.report.plots.frontier import frontier
from validation.report.plots.noise import noise
from validation.report.plots.ranking import ranking
from validation.report.plots.ratios import ratios
from validation.report.plots.reliability import reliability
from validation.report.plots.score_bands import bands
from validation.report.plots.search import search
from validation.report.plots.shift import feature_shift, score_shift
from validation.report.plots.style import Picture


def gallery(run: Mapping[str, Any], evidence: Evidence, parts: Mapping[str, Answered]) -> dict[str, Picture]:
    """The pictures by name; those of what the run has not, such as a search, are left out."""
    return {picture.name: picture for picture in _pictures(run, evidence, parts)}


def _pictures(run: Mapping[str, Any], evidence: Evidence, parts: Mapping[str, Answered]) -> Iterator[Picture]:
    if any(trial["value"] is not None for trial in (run.get("tuning") or {}).get("history", ())):
        yield search(run["tuning"])
    rankings = {name: ranking(parts[name]) for name in ("train", "test")}
    yield roc(rankings, evidence.metrics, evidence.intervals)
    yield precision_recall(rankings, evidence.metrics, evidence.intervals)
    yield scores(parts["test"], evidence.edges)
    yield ks(parts["test"], rankings["test"], Scale(**run["settings"]["score"]), evidence.metrics["test"])
    yield gains(rankings)
    yield lift(rankings)
    if evidence.reliability:
        yield reliability(dict(evidence.reliability))
    if "Predicted" in evidence.bands["test"]:
        yield bands(evidence.bands["test"], evidence.edges)
    if len(evidence.cutoffs):
        yield approval(evidence.cutoffs)
    if PROFIT in evidence.cutoffs and evidence.cutoffs[PROFIT].notna().any():
        yield profit(evidence.cutoffs)
    if evidence.stability:
        yield score_shift(evidence.stability["score"])
        yield feature_shift(evidence.stability["features"])
    if len(evidence.importance):
        yield importance(evidence.importance)
    for number, (name, table) in enumerate(evidence.dependence.items()):
        yield dependence(name, table, number)
    if evidence.reasons is not None:
        yield from _of_reasons(evidence.reasons)
    if evidence.fairness is not None:
        yield from ratios(evidence.fairness)
    if "frontier" in (run.get("tuning") or {}):
        yield frontier(run["tuning"]["frontier"])
    if evidence.robustness is not None and evidence.robustness["features"]:
        yield noise(evidence.robustness)


def _of_reasons(evidence: ReasonsEvidence) -> Iterator[Picture]:
    if len(evidence.summary):
        yield reasons.points(evidence)
    for number, (name, table) in enumerate(evidence.dependence.items()):
        yield reasons.dependence(name, table, number)
    for number, waterfall in enumerate(evidence.waterfalls):
        yield reasons.waterfall(waterfall, number)
    if evidence.frequency.shape[1] > 2:
        yield reasons.frequency(evidence)
