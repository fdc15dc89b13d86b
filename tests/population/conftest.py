"""The population that every test here looks at."""

import pandas as pd
import pytest

from population import draw


@pytest.fixture(scope="session")
def population() -> pd.DataFrame:
    return draw()
