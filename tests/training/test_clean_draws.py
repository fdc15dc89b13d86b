"""Trainings whose test is as the model says, outcomes drawn from its own probabilities, hardly ever raise an alarm."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import applicants
from tests.tiers import Sample
from training import run
from training.evidence import answer
from validation.evidence import Part

DRAWS = 50
ROWS = 6_000
MOST = 2  # pages with an alarm, of all draws
SHALLOW = ("--n-estimators", "60", "--max-depth", "2", "--no-plots", "--quiet")


@pytest.mark.tier("land")
def test_of_fifty_clean_pages_at_most_two_have_an_alarm(
    tmp_path: Path, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, target = applicants.draw(ROWS)
    frame.assign(default=target, uuid=[f"a{i}" for i in range(ROWS)]).to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "settings.toml").write_text(applicants.SETTINGS)
    words = ["--config", str(tmp_path / "settings.toml"), "--out", str(tmp_path / "artifacts"), *SHALLOW]

    def page(seed: int) -> list[str]:
        """The alarms of a run whose test has other outcomes than the table: those that the model expects."""
        parts: list[Part] = []

        def answered(*given: object) -> Part:
            part = answer(*given)  # type: ignore[arg-type]
            if parts:  # the test comes second
                drawn = np.random.default_rng(seed).random(len(part.target)) < part.probability
                part = replace(part, target=drawn.astype(np.int8))
            parts.append(part)
            return part

        monkeypatch.setattr(run, "answer", answered)
        assert run.main(words) == 0
        found = json.loads((tmp_path / "artifacts" / "run.json").read_text(encoding="utf-8"))
        assert [figures["defaults"] for figures in found["metrics"].values()] == [
            np.count_nonzero(part.target) for part in parts
        ]
        return [f"{alarm['name']}: {alarm['value']:.3g}" for alarm in found["alarms"]]

    pages = {seed: page(seed) for seed in sample(range(DRAWS), 2)}
    alarmed = {seed: names for seed, names in pages.items() if names}
    assert len(alarmed) <= MOST * len(pages) / DRAWS, alarmed
