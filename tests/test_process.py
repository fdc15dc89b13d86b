"""Importing the project changes nothing that the whole process shares, but for two variables."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[1]
NO_ROOMS = {"benchmarks", "docs", "examples", "requirements", "tests"}
EXPECTED = {"ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1"}  # runtime.session has the reason
LEFT_OUT = {
    "runtime.handler",  # Lambda's entry point: importing it is the start, with a model
    # They need the packages of requirements/release.txt, which tests do without.
    "delivery.bill_of_materials",
    "delivery.parts",
}

CODE = """
import json, locale, os, random, signal, sys
from importlib import import_module
import numpy, optuna, pandas, sklearn, xgboost

def state():
    return {
        "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)],
        "locale": locale.setlocale(locale.LC_ALL),
        "random": str(random.getstate()),
        "numpy": [str(numpy.geterr()), str(numpy.get_printoptions()), str(numpy.random.get_state())],
        "pandas": [pandas.get_option(option) for option in ("display.width", "display.max_rows")],
        "sklearn": str(sklearn.get_config()),
        "optuna": optuna.logging.get_verbosity(),
        "path": list(sys.path),
        "folder": os.getcwd(),
        "hooks": [str(sys.excepthook), str(sys.unraisablehook)],
    }

before, environment = state(), dict(os.environ)
for name in sys.argv[1:]:
    import_module(name)
changed = {name: value for name, value in os.environ.items() if environment.get(name) != value}
print(json.dumps([before, state(), changed]))
"""


def modules() -> list[str]:
    """The name of every module that is not a test or a benchmark."""
    files = [path.relative_to(ROOT) for room in ROOT.iterdir() if is_room(room) for path in room.rglob("*.py")]
    return sorted(".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in files)


def is_room(folder: Path) -> bool:
    return folder.name not in NO_ROOMS and folder.name.isidentifier() and (folder / "__init__.py").is_file()


def test_importing_every_module_changes_two_variables_of_the_environment_and_nothing_else() -> None:
    names = [name for name in modules() if name not in LEFT_OUT]
    assert len(names) > 150
    environment = {name: value for name, value in os.environ.items() if name not in EXPECTED}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *names], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    before, after, changed = json.loads(done.stdout.splitlines()[-1])
    assert after == before
    assert changed == EXPECTED
