"""The package's content: everything that an answer needs, and nothing without a reason."""

import json
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from zipfile import ZipFile

import pytest

from export.package import ENTRY_POINTS, REQUIREMENTS, ROOT
from export.packaging.pruning import DEPENDENCIES_LEFT_OUT, RULES, rule_for
from export.packaging.refusal import PackageRefused
from export.packaging.requirements import read_pins
from export.packaging.target import Target
from tests.export.packaging.build_command import CACHE
from tests.export.packaging.lambda_process import run_python

pytestmark = pytest.mark.tier("land")

# Only numpy for Python 3.11 has it.
ONLY_SOMETIMES = {"numpy/distutils/*"}

EVERY_MODULE = """
import importlib, json, os, sys
faults, names = {}, []
for folder, _, files in os.walk(os.curdir):
    parts = folder.split(os.sep)[1:]
    if parts and parts[0] in ("numpy", "onnxruntime", "runtime"):
        stems = {file.split(".")[0] for file in files if file.endswith((".py", ".pyc", ".so"))}
        names += [".".join([*parts, stem]) for stem in stems if not stem.startswith("lib")]
for name in sorted(names):
    try:
        importlib.import_module(name.removesuffix(".__init__"))
    except Exception as fault:
        faults[name] = repr(fault)
print(json.dumps([len(names), faults]))
"""

LOADED = """
import runtime.handler, json, sys
loaded = {}
for name, module in sorted(sys.modules.items()):
    spec = getattr(module, "__spec__", None)
    if name.partition(".")[0] in ("numpy", "onnxruntime", "runtime") and spec is not None and spec.loader is not None:
        loaded[name] = [type(spec.loader).__name__, module.__file__]
print(json.dumps([loaded, sorted({name.partition(".")[0] for name in sys.modules})]))
"""

FILES_IN_TRACEBACKS = """
import json, numpy
from runtime.dispatch import Handler
print(json.dumps([Handler.__call__.__code__.co_filename, numpy.linalg.inv.__wrapped__.__code__.co_filename]))
"""


def test_every_module_that_is_left_can_be_imported(variables: dict[str, str]) -> None:
    done = run_python(EVERY_MODULE, variables, "-W", "ignore")
    assert done.stderr == ""
    count, faults = json.loads(done.stdout)
    assert faults == {}
    assert count > 100


def test_a_start_compiles_nothing(variables: dict[str, str], task: Path) -> None:
    """Each module comes out of the package, from an extension or from bytecode that is already there."""
    done = run_python(LOADED, variables)
    assert done.stderr == ""
    loaded, roots = json.loads(done.stdout)
    assert set(roots) - sys.stdlib_module_names - {"__main__"} == {"numpy", "onnxruntime", "runtime"}
    for name, (loader, file) in loaded.items():
        assert Path(file).is_relative_to(task), name
        assert loader in ("SourcelessFileLoader", "ExtensionFileLoader"), name


def test_bytecode_is_taken_unchecked(task: Path) -> None:
    """PEP 552: flags 0b01 say that a hash, which nobody checks, stands where time and size used to."""
    compiled = sorted(task.rglob("*.pyc"))
    assert compiled
    for path in compiled:
        header = path.read_bytes()[:8]
        assert int.from_bytes(header[4:], "little") == 0b01, path


def test_the_runtimes_sources_can_be_read_but_are_not_imported(task: Path) -> None:
    sources = {path.relative_to(task).as_posix(): path.read_bytes() for path in task.rglob("*.py")}
    expected = {path.name: path.read_bytes() for path in (ROOT / "runtime").glob("*.py")}
    for command in ENTRY_POINTS:  # of a developer's machine
        del expected[command]
    assert sources == {f"source/runtime/{name}": content for name, content in expected.items()}


def test_a_traceback_finds_the_runtimes_sources(variables: dict[str, str], task: Path) -> None:
    ours, numpys = json.loads(run_python(FILES_IN_TRACEBACKS, variables).stdout)
    assert ours == "/var/task/source/runtime/dispatch.py"
    assert (task / "source" / "runtime" / "handler.py").is_file()
    assert numpys == "/var/task/numpy/linalg/_linalg.py"


def test_licences_and_metadata_stay(task: Path) -> None:
    assert list(task.glob("numpy-*.dist-info/METADATA"))
    assert list(task.glob("numpy-*.dist-info/licenses/LICENSE.txt"))
    assert list(task.glob("onnxruntime-*.dist-info/METADATA"))
    assert (task / "onnxruntime" / "LICENSE").is_file()
    assert (task / "onnxruntime" / "ThirdPartyNotices.txt").is_file()


def test_each_rule_leaves_something_out(dist: Path, target: Target) -> None:
    names = [name for wheel in (CACHE / target.name).glob("*.whl") for name in ZipFile(wheel).namelist()]
    used = {rule.pattern for rule in map(rule_for, names) if rule}
    assert {rule.pattern for rule in RULES} - used <= ONLY_SOMETIMES


def test_nothing_that_a_rule_names_is_in_the_package(task: Path) -> None:
    names = [path.relative_to(task).as_posix() for path in task.rglob("*") if path.is_file()]
    sources = [re.sub(r"\.pyc$", ".py", name) for name in names]
    assert [name for name in sources if any(fnmatchcase(name, rule.pattern) for rule in RULES)] == []


def test_each_rule_and_its_reason_is_in_the_documentation() -> None:
    document = " ".join((ROOT / "docs" / "package.md").read_text(encoding="utf-8").split())
    for rule in RULES:
        assert f"| `{rule.pattern}` | {rule.reason} |" in document
    for name, reason in DEPENDENCIES_LEFT_OUT.items():
        assert f"| `{name}` | {reason} |" in document


@pytest.mark.parametrize("arch", ["x86_64", "arm64"])
@pytest.mark.parametrize("python", [(3, 11), (3, 12), (3, 13), (3, 14)])
def test_what_is_deployed_is_what_is_tested(python: tuple[int, int], arch: str) -> None:
    """For each target: the versions and the hashes of the lock file that the tests are installed from."""
    target = Target(python, arch)
    locked = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    pins = read_pins(REQUIREMENTS, target)
    assert [pin.name for pin in pins] == ["numpy", "onnxruntime"]
    for pin in pins:
        assert re.search(rf"^{pin.name}=={re.escape(pin.version)} ", locked, re.MULTILINE)
        assert [digest for digest in pin.hashes if f"--hash={digest}" not in locked] == []


def test_the_lock_file_names_no_host() -> None:
    assert "://" not in REQUIREMENTS.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("numpy>=2 --hash=sha256:00", "expected name==version"),
        ("numpy==2.4.6", "expected name==version with at least one --hash="),
        ("-r other.txt", "'-r other.txt'"),
    ],
)
def test_a_lock_file_with_anything_but_pins_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "lambda.txt"
    path.write_text(text)
    with pytest.raises(PackageRefused, match=re.escape(message)):
        read_pins(path, Target((3, 13), "x86_64"))


def test_a_marker_is_asked_of_the_target(tmp_path: Path) -> None:
    path = tmp_path / "lambda.txt"
    path.write_text(
        "# comment\n"
        "a==1 ; python_full_version < '3.12' --hash=sha256:01\n"
        "b==2 ; python_full_version >= '3.12' \\\n    --hash=sha256:02 \\\n    --hash=sha256:03\n"
        "c==3 ; platform_machine == 'aarch64' --hash=sha256:04\n"
    )
    assert [pin.name for pin in read_pins(path, Target((3, 11), "x86_64"))] == ["a"]
    pins = read_pins(path, Target((3, 13), "arm64"))
    assert [pin.name for pin in pins] == ["b", "c"]
    assert pins[0].lines() == "b==2 \\\n    --hash=sha256:02 \\\n    --hash=sha256:03"
