"""The tables of docs/own-pipeline.md, of the tests' cases; `python -m tests.export.own.table` writes them."""

from pathlib import Path

from tests.export.own.preparations import CASES
from tests.export.own.textbooks import TEXTBOOKS

PAGE = Path(__file__).parents[3] / "docs" / "own-pipeline.md"


def verdict(refused: str) -> str:
    return f"refused: “{refused}”" if refused else "exact"


def cases() -> str:
    """A row for each preparation, in the tests' order: exact, its refusal, and whether a tolerance takes it."""
    close = "; close with `--tolerance`"
    rows = [f"| {case.name} | {verdict(case.refused)}{close if case.tolerated else ''} |" for case in CASES]
    return "\n".join(["| preparation | |", "|---|---|", *rows]) + "\n"


def textbooks() -> str:
    """A row for each textbook pipeline: where it is taught, what it does, and the same."""
    rows = [f"| {book.source} | {book.what} | {verdict(book.refused)} |" for book in TEXTBOOKS]
    return "\n".join(["| taught in | preparation | |", "|---|---|---|", *rows]) + "\n"


TABLES = {"cases": cases, "textbooks": textbooks}


def written(page: str) -> str:
    """The page with its tables as the tests have them now."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: python -m tests.export.own.table -->\n", f"<!-- end of {name} -->\n"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = before + begin + table() + end + after
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
