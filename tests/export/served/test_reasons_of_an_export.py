"""The export follows --reasons, says which reasons it leaves out and why, and export.verify builds them again."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.errors import UserError
from export.reasons import build as reasons_build
from export.reasons.rule import contributions_by_rule
from export.refusal import ExportRefused
from export.to_onnx import export, reasons_settings
from export.verify import verify
from runtime.digest import sha256, version_of
from runtime.manifest import ModelRefused
from runtime.tables import Tables
from tests.applicants import draw
from tests.export.served.exported import (
    APPLICANT,
    SILENT,
    WITH_REASONS,
    ask,
    handler,
    handler_with,
    part_of,
    read,
    trained,
)
from training.artifacts import Artifacts
from training.explained import explained
from training.reasons import REFERENCE_ROWS
from training.settings import settings_from_dict

pytestmark = pytest.mark.tier("land")

MORE = WITH_REASONS


def without(artifacts: Artifacts, folder: Path, toml: str) -> str:
    its = handler_with(artifacts, folder, toml)
    assert not (folder / "with" / "reasons.bin").exists()
    assert "reasons" not in read(folder / "with" / "certificate.json")
    status, answer = ask(its, APPLICANT, "explain=true")
    assert (status, answer["type"]) == (409, "urn:lastbit:problem:no-reasons")
    with pytest.raises(ModelRefused, match="EXPLAIN=always: expected a model with reasons, got none"):
        handler(folder / "with", EXPLAIN="always")
    return str(answer["detail"])


def test_tables_beyond_the_limit_are_not_built(artifacts: Artifacts, tmp_path: Path) -> None:
    why = without(artifacts, tmp_path, "[reasons]\nlimit = 0.001\n")
    assert why.startswith("reasons.bin would take 0.0")
    assert "unite features in [reason_groups]" in why
    about = {"http": {"method": "GET"}}
    described: Any = handler(tmp_path / "with")({"requestContext": about, "rawPath": "/model"}, None)
    assert json.loads(described["body"])["reasons"] == {"why": why}


def test_contributions_that_are_not_exact_are_not_exported(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = contributions_by_rule
    monkeypatch.setattr(reasons_build, "contributions_by_rule", lambda *its: rule(*its) + np.float64(3e-7))
    assert "from the second implementation" in without(artifacts, tmp_path, "")


def test_a_model_may_have_no_reasons(artifacts: Artifacts, tmp_path: Path) -> None:
    assert without(artifacts, tmp_path, '[reasons]\nreference = "none"\n') == "the model was exported without them"
    assert "reasons" not in read(tmp_path / "with" / "manifest.json")


def test_artifacts_without_a_sample_export_without_reasons(artifacts: Artifacts, tmp_path: Path) -> None:
    from dataclasses import replace

    former = replace(artifacts, drawn={})
    export(former, tmp_path / "former", SILENT)
    assert {path.name for path in (tmp_path / "former").iterdir()} == {
        "model.onnx",
        "manifest.json",
        "batch.bin",
        "certificate.json",
        "initial.json",
    }
    manifest = read(tmp_path / "former" / "manifest.json")
    assert "reasons" not in manifest
    assert all("contributions" not in row for row in manifest["self_check"]["rows"])
    with pytest.raises(ExportRefused, match="holds no reference rows, which --reasons needs"):
        reasons_settings(former, "reasons.toml", SILENT)


def test_too_few_training_rows_leave_a_model_without_reasons(tmp_path: Path) -> None:
    few = trained(tmp_path, "[xgboost]\nn_estimators = 3\n[split]\ntest_size = 0.5\n[evaluation]\nplots = false\n", 180)
    export(few, tmp_path / "model", SILENT)
    assert ask(handler(tmp_path / "model"), APPLICANT, "explain=true")[1]["detail"] == (
        "fewer than 100 training rows to compare applicants with"
    )


def test_reasons_change_without_training(artifacts: Artifacts, model: Path, tmp_path: Path) -> None:
    groups = '[reason_groups]\nperson = ["age", "shop"]\n[reason_texts.person]\ntext = "Who"\n'
    toml = f'[reasons]\nreference = "best"\n{groups}'
    its = handler_with(artifacts, tmp_path, toml)
    answer = ask(its, APPLICANT, "explain=all")[1]
    assert answer["points"].keys() == {"income", "has_paid", "late", "person"}
    assert answer["reasons_basis"]["reference"] == "best"
    assert answer["reasons_basis"]["reference_rows"] == 100
    [person] = [reason for reason in answer["reasons"] if reason["name"] == "person"] or [{"text": "Who"}]
    assert person["text"] == "Who"
    assert "value" not in person
    assert (tmp_path / "with" / "model.onnx").read_bytes() == (model / "model.onnx").read_bytes()


def test_a_file_of_reasons_with_a_mistake_is_refused(artifacts: Artifacts, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"reason_texts\.incme: no such feature or group; did you mean income"):
        handler_with(artifacts, tmp_path, '[reason_texts.incme]\ntext = "x"\n')
    with pytest.raises(UserError, match="at-cutoff: expected 100 rows or more, found 0"):
        handler_with(artifacts, tmp_path, '[reasons]\nreference = "at-cutoff"\ncutoff = 5000\n')


def test_a_file_of_reference_rows_is_read_at_export(artifacts: Artifacts, tmp_path: Path) -> None:
    frame, _ = draw(150, seed=8)
    frame.to_csv(tmp_path / "own.csv", index=False)
    its = handler_with(artifacts, tmp_path, '[reasons]\nreference = "own.csv"\n')
    basis = ask(its, APPLICANT, "explain=true")[1]["reasons_basis"]
    assert (basis["reference"], basis["reference_rows"], basis["reference_total"]) == ("own", 150, 150)


def test_isotonic_points_keep_their_order_and_say_that_they_do_not_add_up(tmp_path: Path) -> None:
    isotonic = trained(tmp_path, WITH_REASONS + '[model]\ncalibration = "isotonic"\n')
    export(isotonic, tmp_path / "model", SILENT)
    answer = ask(handler(tmp_path / "model"), APPLICANT, "explain=all")[1]
    basis = answer["reasons_basis"]
    assert (basis["adds_up"], "before calibration" in basis["note"]) == (False, True)
    assert [reason["points"] for reason in answer["reasons"]] == sorted(p for p in answer["points"].values() if p < 0)[
        :4
    ]


def certified_again(folder: Path) -> None:
    """Make the records of a folder whose reasons.bin was changed fit, as somebody would who may write to it."""
    manifest, certificate = read(folder / "manifest.json"), read(folder / "certificate.json")
    content = (folder / "reasons.bin").read_bytes()
    manifest["reasons"]["file"] = {"sha256": sha256(content), "bytes": len(content)}
    tables = Tables.parse(content)
    for row in manifest["self_check"]["rows"]:
        numbers = [np.nan if number is None else number for number in row["numbers"]]
        row["contributions"] = tables.contributions(numbers, row["categories"]).tolist()
    manifest["model_version"] = version_of(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    certificate["sha256"] |= {name: sha256((folder / name).read_bytes()) for name in ("manifest.json", "reasons.bin")}
    (folder / "certificate.json").write_text(json.dumps(certificate))


def test_tables_are_built_again_and_compared(artifacts: Artifacts, copy: Path, tmp_path: Path) -> None:
    verify(copy, str(artifacts.folder), SILENT)
    content = bytearray((copy / "reasons.bin").read_bytes())
    content[-2] ^= 0x40  # the last value of the tables
    (copy / "reasons.bin").write_bytes(content)
    certified_again(copy)
    handler(copy, EXPLAIN="always")  # nothing that a start compares reveals it
    with pytest.raises(ExportRefused, match=r"reasons\.bin: tables: expected what the artifacts give when built again"):
        verify(copy, str(artifacts.folder), SILENT)


def test_tree_path_values_are_served_named_and_verified(artifacts: Artifacts, tmp_path: Path) -> None:
    its = handler_with(artifacts, tmp_path, '[reasons]\nmethod = "tree-path"\n')
    served = ask(its, APPLICANT, "explain=all")[1]
    basis = served["reasons_basis"]
    assert basis["method"] == "tree-path Shapley values by the covers of the trees, exact"
    assert (basis["reference"], basis["reference_rows"], basis["adds_up"]) == ("covers", 0, True)
    total = sum(Decimal(str(points)) for points in served["points"].values())
    assert Decimal(str(served["base_points"])) + total == Decimal(str(round(served["credit_score"], 2)))
    verify(tmp_path / "with", str(artifacts.folder), SILENT)
    parts = {"train": part_of(artifacts, artifacts.drawn[REFERENCE_ROWS].iloc[:, :-1])}
    parts["test"] = part_of(artifacts, artifacts.sample.iloc[:200].reset_index(drop=True))
    settings = settings_from_dict(artifacts.run["settings"] | {"reasons": {"method": "tree-path"}})
    evidence, _ = explained(settings, artifacts.pipeline, parts, artifacts.run["bands"], None)
    assert evidence is not None
    assert {waterfall.base for waterfall in evidence.waterfalls} == {served["base_points"]}
    assert evidence.stability["Changed"].tolist()[:3] == ["reference all", "reference at-cutoff", "reference best"]
    assert evidence.stability["Same four"].min() < 1
    with pytest.raises(UserError, match='method = "tree-path" uses no reference rows; leave it out'):
        handler_with(artifacts, tmp_path, '[reasons]\nmethod = "tree-path"\nreference = "best"\n')


def test_tables_of_other_groups_and_reference_are_built_again_too(artifacts: Artifacts, tmp_path: Path) -> None:
    groups = '[reason_groups]\nperson = ["age", "shop"]\nall_late = ["late"]\n'
    cutoff = float(np.median(artifacts.drawn[REFERENCE_ROWS].iloc[:, -1]))
    toml = f'[reasons]\nreference = "at-cutoff"\ncutoff = {cutoff}\nwindow = 35.7\n{groups}'
    handler_with(artifacts, tmp_path, toml)
    verify(tmp_path / "with", str(artifacts.folder), SILENT)
