"""Alarms: each on a sample that gives reason, and none on one that does not."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit

from runtime.score import Scale
from tests import applicants
from tests.validation.samples import draw
from validation import copies
from validation.bands import scores_of
from validation.copies import copies_of, keys_of, repeat_by_chance
from validation.documents import Alarm
from validation.evidence import Part
from validation.findings import Examined, alarms
from validation.intervals.bootstrap import bootstrap
from validation.metrics import evaluate

pytestmark = pytest.mark.tier("land")


def found(
    target: NDArray[np.int8],
    probability: NDArray[np.float64],
    train_auc: float | None = None,
    without: Sequence[str] = (),
    **known: Any,
) -> dict[str, Alarm]:
    """The alarms of a test part, by name; some figures are `without` an interval."""
    scale = Scale()
    test = Part(pd.DataFrame(index=range(len(target))), target, probability, scores_of(probability, scale))
    figures = evaluate(target, probability, 0.5)
    metrics = {"train": figures | {"roc_auc": train_auc or figures["roc_auc"]}, "test": figures}
    drawn = bootstrap(target, probability, 0.5, 100, 0)
    bounds = {name: its for name, its in drawn.bounds.items() if name not in without}
    examined = Examined(test, scale, metrics, {"test": bounds}, left_out=drawn.left_out, resamples=100, **known)
    return {alarm["name"]: alarm for alarm in alarms(examined)}


def test_a_good_model_gives_none() -> None:
    assert found(*draw(4_000)) == {}


def test_of_fifty_clean_draws_at_most_two_raise_an_alarm() -> None:
    pages = [found(*draw(4_000, seed)) for seed in range(50)]
    assert sum(map(bool, pages)) <= 2, [page for page in pages if page]


def parts(rows: int, copies: int = 0, flip: bool = False) -> tuple[Part, Part]:
    """Train and test of the tests' applicants; so many of the test's rows are training rows."""
    frame, target = applicants.draw(2 * rows, seed=rows)
    answers = np.linspace(0.05, 0.9, rows)
    train = Part(frame[:rows], target[:rows], answers, answers)
    its, outcomes = frame[rows:].reset_index(drop=True), target[rows:].copy()
    its.iloc[:copies] = frame.iloc[:copies].to_numpy()
    outcomes[:copies] = 1 - target[:copies] if flip else target[:copies]
    return train, Part(its.astype(frame.dtypes), outcomes, answers, answers)


@pytest.mark.parametrize(("copies", "flip", "names"), [
    (0, False, set()),
    (40, False, {"copied rows"}),
    (40, True, {"copied rows", "contradicting copies"}),
])  # fmt: skip
def test_copies_of_training_rows_are_an_alarm(copies: int, flip: bool, names: set[str]) -> None:
    train, test = parts(1_000, copies, flip)
    seen = copies_of(train, test)
    fine = test.frame[["income", "debt"]].notna().any(axis=1)  # others may be equal by chance
    assert seen.share == fine[:copies].sum() / 1_000 > 0.95 * copies / 1_000 - 1e-9
    assert set(found(*draw(4_000), copies=seen)) == names


def test_equal_rows_of_coarse_columns_are_no_copies() -> None:
    train, test = parts(1_000)
    columns = ["late_1", "has_paid", "shop"]
    seen = copies_of(*(replace(part, frame=part.frame[columns]) for part in (train, test)))
    assert seen.share > 0.9
    assert found(*draw(4_000), copies=seen) == {}


def stability(moved: list[str], score_moved: bool) -> dict[str, Any]:
    """A comparison in which some of ten features moved, as validation.stability.shifts gives it."""
    names = [*moved, *(f"still_{i}" for i in range(10 - len(moved)))]
    features = [
        {"feature": name, "csi": 1 - i / 10, "counts_from": 0.25, "moved": name in moved}
        for i, name in enumerate(names)
    ]
    return {"score": {"psi": 0.4, "counts_from": 0.25, "moved": score_moved}, "features": features}


@pytest.mark.parametrize(("count", "more"), [(1, ""), (5, ""), (8, " and 3 more")])
def test_features_that_moved_are_an_alarm_which_names_the_worst(count: int, more: str) -> None:
    moved = [f"moved_{i}" for i in range(count)]
    alarm = found(*draw(4_000), stability=stability(moved, False))["features moved"]
    assert f"{count} of 10 features moved" in alarm["message"]
    assert ", ".join(f"{name} ({1 - i / 10:.2f})" for i, name in enumerate(moved[:5])) + more + ";" in alarm["message"]
    assert (alarm["value"], alarm["limit"]) == (1, 0.25)


def test_a_score_that_moved_is_an_alarm() -> None:
    assert set(found(*draw(4_000), stability=stability([], True))) == {"score moved"}
    assert found(*draw(4_000), stability=stability([], False)) == {}


def test_levels_that_few_rows_have_are_an_alarm() -> None:
    assert found(*draw(4_000), thin={"shop": 0.5, "town": 0.1}) == {}
    alarm = found(*draw(4_000), thin={"shop": 0.5, "town": 0.93, "agent": 0.71})["thin levels"]
    assert (alarm["value"], alarm["limit"]) == (0.93, 0.5)
    assert "town (93%), agent (71%); group" in alarm["message"]


def test_a_suspected_leak_is_an_alarm_with_its_reason() -> None:
    alarm = found(*draw(4_000), leaks={"recovered": "is there for defaults only: is it known only after the outcome?"})
    assert alarm["suspected leak"]["message"].startswith("recovered is there for defaults only")


def test_a_ranking_too_good_to_be_true_is_an_alarm() -> None:
    y, p = draw(4_000)
    alarm = found(y, np.clip(0.9 * y + 0.05 + p / 1_000, 0, 1))["ROC-AUC too good"]
    assert alarm["value"] == 1


@pytest.mark.parametrize(
    ("calibrator", "remedy"), [("isotonic", 'model.calibration = "sigmoid"'), ("sigmoid", "a leak")]
)
def test_a_remedy_can_apply_to_the_model(calibrator: str, remedy: str) -> None:
    y, p = draw(4_000)
    certain = np.where((p < np.quantile(p, 0.06)) & (y == 0), 0.0, p)
    alarm = found(y, certain, calibrator=calibrator)["probability on its limit"]
    assert remedy in alarm["message"]
    assert "calibration intercept" not in found(y, certain, calibrator=calibrator)


def test_squeezed_scores_raise_an_alarm() -> None:
    """As a sigmoid on probabilities makes them: none below 5 %."""
    y, p = draw(4_000)
    squeezed = found(y, 0.05 + 0.8 * p)["squeezed scores"]
    scores = scores_of(0.05 + 0.8 * p, Scale())
    assert squeezed["value"] == pytest.approx((scores >= scores.max() - 20).mean())
    assert squeezed["value"] > squeezed["limit"]
    assert "within 20 points of the best score" in squeezed["message"]


def test_probabilities_on_a_limit_raise_an_alarm() -> None:
    y, p = draw(4_000)
    alarm = found(y, np.where((p < np.quantile(p, 0.03)) & (y == 0), 0.0, p))["probability on its limit"]
    assert alarm["value"] == pytest.approx(0.03, abs=0.005)
    assert "at or beyond 1e-08" in alarm["message"]


def test_tied_applicants_raise_an_alarm() -> None:
    y, p = draw(4_000)
    sizes = np.unique(np.round(p, 1), return_counts=True)[1]
    alarm = found(y, np.round(p, 1))["tied applicants"]
    assert alarm["value"] == sizes.max() / 4_000
    assert alarm["message"].startswith(
        f"{sizes.max() / 4_000:.1%} of the test's applicants share one probability, of {len(sizes)} different ones; "
    )


@pytest.mark.parametrize(
    ("stretch", "shift", "name", "told"),
    [
        (1.6, 0, "calibration slope", "probabilities are too extreme"),
        (0.6, 0, "calibration slope", "probabilities are not extreme enough"),
        (1, 0.6, "calibration intercept", "risk is overstated"),
        (1, -0.6, "calibration intercept", "risk is understated"),
    ],
)
def test_calibration_that_is_off(stretch: float, shift: float, name: str, told: str) -> None:
    y, p = draw(4_000)
    x = np.log(p / (1 - p))
    alarm = found(y, expit(stretch * (x + 2) - 2 + shift))[name]
    assert told in alarm["message"]
    assert alarm["limit"] == (1 if name == "calibration slope" else 0)


def test_a_slope_that_cannot_be_had_is_no_alarm() -> None:
    y, p = draw(4_000)
    figures = evaluate(y, p, 0.5) | {"calibration_slope": np.nan, "calibration_intercept": np.nan}
    bounds = bootstrap(y, p, 0.5, 100, 0).bounds
    assert {"calibration_slope", "calibration_intercept"} <= set(bounds)
    test = Part(pd.DataFrame(index=range(len(y))), y, p, scores_of(p, Scale()))
    examined = Examined(test, Scale(), {"train": figures, "test": figures}, {"test": bounds}, left_out=0, resamples=100)
    assert alarms(examined) == []


def test_few_applicants_of_either_outcome_are_an_alarm() -> None:
    y, p = draw(4_000)
    assert "few non-defaults" not in found(y, p)
    alarm = found(1 - y[:600], 1 - p[:600])["few non-defaults"]
    assert alarm["value"] == y[:600].sum() < alarm["limit"]
    assert f"has {y[:600].sum()} applicants without a default" in alarm["message"]


def test_a_gap_and_few_defaults_raise_alarms() -> None:
    y, p = draw(300)
    alarms_of_few = found(y, p, train_auc=0.99)
    assert {"ROC-AUC gap", "few defaults"} <= set(alarms_of_few)
    assert alarms_of_few["few defaults"]["value"] == y.sum() < alarms_of_few["few defaults"]["limit"]
    assert "draws left out" not in alarms_of_few


@pytest.mark.parametrize(("rows", "beyond", "raised"), [(4_000, 0.06, False), (4_000, 0.1, True), (600, 0.1, False)])
def test_a_gap_counts_where_it_is_more_than_chance(rows: int, beyond: float, raised: bool) -> None:
    y, p = draw(rows)
    auc = evaluate(y, p, 0.5)["roc_auc"]
    assert ("ROC-AUC gap" in found(y, p, train_auc=auc + beyond)) is raised


def test_draws_of_one_class_raise_an_alarm() -> None:
    y, p = np.array([0] * 9 + [1], dtype=np.int8), np.linspace(0.1, 0.3, 10)
    alarm = found(y, p)["draws left out"]
    assert 0 < alarm["value"] < 1
    assert "of the bootstrap's 100 draws" in alarm["message"]


def divided(columns: dict[str, NDArray[Any]], rows: int, repeated: int = 0) -> tuple[Part, Part]:
    """Train, three quarters of the rows, and test; so many of the test's rows are training rows."""
    frame = pd.DataFrame(columns).sample(frac=1, random_state=1).reset_index(drop=True)
    cut = 3 * rows // 4
    frame.iloc[cut : cut + repeated] = frame.iloc[:repeated].to_numpy()
    target, answers = (np.arange(rows) % 5 == 0).astype(np.int8), np.linspace(0.05, 0.9, rows)
    halves = (slice(0, cut), slice(cut, None))
    train, test = (Part(frame[its].astype(frame.dtypes), target[its], answers[its], answers[its]) for its in halves)
    return train, test


def of_bureau(rng: np.random.Generator, rows: int) -> dict[str, NDArray[Any]]:
    return {
        "bureau": np.clip(rng.normal(620, 120, rows), 300, 850).round(),
        "owner": (rng.random(rows) < 0.4).astype(float),
        "term": rng.choice(np.array(["36", "60"], dtype=object), rows, p=[0.7, 0.3]),
    }


def of_one_number(rng: np.random.Generator, rows: int) -> dict[str, NDArray[Any]]:
    return {"ratio": rng.normal(size=rows).round(3)}


def of_gaps(rng: np.random.Generator, rows: int) -> dict[str, NDArray[Any]]:
    """Two numbers, each missing now and then, and one of them mostly 0."""
    ratio, debt = (
        rng.normal(size=rows).round(3),
        np.where(rng.random(rows) < 0.6, 0, rng.lognormal(8, 1, rows).round(1)),
    )
    return {
        "ratio": np.where(rng.random(rows) < 0.1, np.nan, ratio),
        "debt": np.where(rng.random(rows) < 0.1, np.nan, debt),
    }


@pytest.mark.parametrize("columns", [of_bureau, of_one_number, of_gaps])
@pytest.mark.parametrize("seed", range(3))
def test_rows_of_few_features_that_are_equal_by_chance_are_no_copies(columns: Any, seed: int) -> None:
    train, test = divided(columns(np.random.default_rng(seed), 2_000), 2_000)
    seen = copies_of(train, test)
    assert not seen.by_chance
    assert found(*draw(4_000), copies=seen) == {}


@pytest.mark.parametrize("seed", range(3))
def test_copies_are_told_from_rows_that_are_equal_by_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wide = of_bureau(rng, 4_000) | of_gaps(rng, 4_000)
    assert copies_of(*divided(wide, 4_000)).share == 0
    assert copies_of(*divided(wide, 4_000, repeated=100)).share == pytest.approx(0.1, abs=0.02)


def test_a_model_that_knows_nothing_is_an_alarm() -> None:
    rng = np.random.default_rng(5)
    y, p = draw(4_000)
    alarm = found(rng.permutation(y), p, train_auc=0.6)["no better than chance"]
    assert alarm["limit"] == 0.5
    assert alarm["message"].startswith(f"ROC-AUC on the test is {alarm['value']:.3f} (0.4")
    turned = found(y, p, train_auc=0.2)["no better than chance"]
    assert turned["message"].startswith("ROC-AUC on train is 0.200, and chance has 0.5")


def test_a_figure_without_an_interval_is_no_alarm() -> None:
    y, p = draw(4_000)
    assert found(y, expit(1.6 * logit(p)))["calibration slope"]
    names = found(y, expit(1.6 * logit(p)), without=("calibration_slope", "calibration_intercept"))
    assert not {"calibration slope", "calibration intercept"} & set(names)


def test_a_few_answers_on_a_limit_hide_no_wrong_rate() -> None:
    y, p = draw(4_000)
    halved = p / 2
    halved[np.flatnonzero(y == 0)[:10]] = 0.0
    names = found(y, halved, calibrator="isotonic")
    assert "risk is understated" in names["calibration intercept"]["message"]
    assert "calibration slope" not in names


def test_a_leak_is_not_called_squeezed() -> None:
    y, _ = draw(4_000)
    assert "squeezed scores" not in found(y, np.where(y == 1, 0.999, 0.001))


@pytest.mark.parametrize("kind", ["number", "text"])
def test_numbers_of_rows_hide_no_copies(kind: str) -> None:
    rng = np.random.default_rng(1)
    train, test = divided(of_bureau(rng, 4_000) | of_gaps(rng, 4_000), 4_000, repeated=100)
    numbers = np.random.default_rng(2).permutation(4_000) + 10_000
    its = numbers.astype(float) if kind == "number" else np.array([f"A{number}" for number in numbers], dtype=object)
    named = [
        replace(part, frame=part.frame.assign(application=its[rows]))
        for part, rows in ((train, slice(0, 3_000)), (test, slice(3_000, None)))
    ]
    assert copies_of(*named) == copies_of(train, test)
    assert copies_of(*named).share > 0.05


def coarse(rng: np.random.Generator, rows: int, columns: int, levels: int) -> pd.DataFrame:
    """Categories that go together: of each customer most are of one kind."""
    kind = rng.integers(0, levels, rows)
    its = {f"k{i}": np.where(rng.random(rows) < 0.5, kind, rng.integers(0, levels, rows)) for i in range(columns)}
    return pd.DataFrame(its).astype(str)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("columns", "levels"), [(2, 3), (5, 4), (8, 8), (12, 2)])
def test_coarse_rows_repeat_by_chance(columns: int, levels: int, seed: int) -> None:
    frame = coarse(np.random.default_rng(seed), 6_000, columns, levels)
    assert repeat_by_chance(keys_of(frame[:4_000]), keys_of(frame[4_000:]))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("times", [2, 4])
def test_copies_of_coarse_rows_are_an_alarm(times: int, seed: int) -> None:
    frame = pd.concat([coarse(np.random.default_rng(seed), 2_000, 10, 8)] * times)
    seen = copies_of(*divided({str(name): its.to_numpy() for name, its in frame.items()}, len(frame)))
    assert seen.share > 0.5
    assert "copied rows" in found(*draw(4_000), copies=seen)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("rows", [500, 5_000, 50_000])
def test_rows_of_any_distribution_repeat_by_chance(exponent: float, rows: int) -> None:
    rng = np.random.default_rng(rows)
    for kinds in (3, 50, 1_000, 100_000):
        share = 1 / np.arange(1, kinds + 1) ** exponent
        its = keys_of(pd.DataFrame({"kind": rng.choice(kinds, rows, p=share / share.sum())}))
        assert repeat_by_chance(its)
        assert repeat_by_chance(its[: rows // 2], its[rows // 2 :])


def test_repetitions_of_a_large_table_are_counted_in_a_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MOST_ROWS", 4_000)
    frame = coarse(np.random.default_rng(3), 20_000, 10, 8)
    assert repeat_by_chance(keys_of(frame))
    assert not repeat_by_chance(keys_of(frame), keys_of(frame))
