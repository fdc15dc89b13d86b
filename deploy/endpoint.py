"""HTTP to the service with the standard library alone: one request, its answer, and retries."""

import json
import socket
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from typing import IO, Any
from urllib.parse import urlsplit

from cli.errors import WRONG_USAGE, UserError

# A cold start, a deployment that settles, a throttle: worth asking again. Everything else is an answer.
PASSING = frozenset({429, 502, 503, 504})
FIRST_PAUSE = 0.5  # seconds; the next one is twice as long
BODY_LIMIT = 8 * 2**20
KEY_VARIABLE = "LASTBIT_API_KEY"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Failed(Exception):  # noqa: N818  (named for what happened)
    """An unexpected response, in one line."""


@dataclass(frozen=True)
class Answer:
    """`content` is the JSON value of the body; `seconds` is the time until its last byte."""

    status: int
    media_type: str
    content: Any
    seconds: float


class Endpoint:
    """The service at `url`, whose path may end with the name of a stage."""

    def __init__(self, url: str, key: str = "", *, timeout: float = 15.0, attempts: int = 5, target: str = "") -> None:
        """`target` is the host to connect to where DNS does not lead there yet; its certificate is still the URL's.

        Raises UserError for what is no URL, or would send the key in the clear.
        """
        try:
            parts = urlsplit(url)
            _ = parts.port  # raises for one that is not a number up to 65535
        except ValueError as fault:
            raise UserError(f"expected a URL such as https://host/stage, got {url!r} ({fault})", WRONG_USAGE) from None
        has_blanks = any(sign <= " " for sign in url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or has_blanks:
            raise UserError(f"expected a URL such as https://host/stage, got {url!r}", WRONG_USAGE)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise UserError(f"expected https, since http can be read in transit, got {url!r}", WRONG_USAGE)
        self.url = url.rstrip("/")
        self.has_key = bool(key)
        self._key = key
        self._timeout = timeout
        self._attempts = attempts
        to_target = [_ToTarget(target)] if target else []
        self._opener = urllib.request.build_opener(_NoRedirect, *to_target)

    def ask(
        self, path: str, content: Any = None, *, with_key: bool = True, passing: frozenset[int] = PASSING
    ) -> Answer:
        """POST the content as JSON, or GET without content; retry transient failures.

        Raises Failed without an answer, or for one that is not JSON.
        """
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
            is_last = attempt == self._attempts - 1
            try:
                answer = self._ask_once(path, content, with_key)
            except (OSError, HTTPException) as fault:
                if is_last:
                    raise Failed(f"{path}: {self._described(fault)}") from None
                continue
            if is_last or answer[0] not in passing:
                return self._read(path, *answer)
        raise AssertionError("unreachable")

    def _ask_once(self, path: str, content: Any, with_key: bool) -> tuple[int, str, bytes, float]:
        headers = {"accept": "application/json, application/problem+json", "user-agent": "lastbit-smoke"}
        body = None
        if content is not None:
            body = json.dumps(content, allow_nan=False).encode()
            headers["content-type"] = "application/json"
        if with_key and self._key:
            headers["x-api-key"] = self._key
        request = urllib.request.Request(self.url + path, body, headers)
        begin = time.perf_counter()
        try:
            response: HTTPResponse = self._opener.open(request, timeout=self._timeout)
        except urllib.error.HTTPError as answered:  # 3xx to 5xx: an answer like any other
            with answered:
                return self._taken(answered.code, answered.headers.get_content_type(), answered, begin)
        with response:
            return self._taken(response.status, response.headers.get_content_type(), response, begin)

    @staticmethod
    def _taken(status: int, media_type: str, stream: IO[bytes], begin: float) -> tuple[int, str, bytes, float]:
        body = stream.read(BODY_LIMIT + 1)
        return status, media_type, body, time.perf_counter() - begin

    @staticmethod
    def _read(path: str, status: int, media_type: str, body: bytes, seconds: float) -> Answer:
        if len(body) > BODY_LIMIT:
            raise Failed(f"{path}: status {status} with a body of more than {BODY_LIMIT} bytes")
        try:
            return Answer(status, media_type, json.loads(body), seconds)
        except (RecursionError, ValueError):
            start = body[:60].decode("utf-8", "replace")
            raise Failed(f"{path}: status {status}: expected JSON, got {media_type}: {start!r}") from None

    def _described(self, fault: Exception) -> str:
        reason = fault.reason if isinstance(fault, urllib.error.URLError) else fault
        if isinstance(reason, TimeoutError):
            text = f"no answer within {self._timeout:g} s"
        elif isinstance(reason, ConnectionRefusedError):
            text = "connection refused"
        else:
            text = str(reason) or type(reason).__name__
        return text if self._attempts == 1 else f"{text}, {self._attempts} times"


class _ToTarget(urllib.request.HTTPSHandler):
    """Connect to another host under the URL's name and certificate."""

    def __init__(self, target: str) -> None:
        self._target, self._tls = target, ssl.create_default_context()
        super().__init__(context=self._tls)

    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._connection, request)

    def _connection(self, host: str, **options: Any) -> HTTPSConnection:
        target, tls = self._target, self._tls

        class Connection(HTTPSConnection):
            def connect(self) -> None:
                plain = socket.create_connection((target, self.port), self.timeout)
                self.sock = tls.wrap_socket(plain, server_hostname=self.host)

        return Connection(host, **options)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer that points elsewhere is an answer: the key is for nobody else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
