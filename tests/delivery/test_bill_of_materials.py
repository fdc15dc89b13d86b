"""The bill of materials lists what is in the package."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from export.package import REQUIREMENTS
from export.packaging.requirements import read_pins
from export.packaging.target import Target
from tests.delivery.runner import Outcome, Runner
from tests.delivery.workflow_files import ROOT

pytestmark = pytest.mark.tier("land")

TARGET = Target((3, 13), "x86_64")


@pytest.fixture
def dist(built: tuple[Runner, Outcome], tmp_path: Path) -> Path:
    """A copy of what was built, whose files are those of the original until one is replaced."""
    source = built[0].folder / "workspace" / "dist"
    return shutil.copytree(source, tmp_path / "dist", copy_function=lambda a, b: Path(b).hardlink_to(a))


def listed(python: Path, dist: Path, *flags: str) -> "subprocess.CompletedProcess[str]":
    """The command over a folder."""
    words = [python, "-W", "error", "-m", "delivery.bill_of_materials", "--dist", dist, *flags]
    return subprocess.run(list(map(str, words)), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def bill(dist: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((dist / "sbom.cdx.json").read_text())
    return content


def sha256(path: Path) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]


def test_it_names_all_that_is_in_the_zip(dist: Path) -> None:
    content = bill(dist)
    assert (content["bomFormat"], content["specVersion"]) == ("CycloneDX", "1.6")
    assert content["metadata"]["component"]["hashes"] == sha256(dist / "lambda.zip")
    components = {component["name"]: component for component in content["components"]}
    manifest = json.loads((dist / "task" / "model" / "manifest.json").read_text())
    model = components.pop("model")
    assert (model["type"], model["version"]) == ("machine-learning-model", manifest["model_version"])
    assert model["hashes"] == sha256(dist / "task" / "model" / "model.onnx")
    for pin in read_pins(REQUIREMENTS, TARGET):
        component = components.pop(pin.name)
        assert component["purl"] == f"pkg:pypi/{pin.name}@{pin.version}"
        assert all("id" in licence.get("license", {"id": ""}) for licence in component["licenses"])
        assert component["supplier"]["name"] in ("NumPy Developers", "Microsoft Corporation")
    with ZipFile(dist / "lambda.zip") as archive:
        libraries = [name for name in archive.namelist() if ".libs/" in name]
    assert libraries
    files = {component["bom-ref"]: component for component in components.values()}
    assert sorted(files) == sorted(libraries)
    assert all(component["hashes"] == sha256(dist / "task" / name) for name, component in files.items())
    assert re.fullmatch(r"0\.\d+\.\d+", components["OpenBLAS"]["version"])
    assert all(component["version"] and component["licenses"] for component in files.values())
    assert content["metadata"]["supplier"]["name"] == "bank"


def test_the_same_package_has_the_same_list(
    release_environment: Path, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "bank/lastbit")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1760000000")
    assert listed(release_environment, dist, "--quiet").returncode == 0
    before = (dist / "sbom.cdx.json").read_bytes()
    done = listed(release_environment, dist, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (dist / "sbom.cdx.json").read_bytes() == before


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("seconds", "time"), [("0", "1970-01-01T00:00:00+00:00"), ("1760000000", "2025-10-09T08:53:20+00:00")]
)
def test_its_time_is_that_of_the_source(
    release_environment: Path, dist: Path, monkeypatch: pytest.MonkeyPatch, seconds: str, time: str
) -> None:
    """The rule is that of https://reproducible-builds.org/specs/source-date-epoch/."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
    for _ in range(2):
        assert listed(release_environment, dist, "--quiet").returncode == 0
        assert bill(dist)["metadata"]["timestamp"] == time


def unknown_library(task: Path) -> str:
    (task / "numpy.libs" / "libmkl_rt.so.2").write_bytes(b"")
    return "expected a known library, found another; name it in delivery/parts.py"


def unknown_licence(task: Path) -> str:
    [path] = task.glob("onnxruntime-*.dist-info/METADATA")
    text = path.read_text().replace("MIT License", "Ours")
    path.unlink()
    path.write_text(text)
    return "onnxruntime: expected a licence of SPDX, got 'Ours'"


def stranger(task: Path) -> str:
    (task / "evil.py").write_text("import this")
    return "evil.py: expected a part of the package (runtime/, source/, model/"


def another_version(task: Path) -> str:
    [path] = task.glob("numpy-*.dist-info/METADATA")
    text = path.read_text().replace("\nVersion: 2.", "\nVersion: 99.", 1)
    path.unlink()
    path.write_text(text)
    return "is not pinned in lambda.txt"


def nothing_known(task: Path) -> str:
    [path] = task.glob("onnxruntime-*.dist-info/METADATA")
    path.unlink()
    return "expected onnxruntime 1."


def no_package(task: Path) -> str:
    shutil.rmtree(task)
    return "task: expected a package, found none; run python -m export.package first"


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "fault", [unknown_library, unknown_licence, stranger, another_version, nothing_known, no_package]
)
def test_a_package_that_is_not_what_the_locks_say(fault: Any, release_environment: Path, dist: Path) -> None:
    before = (dist / "sbom.cdx.json").read_bytes()
    expected = fault(dist / "task")
    done = listed(release_environment, dist)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert expected in line
    assert (dist / "sbom.cdx.json").read_bytes() == before
