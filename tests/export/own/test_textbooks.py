"""Credit pipelines of books, documentation and courses are taken whole; at least eleven of the twelve."""

from pathlib import Path

import numpy as np
import pytest

from export.refusal import ExportRefused
from tests.export.own.pipelines import exported
from tests.export.own.textbooks import TEXTBOOKS, Textbook

pytestmark = [pytest.mark.tier("land"), pytest.mark.filterwarnings("ignore")]


@pytest.mark.sample(2)
@pytest.mark.parametrize("book", TEXTBOOKS, ids=lambda book: book.source)
def test_a_textbook_pipeline_is_taken_whole(book: Textbook, tmp_path: Path) -> None:
    X, y = book.rows()
    fitted = book.make().fit(X, y)
    if book.refused:
        with pytest.raises(ExportRefused, match=book.refused):
            exported(fitted, X, tmp_path / "model", y)
        return
    certificate, model = exported(fitted, X, tmp_path / "model", y)
    assert certificate["total"]["margins_bit_equal"] == certificate["total"]["margins"]
    numbers = [[float(row[f.name]) for f in model.manifest.numbers] for row in X.to_dict("records")]
    texts = [
        ["" if row[f.name] is None or row[f.name] != row[f.name] else row[f.name] for f in model.manifest.categories]
        for row in X.to_dict("records")
    ]
    expected = fitted.predict_proba(X)[:, 1]
    assert np.abs(model.predict(numbers, texts)[0] - expected).max() <= 4.5e-16


def test_eleven_of_twelve_are_taken() -> None:
    assert len(TEXTBOOKS) == 12
    assert sum(not book.refused for book in TEXTBOOKS) >= 11
