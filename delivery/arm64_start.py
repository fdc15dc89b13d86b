"""`python -m delivery.arm64_start`: the package for arm64 answers on a machine without arm64, as the model does here.

QEMU runs Debian's Python 3.11 for arm64 over the package; each self-check row that a request can hold is asked there
and of the same handler in a Python of this machine, and the answers have to be equal, to the bit. It needs
qemu-user-static, apt-get and dpkg, and changes nothing outside its folder.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.arm64_start")


import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cli import command
from cli.errors import UserError
from cli.parser import Parser
from cli.progress import Progress
from deploy.smoke import applicant_of
from export.package import ROOT, Plan, package
from export.packaging.target import Target
from runtime.manifest import Manifest

EMULATORS = ("qemu-aarch64-static", "qemu-aarch64")
TARGET = Target((3, 11), "arm64")
# Debian's Python and the libraries that it, onnxruntime and numpy are linked with.
DEBIAN = (
    *("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libc6", "libgcc-s1", "libstdc++6"),
    *("libexpat1", "libffi8", "libssl3", "zlib1g"),
)
LIMIT_SECONDS = 600
# QEMU shows programs the machine's own /proc and /sys, unless there are files of that name in its root; onnxruntime's
# cpuinfo looks into them and ends with a segmentation fault where it finds another kind of processor than its own.
PROCESSOR = {
    "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 "
    "atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
    "CPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n",
    "sys/devices/system/cpu/possible": "0\n",
    "sys/devices/system/cpu/present": "0\n",
}
ASK = """
import json, sys
from runtime.handler import handler
for line in sys.stdin:
    print(json.dumps(handler(json.loads(line), None)), flush=True)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = parser().parse_args(arguments)
    return command.run(lambda: compare(Path(args.model), Path(args.work), Progress(quiet=args.quiet)), "")


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = Parser(
        prog="python -m delivery.arm64_start",
        description="Build the package for arm64, start it under QEMU, and compare its answers with this machine's.",
        epilog="Exit status: 0 all answers are equal, 1 they are not or it cannot run here (standard error says why).",
    )
    files = options.add_argument_group("input and output")
    files.add_argument(
        "--model", default="model", metavar="DIR", help="folder of the exported model (default: %(default)s)"
    )
    files.add_argument(
        "--work", default="build/arm64", metavar="DIR", help="folder for its files (default: %(default)s)"
    )
    options.add_argument_group("display").add_argument("--quiet", action="store_true", help="print errors only")
    return options


def compare(model: Path, work: Path, progress: Progress) -> None:
    """Raise UserError where an answer differs, the package does not start, or QEMU is not there."""
    emulator = next((found for name in EMULATORS if (found := shutil.which(name))), None)
    if emulator is None:
        raise UserError(f"{EMULATORS[0]}: no such command; on Debian and Ubuntu: apt-get install qemu-user-static")
    root = work / "root"
    if not (root / "usr/bin/python3.11").exists():
        with progress.step("Getting Debian's Python for arm64"):
            _install(root, work / "apt")
    package(Plan(model, TARGET, work / "dist", Path("build/wheels")), progress)
    task = (work / "dist" / "task").resolve()
    manifest = Manifest.read(str(task / "model" / "manifest.json"))
    events = [_event({"uuid": "0"}), *_rows(manifest)]
    with progress.step("Asking it under QEMU"):
        python = [emulator, "-L", str(root.resolve()), str((root / "usr/bin/python3.11").resolve())]
        answers, complaints = _answers([*python, "-S", "-s", "-P", "-B"], task, task, events)
    with progress.step("Asking the same here"):
        expected, _ = _answers([sys.executable, "-P", "-B"], ROOT, task, events)
    for event, got, right in zip(events, answers, expected, strict=True):
        if got != right:
            raise UserError(f"{event['body']}: expected {right['body']}, as here, got {got['body']} on arm64")
    progress.say(f"{len(answers)} answers on arm64, all equal to those of this machine, to the bit.")
    if complaints:
        progress.say(f"It wrote {len(complaints)} lines to standard error, the first: {complaints[0]}")


def _rows(manifest: Manifest) -> list[dict[str, object]]:
    rows = [applicant_of(manifest, row, f"row-{index}") for index, row in enumerate(manifest.self_check)]
    return [_event(applicant) for applicant in rows if applicant is not None]


def _event(applicant: dict[str, object]) -> dict[str, object]:
    return {
        "httpMethod": "POST",
        "path": "/predict",
        "headers": {"content-type": "application/json", "x-request-id": "arm64"},
        "requestContext": {},
        "body": json.dumps(applicant),
    }


def _answers(
    python: Sequence[str], path: Path, task: Path, events: Sequence[dict[str, object]]
) -> tuple[list[dict[str, str]], list[str]]:
    """Return the handler's answer to each event and its standard error. Raises UserError where it fails."""
    environment = {"PYTHONPATH": str(path), "MODEL_DIR": str(task / "model"), "PATH": os.environ.get("PATH", "")}
    done = subprocess.run(
        [*python, "-c", ASK],
        cwd=task,
        env=environment,
        input="".join(f"{json.dumps(event)}\n" for event in events),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    complaints = done.stderr.strip().splitlines()
    if done.returncode:
        reason = complaints[-1] if complaints else f"exit status {done.returncode}"
        raise UserError(f"{task}: does not start with {python[0]}: {reason}")
    return [json.loads(line) for line in done.stdout.splitlines()], complaints


def _install(root: Path, apt: Path) -> None:
    """Debian's packages for arm64 unpacked into `root`, by an apt of its own: that of the machine stays as it is."""
    archives = apt / "archives"
    for folder in (apt / "state/lists/partial", apt / "cache/archives/partial", archives):
        folder.mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    where = {"Dir::State": apt / "state", "Dir::Cache": apt / "cache", "Dir::State::status": apt / "status"}
    settings = {"APT::Architecture": "arm64", "APT::Architectures": "arm64", "APT::Sandbox::User": "root"}
    options = [f"--option={name}={value}" for name, value in settings.items()]
    options += [f"--option={name}={path.resolve()}" for name, path in where.items()]
    _run("apt-get", *options, "update", folder=archives)
    _run("apt-get", *options, "download", *DEBIAN, folder=archives)
    unpacked = root.with_name("root.partial")
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    for path in sorted(archives.glob("*.deb")):
        _run("dpkg", "--extract", path.name, str(unpacked.resolve()), folder=archives)
    for name, text in PROCESSOR.items():
        (unpacked / name).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / name).write_text(text, encoding="utf-8")
    unpacked.rename(root)


def _run(*words: str, folder: Path) -> None:
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)
    except FileNotFoundError:
        raise UserError(f"{words[0]}: no such command; this runs on Debian and Ubuntu") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise UserError(f"{words[0]} {words[-1]}: {reason}")
