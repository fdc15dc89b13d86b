"""`python -m delivery.version`: the version in every file that names it, raised together, published by tag.

docs/releasing.md has the steps of a release.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.version")


import argparse
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from cli import command
from cli.errors import UserError
from cli.parser import Parser
from delivery import workflow
from storage.whole_file import write_whole

NUMBER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
# The first line of each that matches holds the version.
PLACES = {
    "pyproject.toml": re.compile(r'^(version = ")([^"\n]*)(")$', re.MULTILINE),
    "CITATION.cff": re.compile(r"^(version: )(\S*)()$", re.MULTILINE),
}
RELEASED = re.compile(r"^date-released: .*\n", re.MULTILINE)
UNRELEASED = "## Unreleased\n"
HEADING = re.compile(r"^## (\S+) \((\d{4}-\d{2}-\d{2})\)$", re.MULTILINE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = Parser(
        prog="python -m delivery.version",
        description="Print the version if every file names the same one. With X.Y.Z, raise the version everywhere, and "
        "turn the section Unreleased of CHANGELOG.md into that of the version. See docs/releasing.md.",
    )
    options.add_argument("version", nargs="?", type=_number, metavar="X.Y.Z", help="the new version")
    options.add_argument(
        "--publish", action="store_true", help="turn the tag in GITHUB_REF_NAME into a release; needs gh"
    )
    args = options.parse_args(arguments)
    root, today = Path.cwd(), datetime.now(UTC).date()

    def act() -> None:
        if args.publish:
            publish(root)
        elif args.version:
            raise_to(root, args.version, today)
        else:
            workflow.output("version", current(root))

    return command.run(act, "no file was changed")


def _number(text: str) -> str:
    if not NUMBER.fullmatch(text):
        raise argparse.ArgumentTypeError(f"expected X.Y.Z, such as 0.2.0, got {text!r}")
    return text


def current(root: Path) -> str:
    """The version in every place. Raises UserError where two differ, or a release has another than the newest."""
    found = {name: _at(root / name, place)[2] for name, place in PLACES.items()}
    released = HEADING.search((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    if released:
        found["CHANGELOG.md"] = released[1]
    if len(set(found.values())) > 1:
        each = ", ".join(f"{name} {version}" for name, version in found.items())
        raise UserError(f"expected one version, got {each}; python -m delivery.version X.Y.Z")
    return found["pyproject.toml"]


def raise_to(root: Path, version: str, day: date) -> None:
    """Write a version everywhere, after checking that it is a newer one with something to say."""
    texts = {name: (root / name).read_text(encoding="utf-8") for name in (*PLACES, "CHANGELOG.md")}
    earlier = current(root)
    released = HEADING.search(texts["CHANGELOG.md"])
    if released and _parts(version) <= _parts(earlier):
        raise UserError(f"expected a version after {earlier}, got {version}")
    if UNRELEASED not in texts["CHANGELOG.md"] or not notes(texts["CHANGELOG.md"], "Unreleased"):
        raise UserError("CHANGELOG.md: expected entries below ## Unreleased, found none; say what is new")
    for name, place in PLACES.items():
        texts[name] = place.sub(rf"\g<1>{version}\g<3>", texts[name], count=1)
    cited = RELEASED.sub("", texts["CITATION.cff"])
    texts["CITATION.cff"] = PLACES["CITATION.cff"].sub(rf"\g<0>\ndate-released: {day}", cited, count=1)
    texts["CHANGELOG.md"] = texts["CHANGELOG.md"].replace(UNRELEASED, f"{UNRELEASED}\n## {version} ({day})\n", 1)
    for name, text in texts.items():
        write_whole(root / name, text)


def publish(root: Path) -> None:
    """Make the pushed tag a release with its section of the changelog. Raises UserError where they differ."""
    tag, version = workflow.variable("GITHUB_REF_NAME"), current(root)
    text = notes((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    if tag != f"v{version}":
        raise UserError(f"{tag}: expected the tag v{version}, the version of pyproject.toml")
    if not text:
        raise UserError(f"CHANGELOG.md: expected a section ## {version} (day); python -m delivery.version {version}")
    words = ["gh", "release", "create", tag, "--verify-tag", "--title", f"lastbit {version}", "--notes", text]
    try:
        done = subprocess.run(words, capture_output=True, text=True)
    except FileNotFoundError:
        raise UserError("gh: no such command; GitHub's own runners have it") from None
    if done.returncode:
        raise UserError(f"gh release create: {' '.join(done.stderr.split()) or done.returncode}")


def notes(changelog: str, version: str) -> str:
    """Entries of one version of a changelog; empty where it has none."""
    section = re.search(
        rf"^## {re.escape(version)}(?: \(\S+\))?\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    return section[1].strip() if section else ""


def _at(path: Path, place: re.Pattern[str]) -> re.Match[str]:
    try:
        found = place.search(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = None
    if not found:
        raise UserError(f"{path}: expected a version, found none; run in the project's folder")
    return found


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
