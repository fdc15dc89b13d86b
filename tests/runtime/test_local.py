"""The local server over real HTTP on a free loopback port: the handler's answers to the byte."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.runtime.model_builder import REFERENCE_REQUEST, reference_request

if TYPE_CHECKING:
    from runtime.dispatch import Handler
    from runtime.local import Server

ROOT = Path(__file__).parents[2]
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def server(handler: "Handler") -> Iterator["Server"]:
    from runtime.local import Server

    server = Server(("127.0.0.1", 0), handler, quiet=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.stop()
    thread.join()


@pytest.fixture
def client(server: "Server") -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    yield connection
    connection.close()


def test_the_same_answer_to_the_byte(client: http.client.HTTPConnection, handler: "Handler") -> None:
    body = REFERENCE_REQUEST.read_text()
    event = {
        "requestContext": {"http": {"method": "POST"}},
        "rawPath": "/predict",
        "headers": {"x-request-id": "r-1"},
        "body": body,
    }
    expected: Any = handler(event, None)
    client.request("POST", "/predict?x=1", body, {**JSON, "X-Request-Id": "r-1"})
    response = client.getresponse()
    headers = dict(response.getheaders())
    assert (response.status, response.read().decode()) == (200, expected["body"])
    assert headers == {**expected["headers"], "content-length": str(len(expected["body"]))}


def test_one_connection_serves_many_requests(client: http.client.HTTPConnection) -> None:
    for path, status in (("/", 200), ("/health", 200), ("/openapi.json", 200), ("/none", 404)):
        for method in ("GET", "HEAD"):
            client.request(method, path)
            response = client.getresponse()
            assert response.status == status
            assert bool(response.read()) is (method == "GET")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_the_handlers(client: http.client.HTTPConnection, method: str) -> None:
    client.request(method, "/predict", b"{}", JSON)
    response = client.getresponse()
    assert (response.status, response.getheader("allow")) == (405, "POST")


def test_a_body_that_is_not_utf8(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/predict", b'{"uuid": "\xff"}', JSON)
    problem = json.loads(client.getresponse().read())
    assert problem["detail"] == "expected UTF-8, got another byte at position 10"


def test_what_curl_sends_by_default(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/predict", b"{}", {"content-type": "application/x-www-form-urlencoded"})
    assert client.getresponse().status == 415


def raw(server: "Server", request: bytes) -> tuple[int, dict[str, Any] | None]:
    """Status and problem for bytes that need not be HTTP; the server has to close the connection."""
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head else 0), (json.loads(body) if body else None)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1 x\r\n\r\n", 400),
        (b"BREW / HTTP/1.1\r\n\r\n", 501),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"POST /predict HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\ncontent-length: 1e3\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\ncontent-length: 10485761\r\n\r\n", 413),
        (b"POST /predict HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /predict HTTP/1.1\r\n\r\n", 400),
    ],
)
def test_bad_http_is_answered_with_a_problem(server: "Server", request_: bytes, status: int) -> None:
    got, problem = raw(server, request_)
    assert got == status
    assert problem is not None
    assert problem["status"] == status


def test_a_client_that_goes_away_disturbs_nobody(
    server: "Server", client: http.client.HTTPConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raw(server, b"POST /predict HTTP/1.1\r\ncontent-length: 10\r\n\r\n{}") == (0, None)
    assert raw(server, b"") == (0, None)
    client.request("GET", "/health")
    assert client.getresponse().status == 200
    assert capsys.readouterr() == ("", "")


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "runtime.local", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_told_to_stop(reference_model: Path, stop: signal.Signals) -> None:
    with start("--port", "0", "--model", str(reference_model)) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        address = re.fullmatch(r"Serving http://127\.0\.0\.1:(\d+)/predict; Ctrl-C stops\n", ready)
        assert address
        client = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=10)
        client.request("POST", "/predict", json.dumps(reference_request()), JSON)
        assert client.getresponse().read().startswith(b'{"uuid":"1234",')
        process.send_signal(stop)  # the connection stays open, idle
        out, err = process.communicate(timeout=20)
        client.close()
    assert re.fullmatch(r"127\.0\.0\.1 POST /predict 200 \d+ us\nStopped\n", out)
    assert (err, process.returncode) == ("", 0)


def finish(*arguments: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "runtime.local", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_port_in_use(reference_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, out, err = finish("--port", port, "--model", str(reference_model))
    assert (status, out) == (1, "")
    assert err == f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --port\n"


def test_a_missing_model(tmp_path: Path) -> None:
    status, out, err = finish("--model", str(tmp_path / "none"))
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "run python -m training.run and python -m export.to_onnx first" in err


def test_a_wrong_setting(reference_model: Path) -> None:
    status, _, err = finish("--model", str(reference_model), UNKNOWN_FIELDS="drop")
    assert (status, err) == (1, "UNKNOWN_FIELDS: expected refuse or ignore, got 'drop'\n")


@pytest.mark.parametrize("arguments", [["--port", "x"], ["--port", "65536"], ["--unknown"]])
def test_wrong_usage(arguments: list[str]) -> None:
    status, _, err = finish(*arguments)
    assert status == 2
    assert err.startswith("usage: python -m runtime.local")
