"""`make audit`: what is known of a locked version is refused, unless somebody accepted it. A script is pip-audit."""

import json
import stat
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cli.errors import UserError
from cli.progress import Progress
from delivery.audit import audit, locked, main, read_accepted
from tests.delivery.workflow_files import ROOT

TODAY = date(2027, 3, 1)
HASH = " \\\n    --hash=sha256:" + 64 * "0" + "\n"
ENTRY = '[[accepted]]\nid = "{id}"\npackage = "{package}"\nreason = "{reason}"\nuntil = {until}\n'
# Answers for each file of pins with what is in vulnerable.json, and skips what is in unknown.json.
PROGRAM = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
vulnerable, unknown = (json.loads((folder / name).read_text()) for name in ("vulnerable.json", "unknown.json"))
pins = [line.split("==") for line in pathlib.Path(sys.argv[-1]).read_text().split()]
assert len(dict(pins)) == len(pins)
answer = [
    {{"name": name, "skip_reason": "not found"}} if name in unknown
    else {{"name": name, "version": version, "vulns": vulnerable.get(name + " " + version, [])}}
    for name, version in pins
]
print(json.dumps({{"dependencies": answer, "fixes": []}}))
sys.exit(any(entry.get("vulns") for entry in answer))
"""
ADVISORY = {"id": "PYSEC-2027-1", "aliases": ["CVE-2027-1", "GHSA-x"], "fix_versions": ["1.1"], "description": "long"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(f"zlib==1.0{HASH}alib==3 ; python_full_version < '3.12'{HASH}")
    (tmp_path / "b.txt").write_text(f"# a comment: no==1\nzlib==1.1{HASH}zlib==1.0 ; sys_platform == 'win32'{HASH}")
    (tmp_path / "accepted.toml").write_text("accepted = []\n")
    program = tmp_path / "pip-audit"
    program.write_text(PROGRAM.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    known(tmp_path, {})
    return tmp_path


def known(folder: Path, vulnerable: dict[str, Any], unknown: tuple[str, ...] = ()) -> None:
    (folder / "vulnerable.json").write_text(json.dumps(vulnerable))
    (folder / "unknown.json").write_text(json.dumps(unknown))


def accept(folder: Path, **changes: str) -> None:
    entry = {"id": "CVE-2027-1", "package": "zlib", "reason": "nothing unpacks here", "until": "2027-06-30"}
    (folder / "accepted.toml").write_text(ENTRY.format(**{**entry, **changes}))


def findings(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Lines of what the audit finds; none where it passes."""
    capsys.readouterr()
    try:
        audit(folder, str(folder / "pip-audit"), TODAY, Progress(quiet=True))
    except UserError:
        return capsys.readouterr().out.splitlines()
    return []


def test_versions_of_every_lock_file_are_looked_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = {("alib", "3"): ["a.txt"], ("zlib", "1.0"): ["a.txt", "b.txt"], ("zlib", "1.1"): ["b.txt"]}
    assert locked(folder) == expected
    assert findings(folder, capsys) == []


def test_a_vulnerability_is_said_with_its_files_and_the_fix(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known(folder, {"zlib 1.0": [ADVISORY], "alib 3": [{"id": "PYSEC-2027-2", "aliases": [], "fix_versions": []}]})
    first, second = findings(folder, capsys)
    assert first.startswith("alib 3 (a.txt): PYSEC-2027-2: no fix yet")
    assert second.startswith("zlib 1.0 (a.txt, b.txt): PYSEC-2027-1 CVE-2027-1 GHSA-x: fixed in 1.1; make lock")


def test_an_accepted_one_passes_by_any_of_its_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known(folder, {"zlib 1.0": [ADVISORY]})
    for name in ("PYSEC-2027-1", "CVE-2027-1", "GHSA-x"):
        accept(folder, id=name)
        assert findings(folder, capsys) == []
    accept(folder, package="alib")
    assert len(findings(folder, capsys)) == 2


def test_an_acceptance_ends_on_its_day_and_with_its_version(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known(folder, {"zlib 1.0": [ADVISORY]})
    accept(folder, until="2027-02-28")
    [line] = findings(folder, capsys)
    assert "accepted until 2027-02-28; look at it again" in line
    accept(folder, until="2027-03-01")
    assert findings(folder, capsys) == []
    known(folder, {})
    [line] = findings(folder, capsys)
    assert "no locked version has it; remove the entry" in line


def test_what_could_not_be_looked_up_is_no_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known(folder, {}, ("alib",))
    [line] = findings(folder, capsys)
    assert line == "not looked up (1): alib 3; is there a network?"


@pytest.mark.parametrize("change", [{"reason": " "}, {"until": '"soon"'}, {"until": "2027-03-01T10:00:00"}])
def test_an_entry_needs_a_reason_and_a_day(folder: Path, change: dict[str, str]) -> None:
    accept(folder, **change)
    with pytest.raises(UserError, match=r"accepted\.toml: entry 1: expected id, package, reason, until"):
        read_accepted(folder / "accepted.toml")


@pytest.mark.parametrize("content", [b"accepted = [", b"accepted = ['\xff']", b"other = []"])
def test_a_list_that_cannot_be_read_is_one_line(content: bytes, folder: Path) -> None:
    (folder / "accepted.toml").write_bytes(content)
    with pytest.raises(UserError, match=r"accepted\.toml: expected a TOML file"):
        read_accepted(folder / "accepted.toml")


def test_a_program_that_fails_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    folder.joinpath("requirements").mkdir()
    (folder / "a.txt").rename(folder / "requirements" / "a.txt")
    (folder / "accepted.toml").rename(folder / "requirements" / "accepted.toml")
    assert main(["--quiet", "--pip-audit", "no-such-program"]) == 1
    assert capsys.readouterr().err == "error: no-such-program: No such file or directory; run make audit\n"
    (folder / "pip-audit").write_text("#!/bin/sh\necho 'ERROR: no network' >&2; exit 1\n")
    assert main(["--quiet", "--pip-audit", str(folder / "pip-audit")]) == 1
    assert capsys.readouterr().err == "error: pip-audit failed: ERROR: no network\n"


def test_the_lists_here_are_read() -> None:
    assert len(locked(ROOT / "requirements")) > 300
    read_accepted(ROOT / "requirements" / "accepted.toml")
