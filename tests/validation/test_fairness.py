"""Groups of people: each figure against pandas and scikit-learn, findings in size and power, the settings."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import beta, binom, norm
from sklearn.metrics import roc_auc_score

from cli.errors import UserError
from tests.tiers import Sample
from training.settings import settings_from_dict
from validation.fairness.compare import Answers, compare
from validation.fairness.documents import AttributeFigures, FairnessFigures
from validation.fairness.findings import findings
from validation.fairness.groups import MISSING, attributes_of, intersections
from validation.settings import Fairness
from validation.statistics.auc import area_of_ranks, interval
from validation.statistics.weighted_auc import weighted_area

EXACT = 1e-12
SETTINGS = Fairness(groups=("sex", "age"), bins={"age": (25.0, 60.0)}, reference={"sex": "m"}, cutoff=640.0)


def people(rows: int = 4_000, seed: int = 0, shift: float = 0.0) -> tuple[pd.DataFrame, Answers]:
    """Sex (some missing), age, and answers that are right; `shift` is added to the log-odds of women."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "sex": rng.choice(np.array(["f", "m", None], dtype=object), rows, p=[0.4, 0.55, 0.05]),
            "age": np.where(rng.random(rows) < 0.03, np.nan, rng.integers(18, 90, rows)),
        }
    )
    x = rng.normal(-1.5, 1, rows) + shift * (frame["sex"] == "f").to_numpy()
    outcome = (rng.random(rows) < expit(x)).astype(float)
    return frame, Answers(expit(x), 600 - 50 * x, outcome, None)


def compared(frame: pd.DataFrame, answers: Answers, its: Fairness = SETTINGS) -> FairnessFigures:
    figures = compare(attributes_of(frame, its), answers, its)
    json.dumps(figures, allow_nan=False)
    return figures


def said(frame: pd.DataFrame, answers: Answers) -> str:
    return " ".join(finding["message"] for finding in findings(compared(frame, answers)))


def attribute(figures: FairnessFigures, name: str) -> AttributeFigures:
    return next(its for its in figures["attributes"] if its["attribute"] == name)


@pytest.mark.parametrize("weighted", [False, True])
def test_every_figure_is_that_of_the_rows_of_its_group(weighted: bool) -> None:
    frame, answers = people(shift=0.5)
    rng = np.random.default_rng(1)
    outcome = np.where(rng.random(len(frame)) < 0.2, np.nan, np.asarray(answers.outcome, dtype=np.float64))
    w = rng.uniform(0.5, 3, len(frame)) if weighted else None
    figures = compared(frame, Answers(answers.probability, answers.score, outcome, w))
    rows = frame.assign(p=answers.probability, s=answers.score, y=outcome, w=1.0 if w is None else w)
    rows["sex"] = rows["sex"].fillna(MISSING)
    rows["approved"] = rows["s"] >= 640
    rate = {name: np.average(its["approved"], weights=its["w"]) for name, its in rows.groupby("sex")}
    spread = np.sqrt(np.cov(rows["s"], aweights=rows["w"], ddof=0))
    for group in attribute(figures, "sex")["groups"]:
        its = rows[rows["sex"] == group["group"]]
        known = its[its["y"].notna()]
        bad, good = known[known["y"] == 1], known[known["y"] == 0]
        expected: dict[str, float | None] = {
            "rows": len(its),
            "share": its["w"].sum() / rows["w"].sum(),
            "approval_rate": rate[group["group"]],
            "ratio": None if group["group"] == "m" else rate[group["group"]] / rate["m"],
            "mean_score": np.average(its["s"], weights=its["w"]),
            "known": len(known),
            "defaults": len(bad),
            "observed": np.average(known["y"], weights=known["w"]),
            "predicted": np.average(known["p"], weights=known["w"]),
            "roc_auc": roc_auc_score(known["y"], known["p"], sample_weight=known["w"]),
            "repaid_declined": np.average(~good["approved"], weights=good["w"]),
            "defaulted_approved": np.average(bad["approved"], weights=bad["w"]),
        }
        for name, value in expected.items():
            assert group[name] == pytest.approx(value, abs=EXACT), name  # type: ignore[literal-required]
        reference = np.average(rows[rows["sex"] == "m"]["s"], weights=rows[rows["sex"] == "m"]["w"])
        if group["difference"] is not None:
            assert group["difference"] * spread == pytest.approx(group["mean_score"] - reference, abs=1e-9)
        n = known["w"].sum() ** 2 / (known["w"] ** 2).sum()
        defaults = n * (group["observed"] or 0)
        assert group["low"] == pytest.approx(beta.ppf(0.025, defaults, n - defaults + 1), abs=EXACT)


def test_the_ratio_over_all_cut_offs_is_the_ratio_at_each() -> None:
    frame, answers = people(shift=0.5)
    [curve] = [its for its in attribute(compared(frame, answers), "sex")["curves"] if its["group"] == "f"]
    women, men = ((frame["sex"] == sex).to_numpy() for sex in ("f", "m"))
    for cutoff, ratio in zip(curve["cutoffs"], curve["ratios"], strict=True):
        approved = answers.score >= cutoff
        if min(approved[women].sum(), approved[men].sum()) >= 20:
            assert ratio == pytest.approx(approved[women].mean() / approved[men].mean(), abs=EXACT)
        else:
            assert ratio is None
    assert curve["ratios"][0] == 1


def test_ages_are_in_bins_that_hold_their_lower_edge() -> None:
    frame = pd.DataFrame({"age": [24.9, 25.0, 59.9, 60.0, np.nan]})
    [age] = attributes_of(frame, SETTINGS)
    assert [age.levels[code] for code in age.codes] == [
        *("below 25", "25 to below 60", "25 to below 60", "60 and above"),
        MISSING,
    ]


def test_intersections_are_the_groups_of_both_columns() -> None:
    frame, answers = people()
    sex, age = attributes_of(frame, SETTINGS)
    [both] = intersections([sex, age])
    for row in range(200):
        assert both.levels[both.codes[row]] == f"{sex.levels[sex.codes[row]]}, {age.levels[age.codes[row]]}"
    names = [its["attribute"] for its in compared(frame, answers)["attributes"]]
    assert names == ["sex", "age", "sex and age"]


def test_groups_of_few_people_are_counted_and_not_shown() -> None:
    frame, answers = people(300)
    frame["sex"] = np.where(np.arange(300) < 5, "x", np.where(np.arange(300) < 150, "f", "m"))
    its = attribute(compared(frame, answers), "sex")
    assert [group["group"] for group in its["groups"]] == ["m", "f"]
    assert (its["hidden_groups"], its["hidden_rows"]) == (1, 5)


def test_a_small_reference_gives_no_ratios() -> None:
    frame, answers = people(300)
    frame["sex"] = np.where(np.arange(300) < 5, "m", "f")
    its = attribute(compared(frame, answers), "sex")
    assert its["reference"] is None
    assert [group["ratio"] for group in its["groups"]] == [None]
    assert its["curves"] == []


def test_without_outcomes_there_are_decisions_only() -> None:
    frame, answers = people()
    figures = compared(frame, Answers(answers.probability, answers.score, None))
    for group in attribute(figures, "sex")["groups"]:
        assert group["known"] == 0
        assert group["observed"] is None and group["roc_auc"] is None  # noqa: PT018
        assert 0 < group["approval_rate"] < 1


@pytest.mark.tier("land")  # a share of draws, of which the quick tier has too few
def test_a_model_that_treats_groups_alike_has_hardly_ever_a_finding(sample: Sample) -> None:
    found = [bool(findings(compared(*people(1_500, seed)))) for seed in sample(range(500), 25)]
    assert np.mean(found) <= 0.05


@pytest.mark.tier("land")  # a share of draws, of which the quick tier has too few
def test_a_group_that_is_approved_less_often_is_found(sample: Sample) -> None:
    found = [said(*people(2_000, seed, shift=0.8)) for seed in sample(range(100), 10)]
    assert np.mean(["sex: f is approved" in its for its in found]) >= 0.8


@pytest.mark.tier("land")  # a share of draws, of which the quick tier has too few
def test_a_group_whose_risk_is_misjudged_is_found(sample: Sample) -> None:
    def misjudged(seed: int) -> tuple[pd.DataFrame, Answers]:
        frame, answers = people(4_000, seed)
        women = (frame["sex"] == "f").to_numpy()
        risk = answers.probability + np.where(women, 0.06, 0)
        outcome = (np.random.default_rng([seed, 1]).random(len(frame)) < risk).astype(float)
        return frame, Answers(answers.probability, answers.score, outcome)

    found = [said(*misjudged(seed)) for seed in sample(range(100), 10)]
    assert np.mean(["sex: of f " in its and "its risk is understated" in its for its in found]) >= 0.8


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"groups": ["age"]}, "fairness.groups: age is a feature of the model; take it out"),
    ({"groups": ["default"]}, "fairness.groups: default is data.target too"),
    ({"groups": ["sex"], "reference": {"sec": "m"}}, "fairness.reference.sec: no such group"),
    ({"groups": ["sex"], "bins": {"sex": [2, 1]}}, "fairness.bins: sex: expected ascending numbers, got 2, 1"),
    ({"groups": ["sex"], "bins": {"sex": []}}, "fairness.bins: expected a table of columns"),
    ({"groups": ["sex"], "least": 0}, "fairness.least: expected a whole number of at least 1, got 0"),
]


@pytest.mark.parametrize(("fairness", "said"), REFUSED)
def test_settings_that_cannot_be_are_refused(fairness: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match="fairness") as refused:
        settings_from_dict({"features": {"age": "number", "income": "number"}, "fairness": fairness})
    assert said in str(refused.value)


def test_a_feature_may_be_a_group_where_the_settings_say_so() -> None:
    content = {"features": {"age": "number"}, "fairness": {"groups": ["age"], "features_allowed": True}}
    assert [its.name for its in settings_from_dict(content).schema.beside] == ["age"]


def test_a_reference_without_rows_is_refused_with_the_nearest_name() -> None:
    frame, _ = people(100)
    with pytest.raises(UserError, match=r"fairness\.reference\.sex: no applicant has male"):
        attributes_of(frame, Fairness(groups=("sex",), reference={"sex": "male"}))


def test_a_column_of_numbers_without_bins_is_refused_with_what_to_set() -> None:
    frame = pd.DataFrame({"age": np.arange(500.0).astype(str)})
    with pytest.raises(UserError, match=r"at most 100 groups, got 500; .* set fairness\.bins\.age"):
        attributes_of(frame, Fairness(groups=("age",)))


def test_an_area_without_weights_is_that_of_the_rank_test() -> None:
    rng = np.random.default_rng(3)
    target, risk = (rng.random(300) < 0.2).astype(np.int8), np.round(rng.random(300), 1)
    its, other = weighted_area(target, risk), area_of_ranks(target, risk)
    assert [its.value, its.variance] == pytest.approx([other.value, other.variance])
    doubled = weighted_area(target, risk, np.full(300, 2.0))
    assert [doubled.value, doubled.variance] == pytest.approx([other.value, other.variance])


def test_the_interval_of_a_weighted_area_holds_the_true_one(sample: Sample) -> None:
    """Two normal scores one deviation apart; every row's weight is drawn without a look at either."""
    true, held = float(norm.cdf(np.sqrt(0.5))), []
    for seed in sample(range(1_000), 200):
        rng = np.random.default_rng(seed)
        target = rng.random(400) < 0.3
        low, high = interval(weighted_area(target, rng.normal(size=400) + target, rng.uniform(0.2, 3, 400)), 0.95)
        held.append(low <= true <= high)
    least, most = binom.interval(0.9999, len(held), 0.95)
    assert least <= sum(held) <= most
