"""Text of one lock file, resolved by uv.

An earlier text goes in as the output file: uv keeps each of its versions that still fits, so nothing moves by itself.
"""

import re
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from cli.errors import UserError
from delivery.locks.sources import UNUSED, Lock
from export.packaging.target import MACHINES, OLDEST_PYTHON, Target

OLDEST = ".".join(map(str, OLDEST_PYTHON))
NEWEST_MINOR = 14
FLAGS = ("--quiet", "--universal", "--no-header", "--no-annotate", "--no-emit-index-url", "--python-version", OLDEST)
# A requirement and the lines of hashes that belong to it.
ENTRY = re.compile(r"^([a-z0-9][a-z0-9.-]*)==.*\n(?: .*\n)*", re.MULTILINE)


def resolve(lock: Lock, uv: str, root: Path, folder: Path, earlier: str) -> str:
    """The lock file's text; `folder` holds those resolved before it. Raises UserError where uv finds no versions."""
    text = folder / f"{lock.name}.names"
    text.write_text("".join(f"{name}\n" for name in lock.names), encoding="utf-8")
    constraints = folder / f"{lock.name}.constraints"
    constraints.write_text("".join(f"{line}\n" for line in lock.constraints), encoding="utf-8")
    out = folder / (f"pylock.{Path(lock.name).stem}.toml" if lock.deployed else lock.name)
    words = [uv, "pip", "compile", *FLAGS, "--output-file", str(out), "--constraint", str(constraints)]
    words += ["--constraint", str(folder / lock.like)] if lock.like else []
    words += [word for name in UNUSED for word in ("--no-emit-package", name)] if lock.extra else []
    words += ["--resolution", "lowest-direct"] if lock.lowest else []
    words += ["--extra", lock.extra] if lock.extra else []
    words += [] if lock.extra is None else [str(root / "pyproject.toml")]
    words += [str(text)] if lock.names and not lock.deployed else []
    if not lock.deployed:
        words.append("--generate-hashes")
        out.write_text(without(earlier, bounds(root)) if lock.lowest else earlier, encoding="utf-8")
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"{lock.name}: uv found no versions: {' '.join(done.stderr.split())}")
    found = out.read_text(encoding="utf-8")
    return lock.head + (deployed(found, lock.names) if lock.deployed else found)


def bounds(root: Path) -> set[str]:
    """Names of what pyproject.toml gives a lowest version."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    return {canonicalize_name(Requirement(text).name) for text in named}


def without(lock: str, names: set[str]) -> str:
    """A lock file's text without some packages: their earlier versions would stay where a bound was lowered."""
    return ENTRY.sub(lambda entry: "" if entry[1] in names else entry[0], lock)


def deployed(pylock: str, names: Sequence[str]) -> str:
    """Requirements in pip's form, from uv's pylock.toml, which unlike pip's form says which file has which hash."""
    targets = [Target((3, minor), arch) for minor in range(OLDEST_PYTHON[1], NEWEST_MINOR + 1) for arch in MACHINES]
    lines = []
    for package in tomllib.loads(pylock)["packages"]:
        if package["name"] in names:
            marker = package.get("marker")
            applying = [t for t in targets if marker is None or Marker(marker).evaluate({**t.markers, "extra": ""})]
            hashes = {wheel["hashes"]["sha256"] for wheel in package["wheels"] if _loads(_file(wheel), applying)}
            requirement = f"{package['name']}=={package['version']}" + (f" ; {marker}" if marker else "")
            lines.append(" \\\n".join([requirement, *(f"    --hash=sha256:{digest}" for digest in sorted(hashes))]))
    return "\n".join(lines) + "\n"


def _file(wheel: dict[str, str]) -> str:
    return wheel.get("name") or Path(urlsplit(wheel["url"]).path).name


def _loads(wheel: str, targets: Sequence[Target]) -> bool:
    """True if one of the targets can load a wheel of this file name."""
    tags = parse_wheel_filename(wheel)[3]
    return any(
        tag.interpreter == tag.abi == f"cp{target.version.replace('.', '')}" and tag.platform in target.platforms
        for target in targets
        for tag in tags
    )
