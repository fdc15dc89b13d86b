"""The version of lastbit: the same everywhere, raised by one command, published with its notes."""

import re
import shutil
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from cli.errors import UserError
from delivery.version import current, main, notes, raise_to
from runtime.table_file import BATCH_FILE, REASONS_FILE
from tests.delivery.runner import Runner
from tests.delivery.workflow_files import ROOT

DAY = date(2027, 2, 28)
FILES = ("pyproject.toml", "CITATION.cff", "CHANGELOG.md")
SCHEMAS = {
    "artifacts/run.json": "training.artifacts.SCHEMA_VERSION",
    "model/manifest.json": "runtime.manifest.SCHEMA_VERSION",
    "model/certificate.json": "export.model_folder.CERTIFICATE_VERSION",
    "model/initial.json": "validation.initial.SCHEMA_VERSION",
    "latest.json": "export.registry.models.POINTER_VERSION",
    "validated/validation.json": "validation.page.SCHEMA_VERSION",
    "*.validation.json": "validation.history.SCHEMA_VERSION",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_file_names_the_same_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", current(ROOT))


def test_another_version_in_one_file_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    citation = project / "CITATION.cff"
    citation.write_text(re.sub(r"^version: .*", "version: 9.9.9", citation.read_text(), flags=re.MULTILINE))
    assert main([]) == 1
    assert "expected one version, got pyproject.toml " in capsys.readouterr().err
    citation.unlink()
    with pytest.raises(UserError, match=r"CITATION\.cff: expected a version, found none"):
        current(project)


def test_a_version_is_raised_everywhere_at_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unreleased = notes((project / "CHANGELOG.md").read_text(), "Unreleased")
    raise_to(project, "7.8.9", DAY)
    assert main([]) == 0
    assert capsys.readouterr().out == "version=7.8.9\n"
    changelog = (project / "CHANGELOG.md").read_text()
    assert "## Unreleased\n\n## 7.8.9 (2027-02-28)\n\n###" in changelog
    assert (notes(changelog, "7.8.9"), notes(changelog, "Unreleased")) == (unreleased, "")
    assert "\nversion: 7.8.9\ndate-released: 2027-02-28\n" in (project / "CITATION.cff").read_text()
    (project / "CHANGELOG.md").write_text(changelog.replace("## Unreleased\n", "## Unreleased\n\n- More.\n"))
    raise_to(project, "7.8.10", DAY)
    assert (project / "CITATION.cff").read_text().count("date-released") == 1
    assert notes((project / "CHANGELOG.md").read_text(), "7.8.10") == "- More."


def test_only_a_newer_version_with_something_to_say_is_raised(project: Path) -> None:
    raise_to(project, "7.8.9", DAY)
    before = {name: (project / name).read_text() for name in FILES}
    with pytest.raises(UserError, match=r"expected a version after 7\.8\.9, got 7\.8\.9"):
        raise_to(project, "7.8.9", DAY)
    with pytest.raises(UserError, match="expected entries below ## Unreleased"):
        raise_to(project, "7.9.0", DAY)
    assert before == {name: (project / name).read_text() for name in FILES}


@pytest.mark.parametrize("version", ["v1.0.0", "1.0", "01.0.0", "1.0.0rc1"])
def test_what_is_no_version_is_wrong_usage(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([version])
    assert ended.value.code == 2
    assert "expected X.Y.Z, such as 0.2.0" in capsys.readouterr().err


def test_the_page_names_the_schema_version_of_every_file() -> None:
    page = (ROOT / "docs" / "releasing.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"^\| `([^`]+)`.*? \| (\d+) \|", page, re.MULTILINE))
    places = {file: place.rpartition(".") for file, place in SCHEMAS.items()}
    expected = {file: getattr(import_module(module), name) for file, (module, _, name) in places.items()}
    expected |= {f"model/{file.name}": file.version for file in (REASONS_FILE, BATCH_FILE)}
    assert {file: int(version) for file, version in named.items()} == expected


@pytest.mark.tier("land")
@pytest.mark.usefixtures("release_environment")
def test_a_tag_becomes_a_release_with_its_notes(runner: Runner) -> None:
    workspace = runner.workspace()
    for name in FILES:
        shutil.copy(ROOT / name, workspace)
    raise_to(workspace, "7.8.9", DAY)
    runner.environment["GITHUB_REF_NAME"] = "v7.8.8"
    outcome = runner.run("version.yml", "publish", workspace)
    assert outcome.status == 1
    assert "error: v7.8.8: expected the tag v7.8.9, the version of pyproject.toml" in outcome.log
    assert runner.calls == []
    runner.environment["GITHUB_REF_NAME"] = "v7.8.9"
    outcome = runner.run("version.yml", "publish", workspace)
    assert outcome.status == 0, outcome.log
    [call] = [words[1:] for words in runner.calls]
    assert call[:4] == ["release", "create", "v7.8.9", "--verify-tag"]
    assert call[call.index("--notes") + 1] == notes((workspace / "CHANGELOG.md").read_text(), "7.8.9")
    (runner.folder / "gh-fails").touch()
    outcome = runner.run("version.yml", "publish", workspace)
    assert "error: gh release create: HTTP 403" in outcome.log
    assert outcome.status == 1


def test_a_version_without_its_section_is_not_published(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changelog = project / "CHANGELOG.md"
    changelog.write_text("# Changelog\n\n## Unreleased\n\n- Something.\n")
    monkeypatch.setenv("GITHUB_REF_NAME", f"v{current(project)}")
    assert main(["--publish"]) == 1
    assert "expected a section ## " in capsys.readouterr().err
