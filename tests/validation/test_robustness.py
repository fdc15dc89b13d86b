"""Small changes of the inputs: as large as they say, of legitimate values, and their effect as it is."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import rankdata

from runtime.score import Scale
from validation.robustness import OTHER_BAND, SIZE, _noisy, robustness, sensitive


def places(_: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """Bands of ten points."""
    return (scores // 10).astype(np.intp)


def frame_of(rows: int = 1_000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "steep": rng.normal(0, 1, rows),
            "flat": rng.lognormal(0, 3, rows),
            "whole": rng.integers(0, 40, rows).astype(float),
            "yes": rng.integers(0, 2, rows).astype(float),
            "level": rng.choice(np.array(["a", "b", "c"], dtype=object), rows),
        }
    )
    for name in frame:
        frame.loc[rng.random(rows) < 0.1, name] = None if name == "level" else np.nan
    return frame


def answer(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Only `steep` and, a little, `level` count."""
    steep, level = frame["steep"].fillna(0).to_numpy(), (frame["level"] == "a").to_numpy()
    return np.asarray(expit(-2 + 1.5 * steep + 0.3 * level))


def moved(size: float = SIZE) -> dict[str, NDArray[Any]]:
    frame = frame_of()
    return {str(name): _noisy(frame[name], size, np.random.default_rng(1)) for name in frame}


def test_missing_stays_missing_and_no_value_comes_up_that_no_row_has() -> None:
    frame = frame_of()
    for name, values in moved(0.3).items():
        assert (pd.isna(values) == frame[name].isna()).all()
        assert set(values[~pd.isna(values)]) <= set(frame[name].dropna())


def test_numbers_move_by_the_stated_share_of_ranks() -> None:
    frame = frame_of(20_000)
    values = _noisy(frame["flat"], SIZE, np.random.default_rng(0))
    known = frame["flat"].notna().to_numpy()
    ranks = [rankdata(each[known]) / known.sum() for each in (frame["flat"].to_numpy(), values)]
    middle = (ranks[0] > 0.25) & (ranks[0] < 0.75)
    assert np.std((ranks[1] - ranks[0])[middle]) == pytest.approx(SIZE, rel=0.05)


def test_categories_are_drawn_anew_with_the_stated_probability() -> None:
    frame = frame_of(20_000)
    values = _noisy(frame["level"], 0.3, np.random.default_rng(0))
    changed = (values != frame["level"].to_numpy()) & frame["level"].notna().to_numpy()
    assert changed.sum() / frame["level"].notna().sum() == pytest.approx(0.3 * 2 / 3, rel=0.1)


def test_only_features_that_count_move_the_score() -> None:
    figures = robustness(answer, frame_of(), Scale(), places, 7)
    change = {its["feature"]: its for its in figures["features"]}
    assert figures["features"][0]["feature"] == "steep"
    assert change["level"]["mean_change"] > 0
    for name in ("flat", "whole", "yes"):
        assert change[name]["mean_change"] == change[name]["other_band"] == 0
    together = [its["mean_change"] for its in figures["together"]]
    assert together == sorted(together)
    assert together[1] >= change["steep"]["mean_change"] * 0.8
    assert [its["feature"] for its in sensitive(figures)] == ["steep"]
    assert change["steep"]["other_band"] > OTHER_BAND
    json.dumps(figures, allow_nan=False)


def test_changes_are_those_of_asking_again_in_points() -> None:
    frame = frame_of(300)
    figures = robustness(answer, frame, Scale(), places, 7)
    again = frame.assign(steep=_noisy(frame["steep"], SIZE, np.random.default_rng([7, 0])))
    before, after = (np.array(Scale().scores(answer(each).tolist())) for each in (frame, again))
    its = next(its for its in figures["features"] if its["feature"] == "steep")
    assert its["mean_change"] == pytest.approx(np.abs(after - before).mean())
    assert its["other_band"] == pytest.approx((before // 10 != after // 10).mean())


def test_many_features_take_fewer_rows_and_say_which_were_left_out() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(1_500, 130)), columns=[f"x{i}" for i in range(130)])
    figures = robustness(lambda rows: np.full(len(rows), 0.1), frame, Scale(), places, 0)
    assert (figures["rows"], len(figures["features"]), figures["left_out"]) == (400, 100, 30)
    assert all(its["mean_change"] == 0 for its in figures["features"])


def test_the_same_seed_changes_the_same() -> None:
    frame = frame_of()
    one, again, other = (robustness(answer, frame, Scale(), places, seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other
