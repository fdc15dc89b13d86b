"""The list of what coverage leaves out names files that are there, and every room is measured."""

import tomllib
from pathlib import Path

from tests.test_imports import ROOMS, ROOT

RUN = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coverage"]["run"]


def test_every_file_that_is_left_out_is_there() -> None:
    assert [pattern for pattern in RUN["omit"] if not list(ROOT.glob(pattern))] == []


def test_every_room_is_measured_and_few_files_outside_of_benchmarks_are_left_out() -> None:
    assert set(RUN["source_pkgs"]) == {*ROOMS, "lastbit"}
    outside = [pattern for pattern in RUN["omit"] if Path(pattern).parts[0] != "benchmarks"]
    scripts = ["delivery/bill_of_materials.py", "delivery/parts.py", "delivery/site_links.py"]
    assert outside == ["runtime/handler.py", *scripts]
