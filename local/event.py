"""The event that an HTTP API sends to Lambda for a request (payload format 2.0).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import os
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came over the connection; the names of its headers are in lower case."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    client: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"

    @property
    def path(self) -> str:
        """The target's path as it was sent; an absolute target (RFC 9112, 3.2.2) without scheme and host.

        >>> HttpRequest("GET", "http://localhost:8000/health?a=1").path
        '/health'
        """
        return self._split()[0]

    @property
    def query(self) -> str:
        """The query, without its question mark; empty without a query."""
        return self._split()[1]

    def _split(self) -> tuple[str, str]:
        path, _, query = self.target.partition("?")
        scheme, separator, rest = path.partition("://")
        if separator and scheme.isalpha():
            path = "/" + rest.partition("/")[2]
        return path, query


def http_api_event(request: HttpRequest) -> dict[str, Any]:
    """The event for a request."""
    headers = _combined(request.headers)
    cookies = headers.pop("cookie", None)
    text, is_base64 = _body(request.body)
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "domainName": headers.get("host", ""),
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": os.urandom(8).hex(),
            "routeKey": "$default",
            "stage": "$default",
        },
        "isBase64Encoded": is_base64,
    }
    if cookies is not None:
        event["cookies"] = cookies.split("; ")
    if text is not None:
        event["body"] = text
    return event


def _combined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers that came several times are joined, cookies by their own separator."""
    combined: dict[str, str] = {}
    for name, value in headers:
        separator = "; " if name == "cookie" else ","
        combined[name] = f"{combined[name]}{separator}{value}" if name in combined else value
    return combined


def _body(body: bytes) -> tuple[str | None, bool]:
    """A body as API Gateway writes it into the event: text as it is, anything else in base64."""
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return b64encode(body).decode(), True
