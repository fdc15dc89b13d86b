"""Players of the points: the raw features of a pipeline, or the user's groups of them.

A category is one player, whatever its levels; a row maximum is one; a feature with log1p is the raw number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.estimator.preparation import POOL, Preparation
from trees.reasons.columns import Level, Number


@dataclass(frozen=True)
class Player:
    """A raw feature, a row maximum or a group."""

    name: str
    features: tuple[str, ...]  # raw; the name itself where it is one feature
    is_group: bool = False
    """A group that the user stated; a row maximum is not a group."""


@dataclass(frozen=True)
class Players:
    """The players of a pipeline, and whose each column of its matrix is."""

    players: tuple[Player, ...]
    columns: tuple[Number | Level, ...]  # of the matrix
    of_column: NDArray[np.intp]  # [m] player of each column
    of_source: dict[Number | int, int]
    """Player of a number's column, and of a category's position."""


def players_of(preparation: Preparation, groups: Mapping[str, Sequence[str]]) -> Players:
    """The players, in the order of the matrix; `groups` are those of settings that have been checked."""
    units = _units(preparation)
    owner = _owners(units, groups)
    players: dict[str, Player] = {}
    for unit, features in units.items():
        group = owner.get(unit)
        if group is None:
            players[unit] = Player(unit, features)
        else:
            before = players[group].features if group in players else ()
            players[group] = Player(group, (*before, *features), is_group=True)
    number = {name: i for i, name in enumerate(players)}
    player_of_unit = [number[owner.get(unit) or unit] for unit in units]
    members, indicators = preparation.raw_columns()
    columns: list[Number | Level] = [Number(tuple(positions)) for positions in members]
    of_column = player_of_unit[: len(members)]
    names = list(preparation.indicators().values())
    for category, level in indicators:
        own = tuple(known for known in names[category] if known is not POOL)
        columns.append(Level(category, level, own if level is POOL else ()))
        of_column.append(player_of_unit[len(members) + category])
    of_source: dict[Number | int, int] = {
        source if isinstance(source, Number) else source.category: player
        for source, player in zip(columns, of_column, strict=True)
    }
    return Players(tuple(players.values()), tuple(columns), np.array(of_column, dtype=np.intp), of_source)


def _units(preparation: Preparation) -> dict[str, tuple[str, ...]]:
    """Units that cannot be divided: numbers, row maxima, categories; in the order of the matrix."""
    units: dict[str, tuple[str, ...]] = {name: (name,) for name in preparation.single_}
    units |= {name: tuple(members) for name, members in (preparation.row_max or {}).items()}
    return units | {name: (name,) for name in preparation.vocabularies_}


def _owners(units: Mapping[str, Sequence[str]], groups: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The group of each unit that is in one; the settings have been checked."""
    unit_of = {feature: unit for unit, features in units.items() for feature in features}
    return {unit_of.get(name, name): group for group, members in groups.items() for name in members}
