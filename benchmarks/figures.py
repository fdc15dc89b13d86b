"""Figures that the pages show: one type, one file, docs/benchmarks.json, and one writer."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.digests import ROOT, digest
from benchmarks.groups import GROUPS, measured
from benchmarks.report import Row, missed
from cli.errors import UserError
from storage.whole_file import write_whole

FILE = ROOT / "docs" / "benchmarks.json"
PACKAGES = ("numpy", "onnxruntime", "xgboost", "scikit-learn", "pandas", "skl2onnx")


@dataclass(frozen=True)
class Figure:
    """A figure with its origin."""

    id: str
    """Group and key: `startup/wall` is measured by `python -m benchmarks startup`."""
    what: str
    value: str
    reach: str = ""
    """Target set before the measurement; "" where the figure stands for comparison."""
    spread: str = ""
    """Quartiles over the rounds of the measurement, where it has rounds."""
    date: str = ""
    machine: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    """By module or file that is measured; empty where the figure was measured before digests were kept."""

    @property
    def group(self) -> str:
        """Name of the group that measures it."""
        return self.id.partition("/")[0]

    @property
    def missed(self) -> bool:
        """True if the value does not reach its target."""
        return missed(self.value, self.reach)

    @property
    def changed(self) -> list[str]:
        """Modules and files that have changed since the measurement, or the reason why that is unknown."""
        if not self.digests:
            return ["measured before digests were kept"]
        names = sorted(self.digests.keys() | set(measured(self.group)))
        return [name for name in names if self.digests.get(name) != digest(name)]


def read() -> list[Figure]:
    """Read all figures. Raises UserError where an entry is no figure, or one of no group."""
    try:
        figures = [Figure(**entry) for entry in json.loads(FILE.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as fault:
        raise UserError(f"{FILE}: expected a list of figures: {fault}") from None
    for figure in figures:
        if figure.group not in GROUPS:
            raise UserError(f"{FILE}: {figure.id}: expected a group ({', '.join(GROUPS)}) before the /")
    if len({figure.id for figure in figures}) < len(figures):
        raise UserError(f"{FILE}: expected each id once")
    return figures


def write(figures: Sequence[Figure]) -> None:
    """Write all figures, group after group."""
    groups = list(GROUPS)
    ordered = sorted(figures, key=lambda figure: groups.index(figure.group))
    shown = [{name: value for name, value in asdict(figure).items() if value or name == "value"} for figure in ordered]
    write_whole(FILE, json.dumps(shown, ensure_ascii=False, indent=1) + "\n")


def updated(figures: Sequence[Figure], fresh: Sequence[Figure]) -> list[Figure]:
    """Return the figures with fresh ones in place of those with their ids; figures that were not measured stay."""
    ids = {figure.id for figure in fresh}
    return [*fresh, *(figure for figure in figures if figure.id not in ids)]


def of_rows(group: str, rows: Sequence[Row], load: float) -> list[Figure]:
    """Return the figures among measured rows, with this machine, these versions and today's digests.

    `load` is that of the machine before the measurement: other programs on its processors.
    """
    digests = {name: its for name in measured(group) if (its := digest(name))}
    origin = {"date": date.today().isoformat(), "machine": machine(load), "versions": versions(), "digests": digests}
    return [
        Figure(f"{group}/{row.key}", row.what.strip(), row.figure, row.reach, row.spread, **origin)  # type: ignore[arg-type]
        for row in rows
        if row.key
    ]


def machine(load: float) -> str:
    """Name processor, cores and the load of other programs."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.machine()
    return f"{platform.system()} {platform.machine()}, {processor}, {os.cpu_count()} cores, load {load:.1f} before"


def versions() -> dict[str, str]:
    """Versions of Python and of what is measured."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
