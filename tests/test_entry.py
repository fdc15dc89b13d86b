"""Every command from its first moment: Ctrl-C while it imports, no docstrings, no home."""

import os
import random
import re
import signal
import subprocess
import sys
import time
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from cli import entry
from tests.tiers import Sample

ROOT = Path(__file__).parents[1]
COMMANDS = (
    "training.run",
    "training.draft",
    "training.explore",
    "training.recalibrate",
    "export.to_onnx",
    "export.verify",
    "export.package",
    "export.registry",
    "scoring.run",
    "validation.run",
    "runtime.local",
    "runtime.ask",
)
OF_PIPELINES = ("delivery.train", "delivery.release_record", "deploy.deploy")
GUARDED_ROOMS = ("delivery", "deploy", "export", "runtime", "scoring", "training", "validation")
OPENS_BOOSTERS = "training/artifacts/open_booster.py"  # a script that may crash, and no command
MOMENTS = 20
# Says when the interpreter and runpy have begun, which no code of ours can guard.
READY = """
import runpy, sys
import cli.entry
sys.path += sys.argv[2:]
sys.argv = [sys.argv[1], "--help"]
print("ready", flush=True)
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@pytest.mark.tier("land")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("module", [*COMMANDS, *OF_PIPELINES])
def test_ctrl_c_while_importing_is_one_line(module: str, sample: Sample) -> None:
    for seed in sample(range(MOMENTS), 1):
        code, out, err = interrupted([module], random.Random(f"{module} {seed}").uniform(0, 0.8))
        if code == 0:  # it was done by then
            assert (out.startswith("usage: python "), err) == (True, "")
        else:
            assert code == 1
            assert re.fullmatch("error: interrupted; [^\n]*\n", err)


def test_every_command_is_guarded_before_its_imports() -> None:
    """`python -m` runs a module as `__main__`: what it imports before the guard, Ctrl-C ends in a traceback."""
    guarded = set()
    for room in GUARDED_ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            text = path.read_text(encoding="utf-8")
            if 'if __name__ == "__main__":' not in text or name == OPENS_BOOSTERS:
                continue
            before, _, after = text.partition('if __name__ == "__main__":')
            started = re.match(r'[^\n]*\n    from cli\.entry import start\n\n    start\("([\w.]+)"\)\n', after)
            assert started, name
            module = name[:-3].replace("/", ".")
            assert started[1] == {"runtime.ask": "local.ask", "runtime.local": "local.serve"}.get(module, module)
            assert set(re.findall(r"^(?:from|import) (\w+)", before, re.MULTILINE)) <= sys.stdlib_module_names, name
            guarded.add(module.removesuffix(".__main__"))
    assert {*COMMANDS, *OF_PIPELINES} <= guarded


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_ctrl_c_ends_an_import_that_would_swallow_it(tmp_path: Path) -> None:
    swallowing = "import time\ntry:\n    time.sleep(60)\nexcept BaseException:\n    main = lambda: 0\n"
    (tmp_path / "swallowing.py").write_text(swallowing)
    (tmp_path / "command.py").write_text("from cli.entry import start\nstart('swallowing')\n")
    assert interrupted(["command", str(tmp_path)], 0.3) == (1, "", entry.NOTHING_CHANGED)


def interrupted(words: list[str], seconds: float) -> tuple[int, str, str]:
    """The exit status of a command that is interrupted after so long, with what it printed."""
    command = [sys.executable, "-c", READY, *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_ctrl_c_stays_ignored_where_it_was() -> None:
    """As in the background of a script: the shell has it ignored there."""
    words = ["import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.argv[1:] = ['--help']"]
    words += ["import atexit; atexit.register(lambda: print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN))"]
    words += ["from cli.entry import start; start('local.ask')"]
    said = subprocess.run(
        [sys.executable, "-c", "\n".join(words)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.endswith("\nTrue\n")


@pytest.mark.tier("land")
@pytest.mark.sample(1)
@pytest.mark.parametrize("module", COMMANDS)
def test_without_docstrings_a_command_works_or_says_so_in_one_line(module: str) -> None:
    command = [sys.executable, "-OO", "-m", module, "--help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if said.returncode:
        assert (said.returncode, said.stdout, said.stderr) == (1, "", entry.WITHOUT_DOCSTRINGS)
    else:
        assert said.stdout.startswith("usage: python -m ")


def test_another_fault_of_an_import_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "import_module", lambda name: {}[name])
    with pytest.raises(KeyError):
        entry.start("training.run")


LOOKS_FOR_GARBAGE = """
import gc
said = [gc.isenabled()]
class Thing:
    pass
first, second = Thing(), Thing()
first.other, second.other = second, first
def main():
    print(*said, gc.isenabled(), gc.get_freeze_count() > 1000)
    return 3
"""


def test_garbage_is_looked_for_after_the_imports(tmp_path: Path) -> None:
    (tmp_path / "looking.py").write_text(LOOKS_FOR_GARBAGE)
    assert _started("looking", tmp_path) == (3, "False True True\n", "")


def test_garbage_is_looked_for_again_after_an_import_that_failed(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text("import no_such_module")
    said = "import atexit, gc; atexit.register(lambda: print(gc.isenabled()))"
    code, out, err = _started("failing", tmp_path, said)
    assert (code, out) == (1, "True\n")
    assert err.endswith("ModuleNotFoundError: No module named 'no_such_module'\n")


def _started(module: str, folder: Path, before: str = "") -> tuple[int, str, str]:
    """The exit status of a command that is a module in `folder`, with what it printed."""
    code = f"import sys; sys.path.append(sys.argv[1]); {before}\nfrom cli.entry import start; start({module!r})"
    command = [sys.executable, "-c", code, str(folder)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return said.returncode, said.stdout, said.stderr


SAYS_ITS_MODULES = """
import atexit, sys
sys.argv[1:] = ["--help"]
heavy = {"scipy.special", "pandas", "sklearn", "xgboost", "pyarrow"}
atexit.register(lambda: print(*(name for name in sys.modules if name in heavy)))
from cli.entry import start
start("%s")
"""


@pytest.mark.sample(1)
@pytest.mark.parametrize("module", sorted(entry.WITH_PIPELINES))
def test_what_skops_looks_for_is_imported_first(module: str) -> None:
    command = [sys.executable, "-c", SAYS_ITS_MODULES % module]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1].split()[0] == "scipy.special"


def test_every_installed_command_starts_the_module_of_its_name() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    started = set()
    for name, target in scripts.items():
        module, _, attribute = target.partition(":")
        assert (module, name) == ("cli.entry", f"lastbit-{attribute}")
        [named] = getattr(entry, attribute).args
        assert find_spec(named) is not None
        started.add(named)
    of_python_m = {"runtime.local": "local.serve", "runtime.ask": "local.ask"}
    of_python_m["export.registry"] = "export.registry.__main__"
    assert started == {of_python_m.get(module, module) for module in COMMANDS}


@pytest.mark.parametrize("module", COMMANDS)
def test_nothing_of_a_command_is_imported_before_its_start(module: str) -> None:
    path = ROOT.joinpath(*module.split("."))
    source = (path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__main__.py").read_text()
    before, _, after = source.partition('\nif __name__ == "__main__":')
    assert before.startswith('"""')
    assert before.rstrip().endswith('"""')
    assert re.match(r"[^\n]*\n    from cli.entry import start\n\n    start\(\"[\w.]+\"\)\n", after)
