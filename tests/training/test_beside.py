"""The exploration beside the fit: the same figures, its errors where they are asked for, and no longer than the fit."""

import sys
import threading
from typing import Any

import numpy as np
import pytest

from tests.applicants import CATEGORIES, NUMBERS, draw
from training import exploration as module
from training.beside import explored_beside
from training.exploration import explore
from training.exploration.risk import risk_of
from training.labelled import Labelled
from training.settings import Settings, settings_from_dict

FEATURES = {**dict.fromkeys(NUMBERS, "number"), **dict.fromkeys(CATEGORIES, "category")}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return settings_from_dict({"features": FEATURES})


@pytest.fixture(scope="module")
def train() -> Labelled:
    frame, target = draw(600)
    return Labelled(frame, target.astype(np.int8))


def test_beside_the_fit_the_same_is_found(settings: Settings, train: Labelled) -> None:
    with explored_beside(settings, train) as explored:
        found = explored()
    assert found == explore(train.frame, train.target, settings)


def test_an_error_beside_the_fit_is_raised_where_the_exploration_is_asked_for(
    settings: Settings, train: Labelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError("here")

    monkeypatch.setattr(module, "rank_correlations", fails)
    with explored_beside(settings, train) as explored, pytest.raises(ZeroDivisionError, match="here"):
        explored()


def test_a_fit_that_fails_does_not_wait_for_the_whole_exploration(
    settings: Settings, train: Labelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    interval, ended = sys.getswitchinterval(), threading.Event()

    def slow(column: Any, *, optimal: bool = True) -> Any:
        looked_at.append(column.name)
        ended.wait(60)  # until the fit has failed
        return risk_of(column, optimal=optimal)

    monkeypatch.setattr(module, "risk_of", slow)

    def fail() -> None:
        while not looked_at:
            ended.wait(0.001)
        threading.Timer(0.2, ended.set).start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), explored_beside(settings, train):
        fail()
    assert len(looked_at) <= 2 < len(FEATURES)
    assert sys.getswitchinterval() == interval
