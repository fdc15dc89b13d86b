"""A subject of validation with every section on, drawn from the model's own probabilities; no model is needed."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from runtime.grades import Grades
from runtime.score import Scale
from table.settings import Feature
from validation.bands import scores_of
from validation.explained import Explained
from validation.fairness.groups import attributes_of
from validation.initial import Said, initial_of
from validation.rating import Rating
from validation.sections.section import Coded, Migrations, Rows, Sample, Subject
from validation.settings import Fairness, Stability, Validation
from validation.stability import reference_of, shifts

Floats = NDArray[np.float64]
SCALE = Scale()
LIMITS = (0.01, 0.015, 0.02, 0.03, 0.04, 0.055, 0.075, 0.1, 0.13, 0.18, 0.25, 0.35, 0.5)
NAMES = tuple(f"{k + 1:02d}" for k in range(len(LIMITS) + 1))
RATING = Rating.of_grades(Grades(LIMITS, NAMES))
NUMBERS = ("income", "debt", "age", "late", "limit", "usage", "years", "orders")
FEATURES = [*(Feature(name, "number") for name in NUMBERS), Feature("shop", "category")]
SHOPS = np.array(["books", "garden", "shoes", "toys"], dtype=object)
FAIRNESS = Fairness(groups=("sex", "age_band"), reference={"sex": "m"})
ROWS = 4_000


def answer(frame: pd.DataFrame) -> Floats:
    """Probabilities of default [N] of raw features."""
    x = 0.3 * frame[list(NUMBERS)].sum(axis=1) + 0.4 * (frame["shop"] == "toys")
    return np.asarray(expit(x - 2.2), dtype=np.float64)


def explain(frame: pd.DataFrame, _: Floats) -> Explained:
    """Reasons [N] of raw features: each normal number costs its own points."""
    points = -10.0 * frame[list(NUMBERS)].to_numpy()
    order = np.argsort(points, axis=1)[:, :4].tolist()
    named = [[i for i in its if row[i] < 0] for its, row in zip(order, points, strict=True)]
    basis = {"method": "Shapley", "reference": "at-cutoff", "reference_rows": 100, "reference_total": 900}
    return Explained(basis | {"adds_up": False, "reference_scores": [500.0, 520.0]}, NUMBERS, points, named)


def customers(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Raw features [N]."""
    numbers = {name: rng.normal(size=rows) for name in NUMBERS}
    return pd.DataFrame({**numbers, "shop": SHOPS[rng.integers(0, len(SHOPS), rows)]})


def whole(rng: np.random.Generator, truth: Callable[[Floats], Floats] = lambda p: p, rows: int = ROWS) -> Subject:
    """Customers whose outcomes are drawn from `truth` of their probabilities; training and initial rows from these."""
    frame, training, first = (customers(rng, rows) for _ in range(3))
    now, then = answer(frame), answer(first)
    owed, owed_then = rng.lognormal(7, 1, rows), rng.lognormal(7, 1, rows)
    initial = initial_of(
        RATING,
        (rng.random(rows) < then).astype(np.int8),
        then,
        scores_of(then, SCALE),
        Said("test", "90 days", "owed"),
        owed_then,
    )
    scores = scores_of(now, SCALE)
    reference = reference_of(training, scores_of(answer(training), SCALE), FEATURES, Stability())
    stability = shifts(reference, frame, scores, Stability())
    unseen = {"missing": 0.0, "missing_in_training": 0.0, "unseen": 0.0, "examples": []}
    features = [{**entry, **unseen} for entry in stability["features"]]
    grades = RATING.places(now, scores)
    after = (grades + rng.integers(-2, 3, rows)).clip(0, len(RATING) - 1)
    months, regions = rng.integers(0, 6, rows).astype(np.int32), rng.integers(0, 4, rows).astype(np.int32)
    groups = {
        "sex": np.array(["f", "m"], dtype=object)[rng.integers(0, 2, rows)],
        "age_band": np.array(["18-29", "30-44", "45-59", "60+"], dtype=object)[rng.integers(0, 4, rows)],
    }
    return Subject(
        Rows(
            now,
            scores,
            (rng.random(rows) < truth(now)).astype(float),
            exposure=owed,
            periods=Coded([f"2026-0{i + 1}" for i in range(6)], months),
            segments={"region": Coded(["a", "b", "c", "d"], regions)},
        ),
        RATING,
        SCALE,
        Validation(),
        Stability(),
        initial,
        stability={
            **stability,
            "features": features,
            "moved": [entry["feature"] for entry in features if entry["moved"]],
            "grades": [],
            "by_period": [],
        },
        migrations=Migrations(grades, after, 3, 5, "January and June"),
        sample=Sample(frame, np.arange(rows)),
        answer=answer,
        explain=explain,
        people=tuple(attributes_of(pd.DataFrame(groups), FAIRNESS)),
        fairness=FAIRNESS,
        cutoff=(520.0, "the limit of a band"),
        seed=int(rng.integers(0, 2**31)),
    )
