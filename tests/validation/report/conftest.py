"""Three runs to report on: one with everything, one with hostile names, one with little else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests import applicants
from tests.once import once
from tests.validation.report.sample import Sample, population_sample, table_sample
from validation.report.report import write_report

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
def everything(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The built-in population, costs, a search, an alarm at least."""
    _, its = once(tmp_path_factory, "everything", lambda folder: population_sample(folder / "artifacts"))
    assert its.evidence.alarms
    return its


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A small table whose names are markup, one level in a category, rows without a target; no search, no costs."""
    frame, target = applicants.draw(1_500)
    frame = frame.rename(columns=HOSTILE)[list(HOSTILE.values())]
    frame[HOSTILE["region"]] = "<b>überall</b>"
    frame["default"] = pd.Series(target, dtype="Int64").where(frame.index >= 3)
    kinds = ["number"] * 5 + ["category"] * 2
    features = {
        name: {"type": kind, "description": f"{name} &amp; <i>mehr</i>"}
        for name, kind in zip(HOSTILE.values(), kinds, strict=True)
    }
    maximum = {"<u>max</u>": [HOSTILE["late_1"], HOSTILE["late_2"]]}
    content = {"features": features, "data": {"id": ""}, "row_max": maximum, "model": {"calibration": "isotonic"}}

    def make(folder: Path) -> Sample:
        (folder / "<b>böse<i>").mkdir()
        return table_sample(frame, content, folder / "<b>böse<i>")

    return once(tmp_path_factory, "hostile", make)[1]


@pytest.fixture(scope="session")
def bare(hostile: Sample) -> Sample:
    """The same without anything that a run need not have."""
    return replace(
        hostile,
        run={name: value for name, value in hostile.run.items() if name not in ("split", "tuning")},
        evidence=replace(
            hostile.evidence,
            intervals={},
            cutoffs=pd.DataFrame(),
            reliability={},
            alarms=[],
            stability={},
            importance=pd.DataFrame(),
            dependence={},
            reasons=None,
            exploration={},
            weak=None,
            overfit=None,
            robustness=None,
        ),
    )


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
