"""`make lock`: what uv is asked for, what stays, and what a failure leaves. A script stands in for uv."""

import stat
import sys
from pathlib import Path

import pytest

from delivery.locks.__main__ import main
from delivery.locks.resolved import bounds, deployed, without
from delivery.locks.sources import LOCKS
from tests.delivery.test_locks import pins
from tests.delivery.workflow_files import ROOT

# Keeps each version that it is given as the earlier output; else the newest is 2.0.
UV = """#!{python}
import pathlib, sys
words = sys.argv[1:]
out = pathlib.Path(words[words.index("--output-file") + 1])
with open({log!r}, "a") as log:
    log.write(" ".join(words) + "\\n")
if out.name == {fails!r}:
    sys.exit("No solution found\\nbecause lastbit needs two versions")
if out.suffix == ".toml":
    out.write_text({pylock!r})
elif "==" in (earlier := out.read_text()):
    out.write_text("".join(line for line in earlier.splitlines(True) if not line.startswith("#")))
else:
    out.write_text("newest==2.0 \\\\\\n    --hash=sha256:" + 64 * "0" + "\\n")
"""
PYLOCK = """
[[packages]]
name = "numpy"
version = "1.1"
marker = "python_full_version < '3.12'"
wheels = [
  {{ name = "numpy-1.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl", hashes = {{ sha256 = "{b}" }} }},
  {{ url = "https://h/numpy-1.1-cp311-cp311-manylinux_2_28_aarch64.whl", hashes = {{ sha256 = "{a}" }} }},
  {{ url = "https://h/numpy-1.1-cp312-cp312-manylinux_2_28_x86_64.whl", hashes = {{ sha256 = "{c}" }} }},
  {{ url = "https://h/numpy-1.1-cp311-cp311-macosx_11_0_arm64.whl", hashes = {{ sha256 = "{c}" }} }},
  {{ url = "https://h/numpy-1.1-cp311-cp311-manylinux_2_39_x86_64.whl", hashes = {{ sha256 = "{c}" }} }},
]

[[packages]]
name = "left-out"
version = "1"
wheels = []

[[packages]]
name = "numpy"
version = "2"
marker = "python_full_version >= '3.12'"
wheels = [
  {{ url = "https://h/numpy-2-cp314-cp314-manylinux_2_28_x86_64.whl", hashes = {{ sha256 = "{d}" }} }},
  {{ url = "https://h/numpy-2-cp314-cp314t-manylinux_2_28_x86_64.whl", hashes = {{ sha256 = "{c}" }} }},
  {{ url = "https://h/numpy-2-cp311-cp311-manylinux_2_28_x86_64.whl", hashes = {{ sha256 = "{c}" }} }},
]
""".format(**{letter: letter * 64 for letter in "abcd"})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lock(project: Path, *flags: str, fails: str = "") -> int:
    """Run the command with the stand-in."""
    uv = project / "uv"
    text = UV.format(python=sys.executable, log=str(project / "log"), fails=fails, pylock=PYLOCK)
    uv.write_text(text)
    uv.chmod(uv.stat().st_mode | stat.S_IXUSR)
    return main(["--uv", str(uv), "--quiet", *flags])


def test_every_file_is_resolved_and_what_fits_stays(project: Path) -> None:
    folder = project / "requirements"
    (folder / "docs.txt").write_text("kept==1.0 \\\n    --hash=sha256:" + 64 * "1" + "\n")
    assert lock(project) == 0
    assert {path.name for path in folder.iterdir()} == {each.name for each in LOCKS}
    assert (folder / "docs.txt").read_text().startswith("kept==1.0")
    assert (folder / "dev.txt").read_text().startswith("newest==2.0")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    assert lock(project) == 0
    assert before == {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_upgrade_starts_without_the_earlier_versions(project: Path) -> None:
    docs = project / "requirements" / "docs.txt"
    docs.write_text("kept==1.0 \\\n    --hash=sha256:" + 64 * "1" + "\n")
    assert lock(project, "--upgrade") == 0
    assert docs.read_text().startswith("newest==2.0")


def test_what_is_built_and_deployed_follows_what_is_tested(project: Path) -> None:
    assert lock(project) == 0
    calls = {words.split("--output-file ")[1].split()[0].rpartition("/")[2]: words for words in log(project)}
    assert all(calls[name].count("/dev.txt") == 1 for name in ("release.txt", "ranking.txt", "package.txt"))
    assert "/dev.txt" in calls["pylock.lambda.toml"]
    assert "--resolution lowest-direct" in calls["lowest.txt"]
    assert all("--no-emit-index-url" in words for words in calls.values())
    assert all("nvidia-nccl-cu13" in calls[name] for name in ("dev.txt", "lowest.txt", "ranking.txt"))


def log(project: Path) -> list[str]:
    return (project / "log").read_text().splitlines()


def test_a_failure_is_one_line_and_replaces_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lock(project, fails="audit.txt") == 1
    assert list((project / "requirements").iterdir()) == []
    line = "error: audit.txt: uv found no versions: No solution found because lastbit needs two versions\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(("flags", "said"), [(["--uv", "no-such-uv"], "no-such-uv"), (["--nowhere"], "unknown flag")])
def test_wrong_usage_is_one_line(
    project: Path, flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(flags)
    except SystemExit as ended:
        status = int(str(ended.code))
    assert status == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_folder_that_is_no_project_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--uv", sys.executable, "--quiet"]) == 1


def test_a_package_for_lambda_has_the_wheels_that_lambda_loads() -> None:
    """Wheels of each Python that the version is for: not a Mac's, a newer glibc's, or one without a global lock."""
    old, new = deployed(PYLOCK, ["numpy"]).split("numpy==2")
    assert old.startswith("numpy==1.1 ; python_full_version < '3.12' \\\n")
    assert hashes(old) == ["a" * 64, "b" * 64]
    assert hashes(new) == ["d" * 64]


def hashes(text: str) -> list[str]:
    return [line.partition("sha256:")[2][:64] for line in text.splitlines() if "sha256:" in line]


def test_a_lowered_bound_is_resolved_again() -> None:
    """An earlier version of what the project names would stay, as it still fits."""
    lowest = (ROOT / "requirements" / "lowest.txt").read_text(encoding="utf-8")
    named = bounds(ROOT)
    rest = without(lowest, named)
    assert "numpy" in named
    names = {line.partition("==")[0] for line in rest.splitlines() if "==" in line}
    assert names == set(pins("lowest.txt")) - named
    assert rest.count("--hash=") < lowest.count("--hash=")


def test_every_lock_file_has_its_source() -> None:
    assert {path.name for path in (ROOT / "requirements").glob("*.txt")} == {each.name for each in LOCKS}
