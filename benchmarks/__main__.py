"""`python -m benchmarks [NAME ...]`: measures and prints; without a name, everything, which takes hours."""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import exactness, fit, local, package, parts, ranking, reasons, scale, speed, startup, training, warm
from benchmarks.report import show
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
    "ranking": ranking.measure,
    "reasons": reasons.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmarks that are named."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    args = options.parse_args(arguments)
    if unknown := set(args.names) - set(BENCHMARKS):
        options.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    progress = Progress()
    for name in args.names or BENCHMARKS:
        with progress.step(f"Measuring {name}"):
            rows = list(BENCHMARKS[name]())
        show(name, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
