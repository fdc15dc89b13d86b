"""One trained and exported model for all pages."""

from pathlib import Path

import pytest

from tests.docs.workplace import Workplace


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    folder: Path = tmp_path_factory.mktemp("pages")
    return Workplace(folder)
