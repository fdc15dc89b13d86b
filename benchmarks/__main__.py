"""`python -m benchmarks [NAME ...]`: measures and prints; without a name, all but the ranking, for hours.

`python -m benchmarks ranking` takes a night, needs CatBoost and tables that are not here, and has flags of its own:
see its --help and docs/ranking.md.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import (
    batch,
    exactness,
    explained,
    fit,
    larger,
    local,
    memory,
    package,
    parts,
    ranking,
    reasons,
    scale,
    scoring,
    speed,
    startup,
    training,
    warm,
)
from benchmarks.report import show
from cli.errors import UserError
from cli.progress import Progress

BENCHMARKS = {
    "exactness": exactness.measure,
    "speed": speed.measure,
    "startup": startup.measure,
    "parts": parts.measure,
    "warm": warm.measure,
    "local": local.measure,
    "package": package.measure,
    "training": training.measure,
    "fit": fit.measure,
    "scale": scale.measure,
    "memory": memory.measure,
    "larger": larger.measure,
    "reasons": reasons.measure,
    "explained": explained.measure,
    "scoring": scoring.measure,
    "batch": batch.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are named."""
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except UserError as mistake:
        sys.stderr.write(f"benchmarks: {mistake}\n")
        return mistake.exit_status


def _run(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["ranking"]:
        return ranking.main(arguments[1:])
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; or ranking alone")
    args = options.parse_args(arguments)
    if unknown := set(args.names) - set(BENCHMARKS):
        options.error(
            f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}; or ranking alone"
        )
    progress = Progress()
    for name in args.names or BENCHMARKS:
        with progress.step(f"Measuring {name}"):
            rows = list(BENCHMARKS[name]())
        show(name, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
