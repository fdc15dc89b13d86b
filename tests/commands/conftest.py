"""A table of applicants, with its settings, for each command."""

from pathlib import Path

import pytest

from tests.applicants import SETTINGS, draw


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV of applicants and the settings for it."""
    frame, target = draw(600)
    frame = frame.assign(default=target, uuid=[f"a{i}" for i in range(len(frame))])
    frame.to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path
