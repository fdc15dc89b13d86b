"""A file read by its own draft."""

import tomllib
from pathlib import Path
from typing import Any

from table import Table, read_table
from training import draft
from training.settings import load_settings


def read_by_its_draft(file: Path) -> tuple[str, dict[str, Any], Table]:
    """The draft's text, what it holds, and the table that it reads."""
    toml = file.parent / "own.toml"
    assert draft.main([str(file), "--out", str(toml), "--quiet"]) == 0
    text = toml.read_text("utf-8")
    return text, tomllib.loads(text), read_table(load_settings(toml, {}).schema)
