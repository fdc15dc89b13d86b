"""`python -m benchmarks.page`: the tables of docs/benchmarks.md, docs/scale.md and README from docs/benchmarks.json.

A page has a table where it says so, and the text around it is written by hand:

    <!-- figures: startup warm -->            all figures of these groups, with spread, target and origin
    <!-- figures: startup/wall package/zip -->  these figures, each with its command
    <!-- end of figures -->
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("benchmarks.page")


import re
from collections.abc import Iterator, Sequence

from benchmarks.digests import ROOT
from benchmarks.figures import FILE, Figure, read
from benchmarks.groups import GROUPS
from cli import command
from cli.errors import UserError
from cli.parser import Parser
from storage.whole_file import write_whole

PAGES = (ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "scale.md", ROOT / "README.md")
MATRICES = ("peers", "explainers")
TABLE = re.compile(r"<!-- figures: (?P<names>[^>]+?) -->\n.*?<!-- end of figures -->", re.DOTALL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    names = " and ".join(page.relative_to(ROOT).as_posix() for page in PAGES)
    Parser(prog="python -m benchmarks.page", description=f"Write the tables of figures in {names}.").parse_args(
        arguments
    )
    return command.run(write_pages, "the pages are as they were")


def write_pages() -> None:
    """Write the tables of every page."""
    figures = read()
    for page in PAGES:
        write_whole(page, filled(page.read_text(encoding="utf-8"), figures))


def filled(text: str, figures: Sequence[Figure]) -> str:
    """Return a page's text with its tables as the figures are."""
    by_id = {figure.id: figure for figure in figures}

    def table(match: re.Match[str]) -> str:
        names = match["names"].split()
        lines = _of_groups(names, figures) if set(names) <= GROUPS.keys() else _of_ids(names, by_id)
        return "\n".join([f"<!-- figures: {match['names']} -->", "", *lines, "", "<!-- end of figures -->"])

    return TABLE.sub(table, text)


def _of_groups(names: Sequence[str], figures: Sequence[Figure]) -> Iterator[str]:
    yield f"`python -m benchmarks {' '.join(names)}`\n"
    shown = [figure for name in names for figure in figures if figure.group == name]
    if not shown:
        yield "Not measured yet."
        return
    if all(name in MATRICES for name in names):
        yield from _matrix(shown)
    else:
        yield from _rows(shown)
    origins: dict[str, list[str]] = {}
    for figure in shown:
        origins.setdefault(_origin(figure), []).append(figure.group)
    yield ""
    for origin, groups in origins.items():
        yield f"{', '.join(f'`{name}`' for name in dict.fromkeys(groups))}: {origin}"


def _matrix(shown: Sequence[Figure]) -> Iterator[str]:
    """A row for each figure, a column for each part of its value, which is `name: part; name: part; ...`."""
    parts = [dict(part.split(": ", 1) for part in figure.value.split("; ")) for figure in shown]
    columns = list(parts[0])
    yield f"| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}"
    for figure, its in zip(shown, parts, strict=True):
        if its.keys() == parts[0].keys():
            yield f"| {_cell(figure.what)} | {' | '.join(_cell(its[name]) for name in columns)} |"
    for figure, its in zip(shown, parts, strict=True):
        if its.keys() != parts[0].keys():
            yield f"\n{figure.what}: {figure.value}."


def _rows(shown: Sequence[Figure]) -> Iterator[str]:
    yield "| | measured | spread | reach |\n|---|---:|---:|---:|"
    for figure in shown:
        value = f"**{figure.value}**" if figure.missed else figure.value
        yield f"| {_cell(figure.what)} | {_cell(value)} | {_cell(figure.spread)} | {_cell(figure.reach)} |"


def _of_ids(names: Sequence[str], figures: dict[str, Figure]) -> Iterator[str]:
    yield "| | measured | see it again |\n|---|---:|---|"
    for name in names:
        if name not in figures:
            raise UserError(f"{FILE}: {name}: a page shows this figure, and there is no such id")
        figure = figures[name]
        yield f"| {_cell(figure.what)} | {_cell(figure.value)} | `python -m benchmarks {figure.group}` |"


def _origin(figure: Figure) -> str:
    if not figure.date:
        return "measured before origins and digests were kept."
    known = ", ".join(f"{name} {version}" for name, version in figure.versions.items())
    return f"{figure.date}; {figure.machine}; {known}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
