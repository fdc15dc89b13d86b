"""The page about own pipelines says what the tests show."""

from export.own.steps import FUNCTIONS, KNOWN
from tests.export.own.table import PAGE, written


def test_the_tables_are_made_of_the_cases() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page, "run python -m tests.export.own.table"


def test_every_known_step_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    selectors = {kind.__name__ for kind in KNOWN if kind.__module__.startswith("sklearn.feature_selection")}
    known = {kind.__name__ for kind in KNOWN if not kind.__module__.startswith("export.")}
    assert known - selectors <= set(text.replace("`", " ").replace("(", " ").split())


def test_a_known_function_is_numpy_s() -> None:
    assert all(getattr(__import__("numpy"), function.__name__) is function for function in FUNCTIONS)
