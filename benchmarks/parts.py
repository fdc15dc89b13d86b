"""Where a start's milliseconds are: each measure undone, and each that was thought of, in turns with the package.

A variant is what runs before the handler is imported, or another folder. Its figures are differences from the package
as it is: of the fastest starts of all rounds, since the work is the same in each and other programs only add to it, and
of the medians. The first line is the package against itself, which shows the noise.
"""

import compileall
import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import onnxruntime

from benchmarks.deployed import PYTHON, Deployed, environment, events, installed_packages, lastbit
from benchmarks.report import Row
from benchmarks.startup import ANSWER, Spent, Start, answering, run
from benchmarks.subject import subject
from export.package import ROOT

ROUNDS = 21
BASE = "the package"

# What was removed, put back.
UNDONE = {
    "telemetry": "import os; os.environ['OPENBLAS_NUM_THREADS'] = '1'; import onnxruntime",
    "OpenBLAS's pool of threads": "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'; import numpy",
    "both": "import numpy, onnxruntime",
}
# What the runtime does without, of the standard library: each loaded after the handler, to see what it would add.
DONE_WITHOUT = ("hashlib", "pathlib", "logging", "difflib", "dataclasses", "base64")
IMPORTS = """
import json, sys, time
from runtime.handler import handler
taken = {}
for name in sys.argv[1:]:
    begin = time.perf_counter()
    __import__(name)
    taken[name] = time.perf_counter() - begin
print(json.dumps(taken))
"""
# The start, step by step; with an argument, without collections of garbage.
STEPS = """
import sys, time
marks = [("", time.perf_counter())]
def mark(name):
    marks.append((name, time.perf_counter()))
if sys.argv[1:]:
    import gc
    gc.disable()
import json
mark("json")
import os
os.environ["ORT_DISABLE_TELEMETRY"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy
mark("numpy")
import onnxruntime
mark("onnxruntime")
import runtime.service, runtime.settings
from runtime.manifest import Manifest
mark("modules of the runtime")
from runtime import model
folder = os.environ["LAMBDA_TASK_ROOT"] + "/model"
manifest = Manifest.read(folder + "/manifest.json")
mark("manifest")
graph = model._read(folder + "/model.onnx")
model._sha256(graph)
mark("sha256 of the graph")
session = model.open_session(graph)
mark("session")
model._check_interface(session, manifest, "")
model.Model(manifest, session)._check_self("")
mark("self-check rows")
print(json.dumps({name: end - begin for (_, begin), (name, end) in zip(marks, marks[1:])}))
"""
SESSION = """
import runtime.session, onnxruntime
def open_session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    {setting}
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
runtime.session.open_session = open_session
"""
NO_LEVEL = "options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL"
READ_AHEAD = """
import os, sys
for name in ("onnxruntime/capi", "numpy/_core", "numpy.libs", "numpy/linalg"):
    folder = os.path.join(os.environ["LAMBDA_TASK_ROOT"], name)
    for entry in os.scandir(folder):
        if ".so" in entry.name:
            file = os.open(entry.path, os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_WILLNEED)
            os.close(file)
"""


def measure() -> Iterator[Row]:
    """Milliseconds more than the package: to the first answer, and of the processor; fastest and median."""
    task = lastbit()
    for what, code, arguments in (
        ("step", STEPS, ()),
        ("step, no collections", STEPS, ("off",)),
        ("done without", IMPORTS, DONE_WITHOUT),
    ):
        for name, seconds in _within(task, code, arguments).items():
            yield Row(f"{what}: {name}", f"{min(seconds) * 1e3:.1f} {median(seconds) * 1e3:.1f}", "")
    starts = {"the package against itself": answering(task)}
    starts |= {f"with {name}": _after(task, prelude) for name, prelude in UNDONE.items()}
    starts["without gc.freeze"] = _after(task, "import gc; gc.freeze = lambda: None")
    starts["with sources and checked bytecode in __pycache__"] = answering(_with_sources(task, compiled=True))
    starts["with sources and no bytecode"] = answering(_with_sources(task, compiled=False))
    starts["tried: no collection during imports"] = _after(task, "import gc; gc.disable()")
    starts["tried: graph as it is, no optimisation at load"] = _after(task, SESSION.format(setting=NO_LEVEL))
    for name, model in _optimised().items():
        setting = f"{NO_LEVEL}; model = open({str(model)!r}, 'rb').read()"
        starts[f"tried: {name}, no optimisation at load"] = _after(task, SESSION.format(setting=setting))
    for name in ("enable_cpu_mem_arena", "enable_mem_pattern"):
        starts[f"tried: {name} off"] = _after(task, SESSION.format(setting=f"options.{name} = False"))
    starts["tried: libraries read ahead"] = _after(task, READ_AHEAD)
    spent = _in_turns({BASE: answering(task), **starts})
    base = spent.pop(BASE)
    for name, found in spent.items():
        wall, cpu = (_more(found, base, what) for what in ("answer", "cpu"))
        yield Row(name, f"{wall} | CPU {cpu}", "")


def _more(found: list[Spent], base: list[Spent], what: str) -> str:
    """Extra milliseconds of the fastest, and of the median."""
    pairs = [
        (choose(getattr(s, what) for s in found), choose(getattr(s, what) for s in base)) for choose in (min, median)
    ]
    return " ".join(f"{(a - b) * 1e3:+6.1f}" for a, b in pairs)


def _after(task: Deployed, prelude: str) -> Start:
    """The package's start, after something else."""
    code = prelude + "\n" + ANSWER.format(module=task.module)
    return Start((*PYTHON, "-c", code, str(events())), environment(task.folder), (task.folder,))


def _within(task: Deployed, code: str, arguments: tuple[str, ...]) -> dict[str, list[float]]:
    """The seconds that a fresh process says each of its steps took, over all rounds."""
    taken: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        command = [*PYTHON, "-c", code, *arguments]
        done = subprocess.run(command, env=environment(task.folder), capture_output=True, text=True, check=True)
        for name, seconds in json.loads(done.stdout).items():
            taken.setdefault(name, []).append(seconds)
    return taken


def _in_turns(starts: dict[str, Start]) -> dict[str, list[Spent]]:
    """Time of each in all rounds but the first; each round has another order."""
    spent: dict[str, list[Spent]] = {name: [] for name in starts}
    order = random.Random(0)
    for turn in range(ROUNDS + 1):
        for name in order.sample(list(starts), len(starts)):
            found = run(starts[name])
            if turn:
                spent[name].append(found)
    return spent


def _with_sources(task: Deployed, *, compiled: bool) -> Deployed:
    """The package with its modules as sources, with or without the bytecode that Python itself would keep of them."""
    folder = subject().folder / f"sources-{'compiled' if compiled else 'alone'}"
    shutil.copytree(task.folder, folder, ignore=shutil.ignore_patterns("*.pyc", "source"))
    for module in sorted(task.folder.rglob("*.pyc")):
        name = module.relative_to(task.folder).with_suffix(".py")
        root = ROOT if name.parts[0] == "runtime" else Path(installed_packages())
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, folder / name)
    if compiled:
        compileall.compile_dir(folder, quiet=2)
    return Deployed(folder, task.module)


def _optimised() -> dict[str, Path]:
    """The graph as onnxruntime saves it after its portable optimisations, in both formats that it reads."""
    saved = {}
    for form in ("ONNX", "ORT"):
        path = subject().folder / f"optimised.{form.lower()}"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        options.add_session_config_entry("session.save_model_format", form)
        onnxruntime.InferenceSession(
            str(subject().folder / "model" / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        saved[f"saved optimised as {form}"] = path
    return saved
