"""A fitted pipeline of somebody's has the grades of its TOML."""

from pathlib import Path

import numpy as np
import pytest

from cli.errors import UserError
from export.own.settings import own_settings
from tests.export.own.pipelines import FORMS, WITHOUT_REASONS, exported, rows_of, usual
from validation.grades import grades_of

pytestmark = pytest.mark.tier("land")


def test_an_own_pipeline_has_the_grades_that_its_rows_support(tmp_path: Path) -> None:
    X, y = rows_of(500)
    fitted = FORMS["plain"](usual()).fit(X, y)
    settings = own_settings({"grades": {"count": 3}, **WITHOUT_REASONS})
    with pytest.raises(UserError, match=r"^grades\.count: needs rows with outcomes, got none"):
        exported(fitted, X, tmp_path / "model", None, settings)
    assert not (tmp_path / "model").exists()
    certificate, model = exported(fitted, X, tmp_path / "model", y, settings)
    assert certificate["total"]["grades_that_differ"] == 0
    found = grades_of(settings.grades, y.astype(np.int8), fitted.predict_proba(X)[:, 1].astype(np.float64))
    served = model.manifest
    assert served.grades is not None
    assert found is not None
    assert (served.grades.limits, served.grades.names) == (found.limits, ["1", "2", "3"])
    assert sum(served.document["reference"]["grades"]["counts"]) == 500
