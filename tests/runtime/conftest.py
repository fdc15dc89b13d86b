"""Model folders, and handlers over them, for the tests of the runtime."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime.settings import Settings
from tests.runtime.model_builder import EVENTS, SMALL_FEATURES, build_model, reference_features

if TYPE_CHECKING:
    from runtime.dispatch import Handler

    MakeHandler = Callable[..., Handler]


@pytest.fixture(scope="session")
def reference_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder for the reference request."""
    folder = tmp_path_factory.mktemp("reference") / "model"
    build_model(folder, reference_features())
    return folder


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with a feature for each rule of validation."""
    folder = tmp_path_factory.mktemp("small") / "model"
    build_model(folder, SMALL_FEATURES)
    return folder


@pytest.fixture(scope="session")
def make_handler(reference_model: Path) -> "MakeHandler":
    """Make handlers: `make_handler(folder, CORS_ORIGINS="*")`."""
    from runtime.dispatch import Handler

    def make(folder: Path = reference_model, **environment: str) -> Handler:
        return Handler(Settings({"MODEL_DIR": str(folder), **environment}))

    return make


@pytest.fixture(scope="session")
def handler(make_handler: "MakeHandler") -> "Handler":
    """Over the model of the reference request, with the settings that hold by default."""
    return make_handler()


@pytest.fixture(scope="session")
def small(make_handler: "MakeHandler", small_model: Path) -> "Handler":
    """Over the small model."""
    return make_handler(small_model)


@pytest.fixture
def event() -> Callable[[str], Any]:
    """Read a recorded event of tests/events by its name."""
    return lambda name: json.loads((EVENTS / f"{name}.json").read_text())
