"""One package for all tests: a small model, for the Python and the processor that the tests run on."""

import platform
import sys
from pathlib import Path

import pytest

from export.packaging.target import Target, architecture
from tests.export.packaging.build_command import package
from tests.export.packaging.lambda_process import environment, install_base
from tests.export.packaging.model_folder import certified_model
from tests.once import once


@pytest.fixture(scope="session")
def target() -> Target:
    """The Python version and architecture of the machine that runs the tests."""
    return Target((sys.version_info[0], sys.version_info[1]), architecture(platform.machine()))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certified model for the reference request."""
    folder, _ = once(tmp_path_factory, "model-to-package", lambda folder: certified_model(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory, model: Path, target: Target) -> Path:
    """The folder with task/ and lambda.zip."""

    def build(folder: Path) -> None:
        assert package(model, folder / "dist", target) == 0

    folder, _ = once(tmp_path_factory, "package", build)
    return folder / "dist"


@pytest.fixture(scope="session")
def task(dist: Path) -> Path:
    """The folder that Lambda mounts as /var/task."""
    return dist / "task"


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that Lambda mounts as /var/runtime."""
    return install_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home, which stays empty."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def variables(task: Path, base: Path, home: Path) -> dict[str, str]:
    """The environment of a Lambda over the package."""
    return environment(task, base, home)
