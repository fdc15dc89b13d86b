"""The resources of the API: paths, methods, stages and origins."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.runtime.model_builder import reference_request

if TYPE_CHECKING:
    from runtime.dispatch import Handler
    from tests.runtime.conftest import MakeHandler
from tests.runtime.sending import HEADERS, SMALL, problem, send


def test_home_and_health_answer_with_the_model_version(handler: "Handler", reference_model: Path) -> None:
    manifest = json.loads((reference_model / "manifest.json").read_text())
    assert send(handler, "GET", "/") == (200, HEADERS, "Home")
    health = {"status": "ok", "model_version": manifest["model_version"]}
    assert send(handler, "GET", "/health") == (200, HEADERS, health)


def test_the_model_is_described_by_its_manifest(handler: "Handler", reference_model: Path) -> None:
    manifest = json.loads((reference_model / "manifest.json").read_text())
    for member in ("self_check", "reference"):
        manifest.pop(member)
    assert send(handler, "GET", "/model") == (200, HEADERS, manifest)


@pytest.mark.parametrize("path", ["/", "/health", "/model", "/openapi.json"])
def test_head_is_get_without_a_body(handler: "Handler", path: str) -> None:
    assert send(handler, "HEAD", path) == (200, HEADERS, None)


def test_head_of_an_unknown_path_is_404_without_a_body(handler: "Handler") -> None:
    status, _, answer = send(handler, "HEAD", "/none")
    assert (status, answer) == (404, None)


@pytest.mark.parametrize("path", ["", "/", "//"])
def test_a_path_of_slashes_alone_is_the_root(handler: "Handler", path: str) -> None:
    status, headers, answer = send(handler, "POST", path, SMALL)
    assert (status, headers["allow"], answer["title"]) == (405, "GET, HEAD", "Method not allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/none",
        "/predict/x",
        "/PREDICT",
        "predict",
        "/%2Fpredict",
        "/predict%2f",
        "/%2570redict",
        "/./predict",
        "/predict\ud800",
    ],
)
def test_a_path_that_is_no_resource_is_refused_with_all_that_are(handler: "Handler", path: str) -> None:
    status, headers, answer = send(handler, "POST", path, SMALL)
    assert (status, headers["content-type"]) == (404, "application/problem+json")
    assert answer == problem(
        "not-found",
        404,
        "Resource not found",
        "expected one of /, /health, /model, /openapi.json, /predict, /predict/batch",
    )


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/predict", "POST"),
        ("DELETE", "/predict/batch", "POST"),
        ("POST", "/", "GET, HEAD"),
        ("OPTIONS", "/predict", "POST"),
        ("post", "/predict", "POST"),
        ("", "/health", "GET, HEAD"),
    ],
)
def test_another_method_is_refused_with_those_allowed(handler: "Handler", method: str, path: str, allow: str) -> None:
    status, headers, answer = send(handler, method, path)
    assert (status, headers["allow"]) == (405, allow)
    assert answer == problem("method-not-allowed", 405, "Method not allowed", f"expected {allow}")


@pytest.mark.parametrize(
    ("path", "stage", "base_path"),
    [
        ("/predict/", "$default", ""),
        ("/prod/predict", "prod", ""),
        ("/prod/predict/", "prod", ""),
        ("/credit/predict", "$default", "/credit"),
        ("/credit/prod/predict", "prod", "/credit"),
        ("/prod/credit/predict", "prod", "/credit"),
        ("//prod//credit///predict//", "prod", "/credit"),
        ("/predict/predict", "predict", "/predict"),
        ("//predict", "$default", ""),
        ("/prod//predict", "prod", ""),
        ("/%70redict", "$default", ""),
        ("/pro%64/predic%74", "prod", ""),
        ("/cr%65dit/predict", "$default", "/credit"),
        ("/predict", "predict", ""),
        ("/predict/predict", "predict", ""),
    ],
)
def test_stage_and_base_path_are_taken_off_the_path(
    make_handler: "MakeHandler", path: str, stage: str, base_path: str
) -> None:
    handler = make_handler(BASE_PATH=base_path)
    assert send(handler, "POST", path, reference_request(), stage=stage)[0] == 200


def test_the_stage_alone_is_home(handler: "Handler") -> None:
    assert send(handler, "GET", "/prod", stage="prod")[2] == "Home"
    assert send(handler, "GET", "/production", stage="prod")[0] == 404


def test_cors_headers_are_absent_by_default(handler: "Handler") -> None:
    _, headers, _ = send(handler, "GET", "/health", origin="https://a")
    assert not [name for name in headers if name.startswith("access-control") or name == "vary"]


def test_only_listed_origins_get_cors_headers(make_handler: "MakeHandler") -> None:
    handler = make_handler(CORS_ORIGINS="https://a,https://b")
    _, headers, _ = send(handler, "GET", "/health", origin="https://b")
    assert (headers["access-control-allow-origin"], headers["vary"]) == ("https://b", "origin")
    _, headers, _ = send(handler, "GET", "/health", origin="https://c")
    assert "access-control-allow-origin" not in headers
    status, headers, answer = send(handler, "OPTIONS", "/predict", origin="https://a")
    assert (status, answer) == (204, None)
    assert headers["access-control-allow-origin"] == "https://a"
    assert headers["access-control-allow-methods"] == headers["allow"] == "POST"
    allowed = headers["access-control-allow-headers"].split(", ")
    assert {"content-type", "x-api-key", "x-amz-date", "x-amz-security-token", "traceparent", "tracestate"} <= {
        *allowed
    }
    assert allowed == sorted(allowed)
    status, headers, _ = send(handler, "POST", "/predict", "{", origin="https://a")
    assert (status, headers["access-control-allow-origin"]) == (400, "https://a")


def test_an_asterisk_allows_every_origin(make_handler: "MakeHandler") -> None:
    _, headers, _ = send(make_handler(CORS_ORIGINS="*"), "GET", "/health", origin="https://c")
    assert headers["access-control-allow-origin"] == "*"
