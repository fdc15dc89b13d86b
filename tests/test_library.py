"""lastbit as a library: its examples, its imports, and what pip installs of it."""

import doctest
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import lastbit
from scoring.scorer import Scorer

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[1]
ROOMS = {
    "runtime",
    "local",
    "cli",
    "storage",
    "population",
    "table",
    "trees",
    "validation",
    "training",
    "export",
    "scoring",
}
SOURCES = (*sorted(ROOMS), "requirements", "docs", "deploy", "delivery", "benchmarks")
FILES = ("lastbit.py", "pyproject.toml", "README.md", "LICENSE")
OLD_LAYOUT = ROOT / "tests" / "training" / "files" / "old-layout.skops"


def python(executable: Path | str, *words: object, cwd: Path = ROOT) -> str:
    """Run Python, which must exit with 0, and return its output."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(executable), *map(str, words)]
    said = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def sections_of(function: Callable[..., object]) -> dict[str, str]:
    """The numpydoc sections of a docstring, by title."""
    parts = re.split(r"^([A-Z]\w+)\n-+$", inspect.getdoc(function) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_examples_of_the_public_names_run() -> None:
    tried = doctest.testmod(lastbit)
    assert (tried.failed, tried.attempted >= 15) == (0, True)


def test_every_public_name_has_an_example() -> None:
    for name in lastbit.__all__:
        assert ">>>" in str(getattr(lastbit, name).__doc__), name


@pytest.mark.parametrize(
    "function", [*(getattr(lastbit, name) for name in lastbit.__all__), Scorer.load, Scorer.check, Scorer.score]
)
def test_a_public_docstring_describes_each_parameter_and_what_is_returned(function: Callable[..., object]) -> None:
    sections = sections_of(function)
    signature = inspect.signature(function)
    taken = [str(its).partition(":")[0] for its in signature.parameters.values() if its.name != "self"]
    assert re.findall(r"^(\S+) : \S", sections.get("Parameters", ""), re.MULTILINE) == taken
    assert ("Returns" in sections) == (signature.return_annotation not in (None, "None"))
    for name, section in sections.items():
        if name != "Examples":
            assert re.search(r"^    \S", section, re.MULTILINE), name


def test_importing_lastbit_loads_no_library() -> None:
    heavy = {"numpy", "sklearn", "onnxruntime", "xgboost", "pandas", "onnx", "rich"}
    said = python(sys.executable, "-c", f"import lastbit, sys; print({heavy} & set(sys.modules))")
    assert said.strip() == "set()"


def test_a_room_of_another_project_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "__init__.py").touch()
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"
        "import lastbit\n"
        "try:\n    lastbit.load_pipeline('nowhere')\nexcept ImportError as refused:\n    print(refused)"
    )
    assert python(sys.executable, "-c", code, cwd=tmp_path).strip() == (
        f"lastbit: expected the package table in {ROOT}, found {tmp_path}/table/__init__.py; "
        "install lastbit in an environment of its own"
    )


def copied(folder: Path) -> Path:
    """The tree as it is checked out, but for its tests: what pip writes beside the sources stays out of ours."""
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    return folder


def install(folder: Path, *flags: str) -> Path:
    """The Python of a new environment with lastbit, from a copy of this tree, above the packages of this Python."""
    source = copied(folder / "source")
    python(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    executable = folder / "venv" / "bin" / "python"
    [packages] = (folder / "venv" / "lib").glob("python*/site-packages")
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = ["--python", executable, "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    python(sys.executable, "-m", "pip", *pip, *flags, source)
    return executable


@pytest.mark.tier("full")
@pytest.mark.sample(1)
@pytest.mark.parametrize("flags", [[], ["--editable"]], ids=["installed", "editable"])
def test_an_installed_lastbit_does_what_a_clone_does(flags: list[str], tmp_path: Path) -> None:
    executable = install(tmp_path, *flags)
    expected = tmp_path / "source" if flags else next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    if not flags:
        shutil.rmtree(tmp_path / "source")
    # From a folder without the sources: what is imported is what was installed.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    code = "import lastbit, training, json; print(json.dumps([lastbit.__file__, training.__file__]))"
    paths = json.loads(python(executable, "-c", code, cwd=elsewhere))
    assert [Path(path).resolve() for path in paths] == [expected / "lastbit.py", expected / "training" / "__init__.py"]
    # Artifacts of a clone, and of the layout of before.
    artifacts = trained_in_a_clone(tmp_path)
    code = (
        f"import lastbit; print(type(lastbit.load_pipeline({str(artifacts)!r})[1]).__module__);"
        f"print(type(lastbit.load_pipeline({str(OLD_LAYOUT)!r})[1]).__module__)"
    )
    assert python(executable, "-c", code, cwd=elsewhere).split() == ["training.estimator.crossfit"] * 2
    commands = executable.parent
    python(commands / "lastbit-export", "--artifacts", artifacts, "--quiet", cwd=elsewhere)
    python(commands / "lastbit-verify", "--artifacts", artifacts, "--quiet", cwd=elsewhere)
    assert "publish" in python(commands / "lastbit-registry", "--help", cwd=elsewhere)
    code = (
        "import lastbit, export.package as p; from export.packaging.target import Target;"
        "from export.packaging.requirements import read_pins;"
        "print([pin.name for pin in read_pins(p.REQUIREMENTS, Target((3, 13), 'x86_64'))]);"
        "print((p.RUNTIME / 'handler.py').is_file(), lastbit.load_model().manifest.model_version != '')"
    )
    said = python(executable, "-c", code, cwd=elsewhere)
    assert "'numpy'" in said
    assert "'onnxruntime'" in said
    assert said.endswith("True True\n")


def trained_in_a_clone(folder: Path) -> Path:
    settings = """
[data]
file = "table.csv"
target = "bad"
id = ""
[features]
x = "number"
[row_max]
[model]
folds = 2
calibration = "sigmoid"
[xgboost]
n_estimators = 5
[evaluation]
plots = false
resamples = 100
"""
    (folder / "settings.toml").write_text(settings)
    rows = "".join(f"{(i * 37) % 101},{int((i * 37) % 101 + (i * 53) % 97 > 120)}\n" for i in range(400))
    (folder / "table.csv").write_text(f"x,bad\n{rows}")
    out = folder / "artifacts"
    python(sys.executable, "-m", "training.run", "--config", folder / "settings.toml", "--out", out, "--quiet")
    return out


def test_a_wheel_holds_types_templates_and_the_lock_of_the_package(tmp_path: Path) -> None:
    source = copied(tmp_path / "source")
    python(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
        "--wheel-dir", tmp_path, source,
    )  # fmt: skip
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"{room}/py.typed" for room in ROOMS} <= names
    assert {"lastbit.py", "requirements/lambda.txt", "validation/report/templates/report.html.j2"} <= names
    top = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert top == ROOMS | {"lastbit.py", "requirements"}
