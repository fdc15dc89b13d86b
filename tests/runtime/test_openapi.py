"""The OpenAPI description comes from the manifest, and its example works."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime.manifest import Manifest
from runtime.openapi import describe, example
from tests.runtime.model_builder import SMALL_FEATURES, reference_request, versioned
from tests.runtime.test_handler import send

if TYPE_CHECKING:
    from runtime.dispatch import Handler
    from tests.runtime.conftest import MakeHandler


@pytest.fixture(scope="module")
def manifest(small_model: Path) -> Manifest:
    return Manifest.read(str(small_model / "manifest.json"))


def test_every_field_with_its_type_range_and_vocabulary(manifest: Manifest) -> None:
    applicant = describe(manifest)["components"]["schemas"]["Applicant"]
    fields = applicant["properties"]
    assert list(fields) == ["uuid", *(feature["name"] for feature in SMALL_FEATURES)]
    assert applicant["required"] == ["uuid", "age", "insured", "region"]
    assert applicant["additionalProperties"] is False
    assert fields["uuid"]["maxLength"] == 128
    assert fields["income"] == {
        "type": ["number", "null"],
        "description": "a month",
        "format": "double",
        "x-whole-number-limit": 2**53,
        "x-training-range": [0.0, 5000.0],
        "examples": [2500.0],
    }
    assert fields["owner"] == {"type": ["boolean", "null"], "examples": [True]}
    assert fields["debt"]["x-training-range"] is None
    assert fields["shop"]["x-vocabulary"] == ["Travel", "Café"]
    assert fields["region"] == {
        "type": "string",
        "x-vocabulary": ["north"],
        "minLength": 1,
        "examples": ["north"],
    }


def test_unknown_fields_by_setting(manifest: Manifest) -> None:
    document = describe(manifest, ignore_unknown_fields=True)
    assert document["components"]["schemas"]["Applicant"]["additionalProperties"] is True


def test_the_examples_work(small: "Handler", handler: "Handler") -> None:
    for served in (small, handler):
        _, _, document = send(served, "GET", "/openapi.json")
        for path in ("/predict", "/predict/batch"):
            sample = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
            status, _, answer = send(served, "POST", path, sample)
            assert status == 200
            assert "warnings" not in json.dumps(answer)
            assert answer.get("refused", 0) == 0


def test_every_route_is_described(handler: "Handler") -> None:
    _, _, document = send(handler, "GET", "/openapi.json")
    routes = {path: [method.upper() for method in item] for path, item in document["paths"].items()}
    assert routes == {path: list(methods) for path, methods in handler.service._routes.items()}
    assert document["openapi"] == "3.1.0"


def test_every_reference_leads_somewhere(manifest: Manifest) -> None:
    document = describe(manifest)
    schemas = document["components"]["schemas"]

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [found for inner in value.values() for found in references(inner)]
        return [found for inner in value for found in references(inner)] if isinstance(value, list) else []

    assert {reference.removeprefix("#/components/schemas/") for reference in references(document)} == set(schemas)


def test_answers_have_the_members_described(make_handler: "MakeHandler", manifest: Manifest) -> None:
    handler = make_handler()
    schemas = describe(manifest)["components"]["schemas"]
    answer = send(handler, "POST", "/predict", reference_request())[2]
    assert list(answer) == schemas["Answer"]["required"]
    warned = send(handler, "POST", "/predict", reference_request() | {"time_hours": 1e9})[2]
    assert set(warned) == set(schemas["Answer"]["properties"])
    refused = send(handler, "POST", "/predict", {"uuid": 1})[2]
    assert set(refused) == set(schemas["Problem"]["properties"])
    batch = send(handler, "POST", "/predict/batch", {"applicants": [3]})[2]
    assert list(batch) == schemas["BatchAnswer"]["required"]


def test_an_example_of_features_without_range_or_vocabulary(manifest: Manifest) -> None:
    document = json.loads(json.dumps(manifest.document))
    document["features"][4].update(nullable=False)
    document["features"][5].update(vocabulary=[])
    document["features"][6].update(vocabulary=[])
    document["features"][0].update(range=[-1.7e308, 1.7e308])
    sample = example(Manifest(versioned(document)))
    assert (sample["debt"], sample["shop"], sample["region"], sample["income"]) == (
        0.0,
        None,
        "none",
        -1.7e308,
    )
