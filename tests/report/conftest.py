"""Three runs to report on: one with everything, one with hostile names, one with little else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests import applicants
from tests.report.sample import Sample, population_sample, sample
from training.report.report import write_report

HOSTILE = {
    "income": "<script>alert(1)</script>",
    "debt": "Überschuldung | \"Saldo\" & 'Co'",
    "age": "`alter`",
    "late_1": "![x](https://example.invalid/x.png)",
    "late_2": "</style><img src=x onerror=alert(2)>",
    "shop": "[Läden](javascript:alert(3))",
    "region": "*Gegend*",
}


@pytest.fixture(scope="session")
def everything() -> Sample:
    """The built-in population, costs, an alarm and a search."""
    its = population_sample()
    alarm = {"name": "scores squeeze", "value": 0.21, "limit": 0.2, "message": "21 % are within 20 points of the best"}
    return replace(its, evidence=replace(its.evidence, alarms=[alarm]))


@pytest.fixture(scope="session")
def hostile() -> Sample:
    """A small table whose names are markup, one level in a category; isotonic; no search, no costs."""
    frame, target = applicants.draw(1_500)
    frame = frame.rename(columns=HOSTILE)[list(HOSTILE.values())]
    frame["*Gegend*"] = "<b>überall</b>"
    kinds = ["number"] * 5 + ["category"] * 2
    features = {
        name: {"type": kind, "description": f"{name} &amp; <i>mehr</i>"}
        for name, kind in zip(frame.columns, kinds, strict=True)
    }
    content = {
        "features": features,
        "data": {"id": ""},
        "row_max": {"<u>max</u>": [HOSTILE["late_1"], HOSTILE["late_2"]]},
        "model": {"calibration": "isotonic"},
    }
    its = sample(frame.assign(default=target), content, trees=10)
    its.run["data"] |= {"source": "<b>böse</b>.csv", "dropped_rows": 3}
    return its


@pytest.fixture(scope="session")
def bare(hostile: Sample) -> Sample:
    """The same without anything that a run need not have."""
    evidence = replace(
        hostile.evidence,
        intervals={},
        cutoffs=pd.DataFrame(),
        reliability={},
        alarms=[],
        stability={},
        importance=pd.DataFrame(),
        dependence={},
        exploration={},
    )
    return replace(hostile, run={name: its for name, its in hostile.run.items() if name != "split"}, evidence=evidence)


def written(its: Sample, folder: Path, *, plots: bool = True) -> Path:
    """The folder with the report of a run."""
    settings: dict[str, Any] = its.run["settings"]
    run = its.run | {"settings": settings | {"evaluation": settings["evaluation"] | {"plots": plots}}}
    (folder / "metrics.json").write_text("{}")
    write_report(folder, run, its.evidence, its.parts)
    return folder


@pytest.fixture(scope="session")
def full_report(everything: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(everything, tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="session")
def hostile_report(hostile: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(hostile, tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def bare_report(bare: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(bare, tmp_path_factory.mktemp("bare"))
