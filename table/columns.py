"""Columns of a data frame as the arrays that models read."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MISSING_CATEGORY = ""


def strings(column: "pd.Series[Any]") -> NDArray[np.object_]:
    """A string column as an object array, missing values as the empty string."""
    values = column.to_numpy(dtype=object)
    return np.where(column.isna(), MISSING_CATEGORY, values)
