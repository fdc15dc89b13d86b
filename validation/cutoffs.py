"""The result of approving from each score upwards."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from validation.calibration import interval_of_rates
from validation.evidence import Answered
from validation.settings import Costs
from validation.weights import effective_sizes, on_a_grid

MOST_STEPS = 80  # of the grid between the lowest and the highest score


def cutoff_table(
    part: Answered, edges: Sequence[float], costs: Costs, amount: NDArray[np.float64] | None = None
) -> pd.DataFrame:
    """One row for each cut-off score, from the one that approves everybody to the one that approves nobody.

    Cut-offs are round numbers and the edges of the bands. Rates and shares are 0 to 1, over nobody NaN: `Approval
    rate`; `Bad rate` of those approved, its bounds `Low` and `High`, and `Predicted bad rate`; `Defaults refused` of
    all defaults. Where there are weights, all but the count `Approved` is weighted, and `Weight` is the sum of the
    weights of those approved.

    Where costs are set: `Expected profit` by the probabilities and `Observed profit` by what happened, in total and
    per applicant, refused ones at 0; `Best` says "expected", "observed" or "both" at the first cut-off that has the
    highest. `amount` [N] is the column that `costs.amount` names; an applicant without one adds nothing.
    """
    order = np.argsort(part.score, kind="stable")
    score, target, probability = part.score[order], part.target[order], part.probability[order]
    w = on_a_grid(part.mass[order])
    cutoffs = _cutoffs(score[0], score[-1], edges)
    refused = np.searchsorted(score, cutoffs, side="left")
    size, bad, defaults = _from(w, refused), _from(w * target, refused), float((w * target).sum())
    with np.errstate(invalid="ignore"):
        low, high = interval_of_rates(bad / size, effective_sizes(size, _from(w**2, refused)))
        table = pd.DataFrame(
            {
                "Score from": cutoffs,
                "Approved": len(score) - refused,
                **({} if part.weight is None else {"Weight": size}),
                "Approval rate": size / w.sum(),
                "Bad rate": bad / size,
                "Low": low,
                "High": high,
                "Predicted bad rate": _from(w * probability, refused) / size,
                "Defaults refused": 1 - bad / defaults,
            }
        )
    if costs.gain is None or costs.loss is None:
        return table
    sums = 1.0 if amount is None else np.nan_to_num(amount[order])
    expected = _from(((1 - probability) * costs.gain - probability * costs.loss) * sums * w, refused)
    observed = _from(np.where(target == 1, -costs.loss, costs.gain) * sums * w, refused)
    best = np.full(len(cutoffs), "", dtype=object)
    best[expected.argmax()] = "expected"
    best[observed.argmax()] = "both" if best[observed.argmax()] else "observed"
    return table.assign(
        **{
            "Expected profit": expected,
            "Observed profit": observed,
            "Expected profit per applicant": expected / w.sum(),
            "Observed profit per applicant": observed / w.sum(),
            "Best": best,
        }
    )


def _from(values: NDArray[np.generic], first: NDArray[np.int64]) -> NDArray[np.float64]:
    """The sum of all values from each place on."""
    return np.append(np.cumsum(values[::-1], dtype=np.float64)[::-1], 0.0)[first]


def _cutoffs(lowest: float, highest: float, edges: Sequence[float]) -> NDArray[np.float64]:
    width = max(highest - lowest, 1.0) / MOST_STEPS
    power = 10.0 ** math.floor(math.log10(width))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= width)
    # A step more than there should be at both ends: a quotient may round to the next whole number.
    grid = np.round(step * np.arange(math.floor(lowest / step) - 1, math.floor(highest / step) + 3), 9)
    first, last = grid[grid <= lowest].max(), grid[grid > highest].min()
    inner = [edge for edge in edges if lowest < edge < highest]
    return np.unique(np.concatenate([grid[(first <= grid) & (grid <= last)], inner]))
