"""An HTTP proxy in front of an S3 server that does to requests and answers what networks and S3 do.

It also refuses uploads whose bytes are not those of their checksum, as S3 does and moto does not.
"""

import base64
import hashlib
import http.client
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import NamedTuple

TO_ONE_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


Fault = Callable[["Handler", bytes], None]
"""What is done with a request and its body instead of passing it on."""


@dataclass
class Rule:
    """A fault of `times` of the requests of one method whose path ends so, once `after` of them went well."""

    fault: Fault
    method: str
    ending: str
    times: int
    after: int


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream_port = port
        self.seen: list[str] = []
        self._rules: list[Rule] = []
        self._lock = Lock()
        Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def will(self, fault: Fault, method: str = "", ending: str = "", *, times: int = 1_000_000, after: int = 0) -> None:
        """From now on a fault happens; the rules made first go first."""
        self._rules.append(Rule(fault, method, ending, times, after))

    def heal(self) -> None:
        self._rules.clear()
        self.seen.clear()

    def fault_of(self, method: str, path: str) -> Fault | None:
        with self._lock:
            self.seen.append(f"{method} {path}")
            for rule in self._rules:
                if not method.startswith(rule.method) or not path.partition("?")[0].endswith(rule.ending):
                    continue
                if rule.after:
                    rule.after -= 1
                elif rule.times:
                    rule.times -= 1
                    return rule.fault
        return None

    def handle_error(self, *_: object) -> None:
        """A client that was cut off is not reported."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault = self.server.fault_of(self.command, self.path)
        if fault is None:
            self.give(self.ask(body))
        else:
            fault(self, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _relay  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""

    def ask(self, body: bytes, without: str = "") -> Answer:
        """The server's answer."""
        declared = self.headers.get("x-amz-checksum-sha256")
        if declared and base64.b64decode(declared) != hashlib.sha256(body).digest():
            return refusal(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("expect", without)}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream_port, timeout=30)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in TO_ONE_HOP]
            length = answer.getheader("content-length")
            if self.command == "HEAD" and length:
                kept.append(("content-length", length))
            return Answer(answer.status, kept, answer.read())
        finally:
            connection.close()

    def give(self, answer: Answer, upto: int | None = None) -> None:
        """Send an answer, or the start of one, after which the connection is closed."""
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[:upto])
        if upto is not None:
            self.hang_up()

    def hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


def refusal(status: int, code: str, message: str = "", more: str = "") -> Answer:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message or code}</Message>{more}</Error>"
    return Answer(status, [("content-type", "application/xml")], body.encode())


def refused(status: int, code: str, message: str = "", more: str = "") -> Fault:
    """An error of S3's."""
    return lambda handler, _: handler.give(refusal(status, code, message, more))


def dropped(handler: Handler, _: bytes) -> None:
    """No answer, a closed connection."""
    handler.hang_up()


def lost(handler: Handler, body: bytes) -> None:
    """The server does what is asked, and nobody hears its answer."""
    handler.ask(body)
    handler.hang_up()


def cut(at: int) -> Fault:
    """An answer that ends before its content-length."""
    return lambda handler, body: handler.give(handler.ask(body), at)


def late(seconds: float) -> Fault:
    """An answer that takes its time."""

    def fault(handler: Handler, body: bytes) -> None:
        time.sleep(seconds)
        handler.give(handler.ask(body))

    return fault


def interrupted(handler: Handler, _: bytes) -> None:
    """Ctrl-C in this process, while it waits for an answer."""
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.5)
    handler.hang_up()


def without_range(handler: Handler, body: bytes) -> None:
    """A whole object, whatever part of it is asked for."""
    handler.give(handler.ask(body, "range"))


def flipped(handler: Handler, body: bytes) -> None:
    """An answer with one wrong bit."""
    answer = handler.ask(body)
    handler.give(answer._replace(body=_with_wrong_bit(answer.body)))


def flipped_there(handler: Handler, body: bytes) -> None:
    """A request whose body arrives with one wrong bit."""
    handler.give(handler.ask(_with_wrong_bit(body)))


def _with_wrong_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
