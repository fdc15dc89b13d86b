"""A first start of the finished package, in a Python that sees nothing else."""

import json
import subprocess
from pathlib import Path

from export.packaging.refusal import PackageRefused

# Opening the model checks its hash and its self-check rows; /health says that it serves.
START = """
import json
from runtime.handler import handler
event = {"rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}
print(json.dumps(handler(event, None)))
"""
LIMIT_SECONDS = 120


def check_start(task: Path, interpreter: str) -> None:
    """Raise PackageRefused unless the handler in `task` starts, prints nothing and is healthy."""
    try:
        done = subprocess.run(
            [interpreter, "-S", "-s", "-P", "-B", "-c", START],
            cwd=task,
            env={"PYTHONPATH": str(task.resolve()), "LAMBDA_TASK_ROOT": str(task.resolve())},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise PackageRefused(f"the package did not start within {LIMIT_SECONDS} s") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise PackageRefused(f"the package does not start: {lines[-1]}")
    *before, said = done.stdout.splitlines()
    if noise := [*done.stderr.splitlines(), *before]:
        raise PackageRefused(f"the package starts, but not silently: {noise[0] or 'an empty line'}")
    answer = json.loads(said)
    if answer["statusCode"] != 200:
        raise PackageRefused(f"the package starts, but is not healthy: {answer['body']}")
