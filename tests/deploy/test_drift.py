"""The limits of the drift alarms come from the training rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deploy.drift import limits_of, percentile
from tests.deploy.conftest import Account
from tests.deploy.served import training_rows
from tests.deploy.test_deploy import deploy, error
from tests.runtime.model_builder import SMALL_FEATURES
from validation.stability.bins import bins_of_scores

pytestmark = pytest.mark.tier("land")

REFERENCE = training_rows(SMALL_FEATURES)


def test_limits_are_percentiles_of_the_score_and_twice_the_missing_share() -> None:
    assert limits_of(REFERENCE) == {
        "ScoreMedianLow": "560.0000",
        "ScoreMedianHigh": "620.0000",
        "MissingShare": "0.2000",
    }


@pytest.mark.parametrize("seed", range(5))
def test_medians_of_unchanged_applicants_stay_within(seed: int) -> None:
    """The oracle is the scores themselves: 2,000 hours of the fewest applicants that the alarm looks at."""
    random = np.random.default_rng(seed)
    scores = random.normal(600, 40, 20_000).round(int(random.integers(0, 3)))
    bins = bins_of_scores(scores)
    histogram = bins.as_dict() | {"counts": bins.counts(scores).tolist()}
    low, high = percentile(histogram, 0.3), percentile(histogram, 0.7)
    assert low is not None
    assert high is not None
    assert np.quantile(scores, 0.2) < low < np.quantile(scores, 0.4)
    assert np.quantile(scores, 0.6) < high < np.quantile(scores, 0.8)
    medians = np.median(random.choice(scores, (2_000, 100)), axis=1)
    assert ((medians < low) | (medians > high)).sum() <= 3
    # Applicants a standard deviation worse are noticed in every hour.
    assert (np.median(random.choice(scores, (100, 100)), axis=1) - 40 < low).all()


def test_scores_that_many_share_have_a_bin_of_their_own() -> None:
    histogram = {"values": [600.0], "edges": [550.0, 650.0], "counts": [80, 5, 10, 5, 0]}
    assert percentile(histogram, 0.3) == 600.0
    assert percentile(histogram, 0.7) == 600.0


def test_a_percentile_in_a_bin_without_an_end_is_not_guessed() -> None:
    histogram = {"values": [], "edges": [600.0], "counts": [50, 50, 0]}
    assert percentile(histogram, 0.3) is None
    assert percentile(histogram, 0.7) is None
    assert set(limits_of(REFERENCE | {"score": histogram})) == {"MissingShare"}


@pytest.mark.parametrize("reference", [None, {}, {"rows": 1}, [], REFERENCE | {"rows": 0}, REFERENCE | {"score": 5}])
def test_a_manifest_without_histograms_gives_none(reference: Any) -> None:
    assert limits_of(reference) == {}


def test_few_missing_values_may_become_five_more_of_a_hundred() -> None:
    features = {name: {**entry, "counts": [100, 0]} for name, entry in REFERENCE["features"].items()}
    assert limits_of(REFERENCE | {"features": features})["MissingShare"] == "0.0500"


@pytest.mark.usefixtures("no_pause")
def test_a_stage_has_the_limits_of_its_model(account: Account, stages: Path, packages: list[Path]) -> None:
    assert deploy(stages, packages[0], "--yes", "--quiet") == 0
    parameters = account.cloudformation.stacks["lastbit-dev"]["parameters"]
    assert {name: parameters[name] for name in limits_of(REFERENCE)} == limits_of(REFERENCE)


@pytest.mark.usefixtures("no_pause")
def test_a_stage_may_set_limits_itself(account: Account, stages: Path, packages: list[Path]) -> None:
    stages.write_text(
        stages.read_text(encoding="utf-8").replace("[common]", "[common]\nMissingShare = 0.7"), encoding="utf-8"
    )
    assert deploy(stages, packages[0], "--yes", "--quiet") == 0
    parameters = account.cloudformation.stacks["lastbit-dev"]["parameters"]
    assert (parameters["MissingShare"], parameters["ScoreMedianLow"]) == ("0.7", "560.0000")


def test_what_cannot_be_derived_has_to_be_set(
    account: Account, stages: Path, packages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("deploy.release.limits_of", lambda _: {"MissingShare": "0.2"})
    assert deploy(stages, packages[0], "--yes") == 2
    assert "ScoreMedianLow cannot be derived from the training rows in `reference`; set it" in error(capsys)
    assert account.cloudformation.calls == []
