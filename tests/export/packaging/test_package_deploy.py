"""The package that is built is one that deploy/deploy.py takes, and knows where it runs."""

from pathlib import Path

import pytest

from deploy.artifact import read_artifact
from export.packaging.target import Target
from runtime.manifest import Manifest

pytestmark = pytest.mark.tier("land")


def test_a_built_package_is_read_as_what_it_is(dist: Path, model: Path, target: Target) -> None:
    artifact = read_artifact(dist / "lambda.zip")
    assert (artifact.runtime, artifact.arch) == (f"python{target.version}", target.arch)
    assert artifact.manifest.model_version == Manifest.read(str(model / "manifest.json")).model_version
    assert artifact.size == (dist / "lambda.zip").stat().st_size
