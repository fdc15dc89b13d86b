"""Targets and probabilities to evaluate: drawn at random, and any that hypothesis thinks of."""

import warnings

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import ks_2samp

PROBABILITY_LIMITS = (1e-8, 1 - 1e-8)
Sample = tuple[NDArray[np.int8], NDArray[np.float64]]


def draw(rows: int = 2_000, seed: int = 0, slope: float = 1.0) -> Sample:
    """Defaults, about one in six, and probabilities whose log-odds are too extreme where `slope` is below 1."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-2, 1.2, rows)
    target = (rng.random(rows) < expit(slope * x)).astype(np.int8)
    return target, expit(x)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Both classes, and probabilities of which many may be the same; 0, 1 and the limits are likely."""
    probability = st.one_of(
        st.sampled_from([0.0, PROBABILITY_LIMITS[0], 0.1, 0.25, 0.5, 0.75, PROBABILITY_LIMITS[1], 1.0]),
        st.floats(0, 1),
        st.floats(0.2, 0.21),
    )
    rows = draw(st.lists(st.tuples(st.sampled_from([0, 1]), probability), max_size=40))
    goods, bads = draw(st.tuples(probability, probability))
    target, p = zip(*[(0, goods), *rows, (1, bads)], strict=True)
    return np.array(target, dtype=np.int8), np.array(p, dtype=np.float64)


def kolmogorov_smirnov(target: NDArray[np.int8], probability: NDArray[np.float64]) -> float:
    """SciPy's statistic; its p-value, which warns of some samples, is not looked at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(ks_2samp(probability[target == 0], probability[target == 1]).statistic)
