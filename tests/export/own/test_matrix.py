"""Preparations × forms of the classifier × dense and sparse: each is exact, or refused by its name; none is wrong."""

from pathlib import Path
from typing import Any

import pytest

from cli.errors import UserError
from tests.export.own.pipelines import FORMS, exported, rows_of, served
from tests.export.own.preparations import CASES, Case

pytestmark = [pytest.mark.tier("land"), pytest.mark.filterwarnings("ignore")]  # what steps say of 600 rows
X, Y = rows_of(600)
OTHERS, _ = rows_of(300, seed=5)
TOLERANCE = 4.5e-16


@pytest.mark.sample(8)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_pipeline_is_exact_or_refused_by_name(case: Case, form: str, sparse: bool, tmp_path: Path) -> None:
    fitted: Any = FORMS[form](case.preparation(sparse=sparse)).fit(X, Y)
    if case.refused:
        with pytest.raises(UserError, match=case.refused):
            exported(fitted, X, tmp_path / "model")
        return
    certificate, model = exported(fitted, X, tmp_path / "model")
    assert certificate["total"]["margins_bit_equal"] == certificate["total"]["margins"]
    assert served(model, OTHERS) == pytest.approx(fitted.predict_proba(OTHERS)[:, 1], abs=TOLERANCE, rel=0)
