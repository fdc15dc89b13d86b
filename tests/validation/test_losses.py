"""The log loss of a table is scikit-learn's, to the bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from validation.losses import log_losses

EDGES = [0.0, 5e-324, 1e-17, 2.0**-52, 0.25, 0.5, 1 - 2.0**-52, 1 - 2.0**-53, 1.0]
PROBABILITIES = st.one_of(st.sampled_from(EDGES), st.floats(0, 1))


@given(st.lists(st.tuples(PROBABILITIES, st.integers(0, 1)), min_size=1, max_size=50))
def test_the_mean_loss_is_scikit_learns_to_the_bit(rows: list[tuple[float, int]]) -> None:
    p, y = np.array([p for p, _ in rows]), np.array([y for _, y in rows], dtype=np.int8)
    assert np.average(log_losses(p, y)) == log_loss(y, p, labels=[0, 1])


@pytest.mark.parametrize("rows", [1_000, 100_003])
def test_the_weighted_mean_of_many_rows_is_scikit_learns_to_the_bit(rows: int) -> None:
    rng = np.random.default_rng(rows)
    p, weight = rng.beta(0.3, 2, rows), rng.gamma(2, size=rows)
    y = (rng.random(rows) < p).astype(np.int8)
    assert np.average(log_losses(p, y), weights=weight) == log_loss(y, p, labels=[0, 1], sample_weight=weight)


def test_the_answers_given_are_left_as_they_were() -> None:
    p = np.array([0.0, 0.3, 1.0])
    log_losses(p, np.array([0, 1, 1], dtype=np.int8))
    assert p.tolist() == [0.0, 0.3, 1.0]
