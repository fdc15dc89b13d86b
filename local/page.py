"""The page at `/` for browsers: a form made from the manifest, whose answers come from `POST /predict` like any other.

It is in this folder, so the package for Lambda does not have it. It loads nothing from elsewhere, and may not.
"""

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from local.application import Answer, Page
from local.event import HttpRequest
from runtime.manifest import Feature, Manifest
from runtime.openapi import example
from runtime.service import Service

FOLDER = Path(__file__).with_name("page")
LARGEST_BATCH = 200  # applicants of a curve in one request


def page_of(service: Service) -> Page:
    """A page for `GET /` where HTML is accepted; other requests are left to the handler."""
    style, script = ((FOLDER / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    html = (FOLDER / "page.html").read_text(encoding="utf-8")
    for place, text in (("/*style*/", style), ("/*script*/", script), ("/*model*/", _harmless(_model(service)))):
        html = html.replace(place, text)
    headers = {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": (
            f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }

    def page(request: HttpRequest) -> Answer | None:
        if request.method != "GET" or not _accepts_html(request):
            return None
        return {"statusCode": 200, "headers": dict(headers), "body": html}

    return page


def _accepts_html(request: HttpRequest) -> bool:
    accepted = ",".join(value for name, value in request.headers if name == "accept")
    return any(part.partition(";")[0].strip().lower() == "text/html" for part in accepted.split(","))


def _model(service: Service) -> dict[str, Any]:
    """Facts of the model that the page needs."""
    manifest = service.model.manifest
    return {
        "version": manifest.model_version,
        "id": manifest.identifier,
        "features": [_feature(feature) for feature in manifest.features],
        "typical": _typical(manifest),
        "bands": list(manifest.bands),
        "batch": min(manifest.batch_limit, LARGEST_BATCH),
        "explains": bool(service.explains and manifest.reasons_size),
    }


def _feature(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "type": feature.type,
        "nullable": feature.nullable,
        "description": feature.description,
        "range": feature.range,
        "vocabulary": feature.vocabulary,
    }


def _typical(manifest: Manifest) -> dict[str, Any]:
    """A usual value for each feature: the middle or the most frequent one of training, where the manifest has it."""
    found = example(manifest)
    known = manifest.document.get("reference", {}).get("features", {})
    for feature in manifest.features:
        about = known.get(feature.name)
        value = _middle(about, feature) if about else None
        if value is not None:
            found[feature.name] = value
    return {feature.name: found[feature.name] for feature in manifest.features}


def _middle(about: dict[str, Any], feature: Feature) -> Any:
    """The edge in the middle of a histogram, or its most frequent single value."""
    values, edges, counts = about["values"], about["edges"], about["counts"]
    if edges and feature.type == "number":
        return edges[len(edges) // 2]
    if not values:
        return None
    value = max(zip(counts, values, strict=False), key=lambda pair: pair[0])[1]
    return bool(value) if feature.type == "boolean" else value


def _harmless(model: dict[str, Any]) -> str:
    """JSON that ends no element, whatever names the model has."""
    return json.dumps(model, allow_nan=False).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
