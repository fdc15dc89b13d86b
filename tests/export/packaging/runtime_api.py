"""AWS's runtime API on loopback, as far as awslambdaric asks for it: next, response, error, init error, restore.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VERSION = "/2018-06-01/runtime"
WAIT_SECONDS = 30
TRACE_ID = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"


@dataclass(frozen=True)
class Outcome:
    """A function's answer: `kind` is response, error or init error; an init error has no `request_id`."""

    kind: str
    request_id: str
    body: bytes
    error_type: str | None = None

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class RuntimeApi:
    """A server in threads of its own.

    `address` is what AWS_LAMBDA_RUNTIME_API holds, `restores` counts how often a snapshot was to be restored.
    """

    def __init__(self) -> None:
        self._events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self._outcomes: queue.Queue[Outcome] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.restores = 0
        self.port: int = self._server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"

    def invoke(self, event: bytes, request_id: str = "") -> Outcome:
        """Hands the event over and waits for what becomes of it."""
        self._events.put((request_id or str(uuid.uuid4()), event))
        return self.outcome()

    def outcome(self) -> Outcome:
        return self._outcomes.get(timeout=WAIT_SECONDS)

    def close(self) -> None:
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api, events, outcomes = self, self._events, self._outcomes

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                if self.path == f"{VERSION}/restore/next":
                    api.restores += 1
                    self._answer(200, b"", {})
                    return
                if self.path != f"{VERSION}/invocation/next":
                    self.send_error(404)
                    return
                event = events.get()
                if event is None:
                    self.close_connection = True
                    return
                request_id, body = event
                self._answer(
                    200,
                    body,
                    {
                        "Lambda-Runtime-Aws-Request-Id": request_id,
                        "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 3000),
                        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:score",
                        "Lambda-Runtime-Trace-Id": TRACE_ID,
                    },
                )

            def do_POST(self) -> None:
                if self.headers.get("transfer-encoding") == "chunked":
                    body = self._chunks()
                else:
                    body = self.rfile.read(int(self.headers.get("content-length", 0)))
                *_, request_id, kind = self.path.split("/")
                if request_id == "init":
                    request_id, kind = "", "init error"
                error_type = self.headers.get("lambda-runtime-function-error-type")
                self._answer(202, b'{"status":"OK"}', {})
                outcomes.put(Outcome(kind, request_id, body, error_type))

            def _chunks(self) -> bytes:
                chunks = []
                while size := int(self.rfile.readline(), 16):
                    chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(chunks)

            def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Says nothing."""

        return Handler
