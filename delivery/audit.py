"""`python -m delivery.audit`: known vulnerabilities of every locked version, refused unless accepted with a reason.

pip-audit is asked about versions, not about an environment, so that Windows' and old Pythons' packages are covered.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.audit")


import json
import re
import subprocess
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cli import command
from cli.errors import UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped

FOLDER = Path("requirements")
ACCEPTED = FOLDER / "accepted.toml"
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^\s;\\]+)", re.MULTILINE)
KEYS = {"id", "package", "reason", "until"}

Version = tuple[str, str]
"""Name and version of a package."""


@dataclass(frozen=True)
class Accepted:
    """A vulnerability that is known and does not stop anything until a day."""

    id: str
    package: str
    reason: str
    until: date


@dataclass(frozen=True)
class Vulnerability:
    """A known vulnerability of one version of a package."""

    version: Version
    names: tuple[str, ...]
    """The advisory's own id, then its other ones."""
    fixed: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = Parser(
        prog="python -m delivery.audit",
        description="Look up known vulnerabilities of every version in requirements/*.txt. The exit status is 1 for a "
        f"vulnerability that {ACCEPTED} does not accept, for an entry there that is past its date or matches no "
        "locked version, and for a package that could not be looked up.",
    )
    options.add_argument("--pip-audit", default="pip-audit", metavar="FILE", help="pip-audit to run")
    options.add_argument("--quiet", action="store_true", help="print no progress")
    args = options.parse_args(arguments)
    today = datetime.now(UTC).date()
    return command.run(lambda: audit(FOLDER, args.pip_audit, today, Progress(quiet=args.quiet)), "nothing was changed")


def audit(folder: Path, program: str, today: date, progress: Progress) -> None:
    """Raise UserError with every finding."""
    locks = locked(folder)
    accepted = read_accepted(folder / ACCEPTED.name)
    with progress.step(f"Look up {len(locks)} versions of {len({name for name, _ in locks})} packages"):
        found, missed = ask(program, locks)
    findings = judge(found, accepted, today, locks)
    if missed:
        findings.append(f"not looked up ({len(missed)}): {', '.join(missed[:3])}; is there a network?")
    for entry in accepted:
        progress.say(escaped(f"accepted until {entry.until}: {entry.package} {entry.id}, {entry.reason}"))
    if findings:
        print("\n".join(findings))  # noqa: T201  (the result, on standard output)
        raise UserError(f"expected locked versions without a known vulnerability, got {len(findings)} findings")


def locked(folder: Path) -> dict[Version, list[str]]:
    """Each version, and the lock files that have it."""
    versions: defaultdict[Version, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("*.txt")):
        for name, version in PIN.findall(path.read_text(encoding="utf-8")):
            versions[name, version].append(path.name)
    if not versions:
        raise UserError(f"{folder}: expected lock files, found none; run in the project's folder")
    return dict(versions)


def read_accepted(path: Path) -> list[Accepted]:
    """The entries of the list. Raises UserError for one that is incomplete."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["accepted"]
    except (FileNotFoundError, KeyError, ValueError) as fault:
        raise UserError(f"{path}: expected a TOML file with a list `accepted`: {fault}") from None
    for number, entry in enumerate(entries, 1):
        if set(entry) != KEYS or not str(entry["reason"]).strip() or type(entry["until"]) is not date:
            raise UserError(f"{path}: entry {number}: expected {', '.join(sorted(KEYS))} (a day); got {entry}")
    return [Accepted(**entry) for entry in entries]


def ask(program: str, versions: dict[Version, list[str]]) -> tuple[list[Vulnerability], list[str]]:
    """Vulnerabilities, and the versions that could not be looked up. Raises UserError where pip-audit fails."""
    answer = [entry for pins in _rounds(versions) for entry in _answer(program, pins)]
    looked_up = {(entry["name"], entry["version"]) for entry in answer if "version" in entry}
    missed = sorted(f"{name} {version}" for name, version in set(versions) - looked_up)
    return [_read(entry, each) for entry in answer for each in entry.get("vulns", ())], missed


def _answer(program: str, pins: Sequence[Version]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "requirements.txt"
        path.write_text("".join(f"{name}=={version}\n" for name, version in pins), encoding="utf-8")
        words = [program, "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        try:
            done = subprocess.run([*words, "--requirement", str(path)], capture_output=True, text=True)
        except OSError as fault:
            raise UserError(f"{program}: {fault.strerror}; run make audit") from None
    try:
        answer: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise UserError(f"pip-audit failed: {last[-1]}") from None
    return answer


def _rounds(versions: dict[Version, list[str]]) -> list[list[Version]]:
    """The versions in groups of which none has a package twice, which pip-audit would refuse."""
    rounds: list[list[Version]] = []
    seen: defaultdict[str, int] = defaultdict(int)
    for name, version in sorted(versions):
        if seen[name] == len(rounds):
            rounds.append([])
        rounds[seen[name]].append((name, version))
        seen[name] += 1
    return rounds


def _read(entry: dict[str, Any], found: dict[str, Any]) -> Vulnerability:
    names = (found["id"], *found.get("aliases", ()))
    return Vulnerability((entry["name"], entry["version"]), names, tuple(found.get("fix_versions", ())))


def judge(
    found: Sequence[Vulnerability], accepted: Sequence[Accepted], today: date, locks: dict[Version, list[str]]
) -> list[str]:
    """A line for each vulnerability that nobody accepted, and each acceptance that is over or concerns nothing."""
    lines = []
    for each in found:
        name, version = each.version
        if not any(entry.package == name and entry.id in each.names for entry in accepted):
            fix = f"fixed in {', '.join(each.fixed)}; make lock FLAGS=--upgrade" if each.fixed else "no fix yet"
            where = ", ".join(locks[each.version])
            lines.append(f"{name} {version} ({where}): {' '.join(each.names)}: {fix}, or accept it in {ACCEPTED}")
    for entry in accepted:
        if not any(entry.package == each.version[0] and entry.id in each.names for each in found):
            lines.append(f"{ACCEPTED}: {entry.package} {entry.id}: no locked version has it; remove the entry")
        elif entry.until < today:
            lines.append(f"{ACCEPTED}: {entry.package} {entry.id}: accepted until {entry.until}; look at it again")
    return lines
