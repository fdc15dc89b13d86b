"""The files of a table: one, a folder of them or those that a pattern names, with Hive's columns in folders' names."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from cli.errors import UserError
from storage.address import PATTERN, Address, is_aside, is_remote

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Part:
    """One file; `values` are what the names of its folders say (`year=2016`), None for missing."""

    name: str
    path: Path
    relative: str = ""
    """Its path inside of the folder or pattern; empty for a file that is named itself."""
    values: dict[str, str | None] = field(default_factory=dict)


def parts_of(name: str, path: Path) -> list[Part]:
    """The files at `path`, which the user calls `name`, in the order of their names.

    A file that is there goes before a pattern. Hidden files, and those that Spark begins with `_`, are no parts.
    Raises UserError for a folder or a pattern without any.
    """
    if path.is_dir():
        found = _files_in(path)
        if not found:
            raise UserError(f"{name}: the folder holds no file; expected CSV or Parquet files")
        shown = str(Address.of_table(name).before_pattern) if is_remote(name) else name
        return [part_of(shown, each, path) for each in found]
    if path.exists() or not any(sign in name for sign in PATTERN):
        return [Part(name, path)]
    base = path
    while not base.exists():
        base = base.parent
    pattern = str(path.relative_to(base))
    found = [each for each in sorted(base.glob(pattern)) if not is_aside(each.relative_to(base))]
    if not found:
        raise UserError(f"{name}: no such file, and no file matches it as a pattern; name an existing file")
    folders = [part_of(str(each), inner, each) for each in found if each.is_dir() for inner in _files_in(each)]
    return [part_of(str(base), each, base) for each in found if each.is_file()] + folders


def _files_in(folder: Path) -> list[Path]:
    return [each for each in sorted(folder.rglob("*")) if each.is_file() and not is_aside(each.relative_to(folder))]


def part_of(name: str, path: Path, base: Path) -> Part:
    """The file at `path` as a part of the folder `base`, which the user calls `name`."""
    relative = path.relative_to(base)
    pairs = [re.fullmatch(r"([^=]+)=(.*)", piece) for piece in relative.parts[:-1]]
    values = {unquote(pair[1]): None if pair[2] == NO_VALUE else unquote(pair[2]) for pair in pairs if pair}
    return Part(f"{name.rstrip('/')}/{relative}", path, str(relative), values)
