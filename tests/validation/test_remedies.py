"""Remedies: none advises what the model has already, and each names a setting that changes something."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from validation import remedies

pytestmark = pytest.mark.tier("land")

CALIBRATORS, SPLITS, EITHER = ("none", "sigmoid", "isotonic"), ("stratified", "time", "group"), (False, True)


def advice() -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the facts of a model with each remedy that may be proposed for it."""
    for calibrator, split, on_margin, correct_spread, by_auto in product(CALIBRATORS, SPLITS, EITHER, EITHER, EITHER):
        chosen = {"by_auto": by_auto, "can_group": split != "group"}
        made: dict[str, Any] = {
            "calibrator": calibrator,
            "split": split,
            "on_margin": on_margin,
            "correct_spread": correct_spread,
            **chosen,
        }
        for too_extreme in EITHER:
            yield made, remedies.of_slope(**made, too_extreme=too_extreme)
        yield made, remedies.of_intercept(calibrator, split, 0.1, 0.2, **chosen)
        yield made, remedies.of_copies(can_group=split != "group")
        yield made, remedies.of_others(split)


def test_no_remedy_advises_what_is_chosen() -> None:
    for made, remedy in advice():
        chosen = {
            f'model.calibration = "{made["calibrator"]}"': True,
            'model.calibrate_on = "margin"': made["on_margin"],
            "model.correct_spread = true": made["correct_spread"],
            'model.calibration = "auto"': made["by_auto"],
            'split.method = "group"': not made["can_group"],
            "recent": made["split"] != "time",
        }
        assert [words for words, already in chosen.items() if already and words in remedy] == [], made


@pytest.mark.parametrize(("on_margin", "correct_spread", "too_extreme"), list(product(EITHER, EITHER, EITHER)))
def test_a_calibrator_that_is_left_out_is_the_first_remedy(
    on_margin: bool, correct_spread: bool, too_extreme: bool
) -> None:
    made = {"on_margin": on_margin, "correct_spread": correct_spread, "too_extreme": too_extreme}
    given = {"by_auto": False, "can_group": True}
    assert remedies.of_slope("none", "time", **made, **given) == remedies.CALIBRATE
    assert remedies.of_intercept("none", "time", 0.1, 0.2, **given) == remedies.CALIBRATE
    chosen = {"by_auto": True, "can_group": True}
    assert remedies.of_slope("none", "time", **made, **chosen).endswith(
        "train on more recent applicants, without features that moved"
    )


def test_an_intercept_names_both_default_rates() -> None:
    assert "2.50% in train and 4.00% in the test" in remedies.of_intercept(
        "sigmoid", "time", 0.025, 0.04, by_auto=True, can_group=True
    )


@pytest.mark.parametrize("can_tune", EITHER)
def test_a_search_is_advised_where_one_is_possible(can_tune: bool) -> None:
    assert ("--tune" in remedies.of_gap(can_tune=can_tune)) is can_tune


def test_a_test_from_a_moment_starts_earlier() -> None:
    assert "split.test_from" in remedies.of_few(test_from=True)
    assert "split.test_size" in remedies.of_few(test_from=False)
