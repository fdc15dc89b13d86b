"""Figures in JSON's types: what is not defined is null."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np


def known(value: Any) -> Any:
    """A number, None where it is NaN or infinite; containers member by member."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: known(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [known(member) for member in value]
    return value


def listed(values: Iterable[Any]) -> list[Any]:
    """An array as a list."""
    return [known(value) for value in np.asarray(values).tolist()]
