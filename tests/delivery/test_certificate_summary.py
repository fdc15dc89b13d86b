"""The certificate as a page of a workflow, and what is refused instead of being shown."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from delivery.certificate import main
from tests.delivery.conftest import FINDINGS, comparison
from tests.export.packaging.model_folder import certify

pytestmark = pytest.mark.tier("land")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The files that GitHub reads after a step."""
    found = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for name, path in found.items():
        monkeypatch.setenv(name, str(path))
    return found


@pytest.fixture
def model(certified: Path, tmp_path: Path) -> Path:
    """A copy, to be broken."""
    return shutil.copytree(certified, tmp_path / "model")


def test_the_summary_has_every_kind_of_row(certified: Path, files: dict[str, Path]) -> None:
    assert main(["--model", str(certified)]) == 0
    version = json.loads((certified / "manifest.json").read_text())["model_version"]
    assert files["GITHUB_OUTPUT"].read_text() == f"version={version}\n"
    text = files["GITHUB_STEP_SUMMARY"].read_text()
    lines = text.splitlines()
    assert lines[0] == f"### Model `{version}`"
    assert lines[2:7] == [
        "| Kind of rows | Rows | Margins equal | p equal | Largest difference of p | Bands that differ |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| at every split | 41,901 | 100.00% | 100.00% | 2.8e-17 | 0 |",
        "| real \\| applicants | 50,000 | 100.00% | 100.00% | 2.8e-17 | 0 |",
        "| all | 91,901 | 100.00% | 100.00% | 2.8e-17 | 0 |",
    ]
    assert "2,000 of 2,000 rows answer alone" in text
    assert "onnxruntime" in text
    for digest in json.loads((certified / "certificate.json").read_text())["sha256"].values():
        assert digest in text


def test_outside_of_a_workflow_it_is_printed(
    certified: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    assert main(["--model", str(certified)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("### Model `")
    assert said.splitlines()[-1].startswith("version=")


def without_certificate(model: Path) -> str:
    (model / "certificate.json").unlink()
    return "certificate.json: no such file, and a model without one is not trusted"


def another_model(model: Path) -> str:
    (model / "model.onnx").write_bytes((model / "model.onnx").read_bytes() + b"\0")
    return "model.onnx: sha256: the certificate has "


def without_findings(model: Path) -> str:
    certify(model)
    return "has no findings; export again"


def beyond_its_limits(model: Path) -> str:
    certify(model, **FINDINGS | {"total": comparison("all", 10) | {"bands_that_differ": 1}})
    return "are beyond its certificate's tolerances; export again"


def single_rows_that_differ(model: Path) -> str:
    certify(model, **FINDINGS | {"single_rows": {"rows": 10, "bit_equal": 9}})
    return "are beyond its certificate's tolerances; export again"


def another_runtime(model: Path) -> str:
    certify(model, **FINDINGS | {"versions": {"onnxruntime": "1.2.3", "machine": "x86_64"}})
    return "certified with onnxruntime 1.2.3, but requirements/lambda.txt packages "


@pytest.mark.parametrize(
    "fault",
    [
        without_certificate,
        another_model,
        without_findings,
        beyond_its_limits,
        single_rows_that_differ,
        another_runtime,
    ],
)
def test_a_model_without_a_valid_certificate_of_its_own_goes_no_further(
    fault: Any, model: Path, files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    expected = fault(model)
    assert main(["--model", str(model)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("error: ")
    assert expected in said[0]
    assert not any(path.exists() for path in files.values())
