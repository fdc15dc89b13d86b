"""The parameters that are searched, where they are searched, and where the search sets out from."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import FloatDistribution, IntDistribution

from cli.errors import WRONG_USAGE, UserError
from training.settings import Settings
from training.settings.xgboost_parameters import Value

Distribution = FloatDistribution | IntDistribution
Space = Mapping[str, Distribution]

DIGITS = 3  # significant ones of what is searched: a fourth changes nothing that a test part could tell

# Depth 1 is an additive model, as a scorecard is. Trees grow where they gain most, within both limits: with more leaves
# than the depth has room for they are what they would be level by level. Few bins smooth a column, many follow it: the
# best number is 64 on one public table and 1,024 on another. Few columns at a node make trees differ, of which a sum of
# many is the better for. At its lowest a penalty or a least weight has no effect.
SPACE: Space = {
    "max_depth": IntDistribution(1, 10),
    "max_leaves": IntDistribution(4, 128, log=True),
    "max_bin": IntDistribution(32, 2_048, log=True),
    "learning_rate": FloatDistribution(0.02, 0.2, log=True),
    "min_child_weight": FloatDistribution(0.1, 100.0, log=True),
    "gamma": FloatDistribution(0.001, 3.0, log=True),
    "reg_lambda": FloatDistribution(0.1, 30.0, log=True),
    "reg_alpha": FloatDistribution(0.001, 3.0, log=True),
    "subsample": FloatDistribution(0.5, 1.0),
    "colsample_bytree": FloatDistribution(0.4, 1.0),
    "colsample_bynode": FloatDistribution(0.1, 1.0),
}
LEAFWISE: Mapping[str, Value] = {"max_depth": 10, "max_leaves": 31}
# Tried after the settings' own, and never pruned, so that no search ends worse than a handful of plain sets: stumps to
# deep trees of few leaves, bins few and many, columns drawn for each node, for each tree, or all. With strong
# interactions few columns at a node are a poor choice (log loss 0.231 against 0.206 on 24,000 rows), with many weak
# features a good one.
KNOWN: tuple[Mapping[str, Value], ...] = (
    {"max_depth": 4, "learning_rate": 0.03, "subsample": 0.6, "colsample_bynode": 0.15},
    {**LEAFWISE, "learning_rate": 0.05, "min_child_weight": 0.1, "colsample_bytree": 0.5, "max_bin": 1_024},
    {"max_depth": 2, "learning_rate": 0.05, "subsample": 0.7, "colsample_bynode": 0.2},
    {**LEAFWISE, "learning_rate": 0.05, "colsample_bytree": 0.5, "max_bin": 64},
    {"max_depth": 5, "learning_rate": 0.05, "min_child_weight": 3.0, "subsample": 0.8, "colsample_bytree": 0.7},
    {"max_depth": 1, "learning_rate": 0.1, "subsample": 0.7, "colsample_bytree": 0.7, "colsample_bynode": 0.7},
    {"max_depth": 6, "learning_rate": 0.03, "reg_lambda": 2.0, "subsample": 0.6, "colsample_bynode": 0.15},
    {"max_depth": 3, "learning_rate": 0.04, "min_child_weight": 10.0, "subsample": 0.8, "colsample_bynode": 0.4},
)
# XGBoost's defaults; it has no limit of leaves, to which the largest number is nearest.
DEFAULTS: Mapping[str, Value] = {
    "max_depth": 6,
    "max_leaves": 128,
    "max_bin": 256,
    "learning_rate": 0.3,
    "min_child_weight": 1.0,
    "gamma": 0.0,
    "reg_lambda": 1.0,
    "reg_alpha": 0.0,
    "subsample": 1.0,
    "colsample_bytree": 1.0,
    "colsample_bynode": 1.0,
}


def searched(settings: Settings) -> dict[str, Distribution]:
    """The parameters that the settings leave to the search, and their ranges. Raises UserError for none."""
    kept, its = set(settings.tuning.keep), settings.xgboost
    if "max_leaves" in its:
        kept |= {"max_depth", "max_leaves"}  # trees are limited by leaves then
    if its.get("grow_policy") == "depthwise":
        kept.add("max_leaves")
    if its.get("tree_method") == "exact":
        kept |= {"max_leaves", "max_bin", "colsample_bynode"}  # it knows none of them
    space = {name: distribution for name, distribution in SPACE.items() if name not in kept}
    if not space:
        raise UserError(
            f"tuning.keep: holds all of {', '.join(SPACE)}, so that nothing is left to search; leave some out",
            WRONG_USAGE,
        )
    return space


def place(parameters: Mapping[str, Value], space: Space) -> dict[str, Any]:
    """Place of a set of parameters in the space, or the nearest one."""
    nearest = {}
    for name, distribution in space.items():
        value: Any = parameters.get(name, DEFAULTS[name])
        nearest[name] = type(distribution.low)(min(max(value, distribution.low), distribution.high))
    return nearest


def chosen(place: Mapping[str, Any]) -> dict[str, Value]:
    """A place as the parameters of a trial; trees whose leaves are searched grow where they gain most."""
    leafwise: dict[str, Value] = {"grow_policy": "lossguide"} if "max_leaves" in place else {}
    return {**rounded(place), **leafwise}


def rounded(place: Mapping[str, Any]) -> dict[str, Value]:
    """A place as parameters, which people read."""
    return {name: value if isinstance(value, int) else float(f"{value:.{DIGITS}g}") for name, value in place.items()}
