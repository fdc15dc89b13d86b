"""Effect of small changes of the inputs on scores and bands.

A number moves to a value near to it in rank: as many places away as a normal draw says, whose standard deviation is a
share `size` of the rows. So changes are as large as the differences between applicants, whole numbers stay whole, and
no value comes up that no applicant has. A category is drawn anew among the rows with the probability `size`. What is
missing stays missing.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runtime.score import Scale
from validation.bands import scores_of
from validation.sample import sampled_rows
from validation.slices.documents import Change, FeatureChange, Robustness

SIZE = 0.05  # of one feature at a time
SIZES = (0.01, 0.05, 0.1)  # of all features together
MOST_ROWS = 1_000
MOST_CELLS = 40_000  # rows times features: of many features fewer rows
FEWEST_ROWS = 200
MOST_FEATURES = 100
OTHER_BAND = 0.25  # share of the rows that may change their band by one feature; four real models have 0.04 to 0.12

Floats = NDArray[np.float64]
Answer = Callable[[pd.DataFrame], Floats]
Places = Callable[[Floats, Floats], NDArray[np.intp]]


def robustness(
    answer: Answer, frame: pd.DataFrame, scale: Scale, places: Places, seed: int, weight: Floats | None = None
) -> Robustness:
    """The changes of answers when drawn rows of `frame` [N] are changed a little.

    `answer` gives the probability of default of raw columns, `places` the band of probabilities and scores.
    """
    names = [str(name) for name in frame.columns]
    alone = names[:MOST_FEATURES]
    most = max(FEWEST_ROWS, min(MOST_ROWS, MOST_CELLS // len(alone)))
    rows = frame.iloc[sampled_rows(len(frame), most, seed, weight)].reset_index(drop=True)
    changed = [rows]
    for number, name in enumerate(alone):
        rng = np.random.default_rng([seed, number])
        changed.append(rows.assign(**{name: _noisy(rows[name], SIZE, rng)}))
    for place, size in enumerate(SIZES):
        rng = np.random.default_rng([seed, len(names), place])
        changed.append(pd.DataFrame({name: _noisy(rows[name], size, rng) for name in names}))
    probability = answer(pd.concat(changed, ignore_index=True))
    scores = scores_of(probability, scale)
    asked, bands = scores.reshape(len(changed), -1), places(probability, scores).reshape(len(changed), -1)
    said = [_change(asked, bands, i) for i in range(1, len(changed))]
    features: list[FeatureChange] = [
        {"feature": name, **its} for name, its in zip(alone, said[: len(alone)], strict=True)
    ]
    return {
        "rows": len(rows),
        "of": len(frame),
        "seed": seed,
        "size": SIZE,
        "features": sorted(features, key=lambda its: -its["mean_change"]),
        "left_out": len(names) - len(alone),
        "together": [{"size": size, **its} for size, its in zip(SIZES, said[len(alone) :], strict=True)],
    }


def sensitive(figures: Robustness) -> Iterator[FeatureChange]:
    """The features whose small changes alone move more rows to another band than a validator should accept."""
    yield from (its for its in figures["features"] if its["other_band"] > OTHER_BAND)


def _change(scores: Floats, bands: NDArray[np.intp], place: int) -> Change:
    moved = np.abs(scores[place] - scores[0])
    return {
        "mean_change": float(moved.mean()),
        "largest_change": float(np.quantile(moved, 0.95)),
        "other_band": float((bands[place] != bands[0]).mean()),
    }


def _noisy(column: "pd.Series[Any]", size: float, rng: np.random.Generator) -> NDArray[Any]:
    """The column [N] with its noise; of equal values each may stand anywhere among them."""
    values = column.to_numpy(copy=True)
    known = np.flatnonzero(column.notna())
    if len(known) < 2:
        return values
    if not pd.api.types.is_numeric_dtype(column.dtype):
        drawn = known[rng.random(len(known)) < size]
        values[drawn] = values[rng.choice(known, len(drawn))]
        return values
    order = known[np.lexsort((rng.random(len(known)), values[known]))]
    places = np.arange(len(known)) + rng.normal(0, size * len(known), len(known))
    last = len(known) - 1
    values[order] = values[order][np.rint(last - np.abs(last - np.abs(places))).astype(np.intp).clip(0, last)]
    return values
