"""The section of reasons: what scoring and the endpoint say of the same rows, counted; or why a model has none."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from export import to_onnx
from scoring.scorer import Scorer
from tests.applicants import SETTINGS, draw
from tests.runtime.model_builder import write_manifest
from training import run
from validation import observing
from validation import run as monitor
from validation.observing import SEED
from validation.sample import sampled_rows
from validation.sections import reasons
from validation.served import Served

pytestmark = pytest.mark.tier("land")

ROWS, SAMPLED, DRAWN = 500, 300, 250
LATE = {"late_1": "late", "late_2": "late"}  # an answer names a row maximum after its largest feature
REASONS = """
[reasons]
reference = "at-cutoff"
cutoff = 510
window = 60
[reason_groups]
person = ["age", "shop"]
[reason_texts.has_paid]
inquiries = true
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two exports of one run, with and without reasons, and other applicants as rows.csv."""
    place = tmp_path_factory.mktemp("reasons")
    frame, target = draw(900)
    frame.assign(default=target, uuid=[f"a{i}" for i in range(900)]).to_csv(place / "table.csv", index=False)
    frame, target = draw(ROWS, 5)
    weight = np.random.default_rng(1).integers(1, 9, ROWS)
    frame.assign(default=target, uuid=[f"b{i}" for i in range(ROWS)], times=weight).to_csv(
        place / "rows.csv", index=False
    )
    (place / "settings.toml").write_text(SETTINGS)
    words = ["--config", str(place / "settings.toml"), "--out", str(place / "artifacts")]
    assert run.main([*words, "--calibration", "sigmoid", "--n-estimators", "20", "--no-plots", "--quiet"]) == 0
    for name, content in (("with", REASONS), ("without", '[reasons]\nreference = "none"\n')):
        (place / f"{name}.toml").write_text(content)
        words = ["--artifacts", str(place / "artifacts"), "--out", str(place / name), "--quiet"]
        assert to_onnx.main([*words, "--reasons", str(place / f"{name}.toml")]) == 0
    return place


def validated(folder: Path, model: str, out: Path, *words: str) -> dict[str, Any]:
    """The section of validation.json."""
    given = ["--data", str(folder / "rows.csv"), "--model", str(folder / model), "--out", str(out), "--target"]
    assert monitor.main([*given, "default", "--quiet", *words]) == 0
    found = json.loads((out / "validation.json").read_text(encoding="utf-8"))
    assert not [finding for finding in found["findings"] if finding["section"] == "reasons"]
    section: dict[str, Any] = found["sections"]["reasons"]
    return section


def table_of(folder: Path) -> pd.DataFrame:
    model = Served.load(folder / "with")
    frame = pd.read_csv(folder / "rows.csv")[[feature.name for feature in model.features]]
    return frame.astype({"shop": object})


def scored(folder: Path) -> list[dict[str, Any]]:
    """Answers of scoring.run --explain to the rows; its own tests compare them with the handler's."""
    table = pa.Table.from_pandas(table_of(folder).assign(uuid="a"), preserve_index=False)
    [batch] = table.combine_chunks().to_batches()
    answers: list[dict[str, Any]] = Scorer.load(str(folder / "with"), explain=True).score(batch).rows.to_pylist()
    return answers


def test_points_and_reasons_of_each_row_are_those_of_scoring(folder: Path) -> None:
    answers, frame = scored(folder), table_of(folder)
    its = Served.load(folder / "with")
    found = its.explained(frame, its.probabilities(frame, lambda _: None))
    assert list(found.names) == list(answers[0]["points"])
    assert found.points.tolist() == [list(answer["points"].values()) for answer in answers]
    said = [[LATE.get(name, name) for name in answer["reasons"]] for answer in answers]
    assert [[found.names[i] for i in named] for named in found.named] == said
    assert {"late", "person"} <= {name for named in said for name in named}
    assert {0, 5} & {len(named) for named in said}


@pytest.mark.parametrize("weight", [None, "times"])
def test_the_section_counts_what_scoring_says_of_the_drawn_rows(
    weight: str | None, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "SAMPLE", SAMPLED)
    monkeypatch.setattr(reasons, "MOST_ROWS", DRAWN)
    figure = validated(folder, "with", tmp_path / "out", *([] if weight is None else ["--weight", weight]))["figure"]
    drawn = sampled_rows(ROWS, SAMPLED, SEED)[sampled_rows(SAMPLED, DRAWN, SEED)]
    every = scored(folder)
    answers = [every[i] for i in drawn]
    mass = np.ones(DRAWN) if weight is None else pd.read_csv(folder / "rows.csv")[weight].to_numpy(float)[drawn]
    below = np.array([answer["credit_score"] < 510 for answer in answers])
    assert (figure["rows"], figure["of"], figure["seed"]) == (DRAWN, ROWS, SEED)
    assert (figure["cutoff"], figure["cutoff_by"]) == (510, "the cut-off of the model's reasons")
    assert figure["below"] == below.sum() > 20
    basis = json.loads((folder / "with/manifest.json").read_text())["reasons"]["basis"]
    assert figure["basis"] == basis
    assert basis["reference_scores"] == [510, 570]
    said = [[LATE.get(name, name) for name in answer["reasons"]] for answer in answers]
    names = set(answers[0]["points"])
    assert {its["feature"] for its in figure["features"]} == names
    for its in figure["features"]:
        name = its["feature"]
        points = np.array([answer["points"][name] for answer in answers])
        assert its["mean_points"] == pytest.approx(np.average(points, weights=mass), abs=1e-12)
        assert its["mean_absolute_points"] == pytest.approx(np.average(abs(points), weights=mass), abs=1e-12)
        assert its["first_reason"] == share([named[:1] == [name] for named in said], mass * below)
        assert its["among_reasons"] == share([name in named[:4] for named in said], mass * below)
    sizes = [its["mean_absolute_points"] for its in figure["features"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(its["rows"] for its in figure["grades"]) == DRAWN
    labels = [answer["score_band"] for answer in answers]
    for entry in figure["grades"][1:-1]:  # the outer ones have those beyond the edges too
        there = mass * np.array([label == entry["grade"] for label in labels])
        shares = {name: share([named[:1] == [name] for named in said], there) for name in names}
        assert entry["share"] == max(shares.values(), key=lambda its: its.expected)
        if entry["reason"] is not None:
            assert entry["share"] == shares[entry["reason"]]


def share(told: Sequence[bool], mass: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    """The part of the mass [N] of whom something is true."""
    return pytest.approx(mass[np.array(told)].sum() / mass.sum(), abs=1e-12)


def test_the_page_shows_the_figures_and_whom_customers_are_compared_with(folder: Path, tmp_path: Path) -> None:
    figure = validated(folder, "with", tmp_path / "out")["figure"]
    page = (tmp_path / "out/validation.html").read_text(encoding="utf-8")
    section = page[page.index('<h2 id="reasons">Reasons</h2>') : page.index('<h2 id="method">')]
    basis = figure["basis"]
    assert '<a href="#reasons">Reasons</a>' in page
    assert f"{basis['reference_rows']:,} reference rows (at-cutoff, 510 to 570 points; of" in section
    assert f"{figure['below']:,} customers" in section
    for its in figure["features"]:
        cells = (its["feature"], f"{its['mean_points']:+.2f}", f"{its['mean_absolute_points']:.2f}")
        shares = (f"{100 * its['first_reason']:.1f}", f"{100 * its['among_reasons']:.1f}")
        numbers = "".join(f'<td class="n">{cell}</td>' for cell in (*cells[1:], *shares))
        assert f"<td>{cells[0]}</td>{numbers}" in section
    for entry in figure["grades"]:
        assert f">{entry['grade']}</td>" in section


@pytest.mark.parametrize("why", ["", "their tables would be larger than 64 MB"])
def test_a_model_without_reasons_says_why_in_one_line(why: str, folder: Path, tmp_path: Path) -> None:
    """The manifest's own why, where it has one; the page, its data and the runtime have the same words."""
    model = "without"
    if why:
        shutil.copytree(folder / model, folder / "refused")
        model = "refused"
        manifest = json.loads((folder / model / "manifest.json").read_text())
        write_manifest(folder / model, manifest | {"reasons": {"why": why}})
    section = validated(folder, model, tmp_path / "out")
    said = f"the model has no reasons: {why or Served.load(folder / model).model.manifest.reasons_why}"
    assert section == {"title": "Reasons", "why": said, "figure": None}
    page = (tmp_path / "out/validation.html").read_text(encoding="utf-8")
    assert f"<p>Not possible, because {said}.</p>" in page


def test_nobody_below_the_cut_off_has_no_shares(folder: Path, tmp_path: Path) -> None:
    figure = validated(folder, "with", tmp_path / "out", "--fairness-cutoff", "1")["figure"]
    assert (figure["below"], figure["cutoff_by"]) == (0, "fairness.cutoff")
    assert {its["first_reason"] for its in figure["features"]} == {None}
    assert all(its["mean_absolute_points"] >= 0 for its in figure["features"])


def test_damaged_tables_of_reasons_are_refused_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    shutil.copytree(folder / "with", model)
    content = bytearray((model / "reasons.bin").read_bytes())
    content[-1] ^= 1
    (model / "reasons.bin").write_bytes(content)
    out = tmp_path / "out"
    assert monitor.main(["--data", str(folder / "rows.csv"), "--model", str(model), "--out", str(out), "--quiet"]) == 1
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    assert "reasons.bin: " in said
    assert not out.exists()
