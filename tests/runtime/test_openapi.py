"""The OpenAPI description comes from the manifest, and its example works."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime.manifest import Manifest
from runtime.openapi import describe, example
from runtime.settings import Settings
from tests.runtime.model_builder import SMALL_FEATURES, reference_request, versioned
from tests.runtime.sending import send

if TYPE_CHECKING:
    from runtime.dispatch import Handler
    from tests.runtime.conftest import MakeHandler


@pytest.fixture(scope="module")
def manifest(small_model: Path) -> Manifest:
    return Manifest.read(str(small_model / "manifest.json"))


def test_every_field_has_its_type_range_and_vocabulary(manifest: Manifest) -> None:
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


def test_ignored_unknown_fields_are_allowed_by_the_schema(manifest: Manifest) -> None:
    document = describe(manifest, Settings({"UNKNOWN_FIELDS": "ignore"}))
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
    routes = {path: {method.upper() for method in item} for path, item in document["paths"].items()}
    _, _, refusal = send(handler, "GET", "/none")
    assert refusal["detail"] == f"expected one of {', '.join(sorted(routes))}"
    for path, methods in routes.items():
        status, headers, _ = send(handler, "BREW", path)
        assert (status, set(headers["allow"].split(", ")) - {"HEAD"}) == (405, methods - {"HEAD"})
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
    batch = send(handler, "POST", "/predict/batch", {"applicants": [3, {"uuid": "1", "x": 1}]})[2]
    assert list(batch["answers"][0]) == schemas["RefusedApplicant"]["required"]
    assert set(batch["answers"][1]) == set(schemas["RefusedApplicant"]["properties"])
    assert list(batch) == schemas["BatchAnswer"]["required"]


def test_features_without_range_or_vocabulary_have_an_example(manifest: Manifest) -> None:
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


def as_a_client_reads(value: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value as a client that was generated from the schema keeps it: the named properties only."""
    if "$ref" in schema:
        return as_a_client_reads(value, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        [match] = [option for option in schema["anyOf"] if is_one(value, schemas[option["$ref"].rpartition("/")[2]])]
        return as_a_client_reads(value, match, schemas)
    if isinstance(value, list):
        return [as_a_client_reads(entry, schema["items"], schemas) for entry in value]
    if isinstance(value, dict):
        properties = schema["properties"]
        return {name: as_a_client_reads(value[name], properties[name], schemas) for name in value if name in properties}
    return value


def is_one(value: dict[str, Any], schema: dict[str, Any]) -> bool:
    properties = schema["properties"]
    constants = {name: its["const"] for name, its in properties.items() if "const" in its and name in value}
    return set(schema["required"]) <= value.keys() and all(value[name] == its for name, its in constants.items())


def test_a_generated_client_keeps_the_ids_of_refused_applicants(handler: "Handler") -> None:
    """By exactly one schema of the two for each entry, with nothing of the answer lost."""
    applicants = [reference_request(), {"uuid": "refused-1", "x": 1}, 3, {"uuid": 7}, {"uuid": "refused-2", "y": 1}]
    answer = send(handler, "POST", "/predict/batch", {"applicants": applicants})[2]
    document = send(handler, "GET", "/openapi.json")[2]
    schemas = document["components"]["schemas"]
    responses = document["paths"]["/predict/batch"]["post"]["responses"]
    read = as_a_client_reads(answer, responses["200"]["content"]["application/json"]["schema"], schemas)
    assert read == answer
    assert [entry.get("uuid") for entry in read["answers"]] == ["1234", "refused-1", None, None, "refused-2"]


def test_what_the_gateway_answers_is_described(handler: "Handler") -> None:
    document = send(handler, "GET", "/openapi.json")[2]
    gateway = {"type": "about:blank", "title": "THROTTLED", "status": 429, "detail": "Limit", "request_id": "1"}
    schemas = document["components"]["schemas"]
    assert gateway["type"] in schemas["Problem"]["properties"]["type"]["enum"]
    assert as_a_client_reads(gateway, schemas["Problem"], schemas) == gateway
    for item in document["paths"].values():
        for operation in item.values():
            for status in ("403", "413", "429", "504"):
                content = operation["responses"][status]["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    [(name, scheme)] = document["components"]["securitySchemes"].items()
    assert scheme == {"type": "apiKey", "name": "x-api-key", "in": "header"}
    assert document["security"] == [{name: []}, {}]


DOMAIN = "scores.example.com"


@pytest.mark.parametrize(
    ("event", "url"),
    [
        ({"rawPath": "/openapi.json"}, "/"),
        ({"rawPath": "/openapi.json", "domainName": DOMAIN}, f"https://{DOMAIN}"),
        ({"rawPath": "/prod/openapi.json", "stage": "prod", "domainName": DOMAIN}, f"https://{DOMAIN}/prod"),
        ({"rawPath": "/prod//openapi.json/", "stage": "prod"}, "/prod"),
        ({"path": "/openapi.json", "its_path": "/prod/openapi.json", "domainName": DOMAIN}, f"https://{DOMAIN}/prod"),
        (
            {"path": "/credit/openapi.json", "resource": "/openapi.json", "domainName": DOMAIN},
            f"https://{DOMAIN}/credit",
        ),
        ({"path": "/openapi.json", "domainName": 3}, "/"),
    ],
)
def test_the_server_is_the_address_that_was_asked(handler: "Handler", event: dict[str, Any], url: str) -> None:
    about = {"stage": event.pop("stage", "$default"), "domainName": event.pop("domainName", None)}
    if "rawPath" in event:
        event["requestContext"] = about | {"http": {"method": "GET"}}
    else:
        event |= {"httpMethod": "GET", "requestContext": about | {"path": event.pop("its_path", event["path"])}}
    answer: Any = handler(event, None)
    assert json.loads(answer["body"])["servers"] == [{"url": url}]
