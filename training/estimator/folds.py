"""Folds for cross-fitting and for the search: stratified by the target, and groups kept together."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

from cli.errors import UserError
from training.settings.tables import FEW_FOLDS, LEAST_DEFAULTS_FOR_MORE, MORE_FOLDS, MOST_ROWS_FOR_MORE, Settings

# StratifiedGroupKFold goes through rows and groups one by one in Python: 3 s for 20,000 groups. With more rows than
# this, groups that are shuffled and dealt out are as good as stratified.
STRATIFIED_GROUP_ROWS = 20_000

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


class FoldsRefused(UserError, ValueError):  # noqa: N818  (named for what happened)
    """No folds can be made of these groups: a ValueError, as estimators raise, that commands tell in one line."""


def with_folds(settings: Settings, target: NDArray[Any], groups: NDArray[Any] | None) -> Settings:
    """The settings with a number of folds for these training rows, where they leave it open.

    `target` [N] is 0 or 1; `groups` [N] are codes or names: rows of one group count as one row of each outcome.
    """
    if settings.model.folds is not None:
        return settings
    apart = np.arange(len(target)) if groups is None else groups
    rarest = min(len(np.unique(apart[target == outcome])) for outcome in (0, 1))
    more = len(target) <= MOST_ROWS_FOR_MORE and rarest >= LEAST_DEFAULTS_FOR_MORE
    return replace(settings, model=replace(settings.model, folds=MORE_FOLDS if more else FEW_FOLDS))


def folds_of(target: NDArray[Any], groups: NDArray[Any] | None, folds: int, random_state: Any) -> list[Fold]:
    """For each fold the rows outside of it and those in it, shuffled by a seed.

    `target` [N] is 0 or 1; `groups` [N] are codes or names, each in one fold only. Raises FoldsRefused where outside
    of some fold one class is missing.
    """
    if groups is None:
        splitter: Any = StratifiedKFold(folds, shuffle=True, random_state=random_state)
    elif (count := len(np.unique(groups))) < folds:
        raise FoldsRefused(f"groups: expected one for each of {folds} folds at least, got {count}; use fewer folds")
    elif len(target) <= STRATIFIED_GROUP_ROWS:
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=random_state)
    else:
        splitter = GroupKFold(folds, shuffle=True, random_state=random_state)
    found = list(splitter.split(np.empty((len(target), 0)), target, groups))
    for number, (seen, _) in enumerate(found, 1):
        if not 0 < target[seen].sum() < len(seen):
            raise FoldsRefused(
                f"groups: all rows of a class fall into fold {number} of {folds}; use fewer folds, or finer groups"
            )
    return found
