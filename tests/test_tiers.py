"""Tiers, tried on a suite of their own in a fresh process."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.tiers import EXAMPLES, Sample, examples

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[1]
SUITE = """
import pytest
from hypothesis import settings
from tests.tiers import examples

@pytest.mark.sample(40)
@pytest.mark.parametrize("case", range(400))
def test_large(case):
    print("large", case)

@pytest.mark.tier("land")
def test_slow():
    print("slow")

@pytest.mark.tier("full")
def test_slowest():
    print("slowest")

def test_inside(sample):
    print("inside", len(sample(range(300), 50)), sample(range(300), 50)[0])

def test_examples():
    print("examples", settings.default.max_examples, examples(30))
"""


def run(folder: Path, *options: str, suite: str = SUITE) -> str:
    (folder / "test_suite.py").write_text(suite, encoding="utf-8")
    return pytest_in(folder, "-s", *options, str(folder))


def pytest_in(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "tests.tiers", "-q", f"--rootdir={folder}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return str(done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("tier", "large", "slow", "slowest", "inside"),
    [("quick", 4, False, False, 5), ("land", 40, True, False, 50), ("full", 400, True, True, 300)],
)
def test_a_tier_runs_what_is_marked_for_it(
    tmp_path: Path, tier: str, large: int, slow: bool, slowest: bool, inside: int
) -> None:
    out = run(tmp_path, "--tier", tier)
    assert len(re.findall(r"large \d+", out)) == large
    assert ("slow\n" in out, "slowest\n" in out) == (slow, slowest)
    assert f"inside {inside} " in out
    assert f"examples {EXAMPLES[tier]} {EXAMPLES[tier] // 2}" in out
    expected = large + slow + slowest + 2
    deselected = 404 - expected
    assert re.search(rf"^{expected} passed" + (f", {deselected} deselected" if deselected else ""), out, re.MULTILINE)


@pytest.mark.tier("full")
def test_a_sample_is_the_same_in_every_run_and_another_by_its_seed(tmp_path: Path) -> None:
    drawn = [
        re.findall(r"(?:large|inside \d+) \d+", run(tmp_path, *options)) for options in ((), (), ("--sample-seed", "5"))
    ]
    assert drawn[0] == drawn[1]
    assert len(drawn[2]) == len(drawn[0])
    assert drawn[2] != drawn[0]


@pytest.mark.tier("full")
def test_another_order_runs_the_same_tests(tmp_path: Path) -> None:
    usual, other, again = (run(tmp_path, *options) for options in ((), ("--shuffle", "1"), ("--shuffle", "1")))
    cases = [re.findall(r"large \d+|slow|inside", out) for out in (usual, other, again)]
    assert cases[1] == cases[2] != cases[0]
    assert sorted(cases[0]) == sorted(cases[1])


def test_an_unknown_tier_is_refused(tmp_path: Path) -> None:
    suite = "import pytest\n@pytest.mark.tier('weekly')\ndef test_it(): pass\n"
    assert "expected a tier of quick, land, full, got 'weekly'" in run(tmp_path, suite=suite)


def test_a_test_that_is_named_runs_whatever_the_sample(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE, encoding="utf-8")
    cases = [f"{tmp_path}/test_suite.py::test_large[{case}]" for case in range(400) if case % 50 == 7]
    assert "8 passed" in pytest_in(tmp_path, *cases)


def test_a_sample_keeps_the_order_of_the_matrix() -> None:
    drawn = Sample("land", 0)(range(10_000), 100)
    assert len(set(drawn)) == 100
    assert drawn == sorted(drawn)


def test_a_small_matrix_is_not_sampled() -> None:
    assert Sample("land", 0)("abc", 3) == ["a", "b", "c"]
    assert len(Sample("quick", 0)("abc", 3)) == 1


def test_hypothesis_has_no_deadline_and_draws_the_same_when_landing() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
    assert settings.default.derandomize is (settings.default.max_examples != EXAMPLES["full"])
    assert examples(60) == settings.default.max_examples
