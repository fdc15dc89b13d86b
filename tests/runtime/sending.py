"""Requests to the handler as API Gateway sends them, and what comes back."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime.dispatch import Handler

SMALL = {"uuid": "é1", "income": 1200.5, "owner": True, "age": 40, "insured": False, "region": "north"}
HEADERS = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-request-id": "r-1",
}


def send(
    handler: "Handler",
    method: str,
    path: str,
    body: object = None,
    *,
    stage: str = "$default",
    **headers: str,
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and the body's JSON value (None for no body)."""
    answer: Any = handler(
        {
            "version": "2.0",
            "rawPath": path,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {"http": {"method": method, "path": path}, "requestId": "r-1", "stage": stage},
            "body": body if body is None or type(body) is str else json.dumps(body),
            "isBase64Encoded": False,
        },
        None,
    )
    assert answer["body"].isascii()
    return answer["statusCode"], answer["headers"], json.loads(answer["body"]) if answer["body"] else None


def problem(name: str, status: int, title: str, detail: str, **more: object) -> dict[str, object]:
    return {
        "type": f"urn:lastbit:problem:{name}",
        "title": title,
        "status": status,
        "detail": detail,
        **more,
        "request_id": "r-1",
    }
