"""JSON lines: an object of cells in each line."""

import json
from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa

from cli.errors import UserError
from cli.words import shown

SUFFIXES = (".jsonl", ".ndjson", ".json")


def is_json(name: str, content: bytes) -> bool:
    """True if the content is JSON: by its name, or because its first line is an object."""
    if any(name.lower().endswith((suffix, f"{suffix}.gz")) for suffix in SUFFIXES):
        return True
    first = content.lstrip().partition(b"\n")[0]
    try:
        return first.startswith(b"{") and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


class JsonLines:
    """The objects of a file. Raises UserError for a line that is not an object."""

    introduction = "its members"

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self._objects: list[dict[str, Any]] = []
        self._lines: list[int] = []
        for number, line in enumerate(content.splitlines(), 1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                found = None
            if not isinstance(found, dict):
                remedy = "with jq -c '.[]' a list becomes lines"
                problem = f"line {number}: expected a JSON object in each line; {remedy}"
                raise UserError(f"{name}: {problem}")
            self._objects.append(found)
            self._lines.append(number)
        if not self._objects:
            raise UserError(f"{name}: is empty; expected a JSON object in each line")
        self.columns = list(dict.fromkeys(key for each in self._objects for key in each))

    def read(self, columns: Collection[str], numbers: Collection[str]) -> dict[str, Any]:
        """Some columns as arrow arrays [N], of the values' type where they have one type, else text."""
        return {name: self._array(name) for name in columns}

    def places(self, rows: Sequence[int]) -> list[str]:
        """`line 17` for each of some rows counted from 0."""
        return [f"line {self._lines[row]}" for row in rows]

    def _array(self, name: str) -> Any:
        values = [each.get(name) for each in self._objects]
        nested = next((value for value in values if isinstance(value, list | dict)), None)
        if nested is not None:
            raise UserError(f"{self.name}: column {name}: expected values, got {shown(nested)}; flatten it")
        try:
            return pa.chunked_array([pa.array(values)])
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            texts = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
            return pa.chunked_array([pa.array(texts, pa.string())])
