"""Sample weights, how many applicants each row stands for, and exposures, the amount that each row owes."""

import numpy as np
from numpy.typing import NDArray

from cli.errors import UserError
from cli.words import shown
from table.cells import Source, numbers, refuse_cells

LEAVE_OUT = "correct the file, leave such rows out with data.exclude, or leave data.weight out"
ANOTHER_UNIT = "give them in another unit, which changes no figure"
LEAST = 1e-100
ALIKE = 1e-9  # relative difference of weights that count as equal


def weights_of(source: Source, column: str, kept: "NDArray[np.bool_] | slice" = slice(None)) -> NDArray[np.float64]:
    """The weights [N] of the rows that are kept, as the file has them.

    Raises UserError where one is missing, infinite, negative or 0, and where squares of weights would be 0 or infinite.
    """
    values = numbers(source, column)
    for expected, is_right, remedy in (
        ("a weight above 0 in every row", values > 0, LEAVE_OUT),
        (f"weights from {LEAST:g} to {1 / LEAST:g}", (values >= LEAST) & (values <= 1 / LEAST), ANOTHER_UNIT),
    ):
        wrong = np.zeros(len(values), dtype=bool)
        wrong[kept] = ~is_right[kept]
        if wrong.any():
            told = [None if np.isnan(value) else value for value in values.tolist()]
            refuse_cells(source, column, expected, wrong, told, remedy)
    return values[kept]


def exposures_of(source: Source, column: str) -> NDArray[np.float64]:
    """The exposures [N] of all rows, NaN for missing. Raises UserError where one is infinite or negative."""
    values = numbers(source, column)
    if (wrong := values < 0).any():
        refuse_cells(source, column, "an exposure of 0 or more", wrong, values.tolist())
    return values


def refuse_constant(source: Source, column: str, weight: NDArray[np.float64]) -> None:
    """Raise UserError where all weights [N] are equal: no figure would depend on them."""
    if np.ptp(weight) <= ALIKE * weight.max():
        raise UserError(
            f"{source.name}: column {column}: every row has the weight {shown(float(weight[0]))}, so the weights "
            "have no effect; leave data.weight out, or name another column"
        )
