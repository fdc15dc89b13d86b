"""`python -m delivery.locks`: resolves every file of requirements/ again; `make lock` names the uv that does it."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.locks.__main__")


import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped
from delivery.locks.resolved import resolve
from delivery.locks.sources import LOCKS
from storage.whole_file import write_whole

FOLDER = Path("requirements")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = Parser(
        prog="python -m delivery.locks",
        description="Resolve the lock files of requirements/ from pyproject.toml and delivery/locks/sources.py. "
        "Versions that still fit are kept; the files are replaced once all of them are resolved.",
    )
    options.add_argument("--uv", default="uv", metavar="FILE", help="the uv program (default: the one on the path)")
    options.add_argument("--upgrade", action="store_true", help="take the newest version of everything")
    options.add_argument("--quiet", action="store_true", help="print no progress")
    args = options.parse_args(arguments)
    return command.run(
        lambda: lock(Path.cwd(), args.uv, args.upgrade, Progress(quiet=args.quiet)),
        f"{FOLDER}/ is as it was",
    )


def lock(root: Path, uv: str, upgrade: bool, progress: Progress) -> None:
    """Resolve every lock file below `root`, then replace those that changed."""
    if shutil.which(uv) is None:
        raise UserError(f"--uv: expected a program, got {uv}, which is not there; run make lock", WRONG_USAGE)
    if not (root / "pyproject.toml").is_file():
        raise UserError("expected the project's folder, found no pyproject.toml here; run where it was checked out")
    with tempfile.TemporaryDirectory() as scratch:
        resolved: dict[str, str] = {}
        for each in LOCKS:
            path = root / FOLDER / each.name
            earlier = path.read_text(encoding="utf-8") if path.exists() and not upgrade else ""
            with progress.step(f"Resolve {each.name}"):
                resolved[each.name] = resolve(each, uv, root, Path(scratch), earlier)
            (Path(scratch) / each.name).write_text(resolved[each.name], encoding="utf-8")
    for name, text in resolved.items():
        path = root / FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)
            progress.say(escaped(f"{FOLDER}/{name}: replaced"))
