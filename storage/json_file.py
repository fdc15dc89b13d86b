"""JSON as the project writes it."""

import json
from pathlib import Path


def write_json(path: Path, content: object) -> None:
    """Indented JSON with a newline at the end; NaN is refused."""
    path.write_text(json_text(content), encoding="utf-8")


def json_text(content: object) -> str:
    """The text that `write_json` writes."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
