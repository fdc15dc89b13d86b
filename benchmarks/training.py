"""The whole command, with and without reasons, against a plain script that fits and computes the AUC.

In turns, as processes.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.public import ROOT
from benchmarks.report import Row
from benchmarks.timing import Median, spread, take_turns
from table import synthetic_table
from training.artifacts import load_artifacts
from training.evidence import answer, challenged
from training.labelled import labelled
from training.settings import Settings
from training.split import split

ROUNDS = 7


def measure() -> Iterator[Row]:
    """Wall time from start to end of each process, medians."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "artifacts"
        ours = ("training.run", "--quiet", "--out", str(out))
        commands = {
            "ours": ours,
            "without reasons": (*ours[:-1], str(Path(folder) / "without"), "--reasons-reference", "none"),
            "plain": ("benchmarks.peer.plain",),
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(ROUNDS + 1):
            for name, words in commands.items():
                begin = time.perf_counter()
                subprocess.run([sys.executable, "-m", *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
                if turn:  # the first one reads files that the others find in memory
                    seconds[name].append(time.perf_counter() - begin)
        whole, without, plain = (Median(its) for its in seconds.values())
        yield Row("training.run with all evaluation and the report, seconds", f"{whole:.1f}", "")
        yield Row("a script that fits CalibratedClassifierCV and computes the AUC, seconds", f"{plain:.1f}", "")
        what = "training.run, 90,000 rows, with all evaluation and the report, against that script, wall time"
        yield Row(what, f"{whole / plain:.2f}", "≤ 2.0", "time", spread(whole, plain))
        yield Row("of it the report's reasons", f"{(whole - without) / plain:.2f}", "", "reasons")
        yield Row(
            "of it weak slices, overfit and robustness", f"{_seconds_of_challenges(out) / plain:.2f}", "", "challenges"
        )
        size = (out / "report.html").stat().st_size
        yield Row("report page, MB", f"{size / 1e6:.2f}", "≤ 3", "report")


def _seconds_of_challenges(artifacts: Path) -> float:
    """Median time of what a run asks beyond its metrics, on the same rows in this process."""
    settings, found = Settings(), load_artifacts(artifacts)
    table = synthetic_table(settings.schema)
    parts = {
        name: answer(settings, found.pipeline, labelled(table, rows)) for name, rows in split(table, settings).items()
    }
    challenge = partial(challenged, settings, found.pipeline, parts, found.run["bands"])
    return take_turns({"challenges": challenge}, ROUNDS)["challenges"]
