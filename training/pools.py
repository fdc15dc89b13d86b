"""The pools of rare levels, in numbers and in words."""

from collections.abc import Mapping, Sequence

import pandas as pd

from cli.errors import UserError
from training.documents import PoolRecord
from training.estimator.preparation import Preparation, levels_of
from training.settings import Settings
from training.settings.tables import RARE


def pools_of(settings: Settings, preparation: Preparation, frame: pd.DataFrame) -> list[PoolRecord]:
    """Training rows in the pools of a fitted preparation, in the order of the features."""
    return pools_of_counts(settings, preparation, {name: levels_of(frame[name]) for name in preparation.pools_})


def pools_of_counts(
    settings: Settings, preparation: Preparation, counts: Mapping[str, Mapping[str, int]]
) -> list[PoolRecord]:
    """The pools by the number of training rows with each level."""
    rare = {feature.name: feature.rare or settings.model.rare for feature in settings.features}
    return [
        {
            "feature": name,
            "rare": rare[name],
            "levels": len(preparation.vocabularies_[name]),
            "pooled": len(pooled),
            "rows": sum(counts[name][level] for level in pooled),
        }
        for name, pooled in preparation.pools_.items()
    ]


def refuse_pools_of_all(settings: Settings, pools: Sequence[PoolRecord]) -> None:
    """Raise UserError where a number of rows that the user has set pools all levels of a category.

    With the default number this is only reported: a table may have a category from which nothing can be learnt.
    """
    own = {feature.name for feature in settings.features if feature.rare is not None}
    for pool in pools:
        if swallows_all(pool) and (pool["feature"] in own or settings.model.rare != RARE):
            raise UserError(in_words(pool))


def swallows_all(pool: PoolRecord) -> bool:
    """No level is left that the model distinguishes."""
    return pool["pooled"] == pool["levels"]


def in_words(pool: PoolRecord) -> str:
    """One line on a pool."""
    fewer = f"fewer than {pool['rare']} training rows"
    if swallows_all(pool):
        return (
            f"features.{pool['feature']}: all {pool['levels']:,} levels have {fewer} and are one pool, so the model "
            f"sees only where it is missing; set features.{pool['feature']}.rare lower, or leave the feature out"
        )
    return (
        f"features.{pool['feature']}: {pool['pooled']:,} of {pool['levels']:,} levels have {fewer}; "
        f"they are pooled, {pool['rows']:,} rows"
    )
