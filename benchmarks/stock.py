"""`python -m benchmarks.stock TESTS ...`: the tests of sklearn-onnx and onnxmltools, with and without `register()`.

TESTS are folders or files of tests of these projects (of the source distribution of skl2onnx, of a checkout of
onnxmltools). Each is run twice in processes of its own. No test that passes without the exact converters may fail with
them.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("benchmarks.stock")


import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from cli import command
from cli.errors import UserError
from cli.parser import Parser

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = "benchmarks.registered"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 1 where a test fails that passes without us."""
    options = Parser(
        prog="python -m benchmarks.stock",
        description="Run the tests of sklearn-onnx or onnxmltools with and without lastbit.register(), and name those "
        "that fail only with it.",
    )
    options.add_argument("tests", nargs="+", metavar="TESTS", help="folder or file of tests, of a source distribution")
    args = options.parse_args(arguments)

    def run() -> None:
        ours = [name for tests in args.tests for name in compare(Path(tests).resolve())]
        if ours:
            raise UserError(f"{len(ours)} tests fail with register() that pass without: {', '.join(sorted(ours))}")

    return command.run(run, "nothing was changed")


def compare(tests: Path) -> set[str]:
    """Print the counts of both runs, and return the tests that fail only with the exact converters."""
    without, with_us = (outcomes(tests, plugin) for plugin in (None, PLUGIN))
    for title, found in (("without", without), ("with", with_us)):
        sys.stdout.write(f"{tests.name}, {title} register(): {len(found)} tests, {sum(found.values())} failed\n")
    return {name for name, failed in with_us.items() if failed and not without.get(name, True)}


def outcomes(tests: Path, plugin: str | None) -> dict[str, bool]:
    """For each test that was run: True where it failed. Raises UserError where none was."""
    folder = tests if tests.is_dir() else tests.parent
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        loaded = ["-p", plugin] if plugin else []
        command_line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *loaded, str(tests)]
        known = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        done = subprocess.run(
            [*command_line, f"--rootdir={folder}", f"--junitxml={report}"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": known},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if not report.is_file():
            raise UserError(f"{tests}: pytest wrote no report: {done.stdout.decode(errors='replace')[-500:]}")
        return read_report(report.read_bytes())


def read_report(content: bytes) -> dict[str, bool]:
    """The outcome of each test of a JUnit report: a test fails where one of its subtests does.

    >>> case = '<testcase classname="a" name="b">{}</testcase>'
    >>> read_report(("<r>" + case.format("<failure/>") + case.format("") + "</r>").encode())
    {'a.b': True}
    >>> read_report(("<r>" + case.format("<skipped/>") + "</r>").encode())
    {}
    """
    found: dict[str, bool] = {}
    for case in ET.fromstring(content).iter("testcase"):
        if case.find("skipped") is None:
            name = f"{case.get('classname')}.{case.get('name')}"
            failed = case.find("failure") is not None or case.find("error") is not None
            found[name] = found.get(name, False) or failed
    return found


if __name__ == "__main__":
    sys.exit(main())
