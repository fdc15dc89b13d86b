"""Settings from text and from flags, and the line that a mistake in them gets."""

import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli.errors import UserError
from training.options import build_parser, settings_from
from training.settings import (
    Settings,
    load_settings,
)

MINIMAL = '[features]\nage = "number"\npurpose = "category"\nowner = "boolean"\n'


def from_toml(folder: Path, text: str, flags: Mapping[str, object] | None = None) -> Settings:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, flags or {})


def mistake_in(folder: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        from_toml(folder, text)
    assert caught.value.exit_status == 2
    return str(caught.value).removeprefix(f"{folder}/")


def from_flags(line: str) -> Settings:
    return settings_from(build_parser().parse_args(shlex.split(line)))


def mistake_in_flags(line: str) -> str:
    with pytest.raises(UserError) as caught:
        from_flags(line)
    assert caught.value.exit_status == 2
    return str(caught.value)
