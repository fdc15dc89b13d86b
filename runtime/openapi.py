"""The OpenAPI 3.1 description of the service, made from the manifest; loaded only when it is asked for."""

import math
from typing import TYPE_CHECKING, Any

from runtime.manifest import Feature, Manifest
from runtime.problem import INVALID_APPLICANT, PROBLEM_TYPES, TYPE_PREFIX
from runtime.settings import Settings
from runtime.validate import EXACT_LIMIT, IDENTIFIER_LIMIT

if TYPE_CHECKING:
    from runtime.grades import Grades

# Answers of API Gateway itself, set up by deploy/template.yaml. The function answers 413 as well.
GATEWAY = {
    403: "API key is missing or wrong",
    413: "Request is too large for API Gateway",
    429: "Too many requests",
    504: "Answer timed out",
}
GATEWAY_TYPE = "about:blank"

_EXPLAIN: dict[str, Any] = {
    "description": "true adds the reasons for the score, all also adds the points of every feature",
    "enum": [True, False, "all"],
}
_POINTS = {"type": "number", "description": "two decimals; negative points lower the score"}
_EXPLAINED: dict[str, Any] = {
    "reasons": {
        "type": "array",
        "maxItems": 5,
        "description": "the features that cost the most points, most first; a fifth is the number of inquiries",
        "items": {"$ref": "#/components/schemas/Reason"},
    },
    "base_points": {"type": "number", "description": "mean of the reference rows on the scale of the score"},
    "other_points": {**_POINTS, "description": "points of all other features together"},
    "points": {"type": "object", "additionalProperties": _POINTS},
    "reasons_basis": {"$ref": "#/components/schemas/ReasonsBasis"},
}
_HINTED: dict[str, Any] = {
    "hints": {
        "type": "array",
        "description": "for each actionable feature the smallest change that alone reaches the next band up, if "
        "any does, within the values seen in training; hints are neither reasons nor promises",
        "items": {"$ref": "#/components/schemas/Hint"},
    },
    "hints_basis": {"$ref": "#/components/schemas/HintsBasis"},
}
_REASON: dict[str, Any] = {
    "Reason": {
        "type": "object",
        "required": ["name", "text", "points"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "description": "a feature or a group of them"},
            "code": {"type": "string"},
            "text": {
                "anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}],
                "description": "one text, or one for each language",
            },
            "points": _POINTS,
            "value": {
                "type": ["number", "boolean", "string", "null"],
                "description": "as it was sent; null is missing",
            },
        },
    },
    "ReasonsBasis": {
        "type": "object",
        "required": ["method", "reference", "reference_rows", "reference_total", "adds_up"],
        "additionalProperties": False,
        "properties": {
            "method": {"type": "string"},
            "reference": {"type": "string", "enum": ["all", "at-cutoff", "best", "own", "covers"]},
            "reference_rows": {"type": "integer"},
            "reference_total": {"type": "integer", "description": "rows from which the reference rows were drawn"},
            "reference_weighted": {"type": "boolean", "description": "true if drawn by sample weight"},
            "reference_scores": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            "adds_up": {
                "type": "boolean",
                "description": "base_points, points and other_points add up to credit_score to two decimals",
            },
            "note": {"type": "string"},
        },
    },
}
_VALUE = {"type": ["number", "boolean", "string"]}
_HINT: dict[str, Any] = {
    "Hint": {
        "type": "object",
        "required": ["name", "to", "credit_score", "score_band"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "description": "the feature that changes"},
            "from": {**_VALUE, "description": "as it was sent"},
            "to": {**_VALUE, "description": "as it would be sent"},
            "credit_score": {"type": "number", "description": "score of the applicant with this change alone"},
            "score_band": {"type": "string"},
        },
    },
    "HintsBasis": {
        "type": "object",
        "required": ["note", "features"],
        "additionalProperties": False,
        "properties": {
            "score_band": {"type": "string", "description": "the next band up; absent in the highest band"},
            "credit_score": {"type": "number", "description": "its lowest score"},
            "note": {"type": "string", "description": "what hints are, or why this answer has no hints"},
            "features": {"type": "array", "items": {"type": "string"}, "description": "features that hints may change"},
        },
    },
}


def describe(manifest: Manifest, settings: Settings | None = None, *, server: str = "/") -> dict[str, Any]:
    """The OpenAPI document as a JSON object; `server` is the address that its paths are below."""
    settings = settings or Settings({})
    explains = bool(manifest.reasons_size) and settings.explain != "never"
    explained = _EXPLAINED | (_HINTED if _hints(manifest) else {}) if explains else {}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Probability of default, credit score and score band",
            "version": manifest.model_version,
            "description": "A missing value is null or left out. Warnings name values that training did not see.",
        },
        "servers": [{"url": server}],
        # A key where API Gateway asks for one; a function URL or this machine may ask for none.
        "security": [{"key": []}, {}],
        "paths": {
            "/": {"get": _get("Liveness of the service", "home", {"const": "Home"})},
            "/health": {"get": _get("Readiness of the service", "health", _ref("Health"))},
            "/model": {"get": _get("The model: features, score scale, bands, versions", "model", {"type": "object"})},
            "/openapi.json": {"get": _get("This description", "openapi", {"type": "object"})},
            "/predict": {
                "post": _post(
                    "One applicant", "predict", _ref("Applicant"), example(manifest), _ref("Answer"), explains=explains
                )
            },
            "/predict/batch": {
                "post": _post(
                    f"Up to {manifest.batch_limit} applicants: for each an answer or a problem, in order",
                    "predictBatch",
                    _ref("Batch"),
                    {"applicants": [example(manifest)]},
                    _ref("BatchAnswer"),
                    explains=explains,
                )
            },
        },
        "components": {
            "schemas": _schemas(manifest, settings.ignore_unknown_fields, explained),
            "securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}},
        },
    }


def example(manifest: Manifest) -> dict[str, Any]:
    """An applicant that is scored without a warning."""
    return {manifest.identifier: "1234", **{feature.name: _example(feature) for feature in manifest.features}}


def _example(feature: Feature) -> Any:
    if feature.type == "boolean":
        return True
    if feature.type == "category":
        return feature.vocabulary[0] if feature.vocabulary else None if feature.nullable else "none"
    if feature.range is None:
        return None if feature.nullable else 0.0
    low, high = feature.range
    middle = low + (high - low) / 2
    return middle if math.isfinite(middle) else low


def _hints(manifest: Manifest) -> bool:
    return bool(manifest.document.get("reasons", {}).get("hints"))


def _schemas(manifest: Manifest, ignore_unknown_fields: bool, explained: dict[str, Any]) -> dict[str, Any]:
    """All schemas; `explained` are the members that reasons add to an answer."""
    identifier = {"type": "string", "minLength": 1, "maxLength": IDENTIFIER_LIMIT}
    required = [manifest.identifier, *(feature.name for feature in manifest.features if not feature.nullable)]
    answer_members = {
        manifest.identifier: identifier,
        "default_probability": {"type": "number", "minimum": 0, "maximum": 1},
        "credit_score": {"type": "number", "description": "in points; a higher score is a lower risk"},
        "score_band": {"type": "string", "examples": ["[410, 438)"]},
        **({"grade": _grade(manifest.grades)} if manifest.grades else {}),
        "model_version": {"type": "string"},
    }
    return {
        "Applicant": {
            "type": "object",
            "required": required,
            "additionalProperties": ignore_unknown_fields,
            "properties": {
                manifest.identifier: {**identifier, "description": "identifies the request; repeated in the answer"},
                **{feature.name: _field(feature) for feature in manifest.features},
            },
        },
        "Batch": {
            "type": "object",
            "required": ["applicants"],
            "additionalProperties": False,
            "properties": {
                "applicants": {"type": "array", "maxItems": manifest.batch_limit, "items": _ref("Applicant")},
                **({"explain": _EXPLAIN} if explained else {}),
            },
        },
        "Answer": {
            "type": "object",
            "required": list(answer_members),
            "additionalProperties": False,
            "properties": {
                **answer_members,
                "warnings": {"type": "array", "items": _ref("Remark"), "minItems": 1},
                **explained,
            },
        },
        "BatchAnswer": {
            "type": "object",
            "required": ["scored", "refused", "answers"],
            "additionalProperties": False,
            "properties": {
                "scored": {"type": "integer", "minimum": 0},
                "refused": {"type": "integer", "minimum": 0},
                "answers": {"type": "array", "items": {"anyOf": [_ref("Answer"), _ref("RefusedApplicant")]}},
            },
        },
        "RefusedApplicant": {
            "type": "object",
            "description": "The problem of one applicant in a batch, with the id if it was sent",
            "required": ["type", "title", "status", "detail", "errors"],
            "additionalProperties": False,
            "properties": {
                manifest.identifier: identifier,
                "type": {"const": TYPE_PREFIX + INVALID_APPLICANT.name, "type": "string"},
                "title": {"type": "string"},
                "status": {"const": INVALID_APPLICANT.status, "type": "integer"},
                "detail": {"type": "string"},
                "errors": {"type": "array", "items": _ref("Remark"), "minItems": 1},
            },
        },
        "Problem": {
            "type": "object",
            "description": f"RFC 9457 problem details; {GATEWAY_TYPE} is API Gateway's own",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string", "enum": [*(TYPE_PREFIX + its.name for its in PROBLEM_TYPES), GATEWAY_TYPE]},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "errors": {"type": "array", "items": _ref("Remark")},
                "request_id": {"type": "string"},
            },
        },
        "Remark": {
            "type": "object",
            "required": ["pointer", "detail"],
            "additionalProperties": False,
            "properties": {
                "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) into the request"},
                "detail": {"type": "string"},
            },
        },
        **(_REASON if explained else {}),
        **(_HINT if "hints" in explained else {}),
        "Health": {
            "type": "object",
            "required": ["status", "model_version"],
            "properties": {"status": {"const": "ok"}, "model_version": {"type": "string"}},
        },
    }


def _grade(grades: "Grades") -> dict[str, Any]:
    return {
        "type": "string",
        "enum": grades.names,
        "description": "grade of the master scale; listed by ascending probability of default",
    }


def _field(feature: Feature) -> dict[str, Any]:
    kind = {"number": "number", "boolean": "boolean", "category": "string"}[feature.type]
    field: dict[str, Any] = {"type": [kind, "null"] if feature.nullable else kind}
    if feature.description:
        field["description"] = feature.description
    if feature.type == "number":
        # A whole number beyond the limit is refused where a fraction of that size is not, and the range of training
        # is no limit at all: neither is a keyword of the schema.
        field |= {"format": "double", "x-whole-number-limit": EXACT_LIMIT}
        field["x-training-range"] = list(feature.range) if feature.range else None
    if feature.type == "category":
        field["x-vocabulary"] = list(feature.vocabulary)
        if feature.closed:
            field["enum"] = [*feature.vocabulary, *(("", None) if feature.nullable else ())]
        if not feature.nullable:
            field["minLength"] = 1
    return {**field, "examples": [_example(feature)]}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _get(summary: str, operation: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {"200": _content("application/json", schema, "The answer"), **_problems(500, *GATEWAY)},
    }


def _post(
    summary: str,
    operation: str,
    body: dict[str, Any],
    sample: dict[str, Any],
    answer: dict[str, Any],
    *,
    explains: bool,
) -> dict[str, Any]:
    asked = {"name": "explain", "in": "query", "schema": {"type": "string", "enum": ["true", "false", "all"]}}
    return {
        "operationId": operation,
        "summary": summary,
        **({"parameters": [{**asked, "description": _EXPLAIN["description"]}]} if explains else {}),
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": body, "example": sample}},
        },
        "responses": {
            "200": _content("application/json", answer, "The answer"),
            **_problems(*({its.status for its in PROBLEM_TYPES} - {404, 405}), *GATEWAY),
        },
    }


def _problems(*statuses: int) -> dict[str, Any]:
    problem = _ref("Problem")
    return {
        str(status): _content("application/problem+json", problem, _titles(status)) for status in sorted(set(statuses))
    }


def _titles(status: int) -> str:
    titles = [its.title for its in PROBLEM_TYPES if its.status == status]
    return "; ".join([*titles, *([GATEWAY[status]] if status in GATEWAY else [])])


def _content(media_type: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}
