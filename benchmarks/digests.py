"""Digests of modules and files by which a figure knows whether what it measures has changed since.

Comments, docstrings and blank lines do not count: better words make no figure stale. The digest is the same for every
version of Python, so it is made of the source text and not of a syntax tree.
"""

import ast
import hashlib
import io
import tokenize
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIGITS = 12


@cache
def digest(name: str) -> str | None:
    """Return the first digits of the SHA-256 of a module, a package or a file; None where it is gone."""
    if "/" in name:
        file = ROOT / name
        return _digest(file.read_bytes()) if file.is_file() else None
    place = ROOT / name.replace(".", "/")
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    if not files or not all(file.is_file() for file in files):
        return None
    return _digest("".join(f"{file.relative_to(ROOT).as_posix()}\n{_code(file)}" for file in files).encode())


def code(source: str) -> str:
    """Return the source without comments, docstrings, blank lines and blanks at ends of lines."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        match node:
            # Below a field of a class such a text is a docstring too.
            case ast.Expr(value=ast.Constant(value=str()), lineno=first, end_lineno=int(last)):
                lines[first - 1 : last] = [""] * (last - first + 1)
    return "".join(f"{line.rstrip()}\n" for line in lines if line.strip())


@cache
def _code(file: Path) -> str:
    return code(file.read_text(encoding="utf-8"))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]
