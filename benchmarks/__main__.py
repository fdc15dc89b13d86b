"""`python -m benchmarks [NAME ...]`: measures groups of figures; without a name, all but the ranking, for hours.

Each group's figures are written to docs/benchmarks.json as soon as it is measured, and the pages' tables from there;
figures of other groups stay. `--print` writes nothing.

`python -m benchmarks ranking` takes a night, needs CatBoost and tables that are not here, and has flags of its own:
see its --help and docs/ranking.md.
"""

import os
import sys
from collections.abc import Sequence

from benchmarks import figures, page
from benchmarks.groups import GROUPS, QUICK, measure
from benchmarks.report import show
from cli.errors import UserError
from cli.parser import Parser
from cli.progress import Progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are named."""
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except UserError as mistake:
        sys.stderr.write(f"error: {mistake}\n")
        return mistake.exit_status


def _run(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["ranking"]:
        from benchmarks import ranking

        return ranking.main(arguments[1:])
    options = Parser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(GROUPS)}; or ranking alone")
    options.add_argument("--quick", action="store_true", help=f"the headline figures, five minutes: {', '.join(QUICK)}")
    options.add_argument("--print", action="store_true", help="print the figures, and write nothing")
    args = options.parse_args(arguments)
    if unknown := set(args.names) - set(GROUPS):
        options.error(
            f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}; or ranking alone"
        )
    progress = Progress()
    for name in args.names or (QUICK if args.quick else GROUPS):
        load = os.getloadavg()[0]
        with progress.step(f"Measuring {name}"):
            rows = list(measure(name))
        show(name, rows)
        if not args.print:
            figures.write(figures.updated(figures.read(), figures.of_rows(name, rows, load)))
            page.write_pages()
    return 0


if __name__ == "__main__":
    sys.exit(main())
