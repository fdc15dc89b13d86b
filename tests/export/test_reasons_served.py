"""From a training run to reasons in an answer: exported, packaged, damaged, switched off, in every event."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cli.errors import UserError
from cli.progress import Progress
from export.certificate import certify
from export.model_folder import files_of
from export.package import _assemble
from export.reasons import build as reasons_build
from export.reasons.rule import contributions_by_rule
from export.refusal import ExportRefused
from export.to_onnx import export, reasons_settings
from export.verify import verify
from local.page import page_of
from local.server import Server
from runtime.digest import sha256, version_of
from runtime.dispatch import Handler
from runtime.explain import shares
from runtime.manifest import ModelRefused
from runtime.openapi import describe
from runtime.settings import SettingRefused, Settings
from runtime.tables import Tables
from storage.digest import sha256_of
from tests.applicants import SETTINGS, draw
from training.artifacts import Artifacts, load_artifacts
from training.evidence import answer
from training.explained import explained
from training.labelled import Labelled
from training.reasons import REFERENCE_ROWS
from training.run import train
from training.settings import load_settings, settings_from_dict
from validation.evidence import Part

pytestmark = pytest.mark.tier("land")

SILENT = Progress(quiet=True)
MORE = """
[xgboost]
n_estimators = 25
max_depth = 4
[evaluation]
plots = false
resamples = 50
[reason_texts.income]
text = "Income is low"
code = "R01"
[reason_texts.age]
missing = { en = "Age was not given", de = "Alter fehlt" }
[reason_texts.shop]
inquiries = true
"""
APPLICANT = {"uuid": "1", "income": 2500.5, "age": 30, "late_1": 3, "late_2": None, "has_paid": True, "shop": "shoes"}


@pytest.fixture(scope="module", autouse=True)
def fewer_rows() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(certify, "RANDOM_AND_REAL_ROWS", 2_000)
    patch.setattr(certify, "SINGLE_ROWS", 50)
    patch.setattr(reasons_build, "COMPARED", 40)
    yield
    patch.undo()


def trained(folder: Path, more: str, rows: int = 1_200) -> Artifacts:
    frame, target = draw(rows)
    frame.insert(0, "uuid", range(rows))
    frame["default"] = target
    frame.to_csv(folder / "table.csv", index=False)
    (folder / "settings.toml").write_text(SETTINGS + more)
    train(load_settings(folder / "settings.toml", {}), folder / "artifacts", SILENT)
    return load_artifacts(folder / "artifacts")


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    return trained(tmp_path_factory.mktemp("run"), MORE)


@pytest.fixture(scope="module")
def model(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "model"
    export(artifacts, folder, SILENT)
    return folder


@pytest.fixture
def copy(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "model"))


def handler(folder: Path, **environment: str) -> Handler:
    return Handler(Settings({"MODEL_DIR": str(folder), **environment}))


def ask(its: Handler, content: object, query: str = "", path: str = "/predict") -> tuple[int, dict[str, Any]]:
    about = {"http": {"method": "POST"}}
    event = {"requestContext": about, "rawPath": path, "rawQueryString": query, "body": json.dumps(content)}
    answer: Any = its(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def applicants(count: int) -> list[dict[str, Any]]:
    frame, _ = draw(count, seed=5)
    frame = frame[["income", "age", "late_1", "late_2", "has_paid", "shop"]].astype(object)
    frame = frame.where(frame.notna(), None)
    rows: Any = frame.to_dict("records")
    paid = {1.0: True, 0.0: False, None: None}
    return [{"uuid": str(i), **row, "has_paid": paid[row["has_paid"]]} for i, row in enumerate(rows)]


def read(path: Path) -> Any:
    return json.loads(path.read_text())


# ---------------------------------------------------------------- answers


def test_points_add_up_to_the_last_digit_shown(model: Path) -> None:
    its = handler(model)
    for applicant in applicants(300):
        status, answer = ask(its, applicant, "explain=all")
        assert status == 200
        cost = [Decimal(str(reason["points"])) for reason in answer["reasons"]]
        base, other = Decimal(str(answer["base_points"])), Decimal(str(answer["other_points"]))
        assert base + sum(cost) + other == Decimal(str(round(answer["credit_score"], 2)))
        assert base + sum(Decimal(str(p)) for p in answer["points"].values()) == base + sum(cost) + other
        assert cost == sorted(cost)
        assert all(points < 0 for points in cost)
        assert len(cost) <= 5
        assert answer["reasons_basis"]["adds_up"] is True


def test_reasons_are_the_features_that_cost_most_with_their_text_code_and_value(model: Path) -> None:
    status, answer = ask(handler(model), {**APPLICANT, "income": 1}, "explain=all")
    assert status == 200
    first = answer["reasons"][0]
    assert first == {"name": "income", "code": "R01", "text": "Income is low", "points": first["points"], "value": 1}
    lowest = sorted(answer["points"].values())[:4]
    assert [reason["points"] for reason in answer["reasons"][:4]] == [points for points in lowest if points < 0]


def test_a_missing_value_has_a_text_of_its_own_by_language(model: Path) -> None:
    found = {}
    for applicant in applicants(400):
        for reason in ask(handler_of(model), applicant, "explain=true")[1]["reasons"]:
            if reason["value"] is None:
                found[reason["name"]] = reason["text"]
    assert found["age"] == {"en": "Age was not given", "de": "Alter fehlt"}
    assert {name for name, text in found.items() if text == f"{name.capitalize()}: no value"} & {
        "income",
        "late",
        "shop",
    }


HANDLERS: dict[Path, Handler] = {}


def handler_of(folder: Path) -> Handler:
    return HANDLERS.setdefault(folder, handler(folder))


def test_a_row_maximum_is_named_after_its_largest_feature(model: Path) -> None:
    its, named = handler_of(model), set()
    for late_1, late_2 in ((4, 0), (0, 4), (None, 4), (None, None)):
        applicant = {**APPLICANT, "income": 5e5, "age": 80, "late_1": late_1, "late_2": late_2, "shop": "books"}
        for reason in ask(its, applicant, "explain=true")[1]["reasons"]:
            if reason["name"].startswith("late"):
                named.add((reason["name"], reason["value"], late_1, late_2))
    assert {("late_1", 4, 4, 0), ("late_2", 4, 0, 4), ("late_2", 4, None, 4)} <= named


def test_a_fifth_reason_is_a_number_of_inquiries_that_costs_points(artifacts: Artifacts, tmp_path: Path) -> None:
    its = handler_with(artifacts, tmp_path, "[reason_texts]\nage = { inquiries = true }\n")
    fifths = 0
    for income, age, late, shop in product((900, 2_500, 9_000), range(20, 60, 5), (2, 4), ("shoes", "garden")):
        applicant = {"uuid": "1", "income": income, "age": age, "late_1": late, "has_paid": False, "shop": shop}
        answer = ask(its, applicant, "explain=all")[1]
        cost = [name for name, points in answer["points"].items() if points < 0]
        named = [reason["name"] for reason in answer["reasons"]]
        assert len(named) == min(len(cost), 4) + ("age" in cost and "age" not in named[:4])
        fifths += named[4:] == ["age"]
    assert fifths


def handler_with(artifacts: Artifacts, folder: Path, toml: str, **environment: str) -> Handler:
    (folder / "reasons.toml").write_text(toml)
    settings, own = reasons_settings(artifacts, str(folder / "reasons.toml"), SILENT)
    export(artifacts, folder / "with", SILENT, settings, own)
    return handler(folder / "with", **environment)


def test_batches_and_direct_invocations_give_the_same_reasons(model: Path) -> None:
    its, some = handler_of(model), applicants(40)
    alone = [ask(its, applicant, "explain=true")[1] for applicant in some]
    for content, query in (({"applicants": some, "explain": True}, ""), ({"applicants": some}, "explain=true")):
        assert ask(its, content, query, "/predict/batch")[1]["answers"] == alone
    direct: Any = its({"applicants": some, "explain": True}, None)
    assert direct["answers"] == alone
    assert [its({**applicant, "explain": True}, None) for applicant in some] == alone
    every: Any = its({**some[0], "explain": "all"}, None)
    assert every == ask(its, some[0], "explain=all")[1]


def test_a_refused_applicant_of_an_explained_batch_keeps_its_place(model: Path) -> None:
    some = applicants(3)
    some[1]["age"] = "old"
    status, answer = ask(handler_of(model), {"applicants": some, "explain": True}, "", "/predict/batch")
    assert status == 200
    assert ["reasons" in each for each in answer["answers"]] == [True, False, True]


@pytest.mark.parametrize(
    "event",
    [
        {"httpMethod": "POST", "path": "/predict", "queryStringParameters": {"explain": "true"}},
        {"httpMethod": "POST", "path": "/predict", "multiValueQueryStringParameters": {"explain": ["all", "true"]}},
        {
            "httpMethod": "POST",
            "path": "/predict",
            "requestContext": {"elb": {}},
            "queryStringParameters": {"explain": "true"},
        },
        {"method": "POST", "raw_path": "/predict?explain=true"},
        {
            "method": "POST",
            "path": "/predict",
            "requestContext": {"targetGroupArn": "a"},
            "queryStringParameters": {"explain": ["true"]},
        },
        {"requestContext": {"http": {"method": "POST"}}, "rawPath": "/predict", "rawQueryString": "a=b&explain=true"},
    ],
)
def test_every_event_may_ask(model: Path, event: dict[str, Any]) -> None:
    its = handler_of(model)
    answer: Any = its({**event, "body": json.dumps(APPLICANT)}, None)
    assert json.loads(answer["body"]) == ask(its, APPLICANT, "explain=true")[1]


def test_an_answer_without_reasons_is_what_it_was(model: Path, copy: Path) -> None:
    manifest = read(copy / "manifest.json")
    its, plain = handler_of(model), ask(handler_of(model), APPLICANT)[1]
    assert plain.keys() == {"uuid", "default_probability", "credit_score", "score_band", "model_version"}
    for query in ("", "explain=false", "other=true"):
        assert ask(its, APPLICANT, query) == (200, plain)
    explained = ask(its, APPLICANT, "explain=true")[1]
    assert {name: explained[name] for name in plain} == plain
    assert manifest["reasons"]["basis"]["reference_rows"] == 900


@pytest.mark.parametrize(
    ("content", "query", "status", "problem"),
    [
        (APPLICANT, "explain=yes", 400, "invalid-parameter"),
        ({"applicants": [], "explain": 1}, "", 400, "invalid-parameter"),
        ({"applicants": [], "explain": None}, "", 400, "invalid-parameter"),
        ({**APPLICANT, "explain": True}, "", 422, "invalid-applicant"),
    ],
)
def test_a_wish_that_is_none_is_refused(
    model: Path, content: dict[str, Any], query: str, status: int, problem: str
) -> None:
    path = "/predict/batch" if "applicants" in content else "/predict"
    found, answer = ask(handler_of(model), content, query, path)
    assert (found, answer["type"]) == (status, f"urn:lastbit:problem:{problem}")


def test_always_and_never(model: Path) -> None:
    assert "reasons" in ask(handler(model, EXPLAIN="always"), APPLICANT)[1]
    never = handler(model, EXPLAIN="never")
    assert "reasons" not in ask(never, APPLICANT)[1]
    status, answer = ask(never, APPLICANT, "explain=true")
    assert (status, answer["detail"]) == (409, "they are switched off (EXPLAIN=never)")
    with pytest.raises(SettingRefused, match="EXPLAIN: expected always, on-request or never, got 'yes'"):
        Settings({"EXPLAIN": "yes"})


def test_values_can_be_left_out(artifacts: Artifacts, tmp_path: Path) -> None:
    its = handler_with(artifacts, tmp_path, "[reasons]\nvalues = false\n")
    [first, *_] = ask(its, {**APPLICANT, "income": 1}, "explain=true")[1]["reasons"]
    assert first.keys() == {"name", "text", "points"}
    assert first["text"] == "Income"


def test_a_probability_at_its_limit_is_said(artifacts: Artifacts, copy: Path) -> None:
    from tests.runtime.model_builder import versioned

    manifest = read(copy / "manifest.json")
    manifest["score"]["probability_limits"] = [1e-8, 0.1]
    manifest["self_check"]["scores"] = []
    from runtime.score import Scale, band, scores_to_check

    scale = Scale(**{**manifest["score"], "probability_limits": (1e-8, 0.1)})
    manifest["self_check"]["scores"] = scores_to_check(scale, manifest["bands"])
    for row in manifest["self_check"]["rows"]:
        row["score"] = scale.score(row["probability"])
        row["band"] = band(row["score"], manifest["bands"])
    (copy / "manifest.json").write_text(json.dumps(versioned(manifest)))
    answer = ask(handler(copy), APPLICANT, "explain=true")[1]
    assert answer["default_probability"] > 0.1
    assert answer["reasons_basis"]["adds_up"] is False
    assert "limit" in answer["reasons_basis"]["note"]


def test_the_description_holds_what_is_answered(model: Path) -> None:
    its = handler_of(model)
    schemas = describe(its.service.model.manifest)["components"]["schemas"]
    for query in ("", "explain=true", "explain=all"):
        answer = ask(its, APPLICANT, query)[1]
        parts = [("Answer", answer)]
        if query:
            parts += [("ReasonsBasis", answer["reasons_basis"]), *(("Reason", each) for each in answer["reasons"])]
        for name, part in parts:
            assert {*schemas[name]["required"]} <= part.keys() <= schemas[name]["properties"].keys()
    never = describe(its.service.model.manifest, Settings({"EXPLAIN": "never"}))
    assert "Reason" not in never["components"]["schemas"]
    assert "reasons" not in never["components"]["schemas"]["Answer"]["properties"]


def test_no_line_of_the_log_holds_a_value_or_a_reason(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    its = handler(model, LOG_REQUESTS="on", METRICS="on")
    assert ask(its, {**APPLICANT, "income": 123456.75}, "explain=all")[0] == 200
    said = capfd.readouterr().out
    assert '"status":200' in said
    assert not any(word in said for word in ("123456", "income", "Income", "reasons", "points", "R01"))


# ---------------------------------------------------------------- start, files, damage


def test_a_start_that_explains_nothing_loads_nothing_of_it(model: Path) -> None:
    code = (
        "import sys\nfrom runtime.dispatch import Handler\nfrom runtime.settings import Settings\n"
        f"Handler(Settings({{'MODEL_DIR': {str(model)!r}}}))\n"
        "print(sorted({'runtime.explain', 'runtime.tables'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_certificate_and_package_hold_the_tables(model: Path, tmp_path: Path) -> None:
    certificate = read(model / "certificate.json")
    assert certificate["sha256"]["reasons.bin"] == sha256_of(model / "reasons.bin")
    assert certificate["reasons"]["largest_difference"] <= 2e-7
    assert certificate["reasons"]["rows"] == certificate["reasons"]["same_top_four"] == 40
    assert files_of(model) == ("model.onnx", "manifest.json", "reasons.bin", "batch.bin", "certificate.json")
    _assemble(tmp_path, model, [])
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == sorted(files_of(model))
    (model / "reasons.bin").touch()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def of_another_model(path: Path) -> None:
    digest = read(path.parent / "manifest.json")["sha256"]
    path.write_bytes(path.read_bytes().replace(digest.encode(), digest[::-1].encode()))


def of_other_bytes(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


@pytest.mark.parametrize("damage", [cut, of_another_model, of_other_bytes, Path.unlink])
def test_tables_that_are_not_the_model_s_are_refused_at_start(copy: Path, damage: Callable[[Path], None]) -> None:
    damage(copy / "reasons.bin")
    with pytest.raises(ModelRefused, match=r"reasons\.bin: .*; export the model again"):
        handler(copy)
    with pytest.raises(ExportRefused, match=r"reasons\.bin"):
        files_of(copy)


def test_one_bit_is_refused_before_the_first_explained_answer(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = bytearray((copy / "reasons.bin").read_bytes())
    content[-9] ^= 1
    (copy / "reasons.bin").write_bytes(content)
    its = handler(copy)
    assert ask(its, APPLICANT)[0] == 200
    assert ask(its, APPLICANT, "explain=true")[0] == 500
    assert "reasons.bin: sha256: expected" in capsys.readouterr().err
    with pytest.raises(ModelRefused, match=r"reasons\.bin: sha256"):
        handler(copy, EXPLAIN="always")


def test_tables_that_answer_otherwise_than_at_export_are_refused(copy: Path) -> None:
    from tests.runtime.model_builder import versioned

    manifest = read(copy / "manifest.json")
    manifest["self_check"]["rows"][3]["contributions"][0] += 1e-9
    (copy / "manifest.json").write_text(json.dumps(versioned(manifest)))
    with pytest.raises(ModelRefused, match=r"reasons\.bin: self-check row 3: expected"):
        handler(copy, EXPLAIN="always")


# ---------------------------------------------------------------- what the export leaves out, and why


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


def test_artifacts_of_before_export_as_they_did(artifacts: Artifacts, tmp_path: Path) -> None:
    from dataclasses import replace

    former = replace(artifacts, drawn={})
    export(former, tmp_path / "former", SILENT)
    assert {path.name for path in (tmp_path / "former").iterdir()} == {
        "model.onnx",
        "manifest.json",
        "batch.bin",
        "certificate.json",
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
    isotonic = trained(tmp_path, MORE + '[model]\ncalibration = "isotonic"\n')
    export(isotonic, tmp_path / "model", SILENT)
    answer = ask(handler(tmp_path / "model"), APPLICANT, "explain=all")[1]
    basis = answer["reasons_basis"]
    assert (basis["adds_up"], "before calibration" in basis["note"]) == (False, True)
    assert [reason["points"] for reason in answer["reasons"]] == sorted(p for p in answer["points"].values() if p < 0)[
        :4
    ]


# ---------------------------------------------------------------- verified


def certified_again(folder: Path) -> None:
    """Makes the records of a folder whose reasons.bin was changed fit, as somebody would who may write to it."""
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
    handler(copy, EXPLAIN="always")  # nothing that a start compares tells of it
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
    with pytest.raises(UserError, match='method = "tree-path" compares with no rows; leave it out'):
        handler_with(artifacts, tmp_path, '[reasons]\nmethod = "tree-path"\nreference = "best"\n')


def test_tables_of_other_groups_and_reference_are_built_again_too(artifacts: Artifacts, tmp_path: Path) -> None:
    groups = '[reason_groups]\nperson = ["age", "shop"]\nall_late = ["late"]\n'
    cutoff = float(np.median(artifacts.drawn[REFERENCE_ROWS].iloc[:, -1]))
    toml = f'[reasons]\nreference = "at-cutoff"\ncutoff = {cutoff}\nwindow = 35.7\n{groups}'
    handler_with(artifacts, tmp_path, toml)
    verify(tmp_path / "with", str(artifacts.folder), SILENT)


# ---------------------------------------------------------------- the local page


def test_the_local_page_shows_the_reasons_of_the_answer(model: Path, open_page: Callable[..., Any]) -> None:
    its = handler_of(model)
    with Server(its, pages={"/": page_of(its.service)}, quiet=True) as server:
        opened = open_page(f"{server.url}/")
        page = opened.page
        names = page.locator(".field .name").all_inner_texts()
        values = {"income": "900.5", "age": "", "late_1": "4", "late_2": ""}
        for name, text in values.items():
            page.locator(f"#field-{names.index(name)}").fill(text)
        for name, word in (("has_paid", "no"), ("shop", "shoes")):
            page.locator(f"#field-{names.index(name)}").select_option(label=word)
        page.locator("body:not(.stale) #curve[aria-busy=false] svg").wait_for()
        applicant = {"uuid": "1", "income": 900.5, "age": None, "late_1": 4, "late_2": None, "has_paid": False}
        answer = ask(its, {**applicant, "shop": "shoes"}, "explain=all")[1]
        shown = page.locator("#named .points").all_inner_texts()
        assert [float(text.replace("−", "-")) for text in shown] == [each["points"] for each in answer["reasons"]]
        assert "Income is low" in page.locator("#named").inner_text()
        bars = page.locator("#bars li")
        points = {
            bar.get_attribute("title"): float(bar.locator(".points").inner_text().replace("−", "-"))
            for bar in bars.all()[1:-1]
        }
        assert points == answer["points"]
        ends = [bars.nth(0).locator(".points").inner_text(), bars.last.locator(".points").inner_text()]
        assert ends == [f"{answer['base_points']:.2f}", f"{answer['credit_score']:.2f}"]
        assert "900 reference applicants" in page.locator("#basis").inner_text()
        assert opened.faults == []
    never = handler(model, EXPLAIN="never")
    with Server(never, pages={"/": page_of(never.service)}, quiet=True) as server:
        opened = open_page(f"{server.url}/")
        opened.page.locator("body:not(.stale) #curve[aria-busy=false] svg").wait_for()
        assert not opened.page.locator("#reasons").is_visible()
        assert opened.faults == []


# ---------------------------------------------------------------- the report


def part_of(artifacts: Artifacts, frame: pd.DataFrame) -> Part:
    settings = settings_from_dict(artifacts.run["settings"])
    return answer(settings, artifacts.pipeline, Labelled(frame, np.zeros(len(frame), dtype=np.int8)))


def test_the_report_shows_the_points_that_are_served(artifacts: Artifacts, model: Path) -> None:
    settings = settings_from_dict(artifacts.run["settings"])
    parts = {"train": part_of(artifacts, artifacts.drawn[REFERENCE_ROWS].iloc[:, :-1])}
    parts["test"] = part_of(artifacts, artifacts.sample.iloc[:300].reset_index(drop=True))
    evidence, why = explained(settings, artifacts.pipeline, parts, artifacts.run["bands"], None)
    assert why == ""
    assert evidence is not None
    assert len(evidence.waterfalls) == 3
    frame: Any = parts["test"].frame.astype(object).where(parts["test"].frame.notna(), None)
    paid = {1.0: True, 0.0: False, None: None}
    for waterfall in evidence.waterfalls:
        steps = sorted((size, name.split(":")[0]) for name, size in waterfall.steps)
        alike = []
        for row in np.flatnonzero(np.round(parts["test"].score, 2) == waterfall.total):
            raw = frame.iloc[row].to_dict()
            served = ask(handler_of(model), {"uuid": "1", **raw, "has_paid": paid[raw["has_paid"]]}, "explain=all")[1]
            assert waterfall.base == served["base_points"]
            assert served["reasons_basis"]["reference_rows"] == evidence.rows
            alike.append(sorted((points, name) for name, points in served["points"].items() if points) == steps)
        assert any(alike)


def test_a_reference_that_leaves_too_few_rows_leaves_the_report_without_reasons(artifacts: Artifacts) -> None:
    part = part_of(artifacts, artifacts.sample.iloc[:300].reset_index(drop=True))
    settings = settings_from_dict(artifacts.run["settings"] | {"reasons": {"reference": "at-cutoff", "cutoff": 5_000}})
    evidence, why = explained(settings, artifacts.pipeline, {"train": part, "test": part}, artifacts.run["bands"], None)
    assert evidence is None
    assert "at-cutoff: expected 100 rows or more, found 0" in why
    wanted = settings_from_dict(artifacts.run["settings"] | {"reasons": {"reference": "none"}})
    assert explained(wanted, artifacts.pipeline, {"train": part, "test": part}, artifacts.run["bands"], None)[1] == ""


# ---------------------------------------------------------------- rounding


def test_shares_add_up_and_are_off_by_less_than_one_cent() -> None:
    rng = np.random.default_rng(0)
    for size in range(1, 30):
        exact = (rng.normal(size=size) * 10.0 ** rng.integers(-2, 5)).tolist()
        total = round(sum(exact))
        cents = shares(exact, total)
        assert sum(cents) == total
        assert max(abs(c - e) for c, e in zip(cents, exact, strict=True)) < 1
        assert shares(exact, None) == cents
    assert shares([], 3) == []
    assert sum(shares([0.1, -0.1], 5)) == 5
    assert sum(shares([0.1, -0.1], -7)) == -7
