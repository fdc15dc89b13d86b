"""A manifest that is not whole, or contradicts itself, is refused with one line that says what to do."""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.manifest import EXPORT_AGAIN, Manifest, ModelRefused
from tests.runtime.model_builder import SMALL_FEATURES, build_model, versioned

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return build_model(tmp_path_factory.mktemp("model"), SMALL_FEATURES)


def test_a_manifest_holds_features_scale_limits_and_self_check(document: dict[str, Any]) -> None:
    manifest = Manifest(document)
    assert [feature.name for feature in manifest.numbers] == ["income", "owner", "age", "insured", "debt"]
    assert [feature.name for feature in manifest.categories] == ["shop", "region"]
    income, owner, age, _, debt, shop, _ = manifest.features
    assert (income.range, income.nullable, income.description) == ((0.0, 5000.0), True, "a month")
    assert (owner.type, age.nullable, debt.range) == ("boolean", False, None)
    assert shop.vocabulary == ("Travel", "Café")
    assert manifest.scale.points_to_double == 20
    assert manifest.batch_limit == 1000
    assert all(math.isnan(number) for number in manifest.self_check[0].numbers)


def test_the_inputs_give_the_order(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    changed["inputs"]["numbers"].reverse()
    changed["self_check"]["inputs"]["numbers"].reverse()
    assert [f.name for f in Manifest(versioned(changed)).numbers] == document["inputs"]["numbers"][::-1]


REFUSED: list[tuple[Change, str]] = [
    (lambda d: d.pop("sha256"), "sha256: expected a value, got none"),
    (lambda d: d.pop("self_check"), "self_check: expected a value, got none"),
    (lambda d: d.update(schema_version="1"), 'schema_version: expected a whole number, got "1"'),
    (lambda d: d.update(schema_version=0), "schema_version: expected 2, got 0"),
    (lambda d: d.update(features={}), "features: expected a list, got {}"),
    (lambda d: d.update(inputs=[]), "inputs: expected an object, got []"),
    (lambda d: d.update(calibration=None), "calibration: expected an object, got null"),
    (lambda d: d["features"].append(3), "features[7]: expected an object, got 3"),
    (lambda d: d["features"][0].pop("name"), "features[0]: name: expected a value, got none"),
    (lambda d: d["features"][0].pop("range"), "features[0]: range: expected a value, got none"),
    (
        lambda d: d["features"][0].update(type="float"),
        'features[0]: type: expected number, boolean or category, got "float"',
    ),
    (
        lambda d: d["features"][0].update(range=[2, 1]),
        "features[0]: range: expected the lowest and the highest number, or null, got [2.0, 1.0]",
    ),
    (
        lambda d: d["features"][0].update(range=["a", 1]),
        'features[0]: range[0]: expected a finite number, got "a"',
    ),
    (lambda d: d["features"][1].update(nullable=1), "features[1]: nullable: expected true or false, got 1"),
    (
        lambda d: d["features"][5].update(vocabulary=["a", "a"]),
        'features[5]: vocabulary: expected different categories, none empty, got ["a", "a"]',
    ),
    (lambda d: d["features"][5].update(closed=1), "features[5]: closed: expected true or false, got 1"),
    (
        lambda d: d["features"][0].update(closed=True),
        "features[0]: closed: expected false for anything but a category, got true",
    ),
    (
        lambda d: d["features"][5].update(vocabulary=[None]),
        "features[5]: vocabulary[0]: expected a string, got null",
    ),
    (
        lambda d: d["inputs"]["numbers"].append("shop"),
        'inputs: numbers: expected every feature of type number or boolean, once, got ["shop"]',
    ),
    (
        lambda d: d["inputs"]["numbers"].remove("age"),
        'inputs: numbers: expected every feature of type number or boolean, once, got ["age"]',
    ),
    (
        lambda d: d["inputs"].update(categories=["shop", "shop", "region"]),
        'inputs: categories: expected every feature of type category, once, got ["region", "shop", "shop"]',
    ),
    (
        lambda d: d["features"].append(d["features"][0]),
        "features: expected the id and every feature named once",
    ),
    (lambda d: d.update(id="age"), "features: expected the id and every feature named once"),
    (lambda d: d["score"].update(odds=0), "score: odds: expected a number above 0, got 0.0"),
    (lambda d: d["score"].update(points=True), "score: points: expected a finite number, got true"),
    (
        lambda d: d["score"].update(points_to_double=-20),
        "score: points_to_double: expected a number above 0, got -20.0",
    ),
    (
        lambda d: d["score"].update(probability_limits=[0, 1]),
        "score: probability_limits: expected two ascending probabilities between 0 and 1, got [0.0, 1.0]",
    ),
    (
        lambda d: d["score"].update(points_to_double=1e308),
        "score: probability_limits: expected limits that have finite scores on this scale, got [1e-08, 0.99999999]",
    ),
    (
        lambda d: d.update(reasons={"file": {"bytes": 0}}),
        "reasons: file: expected the size of a file that is not empty, got 0",
    ),
    (
        lambda d: d.update(batch={"file": {"bytes": -1}}),
        "batch: file: expected the size of a file that is not empty, got -1",
    ),
    (lambda d: d.update(bands=[1]), "bands: expected two or more ascending edges, got [1.0]"),
    (lambda d: d.update(bands=[1, 1]), "bands: expected two or more ascending edges, got [1.0, 1.0]"),
    (
        lambda d: d.update(branches=[{"numbers": [99], "below": 0.5}]),
        "branches[0]: numbers: expected positions in the inputs' numbers, got [99]",
    ),
    (
        lambda d: d.update(branches=[{"category": 7, "is": "x"}]),
        "branches[0]: category: expected a position in the inputs' categories, got 7",
    ),
    (lambda d: d.update(branches=d["branches"] * 33), "branches: expected at most 32, got 33"),
    (lambda d: d["limits"].update(batch=0), "limits: batch: expected 1 to 10000 applicants, got 0"),
    (
        lambda d: d.update(tolerance={"stated": 0.01, "largest_difference": 0, "steps": []}),
        "tolerance: stated: expected a number from 0 to 0.001, got 0.01",
    ),
    (
        lambda d: d.update(tolerance={"stated": 1e-6, "largest_difference": 1e-5, "steps": []}),
        "tolerance: largest_difference: expected a number from 0 to 1e-06, got 1e-05",
    ),
    (
        lambda d: d["self_check"].update(probability_tolerance=1e-6),
        "self_check: probability_tolerance: expected a number from 0 to 1e-07, got 1e-06",
    ),
    (lambda d: d["self_check"].update(rows=[]), "self_check: rows: expected 8 rows or more, got 0"),
    (
        lambda d: d["self_check"]["rows"][1]["numbers"].pop(),
        "self_check: rows[1]: numbers: expected 5 values, got 4",
    ),
    (
        lambda d: d["self_check"]["rows"][1].update(categories=[]),
        "self_check: rows[1]: categories: expected 2 values, got 0",
    ),
    (
        lambda d: d["self_check"]["rows"][1].update(margin=[None]),
        "self_check: rows[1]: margin[0]: expected a finite number, got null",
    ),
]


@pytest.mark.parametrize(("change", "line"), REFUSED, ids=[line[:60] for _, line in REFUSED])
def test_what_is_wrong_is_named(document: dict[str, Any], change: Change, line: str) -> None:
    changed = copy.deepcopy(document)
    change(changed)
    with pytest.raises(ModelRefused) as refusal:
        Manifest(changed, "model/manifest.json")
    message = str(refusal.value)
    assert message.startswith(f"model/manifest.json: {line}")
    assert message.endswith(f"; {EXPORT_AGAIN}")
    assert "\n" not in message


def test_a_newer_schema_asks_for_a_newer_runtime(document: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused) as refusal:
        Manifest({**document, "schema_version": 3}, "m")
    assert str(refusal.value) == "m: schema_version: expected 2, got 3; deploy a newer runtime"


def test_long_values_are_cut(document: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused) as refusal:
        Manifest({**document, "bands": "x" * 1000}, "m")
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            b'{"schema_version": 1,',
            "Expecting property name enclosed in double quotes: line 1 column 22 (char 21)",
        ),
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b'{"bands": [NaN]}', "NaN, which is not JSON"),
        (b"\xff{}", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
)
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "manifest.json"
    file.write_bytes(content)
    with pytest.raises(ModelRefused) as refusal:
        Manifest.read(str(file))
    assert str(refusal.value) == f"{file}: expected JSON, got: {reason}; {EXPORT_AGAIN}"


def test_a_deep_manifest_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_bytes(b"[" * 100_000)
    with pytest.raises(ModelRefused, match="expected JSON, got: more than 32 levels of arrays and objects"):
        Manifest.read(str(file))
