"""A module of tests says by MORE what its model is trained with; equal ones are trained and exported once."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from export.to_onnx import export
from tests.export.served.exported import SILENT, few_rows, trained
from tests.once import once
from training.artifacts import Artifacts, load_artifacts


@pytest.fixture(scope="module", autouse=True)
def fewer_rows() -> Iterator[None]:
    with few_rows(drawn=2_000, single=50, explained=40):
        yield


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Artifacts]:
    def run(more: str) -> Artifacts:
        def train(folder: Path) -> None:
            trained(folder, more)

        folder, _ = once(tmp_path_factory, f"run-{_name(more)}", train)
        return load_artifacts(folder / "artifacts")

    return cache(run)


@pytest.fixture(scope="session")
def model_of(run_of: Callable[[str], Artifacts], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    def exported(more: str) -> Path:
        def export_run(folder: Path) -> None:
            export(run_of(more), folder / "model", SILENT)

        folder, _ = once(tmp_path_factory, f"exported-{_name(more)}", export_run)
        return folder / "model"

    return cache(exported)


def _name(more: str) -> str:
    return hashlib.sha256(more.encode()).hexdigest()[:12]


@pytest.fixture
def artifacts(request: pytest.FixtureRequest, run_of: Callable[[str], Artifacts]) -> Artifacts:
    return run_of(request.module.MORE)


@pytest.fixture
def model(request: pytest.FixtureRequest, model_of: Callable[[str], Path]) -> Path:
    return model_of(request.module.MORE)


@pytest.fixture
def copy(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "model"))
