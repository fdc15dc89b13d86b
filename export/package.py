"""`python -m export.package`: model/ to dist/task/ and dist/lambda.zip — all that a Lambda needs, and no more."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("export.package")


import argparse
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from rich.table import Table as Grid

from cli import command
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped
from export.model_folder import CERTIFICATE, files_of
from export.packaging.archive import normalise, write_zip
from export.packaging.bytecode import compile_all, interpreter_for
from export.packaging.certified import check_certificate
from export.packaging.pruning import rule_for
from export.packaging.refusal import PackageRefused
from export.packaging.requirements import Pin, read_pins
from export.packaging.start import check_start
from export.packaging.target import Target, architecture, lambda_name, python_version
from export.packaging.wheels import Wheel, fetch
from storage.digest import sha256_of
from storage.folder import replaced_folder

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements" / "lambda.txt"
RUNTIME = ROOT / "runtime"
# Commands of this machine: what stands behind them, in local/, is no part of the package.
ENTRY_POINTS = ("ask.py", "local.py")
# Every package has it, and nothing else does.
MARKER = f"model/{CERTIFICATE}"
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: layers count too, where there are any.
UNZIPPED_LIMIT = 250 * 2**20
# For an upload in the request itself. A larger zip can still be deployed, from S3: a warning, not a refusal.
UPLOAD_LIMIT = 50 * 2**20

PARTS = {
    "runtime": ("runtime/", "source/"),
    "model": ("model/",),
    "onnxruntime": ("onnxruntime/",),
    "numpy": ("numpy/",),
    "OpenBLAS": ("numpy.libs/",),
}


@dataclass(frozen=True)
class Plan:
    """Options of the command."""

    model: Path
    target: Target
    out: Path
    cache: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = parser().parse_args(arguments)
    plan = Plan(Path(args.model), Target(args.python, args.arch), Path(args.out), Path(args.cache))
    return command.run(lambda: package(plan, Progress(quiet=args.quiet)), f"{plan.out} is as it was")


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = Parser(
        prog="python -m export.package",
        description="Put the runtime, onnxruntime, numpy and a certified model into one folder and one zip for AWS "
        "Lambda, without Docker. The same input makes the same bytes.",
    )
    files = options.add_argument_group("input and output")
    files.add_argument(
        "--model", default="model", metavar="DIR", help="folder of the exported model (default: %(default)s)"
    )
    files.add_argument(
        "--out", default="dist", metavar="DIR", help="folder for task/ and lambda.zip (default: %(default)s)"
    )
    files.add_argument(
        "--cache", default="build/wheels", metavar="DIR", help="folder of downloaded wheels (default: %(default)s)"
    )
    target = options.add_argument_group("target")
    target.add_argument(
        "--python", default="3.13", type=python_version, metavar="3.N", help="Lambda's Python (default: %(default)s)"
    )
    target.add_argument("--arch", default="x86_64", type=architecture, metavar="ARCH", help="x86_64 (default) or arm64")
    options.add_argument_group("display").add_argument("--quiet", action="store_true", help="print errors only")
    return options


def package(plan: Plan, progress: Progress) -> None:
    """Build task/ and lambda.zip in `plan.out`, and replace those that are there. Raises PackageRefused."""
    target = plan.target
    pins = read_pins(REQUIREMENTS, target)
    with progress.step("Checking the certificate"):
        manifest, certificate = check_certificate(plan.model, _version(pins, "onnxruntime"))
    _check_out(plan.out)
    with progress.step(f"Getting the wheels for Python {target.version} on {target.arch}"):
        wheels = fetch(pins, target, plan.cache)
    interpreter = interpreter_for(target)
    with replaced_folder(plan.out, f"task/{MARKER}", owned=("task", "lambda.zip")) as fresh:  # both, or neither
        task, archive = fresh / "task", fresh / "lambda.zip"
        task.mkdir()
        with progress.step("Leaving out what an answer does not need"):
            left_out = _assemble(task, plan.model, wheels)
        if interpreter is not None:
            with progress.step("Compiling bytecode"):
                compile_all(task, interpreter)
        check_unzipped(sum(path.stat().st_size for path in task.rglob("*") if path.is_file()))
        if interpreter is not None and target.runs_here:
            with progress.step("Starting it in a Python that sees nothing else"):
                check_start(task, interpreter)
        with progress.step("Zipping"):
            normalise(task)
            sizes = write_zip(task, archive)
            archive.chmod(0o644)
    _summarise(plan, sizes, left_out, progress)
    machine = escaped(certificate["versions"].get("machine"))
    progress.say(f"Model [bold]{escaped(manifest.model_version)}[/], certified on {machine}.")
    for line in _caveats(target, interpreter, certificate["versions"].get("machine"), plan.out / "lambda.zip"):
        progress.say(f"[yellow]Note:[/] {escaped(line)}")


def check_unzipped(size: int) -> None:
    """Refuse what Lambda would refuse."""
    if size > UNZIPPED_LIMIT:
        raise PackageRefused(
            f"unzipped, the package has {_mb(size)} MB, and Lambda's limit is {_mb(UNZIPPED_LIMIT)} MB: "
            "use a smaller model, or an image (Dockerfile.lambda)"
        )


def _check_out(out: Path) -> None:
    """Refuse an `out` in which the package would meet a file for a folder, or the other way round."""
    for folder in (out, out / "task"):
        if folder.exists() and not folder.is_dir():
            raise PackageRefused(f"{folder}: expected a folder, found a file; name another with --out")
    if (out / "lambda.zip").is_dir():
        raise PackageRefused(f"{out / 'lambda.zip'}: expected a file, found a folder; name another with --out")


def _version(pins: Sequence[Pin], name: str) -> str:
    versions = [pin.version for pin in pins if pin.name == name]
    if len(versions) != 1:
        raise PackageRefused(f"{REQUIREMENTS}: expected {name} once, found it {len(versions)} times")
    return versions[0]


def _assemble(task: Path, model: Path, wheels: Sequence[Wheel]) -> int:
    """Assemble the task; return the bytes of the wheels that were left out."""
    left_out = 0
    for wheel in wheels:
        with ZipFile(wheel.path) as archive:
            for entry in archive.infolist():
                if entry.is_dir() or rule_for(entry.filename):
                    left_out += entry.file_size
                else:
                    archive.extract(entry, task)
    for source in sorted(RUNTIME.rglob("*.py")):
        if source.name not in ENTRY_POINTS:
            _copy(source, task / "runtime" / source.relative_to(RUNTIME))
    for name in files_of(model):
        _copy(model / name, task / "model" / name)
    return left_out


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _summarise(plan: Plan, sizes: Mapping[str, tuple[int, int]], left_out: int, progress: Progress) -> None:
    """Print what is in the package, and how far it stays under Lambda's limits."""
    grid = Grid(box=None, pad_edge=False, show_footer=True)
    rest = dict(sizes)
    rows = []
    for part, prefixes in PARTS.items():
        rows.append((part, [rest.pop(name) for name in sizes if name.startswith(prefixes)]))
    rows.append(("licences, metadata", list(rest.values())))
    unzipped = sum(plain for plain, _ in sizes.values())
    zipped = (plan.out / "lambda.zip").stat().st_size
    grid.add_column("Part", "Together")
    for title, total in (("files", f"{len(sizes):,}"), ("MB", _mb(unzipped)), ("MB zipped", _mb(zipped))):
        grid.add_column(title, total, justify="right")
    for part, entries in rows:
        grid.add_row(part, f"{len(entries):,}", _mb(sum(e[0] for e in entries)), _mb(sum(e[1] for e in entries)))
    progress.console.print(grid)
    progress.say(f"Left out of the wheels: {_mb(left_out)} MB, for the reasons in docs/package.md.")
    progress.say(
        f"Lambda's limits: {unzipped / UNZIPPED_LIMIT:.0%} of {_mb(UNZIPPED_LIMIT)} MB unzipped, "
        f"{zipped / UPLOAD_LIMIT:.0%} of {_mb(UPLOAD_LIMIT)} MB for a direct upload."
    )
    digest = sha256_of(plan.out / "lambda.zip")
    progress.say(f"Written to [bold]{escaped(plan.out)}/[/]: task/ and lambda.zip, sha256 {digest}")


def _caveats(target: Target, interpreter: str | None, certified_on: str | None, archive: Path) -> list[str]:
    """Remarks on the package."""
    lines = []
    if interpreter is None:
        lines.append(
            f"without bytecode, since there is no python{target.version} here: each cold start compiles the sources, "
            "and takes about twice as long"
        )
    if interpreter is None or not target.runs_here:
        lines.append("not started here, since this machine cannot run it; it checks itself when Lambda starts it")
    if certified_on and lambda_name(certified_on) != target.arch:
        lines.append(
            f"certified on {certified_on}: on {target.arch} every start compares the self-check rows, "
            "and a model that differs there does not serve"
        )
    if not target.is_on_lambda:
        lines.append(
            f"Lambda's own Python {target.version} (Amazon Linux 2) is too old for the wheels; from 3.12 on it works"
        )
    if archive.stat().st_size > UPLOAD_LIMIT:
        lines.append("too large for a direct upload: deploy it from S3")
    return lines


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"
