"""The first start of a package: what it prints, raises or answers decides whether it is made."""

import sys
from pathlib import Path

import pytest

from export.packaging import start
from export.packaging.refusal import PackageRefused

HEALTHY = 'def handler(event, context): return {"statusCode": 200, "body": "{}"}'


def starts(task: Path, code: str) -> None:
    (task / "runtime").mkdir()
    (task / "runtime" / "handler.py").write_text(code, encoding="utf-8")
    start.check_start(task, sys.executable)


def test_a_package_that_answers_silently_is_taken(tmp_path: Path) -> None:
    starts(tmp_path, HEALTHY)


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("raise ImportError('no module named _sha2')", "does not start: ImportError: no module named _sha2"),
        ("import os; os._exit(7)", "does not start: exit status 7"),
        (f"import sys; sys.stderr.write('a warning\\n'); {HEALTHY}", "starts, but not silently: a warning"),
        (f"print('no telemetry'); {HEALTHY}", "starts, but not silently: no telemetry"),
        (f"print(); {HEALTHY}", "starts, but not silently: an empty line"),
        (HEALTHY.replace("200", "503"), "starts, but is not healthy: {}"),
    ],
)
def test_a_package_that_fails_its_start_is_refused_with_the_line_that_says_why(
    code: str, line: str, tmp_path: Path
) -> None:
    with pytest.raises(PackageRefused) as refusal:
        starts(tmp_path, code.replace("; def", "\ndef"))
    assert str(refusal.value) == f"the package {line}"


def test_a_package_that_does_not_return_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "LIMIT_SECONDS", 0.2)
    with pytest.raises(PackageRefused, match=r"the package did not start within 0\.2 s"):
        starts(tmp_path, "import time; time.sleep(60)")
