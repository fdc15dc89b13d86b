"""The table of docs/own-pipeline.md, of the tests' cases; `python -m tests.export.own.table` writes it."""

from pathlib import Path

from tests.export.own.preparations import CASES

PAGE = Path(__file__).parents[3] / "docs" / "own-pipeline.md"
BEGIN, END = "<!-- cases: python -m tests.export.own.table -->\n", "<!-- end of cases -->\n"


def table() -> str:
    """A row for each preparation, in the tests' order: exact, or the words of its refusal."""
    rows = [f"| {case.name} | {f'refused: “{case.refused}”' if case.refused else 'exact'} |" for case in CASES]
    return "\n".join(["| preparation | |", "|---|---|", *rows]) + "\n"


def parts() -> tuple[str, str, str]:
    """The page before, between and after the marks."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    between, after = rest.split(END)
    return before, between, after


if __name__ == "__main__":
    before, _, after = parts()
    PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
