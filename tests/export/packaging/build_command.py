"""The command, as a user would give it."""

from pathlib import Path

from export.package import ROOT, main
from export.packaging.target import Target

CACHE = ROOT / "build" / "wheels"


def package(model: Path, out: Path, target: Target, *more: str, cache: Path = CACHE) -> int:
    """Its exit status."""
    flags = ["--model", model, "--out", out, "--cache", cache, "--python", target.version, "--arch", target.arch]
    return main([*map(str, flags), *more])
