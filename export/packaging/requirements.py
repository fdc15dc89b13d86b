"""requirements/lambda.txt: which wheels a target gets, each by version and hash.

pip could read the file itself, but it would ask the markers (`python_full_version < '3.12'`) of the Python
that it runs on, not of the target: https://github.com/pypa/pip/issues/11664.
"""

from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from export.packaging.refusal import PackageRefused
from export.packaging.target import Target

HASH_OPTION = "--hash="


@dataclass(frozen=True)
class Pin:
    """A distribution at one version, and the `sha256:…` of each file that may be it."""

    name: str
    version: str
    hashes: frozenset[str]

    def lines(self) -> str:
        """The requirement in pip's form, without its marker."""
        return " \\\n    ".join([f"{self.name}=={self.version}", *(HASH_OPTION + h for h in sorted(self.hashes))])


def read_pins(path: Path, target: Target) -> list[Pin]:
    """The pins that hold for `target`. Raises PackageRefused for a file with anything else in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PackageRefused(f"{path}: no such file; run in the project's folder as it was checked out") from None
    pins = []
    for line in text.replace("\\\n", " ").splitlines():
        statement = line.partition("#")[0].strip()
        if statement:
            requirement, pin = _parse(statement, path)
            if requirement.marker is None or requirement.marker.evaluate({**target.markers, "extra": ""}):
                pins.append(pin)
    return pins


def _parse(statement: str, path: Path) -> tuple[Requirement, Pin]:
    text, *hashes = statement.split(HASH_OPTION)
    try:
        requirement = Requirement(text.strip())
    except InvalidRequirement as fault:
        raise PackageRefused(f"{path}: {text.strip()!r}: {fault}") from None
    specifiers = list(requirement.specifier)
    if len(specifiers) != 1 or specifiers[0].operator != "==" or not hashes:
        raise PackageRefused(f"{path}: {text.strip()!r}: expected name==version with at least one {HASH_OPTION}…")
    pin = Pin(canonicalize_name(requirement.name), specifiers[0].version, frozenset(h.strip() for h in hashes))
    return requirement, pin
