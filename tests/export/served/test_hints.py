"""Hints: each change that an answer names reaches the next band up, and no smaller change of that feature does."""

import json
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.errors import UserError
from export.converters.classifier import boosters_of
from export.reasons import hints as exported_hints
from export.refusal import ExportRefused
from export.to_onnx import export
from export.verify import verify
from local.page import page_of
from local.server import Server
from runtime.dispatch import Handler
from runtime.hints import EACH, HIGHEST, NONE
from tests.export.served.exported import (
    APPLICANT,
    SILENT,
    applicants,
    ask,
    handler,
    handler_of,
    handler_with,
    read,
    trained,
)
from training.artifacts import Artifacts

pytestmark = pytest.mark.tier("land")

# income falls by its constraint, late_1 rises with its row maximum's; nothing constrains age.
MORE = """
[xgboost]
n_estimators = 25
max_depth = 4
[xgboost.monotone_constraints]
income = -1
late = 1
[evaluation]
plots = false
resamples = 50
[reasons]
hints = true
[reason_texts]
income = { actionable = true }
age = { actionable = true, direction = "up" }
late_1 = { actionable = true }
has_paid = { actionable = true, direction = "up" }
shop = { actionable = true, levels = ["books", "garden"] }
"""
NAMES = ["income", "age", "late_1", "has_paid", "shop"]


def hinted(its: Handler, applicant: dict[str, Any]) -> dict[str, Any]:
    status, answer = ask(its, applicant, "explain=true")
    assert status == 200
    return answer


def next_band(model: Path, answer: dict[str, Any]) -> tuple[float, str]:
    """The lowest score of the band above an answer's, and its name; infinite in the highest."""
    edges = read(model / "manifest.json")["bands"]
    at = bisect_right(edges[:-1], answer["credit_score"])
    if at == len(edges) - 1:
        return np.inf, ""
    return edges[at], f"[{edges[at]:g}, {edges[at + 1]:g}{']' if at == len(edges) - 2 else ')'}"


def thresholds_of(artifacts: Artifacts, name: str) -> set[float]:
    """The thresholds of a raw number, from XGBoost's own dump, with log1p inverted."""
    preparation: Any = artifacts.pipeline[0]
    columns = list(preparation.get_feature_names_out())
    column = columns.index({"income": "log1p(income)", "late_1": "late"}.get(name, name))
    found: set[float] = set()
    for booster in boosters_of(artifacts.pipeline[1]):
        trees = booster.get_booster().trees_to_dataframe()
        found |= set(trees.loc[trees["Feature"] == f"f{column}", "Split"].astype(float))
    return {float(np.expm1(t)) for t in found} if name == "income" else found


def test_each_hint_reaches_the_next_band_and_none_is_larger_than_needed(
    artifacts: Artifacts, model: Path, sample: Callable[..., list[Any]]
) -> None:
    """All values beside every threshold of the boosters are scored: the nearest that reaches is the hint's."""
    its = handler_of(model)
    schema = {entry["name"]: entry for entry in read(model / "manifest.json")["features"]}
    up = {"income": True, "age": True, "late_1": False}
    thresholds = {name: thresholds_of(artifacts, name) for name in up}
    seen: dict[str, int] = dict.fromkeys(NAMES, 0)
    notes = set()
    for applicant in sample(applicants(200), 60):
        answer = hinted(its, applicant)
        edge, band = next_band(model, answer)
        basis = answer["hints_basis"]
        notes.add(basis["note"])
        assert basis["features"] == NAMES
        if not band:
            assert (answer["hints"], basis["note"], "score_band" in basis) == ([], HIGHEST, False)
            continue
        assert (basis["score_band"], basis["credit_score"]) == (band, edge)
        assert basis["note"] == (EACH if answer["hints"] else NONE)
        hints = {hint["name"]: hint for hint in answer["hints"]}
        for name, hint in hints.items():
            seen[name] += 1
            assert hint["from"] == applicant[name]
            then = ask(its, {**applicant, name: hint["to"]})[1]
            assert then["credit_score"] == hint["credit_score"] >= edge
            assert then["score_band"] == hint["score_band"]
            assert "warnings" not in then or all(name not in str(each) for each in then["warnings"])
        for name, rises in up.items():
            given = applicant[name]
            if given is None:
                assert name not in hints
                continue
            low, high = schema[name]["range"]
            beyond = _beside(thresholds[name], whole=name != "income")
            values = sorted({v for v in beyond if low <= v <= high and (v > given if rises else v < given)})
            tried = values if rises else values[::-1]
            batch = {"applicants": [{**applicant, "uuid": str(i), name: value} for i, value in enumerate(tried)]}
            scores = [a["credit_score"] for a in ask(its, batch, path="/predict/batch")[1]["answers"]] if tried else []
            first = next((value for value, score in zip(tried, scores, strict=True) if score >= edge), None)
            if first is None:
                assert name not in hints
            else:
                assert hints[name]["to"] == pytest.approx(first, rel=1e-6)
                assert isinstance(hints[name]["to"], int) or name == "income"
        if applicant["has_paid"] is not False:
            assert "has_paid" not in hints
        if "shop" in hints and applicant["shop"] != "books" and hints["shop"]["to"] != "books":
            assert ask(its, {**applicant, "shop": "books"})[1]["credit_score"] < edge
    assert notes == {EACH, HIGHEST, NONE}
    assert min(seen.values()) > 0


def _beside(thresholds: set[float], *, whole: bool) -> set[float]:
    if whole:
        return {float(np.floor(t)) + step for t in thresholds for step in (-1, 0, 1)}
    return {t * (1 + step) for t in thresholds for step in (-3e-7, 3e-7)}


def test_a_batch_has_the_hints_of_each_alone(model: Path) -> None:
    its = handler_of(model)
    some = applicants(40)
    answers = ask(its, {"explain": True, "applicants": some}, path="/predict/batch")[1]["answers"]
    assert answers == [hinted(its, applicant) for applicant in some]
    assert any(answer["hints"] for answer in answers)
    assert "hints" not in ask(its, some[0])[1]


def test_the_manifest_the_certificate_and_openapi_say_what_hints_are(model: Path) -> None:
    manifest, certificate = read(model / "manifest.json"), read(model / "certificate.json")
    assert manifest["reasons"]["hints"] == [
        {"name": "income", "direction": "up", "monotone": True, "whole": False},
        {"name": "age", "direction": "up", "monotone": False, "whole": True},
        {"name": "late_1", "direction": "down", "monotone": True, "whole": True},
        {"name": "has_paid", "direction": "up", "monotone": False},
        {"name": "shop", "levels": ["books", "garden"]},
    ]
    counts = certificate["hints"]
    assert counts["rows"] == 200
    assert counts["hints"] == counts["reached"] == counts["nearest"] > 100
    about = {"http": {"method": "GET"}}
    described: Any = handler_of(model)({"requestContext": about, "rawPath": "/openapi.json"}, None)
    schemas = json.loads(described["body"])["components"]["schemas"]
    assert set(schemas["Answer"]["properties"]) >= {"hints", "hints_basis"}
    answer = next(answer for each in applicants(40) if (answer := hinted(handler_of(model), each))["hints"])
    assert set(answer["hints_basis"]) == set(schemas["HintsBasis"]["properties"])
    assert set(answer["hints"][0]) == set(schemas["Hint"]["properties"])


def test_hints_change_without_training(artifacts: Artifacts, model: Path, tmp_path: Path) -> None:
    toml = '[reasons]\nhints = true\nvalues = false\n[reason_texts.age]\nactionable = true\ndirection = "up"\n'
    its = handler_with(artifacts, tmp_path, toml)
    assert (tmp_path / "with" / "model.onnx").read_bytes() == (model / "model.onnx").read_bytes()
    found = [hint for applicant in applicants(60) for hint in hinted(its, applicant)["hints"]]
    assert {frozenset(hint) for hint in found} == {frozenset({"name", "to", "credit_score", "score_band"})}
    verify(tmp_path / "with", str(artifacts.folder), SILENT)
    off = handler_with(artifacts, tmp_path, "[reasons]\nhints = false\n")
    answer = hinted(off, APPLICANT)
    assert not {"hints", "hints_basis"} & set(answer)
    assert "hints" not in read(tmp_path / "with" / "certificate.json")
    assert "hints" not in read(tmp_path / "with" / "manifest.json")["reasons"]


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (
            "[reasons]\nhints = true\n",
            "reasons.hints: needs a feature to change; mark one in [reason_texts.NAME]: actionable",
        ),
        (
            '[reasons]\nhints = true\nreference = "none"\n[reason_texts.income]\nactionable = true\n',
            'reasons.hints: needs reasons, and reasons.reference = "none" leaves them out; change one',
        ),
        ("[reason_texts.incme]\nactionable = true\n", "reason_texts.incme: no such feature or group; did you mean in"),
        ("[reason_texts.late]\nactionable = true\n", "reason_texts.late.actionable: a hint changes one feature, and"),
        ("[reason_texts.age]\nactionable = true\n", "reason_texts.age.direction: the model has no monotone constraint"),
        ('[reason_texts.income]\nactionable = true\ndirection = "down"\n', '"down" never raises the score, by the'),
        ('[reason_texts.age]\nactionable = true\ndirection = "left"\n', 'expected "up" or "down", got "left"'),
        ('[reason_texts.age]\ndirection = "up"\n', "direction: goes with actionable = true; set it too"),
        ("[reason_texts.shop]\nactionable = true\n", "reason_texts.shop.levels: an actionable category needs the lev"),
        (
            '[reasons]\nhints = true\n[reason_texts.shop]\nactionable = true\nlevels = ["boks"]\n',
            'reason_texts.shop.levels: the model has no level "boks"; did you mean books',
        ),
        (
            '[reason_texts.shop]\nactionable = true\nlevels = ["books"]\ndirection = "up"\n',
            "reason_texts.shop.direction: a category has no direction",
        ),
        (
            '[reason_texts.age]\nactionable = true\ndirection = "up"\nlevels = ["1"]\n',
            "reason_texts.age.levels: needs a category feature, got a number; leave it out",
        ),
    ],
)
def test_hints_that_cannot_be_are_refused(artifacts: Artifacts, tmp_path: Path, toml: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        handler_with(artifacts, tmp_path, toml)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_hint_that_does_not_hold_stops_the_export(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = exported_hints._nearer
    monkeypatch.setattr(exported_hints, "_nearer", lambda model, name, given, value: value)
    with pytest.raises(ExportRefused, match="hints miss the band that they name, or are not the smallest change"):
        export(artifacts, tmp_path / "model", SILENT)
    assert right is not exported_hints._nearer
    assert not (tmp_path / "model").exists()


def test_a_model_without_tables_of_reasons_gives_no_hints(artifacts: Artifacts, tmp_path: Path) -> None:
    toml = "[reasons]\nhints = true\nlimit = 0.001\n[reason_texts.income]\nactionable = true\n"
    its = handler_with(artifacts, tmp_path, toml)
    assert ask(its, APPLICANT, "explain=true")[0] == 409
    assert "hints" not in read(tmp_path / "with" / "certificate.json")


@pytest.mark.tier("full")
def test_an_isotonic_model_gives_hints_too(tmp_path: Path) -> None:
    artifacts = trained(tmp_path, MORE + '[model]\ncalibration = "isotonic"\n')
    export(artifacts, tmp_path / "model", SILENT)
    counts = read(tmp_path / "model" / "certificate.json")["hints"]
    assert counts["hints"] == counts["reached"] > 50
    verify(tmp_path / "model", str(artifacts.folder), SILENT)


def test_a_click_on_a_hint_of_the_local_page_makes_the_change(model: Path, open_page: Callable[..., Any]) -> None:
    its = handler(model)
    with Server(its, pages={"/": page_of(its.service)}, quiet=True) as server:
        opened = open_page(f"{server.url}/")
        page = opened.page
        done = page.locator("body:not(.stale) #curve[aria-busy=false] svg")
        names = page.locator(".field .name").all_inner_texts()
        applicant = next(
            each
            for each in applicants(200)
            if {"income", "shop"} <= {hint["name"] for hint in hinted(its, each)["hints"]} and None not in each.values()
        )
        for name in ("income", "age", "late_1", "late_2"):
            page.locator(f"#field-{names.index(name)}").fill(repr(applicant[name]))
        page.locator(f"#field-{names.index('has_paid')}").select_option(label="yes" if applicant["has_paid"] else "no")
        page.locator(f"#field-{names.index('shop')}").select_option(label=applicant["shop"])
        done.wait_for()
        answer = hinted(its, applicant)
        assert page.locator("#changes .points").all_inner_texts() == [
            f"{hint['credit_score']:.1f}" for hint in answer["hints"]
        ]
        assert answer["hints_basis"]["score_band"] in page.locator("#hints-note").inner_text()
        for number, hint in enumerate(answer["hints"]):
            if hint["name"] in ("income", "shop"):
                page.locator("#changes button").nth(number).click()
                done.wait_for()
                shown = float(page.locator("#score").get_attribute("data-exact") or "nan")
                assert shown == hint["credit_score"]
                break
        assert opened.faults == []
