"""A Lambda on this machine: AWS's awslambdaric over a package, in a Python that sees nothing else."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import Distribution, distribution
from pathlib import Path

from tests.export.packaging.runtime_api import RuntimeApi

# What Lambda's base image brings along: awslambdaric and what it imports.
BASE = ("awslambdaric", "simplejson", "snapshot-restore-py")
# Neither the environment's packages nor the user's, nor the current folder: PYTHONPATH alone.
ISOLATED = ("-S", "-s", "-P", "-B")


def install_base(folder: Path) -> Path:
    """Copy Lambda's own packages, and nothing else of this environment, into `folder`."""
    for name in BASE:
        copy_distribution(distribution(name), folder)
    return folder


def copy_distribution(installed: Distribution, folder: Path) -> None:
    """Copy an installed package, but neither its commands nor its bytecode."""
    for file in installed.files or []:
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(installed.locate_file(file)), target)


def environment(task: Path, base: Path, home: Path, **more: str) -> dict[str, str]:
    """The variables that Lambda sets, and none of this machine's: CI least of all."""
    return {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_NAME": "score",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "eu-west-1",
        "HOME": str(home),
        "LAMBDA_TASK_ROOT": str(task),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": f"{task}:{base}",
        "TMPDIR": str(home),
        "TZ": ":UTC",
        "_HANDLER": "runtime.handler.handler",
        **more,
    }


def run_python(code: str, environment: dict[str, str], *flags: str) -> "subprocess.CompletedProcess[str]":
    """The code in a fresh isolated process."""
    return subprocess.run(
        [sys.executable, *ISOLATED, *flags, "-c", code],
        cwd=environment["LAMBDA_TASK_ROOT"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Lambda:
    """A running function: `api` invokes it, `log` is the file of what it writes."""

    def __init__(self, api: RuntimeApi, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.api = api
        self.process = process
        self.log = log

    def memory(self) -> dict[str, int]:
        """VmRSS and VmHWM, in KiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return {name: int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM")}

    def threads(self) -> list[str]:
        """The names of the threads that are there now."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sorted((task / "comm").read_text(encoding="utf-8").strip() for task in tasks)


@contextmanager
def running(environment: dict[str, str], log: Path, under: Sequence[str] = ()) -> Iterator[Lambda]:
    """A function that is started for the block; `under` is what runs the command, such as strace -D."""
    api = RuntimeApi()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*under, sys.executable, *ISOLATED, "-m", "awslambdaric", environment["_HANDLER"]],
            cwd=environment["LAMBDA_TASK_ROOT"],
            env={**environment, "AWS_LAMBDA_RUNTIME_API": api.address},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Lambda(api, process, log)
    finally:
        process.terminate()
        process.wait(timeout=20)
        api.close()
