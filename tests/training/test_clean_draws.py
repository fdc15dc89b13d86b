"""Trainings in which nothing is wrong, on outcomes drawn from a model's own probabilities, hardly ever alarm."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests import applicants
from tests.tiers import Sample
from training import run
from training.artifacts import load_pipeline

DRAWS = 50
ROWS = 6_000
MOST = 2  # pages with an alarm, of all draws
SHALLOW = ("--n-estimators", "60", "--max-depth", "2", "--no-plots", "--quiet")


@pytest.mark.tier("land")
def test_of_fifty_clean_trainings_at_most_two_raise_an_alarm(tmp_path: Path, sample: Sample) -> None:
    frame, target = applicants.draw(ROWS)
    (tmp_path / "settings.toml").write_text(applicants.SETTINGS)
    words = ["--config", str(tmp_path / "settings.toml"), "--out", str(tmp_path / "artifacts"), *SHALLOW]

    def train(outcomes: "np.ndarray[tuple[int], np.dtype[np.int8]]") -> list[str]:
        frame.assign(default=outcomes, uuid=[f"a{i}" for i in range(ROWS)]).to_csv(tmp_path / "table.csv", index=False)
        assert run.main(words) == 0
        found = json.loads((tmp_path / "artifacts" / "run.json").read_text(encoding="utf-8"))["alarms"]
        return [f"{alarm['name']}: {alarm['value']:.3g}" for alarm in found]

    train(target)
    probability = load_pipeline(tmp_path / "artifacts").predict_proba(frame)[:, 1]
    seeds = sample(range(DRAWS), 2)
    pages = {seed: train((np.random.default_rng(seed).random(ROWS) < probability).astype(np.int8)) for seed in seeds}
    alarmed = {seed: names for seed, names in pages.items() if names}
    assert len(alarmed) <= MOST * len(seeds) / DRAWS, alarmed
