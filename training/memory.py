"""The memory that a fit takes, compared with what is free before the fit."""

import os
import sys
from pathlib import Path

from joblib import cpu_count

from cli.errors import UserError
from training.estimator.preparation import POOL, Preparation
from training.settings import Settings

FLOAT32 = 4
MEMINFO = Path("/proc/meminfo")
CGROUPS = (  # limit, use and parts of the use of a container: version 2, then version 1
    tuple(Path("/sys/fs/cgroup") / name for name in ("memory.max", "memory.current", "memory.stat")),
    tuple(
        Path("/sys/fs/cgroup/memory") / name
        for name in ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat")
    ),
)
CACHE_OF_FILES = ("active_file", "inactive_file")  # counted as used, and given back to any process that asks for memory


def refuse_what_does_not_fit(settings: Settings, preparation: Preparation, rows: int) -> None:
    """Raise UserError, naming the category with the most levels, where a fit on `rows` cannot fit into memory.

    `preparation` is fitted. What is compared is the least that a fit takes, so that nothing is refused that works.
    """
    needed, free = least_bytes(settings, rows, preparation.width), free_bytes()
    if free is None or needed <= free:
        return
    columns = f"{rows:,} training rows and {preparation.width:,} columns take {_gigabytes(needed)} or more"
    levels = {
        name: sum(level is not POOL for level in own) for name, own in preparation.indicators().items() if len(own) > 1
    }
    name = max(levels, key=lambda each: levels[each], default=None)
    if name is None or 2 * levels[name] < preparation.width:
        raise UserError(
            f"{columns}, and {_gigabytes(free)} of memory are free; train from the disk (--external-memory, of Parquet "
            "files), or use fewer features or rows"
        )
    given = next(feature for feature in settings.features if feature.name == name)
    remedy = "name fewer levels in its vocabulary"
    if not given.vocabulary:
        remedy = f"set features.{name}.rare above {given.rare or settings.model.rare}, which pools rarer levels"
    raise UserError(
        f"features.{name}: its {levels[name]:,} levels do not fit in memory: {columns}, and "
        f"{_gigabytes(free)} of memory are "
        f"free; {remedy}, or leave the feature out"
    )


def least_bytes(settings: Settings, rows: int, width: int) -> int:
    """The prepared matrix, and of the folds that are fitted at the same time each one's rows of it."""
    folds = settings.model.least_folds
    together = min(folds, cpu_count())
    return int(rows * width * FLOAT32 * (1 + together * (folds - 1) / folds))


def free_bytes() -> int | None:
    """Bytes left to this process: the least by machine, container and limit; None if unknown."""
    known = [found for found in (_of_machine(), *map(_of_container, CGROUPS), _of_limit()) if found is not None]
    return max(0, min(known)) if known else None


def _of_machine() -> int | None:
    try:
        lines = MEMINFO.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pass
    if sys.platform == "win32":
        return None
    try:  # no Linux: all that the machine has
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _of_container(files: tuple[Path, ...]) -> int | None:
    limit_file, used_file, parts_file = files
    try:
        limit, used = (int(file.read_text()) for file in (limit_file, used_file))
    except (OSError, ValueError):  # no container, or "max"
        return None
    try:
        parts = dict(line.split() for line in parts_file.read_text(encoding="utf-8").splitlines())
        return limit - used + sum(int(parts[name]) for name in CACHE_OF_FILES)
    except (OSError, ValueError, KeyError):
        return limit - used


def _of_limit() -> int | None:
    """Bytes left under `ulimit -v`, which Windows does not have."""
    try:
        import resource
    except ModuleNotFoundError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError):
        pages = 0
    return limit - pages * resource.getpagesize()


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
