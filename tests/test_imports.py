"""Imports go one way, from each room to those below it; runtime needs onnxruntime, numpy, the standard library."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the ground up: a room imports from itself and from rooms below it.
FLOORS = (
    ("runtime",),
    ("cli", "population"),
    ("storage",),
    ("table",),
    ("trees",),
    ("validation",),
    ("training",),
    ("export",),
    ("scoring",),
    ("local",),
    ("deploy",),
    ("delivery",),
    ("benchmarks",),
)
ROOMS = {room for floor in FLOORS for room in floor}
ALLOWED = {
    room: {room, *(below for lower in FLOORS[:number] for below in lower)}
    for number, floor in enumerate(FLOORS)
    for room in floor
}
RUNTIME_NEEDS = {"numpy", "onnxruntime", "snapshot_restore_py"}  # the last is AWS's own, where it is there


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


# Commands that keep their names: they start what is in local/, above runtime, and neither is in the package.
ENTRY_POINTS = {ROOT / "runtime" / "ask.py", ROOT / "runtime" / "local.py"}


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_rooms_import_only_from_rooms_below(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        ours = {name.split(".")[0] for name in imported(path)} & {*ROOMS, "tests"}
        assert ours - ALLOWED[room] == ({"cli"} if path in ENTRY_POINTS else set()), path


def test_deploying_needs_little_of_training() -> None:
    """A deployment fits and exports nothing: it runs without scikit-learn, XGBoost, onnx and onnxruntime."""
    modules = ["deploy.deploy", "deploy.rollback", "deploy.smoke"]
    code = f"import sys, {', '.join(modules)}; print(sorted(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.strip("'[]\n ").split(".")[0] for name in said.stdout.split(",")}
    assert not loaded & {"sklearn", "xgboost", "onnx", "onnxruntime", "pandas", "scipy", "numpy"}


def test_runtime_imports_nothing_but_its_two_packages() -> None:
    for path in set((ROOT / "runtime").rglob("*.py")) - ENTRY_POINTS:
        names = {name.split(".")[0] for name in imported(path)}
        assert names <= {"runtime", *RUNTIME_NEEDS, *sys.stdlib_module_names}, path


def test_no_modules_of_the_runtime_import_each_other_in_a_circle() -> None:
    """Neither at once, nor later, nor for types alone."""
    paths = {f"runtime.{path.stem}": path for path in (ROOT / "runtime").rglob("*.py") if path.stem != "__init__"}
    needs = {name: {*imported(path)} & paths.keys() for name, path in paths.items()}
    for name, path in paths.items():  # from runtime import problem
        needs[name] |= {f"runtime.{its}" for its in re.findall(r"^ *from runtime import (\w+)", path.read_text(), re.M)}
    TopologicalSorter(needs).prepare()  # raises CycleError, with the circle


@pytest.mark.parametrize("room", sorted(ROOMS - {"benchmarks"}))
def test_sessions_are_made_in_one_module(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        if path != ROOT / "runtime" / "session.py":
            assert "InferenceSession(" not in path.read_text(encoding="utf-8"), path


# Each module is imported in a child of its own, whose parent has loaded what takes seconds and is not asked about.
EACH_ALONE = """
import os, sys
import importlib
import optbinning, skl2onnx, skops, xgboost
assert "onnxruntime" not in sys.modules
for module in sys.argv[1:]:
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0, module
        continue
    importlib.import_module(module)
    if module == "export.converters.registration":  # which makes no session itself
        assert "onnxruntime" not in sys.modules
    else:
        import onnxruntime
        assert os.environ.get("ORT_DISABLE_TELEMETRY") == "1"
    sys.stdout.write(module + chr(10))
    sys.stdout.flush()
    os._exit(0)
"""


def test_whoever_loads_onnxruntime_keeps_it_quiet(tmp_path: Path) -> None:
    """With CI unset the official wheels would write a database under the home directory."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    modules = ["export.to_onnx", "export.converters.registration", "runtime.session", "validation.run"]
    modules.append("benchmarks.speed")
    said = subprocess.run(
        [sys.executable, "-c", EACH_ALONE, *modules],
        cwd=ROOT,
        env={**environment, "HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path.with_name("matplotlib"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout.split()) == (0, modules), said.stderr
    assert list(tmp_path.iterdir()) == []
