"""The wheels of a target, from pip's index or from an earlier run's cache; every one checked against its hash."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from export.packaging.pruning import DEPENDENCIES_LEFT_OUT
from export.packaging.refusal import PackageRefused
from export.packaging.requirements import Pin
from export.packaging.target import Target
from storage.digest import sha256_of


@dataclass(frozen=True)
class Wheel:
    """A file that is `pin`."""

    pin: Pin
    path: Path


def fetch(pins: Sequence[Pin], target: Target, cache: Path) -> list[Wheel]:
    """One wheel for each pin, out of `cache/<target>`, which pip fills if it has to. Raises PackageRefused."""
    folder = cache / target.name
    found = _cached(pins, folder)
    if len(found) < len(pins):
        _download([pin for pin in pins if pin not in found], target, folder)
        found = _cached(pins, folder)
    for pin in pins:
        if pin not in found:
            raise PackageRefused(f"{folder}: expected {pin.name} {pin.version} with a hash that is pinned, found none")
        _check_dependencies(found[pin], [other.name for other in pins], target)
    return [Wheel(pin, found[pin]) for pin in pins]


def _cached(pins: Sequence[Pin], folder: Path) -> dict[Pin, Path]:
    wanted = {(pin.name, pin.version): pin for pin in pins}
    found = {}
    for path in sorted(folder.glob("*.whl")):
        try:
            name, version, _, _ = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        pin = wanted.get((name, str(version)))
        if pin is not None and f"sha256:{sha256_of(path)}" in pin.hashes:
            found[pin] = path
    return found


def _download(pins: Sequence[Pin], target: Target, folder: Path) -> None:
    """Has pip find the wheels: its configuration (index, mirror, find-links, proxy) holds here too."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as temporary:
        requirements = Path(temporary) / "requirements.txt"
        requirements.write_text("\n".join(pin.lines() for pin in pins), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--only-binary=:all:", "--no-deps", "--require-hashes", "--requirement", str(requirements)]
        command += ["--implementation", "cp", "--python-version", target.version, "--dest", temporary]
        command += [word for platform in target.platforms for word in ("--platform", platform)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            wanted = ", ".join(f"{pin.name} {pin.version}" for pin in pins)
            raise PackageRefused(
                f"pip found no wheels of {wanted} for Python {target.version} on {target.arch}: {_reason(done.stderr)}"
            )
        for path in sorted(Path(temporary).glob("*.whl")):
            os.replace(path, folder / path.name)  # noqa: PTH105  (atomic, and onto an older file too)


def _reason(output: str) -> str:
    """The line in which pip says why."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return "pip is not installed here; run python -m ensurepip"
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it did not say why"])[0]


def _check_dependencies(wheel: Path, packaged: Sequence[str], target: Target) -> None:
    """Refuse a wheel that needs something of which nobody has decided whether it is needed to answer."""
    with ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        headers = HeaderParser().parsestr(archive.read(metadata).decode())
    for text in headers.get_all("Requires-Dist", []):
        needed = Requirement(text)
        name = canonicalize_name(needed.name)
        is_asked_for = needed.marker is None or needed.marker.evaluate({**target.markers, "extra": ""})
        if is_asked_for and name not in packaged and name not in DEPENDENCIES_LEFT_OUT:
            raise PackageRefused(
                f"{wheel.name}: needs {name}, which is neither in requirements/lambda.txt nor among the dependencies "
                "left out in export/packaging/pruning.py; add it to one of them"
            )
