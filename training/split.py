"""The division into training and test rows: by the target, by time, or by group."""

import math
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from cli.errors import WRONG_USAGE, UserError
from cli.words import listed, shown
from table import Table
from table.times import Times
from training.documents import PartRecord
from training.settings import Settings
from validation.weights import effective_size

Parts = dict[str, NDArray[np.intp]]

# Random divisions of few groups differ much, so the best of many is taken; those of many groups are alike.
DIVISIONS = 200
GROUPS_DEALT_OUT = 1_000_000
EXAMPLES = 3


def split(table: Table, settings: Settings) -> Parts:
    """The rows of `train` and of `test`, each row in one of them. Raises UserError where a part would be too small.

    * stratified: the division of `train_test_split` for the seed, stratified by class.
    * time: the test is the latest `test_size` of the rows, or all from `test_from` on. Rows at the boundary all
      go to the test. Where groups are named, none may be in both parts.
    * group: each group is in one part; of many random divisions the one whose shares of rows and of defaults
      are nearest to `test_size` (GroupShuffleSplit counts groups, which may be of any size).
    """
    if settings.split.method == "stratified":
        parts = _stratified(table, settings)
    elif settings.split.method == "time":
        parts = _by_time(table, settings)
    else:
        parts = _by_group(table, settings)
    counts = {name: np.bincount(table.target[rows], minlength=2) for name, rows in parts.items()}
    _refuse_small(table, settings, counts["train"], counts["test"])
    if table.group is not None:
        _refuse_few_groups(table, settings, table.group, parts)
    return parts


def split_facts(table: Table, parts: Parts) -> dict[str, PartRecord]:
    """Record of each part in run.json: rows, defaults and, if the settings name them, times and groups."""
    facts: dict[str, PartRecord] = {}
    for name, rows in parts.items():
        facts[name] = {"rows": len(rows), "defaults": int(table.target[rows].sum())}
        if table.weight is not None:
            weight = table.weight[rows]
            facts[name] |= {"weight": float(weight.sum()), "effective_rows": effective_size(weight)}
        if table.time is not None:
            times = table.time.of(rows)
            known = times.values[~times.missing()]
            first, last = (known.min(), known.max()) if len(known) else (None, None)
            facts[name] |= {"first_time": _shown(table.time, first), "last_time": _shown(table.time, last)}
        if table.group is not None:
            facts[name]["groups"] = int(np.count_nonzero(np.bincount(table.group.codes[rows])))
    return facts


def _shown(time: Times, moment: Any) -> str | None:
    return None if moment is None else time.shown(moment)


def _stratified(table: Table, settings: Settings) -> Parts:
    rows, size = len(table.target), settings.split.test_size
    held_out = math.ceil(size * rows)
    if min(np.bincount(table.target, minlength=2).min(), held_out, rows - held_out) < 2:  # scikit-learn needs two
        classes = np.bincount(table.target, minlength=2)
        for_test = np.round(size * classes).astype(int)
        _refuse_small(table, settings, classes - for_test, for_test)
    train, test = train_test_split(
        np.arange(rows), test_size=size, random_state=settings.split.seed, stratify=table.target
    )
    return {"train": train, "test": test}


def _by_time(table: Table, settings: Settings) -> Parts:
    if table.time is None:
        raise ValueError("a split by time needs the table's time column")
    values, size = table.time.values, settings.split.test_size
    if settings.split.test_from is None:
        held_out = math.ceil(size * len(values))
        boundary = np.partition(values, len(values) - held_out)[len(values) - held_out]
    else:
        boundary = _moment(table.time, settings)
    in_test = values >= boundary
    if in_test.all() or not in_test.any():
        _refuse_boundary(table, table.time, settings, "earlier" if in_test.all() else "that late")
    parts = _parts(in_test)
    if table.group is not None:
        _refuse_shared_groups(table, table.group, settings, parts)
    return parts


def _moment(time: Times, settings: Settings) -> Any:
    text = settings.split.test_from or ""
    moment = time.moment(text)
    if moment is None or moment != moment:
        first = time.shown(time.values[0])
        raise UserError(
            f"split.test_from: expected {time.kind}, as {first} in column {settings.split.time}, got {shown(text)}; "
            "write it as the column does",
            WRONG_USAGE,
        )
    return moment


def _refuse_boundary(table: Table, time: Times, settings: Settings, missing: str) -> NoReturn:
    goes = f"column {settings.split.time} goes from {time.shown(time.values.min())} to {time.shown(time.values.max())}"
    if settings.split.test_from is not None:
        raise UserError(
            f"split.test_from: {settings.split.test_from}: no row is {missing}, and both parts need rows; {goes}; "
            "choose a time between",
            WRONG_USAGE,
        )
    raise UserError(
        f"{table.source}: {goes}: the latest {settings.split.test_size:.0%} of the rows leave none before them, since "
        "rows of the same time stay together; set split.test_from, or a smaller split.test_size"
    )


def _by_group(table: Table, settings: Settings) -> Parts:
    if table.group is None:
        raise ValueError("a split by group needs the table's group column")
    codes, groups, size = table.group.codes, len(table.group.categories), settings.split.test_size
    if groups < 2:
        raise UserError(
            f"{table.source}: column {settings.split.group}: expected two groups or more, got {groups}; name another "
            "column as split.group"
        )
    shares = [np.bincount(codes, weights=weight, minlength=groups) for weight in (None, table.target)]
    of_rows, of_defaults = (share / share.sum() for share in shares)
    rng, divisions = np.random.default_rng(settings.split.seed), []
    for _ in range(min(DIVISIONS, max(1, GROUPS_DEALT_OUT // groups))):
        order = rng.permutation(groups)
        reached = of_rows[order].cumsum()[:-1]
        held_out = order[: np.abs(reached - size).argmin() + 1]
        divisions.append((sum(abs(share[held_out].sum() - size) for share in (of_rows, of_defaults)), held_out))
    _, held_out = min(divisions, key=lambda division: division[0])
    chosen = np.zeros(groups, dtype=bool)
    chosen[held_out] = True
    return _parts(chosen[codes])


def _parts(in_test: NDArray[np.bool_]) -> Parts:
    return {"train": np.flatnonzero(~in_test), "test": np.flatnonzero(in_test)}


def _folds(settings: Settings) -> tuple[int, str]:
    """The most folds that the training part is divided into, and the setting that asks for them."""
    if settings.tuning.trials and settings.tuning.folds > settings.model.least_folds:
        return settings.tuning.folds, "tuning.folds"
    return settings.model.least_folds, "model.folds"


def _refuse_small(table: Table, settings: Settings, train: NDArray[np.int_], test: NDArray[np.int_]) -> None:
    """Every fold needs a training row of each class, and the test a row of each; both are counted by class."""
    folds, setting = _folds(settings)
    boundary = "test_from" if settings.split.test_from else "test_size"
    for label, for_training, for_test in zip(("negative", "positive"), train, test, strict=True):
        if for_training < folds or not for_test:
            raise UserError(
                f"{table.source}: target {settings.data.target}: expected a {label} row for each of {folds} folds and "
                f"one for the test, got {for_training} and {for_test}; add rows, or change {setting} or "
                f"split.{boundary}"
            )


def _refuse_few_groups(table: Table, settings: Settings, group: pd.Categorical, parts: Parts) -> None:
    """Every fold needs a group with a training row of each class."""
    folds, setting = _folds(settings)
    target, codes = table.target[parts["train"]], group.codes[parts["train"]]
    for label, value in (("negative", 0), ("positive", 1)):
        found = np.count_nonzero(np.bincount(codes[target == value]))
        if found < folds:
            raise UserError(
                f"{table.source}: column {settings.split.group}: expected a group with a {label} row for each of "
                f"{folds} folds of the training part, got {found}; add groups, or change {setting}"
            )


def _refuse_shared_groups(table: Table, group: pd.Categorical, settings: Settings, parts: Parts) -> None:
    counts = [np.bincount(group.codes[rows], minlength=len(group.categories)) for rows in parts.values()]
    shared = np.flatnonzero(np.minimum(*counts))
    if not len(shared):
        return
    some = listed([shown(str(name)) for name in group.categories[shared[:EXAMPLES]]])
    known = f"{len(shared):,} groups have" if len(shared) > 1 else "a group has"
    raise UserError(
        f"{table.source}: column {settings.split.group}: {known} rows in both parts, such as {some}; a group must be "
        'in one: choose another split.test_from, use split.method = "group", or leave split.group out'
    )
