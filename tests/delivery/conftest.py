"""A certified model, the environment that a release is built in, and a runner."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.runner import Outcome, Runner
from tests.delivery.workflow_files import ROOT
from tests.export.packaging.model_folder import certified_model, certify
from tests.once import once

VARIABLES = {
    "AWS_REGION": "eu-central-1",
    "BUILD_ROLE_ARN": "arn:aws:iam::123456789012:role/lastbit-build",
    "DEPLOY_ROLE_ARN": "arn:aws:iam::123456789012:role/lastbit-deploy",
    "IMAGE_REPOSITORY": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/lastbit",
    "MODELS": "s3://models/lastbit",
}


def comparison(kind: str, rows: int) -> dict[str, Any]:
    """A certificate's entry for one kind of rows, all of them equal."""
    return {
        "kind": kind,
        "rows": rows,
        "margins": 2 * rows,
        "margins_bit_equal": 2 * rows,
        "probabilities_bit_equal": rows - 1,
        "largest_probability_difference": 2.8e-17,
        "largest_score_difference": 0.0,
        "bands_that_differ": 0,
    }


FINDINGS: dict[str, Any] = {
    "tolerances": {
        "margins_bit_equal_share": 1.0,
        "probability_difference": 4.5e-16,
        "probabilities_bit_equal_share": 0.0,
        "bands_that_differ": 0,
    },
    "rows": [comparison("at every split", 41_901), comparison("real | applicants", 50_000)],
    "total": comparison("all", 91_901),
    "single_rows": {"rows": 2_000, "bit_equal": 2_000},
}


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder whose certificate has findings; not to be changed."""

    def make(folder: Path) -> None:
        certify(certified_model(folder / "model"), **FINDINGS)

    folder, _ = once(tmp_path_factory, "certified", make)
    return folder / "model"


@pytest.fixture(scope="session")
def release_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python that a release is built by: made of requirements/release.txt alone, as the workflow makes it."""
    python = ROOT / ".venv-release" / "bin" / "python"

    def make(_: Path) -> None:
        words = ["make", ".venv-release/ready", f"PYTHON={sys.executable}"]
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=300)
        if "COVERAGE_PROCESS_CONFIG" in os.environ:
            count_lines(python)

    once(tmp_path_factory, "release-environment", make)
    return python


def count_lines(python: Path) -> None:
    """Have the processes of a Python counted by make coverage: the one package more is not part of a release."""
    words = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    there = Path(subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout.strip())
    for name in ("coverage", "a1_coverage.pth"):
        if not (there / name).exists():
            (there / name).symlink_to(Path(sysconfig.get_path("purelib")) / name)


def build(runner: Runner, model: Path) -> Outcome:
    """Run the job `build` of release.yml, with the model that the job before it has fetched."""
    shutil.copytree(model, runner.artifacts / "model")
    return runner.run("release.yml", "build", matrix={"arch": "x86_64"})


@pytest.fixture(scope="session")
def built(
    tmp_path_factory: pytest.TempPathFactory, certified: Path, release_environment: Path
) -> tuple[Runner, Outcome]:
    """The release's results: artifacts, attestations, the workspace; tests only read them."""
    assert release_environment.exists()

    def make(folder: Path) -> tuple[Runner, Outcome]:
        runner = Runner(folder, dict(VARIABLES))
        return runner, build(runner, certified)

    _, result = once(tmp_path_factory, "built", make)
    return result


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A repository whose variables are set."""
    return Runner(tmp_path, dict(VARIABLES))
