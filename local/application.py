"""The ASGI application between the HTTP server and the handler: request to event, answer to response."""

import asyncio
import sys
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from time import perf_counter
from typing import Any

from local.event import HttpRequest, http_api_event
from runtime.strict_json import write

# Size limit of API Gateway; the handler's own limits are lower, and it answers them.
BODY_LIMIT = 10 * 2**20
HEAD_LIMIT = 10_240
# Seconds for which the rest of an oversized body is read and dropped, so that its client can read the answer.
LINGER_SECONDS = 2

Answer = Mapping[str, Any]
Respond = Callable[[Any, Any], Any]
Page = Callable[[HttpRequest], Answer | None]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Refused(Exception):  # noqa: N818  (named for what happened)
    """A request that HTTP itself, or a limit, forbids: status and detail."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class ClientGone(Exception):  # noqa: N818  (named for what happened)
    """The connection ended before the request did."""


class Application:
    """ASGI application: pages of its own for browsers (see `pages`), the handler for all else.

    One request at a time, as an environment of Lambda does. `pages` maps a path to a function that answers a
    request in the form of a handler's answer, or leaves it to the handler by None.
    """

    def __init__(self, handler: Respond, pages: Mapping[str, Page], *, quiet: bool) -> None:
        self._handler = handler
        self._pages = pages
        self._quiet = quiet

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one ASGI request through the Lambda handler."""
        begin = perf_counter()
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        request = HttpRequest(scope["method"], target.decode("ascii"), client=scope["client"][0])
        closes = False
        try:
            _check_head(scope, target)
            body = await _read_body(scope, receive)
            headers = tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in scope["headers"])
            protocol = f"HTTP/{scope['http_version']}"
            request = HttpRequest(request.method, request.target, headers, body, request.client, protocol)
            answer = self._answer(request)
        except ClientGone:
            return
        except Refused as fault:
            answer, closes = problem(fault.status, fault.detail), True
        await _send(answer, scope["method"], send, closes=closes)
        if closes:
            await _linger(receive)
            await send({"type": "http.response.body", "body": b""})
        if not self._quiet:
            microseconds = (perf_counter() - begin) * 1e6
            say(f"{request.client} {request.method} {request.path} {answer['statusCode']} {microseconds:.0f} us")

    def _answer(self, request: HttpRequest) -> Answer:
        page = self._pages.get(request.path)
        try:
            answer = page(request) if page is not None else None
            return self._handler(http_api_event(request), None) if answer is None else answer
        except Exception as fault:
            sys.stderr.write(f"{type(fault).__name__}: {fault}\n")
            return problem(500, "the fault is in the service; standard error has it")


def problem(status: int, detail: str) -> Answer:
    """An answer about the HTTP itself, as RFC 9457 problem details."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    headers = {"content-type": "application/problem+json", "connection": "close"}
    return {"statusCode": status, "headers": headers, "body": write(content)}


def say(line: str) -> None:
    """Write a line to standard output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _check_head(scope: Message, target: bytes) -> None:
    if scope["http_version"] not in ("1.0", "1.1"):
        raise Refused(505, f"expected HTTP/1.1 or HTTP/1.0, got HTTP/{scope['http_version']}")
    size = len(target) + sum(len(name) + len(value) for name, value in scope["headers"])
    if size > HEAD_LIMIT:
        raise Refused(431, f"expected a target and headers of at most {HEAD_LIMIT} bytes, got {size}")


async def _read_body(scope: Message, receive: Receive) -> bytes:
    """The whole body. Raises Refused as soon as it is known to be too large."""
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > BODY_LIMIT:
            raise Refused(413, f"expected a body of at most {BODY_LIMIT} bytes, got {int(value)}")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            raise Refused(413, f"expected a body of at most {BODY_LIMIT} bytes, got more")
        if not message.get("more_body"):
            return bytes(body)


async def _send(answer: Answer, method: str, send: Send, *, closes: bool) -> None:
    body = answer.get("body", "").encode()
    if answer.get("isBase64Encoded"):
        body = b64decode(body)
    headers = dict(answer.get("headers", {}))
    # RFC 9110, 8.6: what GET would have, or nothing; a handler's answer to HEAD does not say what GET would have.
    if answer["statusCode"] != 204 and (body or method != "HEAD"):
        headers.setdefault("content-length", str(len(body)))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer["statusCode"], "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": closes})


async def _linger(receive: Receive) -> None:
    """Read and drop what the client still sends: closing at once could take the answer from it."""
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
