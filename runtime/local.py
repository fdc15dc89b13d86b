"""`python -m runtime.local`: the Lambda handler behind HTTP on this machine, for curl and for tests.

Each request becomes the event that an HTTP API would send, and the handler's answer goes back to the byte.
"""

import argparse
import os
import signal
import socket
import sys
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any

from runtime.ask import load_handler
from runtime.manifest import ModelRefused
from runtime.settings import SettingRefused

if TYPE_CHECKING:
    from runtime.dispatch import Handler

# What API Gateway accepts at most; the handler's own limits are lower and answered by it.
BODY_LIMIT = 10 * 1024 * 1024
IDLE_SECONDS = 30


class Server(ThreadingHTTPServer):
    """Serves the handler, with a thread for each connection."""

    daemon_threads = False
    # Not SO_REUSEADDR's meaning elsewhere: on Linux it only spares the wait after a restart.
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: "Handler", *, quiet: bool = False) -> None:
        self.handler = handler
        self.quiet = quiet
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(address, Connection)

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def stop(self) -> None:
        """Takes no new request, finishes those under way, then returns."""
        self.shutdown()
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RD)  # an idle connection reads its end and goes
                except OSError:
                    continue
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no event."""


class Connection(BaseHTTPRequestHandler):
    """One client: HTTP in, event through the handler, HTTP out."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def answer(self) -> None:
        """Answers the request whose line and headers have been read."""
        begin = perf_counter()
        body = self._read_body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        text, is_base64 = _body_of_event(body)
        answer: Any = self.server.handler(
            {
                "version": "2.0",
                "rawPath": path,
                "rawQueryString": query,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "requestContext": {
                    "http": {"method": self.command, "path": path, "sourceIp": self.client_address[0]},
                    "requestId": os.urandom(8).hex(),
                    "stage": "$default",
                },
                "body": text,
                "isBase64Encoded": is_base64,
            },
            None,
        )
        self._send(answer["statusCode"], answer["headers"], answer["body"].encode())
        if not self.server.quiet:
            microseconds = (perf_counter() - begin) * 1e6
            _say(f"{self.client_address[0]} {self.command} {path} {answer['statusCode']} {microseconds:.0f} us")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815
    do_OPTIONS = do_TRACE = do_QUERY = answer  # noqa: N815

    def _read_body(self) -> bytes | None:
        """The body of the request; None if it cannot be read and that has been answered."""
        if "transfer-encoding" in self.headers:
            self.send_error(411, "expected a content-length, got a transfer-encoding")
            return None
        length = self.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) < 20):
            self.send_error(400, "expected a whole number as content-length")
            return None
        if int(length) > BODY_LIMIT:
            self.send_error(413, f"expected a body of at most {BODY_LIMIT} bytes")
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is wrong with the HTTP itself, as a problem; the connection ends with it."""
        from runtime.strict_json import write

        self.request_version = self.protocol_version  # a line that is no HTTP would count as HTTP/0.9: no status
        title = self.responses[code][0] if code in self.responses else "Bad Request"
        content = {"type": "about:blank", "title": title, "status": int(code), "detail": message or title}
        self.close_connection = True
        self._send(code, {"content-type": "application/problem+json"}, write(content).encode())
        if not self.server.quiet:
            _say(f"{self.client_address[0]} - - {int(code)}")

    def log_message(self, *_: object) -> None:
        """The access line is written where the answer is."""


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGINT or SIGTERM. Returns the exit status."""
    options = _parser().parse_args(arguments)
    # Before any thread starts, so that all of them leave the two signals to sigwait below.
    stop_signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    try:
        handler = load_handler(options.model)
    except (ModelRefused, SettingRefused) as fault:
        _complain(str(fault))
        return 1
    try:
        server = Server((options.host, options.port), handler, quiet=options.quiet)
    except OSError as fault:
        _complain(f"cannot listen on {options.host}:{options.port}: {fault.strerror}; choose another with --port")
        return 1
    if not options.quiet:
        host, port = server.server_address[:2]
        _say(f"Serving http://{host!s}:{port}/predict; Ctrl-C stops")
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    signal.sigwait(stop_signals)
    server.stop()
    if not options.quiet:
        _say("Stopped")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m runtime.local",
        description="Serve the Lambda handler over HTTP on this machine.",
        epilog="Exit status: 0 stopped by Ctrl-C or SIGTERM, 1 could not serve (standard error says why), "
        "2 wrong usage.",
    )
    where = parser.add_argument_group("where")
    where.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    where.add_argument("--port", type=_port, default=8000, help="0 takes a free one (default: %(default)s)")
    what = parser.add_argument_group("what")
    what.add_argument(
        "--model", metavar="DIR", help="folder of model.onnx and manifest.json (default: $MODEL_DIR, model)"
    )
    what.add_argument("--quiet", action="store_true", help="no line when serving starts, none for a request")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, got {text!r}")
    return int(text)


def _body_of_event(body: bytes) -> tuple[str | None, bool]:
    """A body as API Gateway writes it into the event: text as it is, anything else in base64."""
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return b64encode(body).decode(), True


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
