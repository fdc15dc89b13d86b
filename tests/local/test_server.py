"""The local server over real HTTP on a free loopback port: the handler's answers to the byte, and RFC 9112."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from local.connection import Connection
from local.event import HttpRequest
from local.server import Server
from tests.runtime.model_builder import REFERENCE_REQUEST

if TYPE_CHECKING:
    from runtime.dispatch import Handler

JSON = {"content-type": "application/json"}
BODY_LIMIT = 10 * 2**20


def echo(event: Any, _: object) -> dict[str, Any]:
    """Answers with the event that it got."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}


@pytest.fixture(scope="module")
def server(handler: "Handler") -> Iterator[Server]:
    with Server(handler, quiet=True) as server:
        yield server


@pytest.fixture(scope="module")
def echoing() -> Iterator[Server]:
    with Server(echo, quiet=True) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection(*server.address, timeout=10)) as connection:
        yield connection


def connect(server: Server) -> socket.socket:
    return socket.create_connection(server.address, timeout=30)


def raw(server: Server, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of what comes until the server closes the connection, which it has to do by itself."""
    with connect(server) as connection, connection.makefile("rb") as stream:
        connection.sendall(request)
        head, _, body = stream.read().partition(b"\r\n\r\n")
    return head, body


def status_of(head: bytes) -> int:
    return int(head.split()[1])


def test_the_answer_is_the_handlers_to_the_byte(client: http.client.HTTPConnection, handler: "Handler") -> None:
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
    client.connect()
    connection = client.sock
    for path, status in (("/", 200), ("/health", 200), ("/openapi.json", 200), ("/none", 404)):
        for method in ("GET", "HEAD"):
            client.request(method, path)
            response = client.getresponse()
            assert response.status == status
            assert bool(response.read()) is (method == "GET")
    assert client.sock is connection


def test_a_connection_does_not_wait_for_acknowledgements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nagle's algorithm and delayed acknowledgements together would cost 40 ms a request."""
    options: list[int] = []

    def connection_made(self: Connection, transport: Any) -> None:
        original(self, transport)
        options.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    original = Connection.connection_made
    monkeypatch.setattr(Connection, "connection_made", connection_made)
    with Server(echo, quiet=True) as server:
        raw(server, b"GET / HTTP/1.0\r\n\r\n")
    assert len(options) == 1
    assert options[0] != 0


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_other_methods_are_the_handlers(client: http.client.HTTPConnection, method: str) -> None:
    client.request(method, "/predict", b"{}", JSON)
    response = client.getresponse()
    assert (response.status, response.getheader("allow")) == (405, "POST")


def test_a_body_that_is_not_utf8_reaches_the_handler(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/predict", b'{"uuid": "\xff"}', JSON)
    problem = json.loads(client.getresponse().read())
    assert problem["detail"] == "expected UTF-8, got another byte at position 10"


def test_what_curl_sends_by_default_is_refused(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/predict", b"{}", {"content-type": "application/x-www-form-urlencoded"})
    assert client.getresponse().status == 415


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1 x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # without host
        (b"GET / HTTP/1.1\r\nhost : x\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nhost: x\r\n\r\n", 505),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"x" * 11_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"x" * 400_000, 431),  # that never ends
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +2\r\n\r\n{}", 400),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1e3\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10485761\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ", 400),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n{}\r\n", 400),
    ],
)
def test_bad_http_is_answered_with_a_problem(echoing: Server, request_: bytes, status: int) -> None:
    head, body = raw(echoing, request_)
    assert status_of(head) == status
    assert b"\r\ncontent-type: application/problem+json" in head
    assert json.loads(body)["status"] == status


def test_a_head_that_is_too_long_is_that_however_it_is_cut(echoing: Server) -> None:
    for pause in (0, 0.05):
        with connect(echoing) as connection, connection.makefile("rb") as stream:
            connection.sendall(b"GET /" + b"x" * 69_000)
            time.sleep(pause)
            connection.sendall(b"x" * 1_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
            assert status_of(stream.read()) == 431


def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not(echoing: Server) -> None:
    for length, status in ((BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)):
        with closing(http.client.HTTPConnection(*echoing.address, timeout=30)) as client:
            client.request("POST", "/", b"x" * length)
            assert client.getresponse().status == status


def test_a_chunked_body_is_read_and_limited(echoing: Server) -> None:
    for chunks, status in ((3, 200), (12, 413)):
        with closing(http.client.HTTPConnection(*echoing.address, timeout=30)) as client:
            client.request("POST", "/", iter([b"x" * 2**20] * chunks), encode_chunked=True)
            response = client.getresponse()
            answer = json.loads(response.read())
            assert response.status == status
            assert (len(answer.get("body", "")) == chunks * 2**20) is (status == 200)


def test_equal_content_lengths_are_one(echoing: Server) -> None:
    request = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}"
    head, body = raw(echoing, request)
    assert (status_of(head), json.loads(body)["body"]) == (200, "{}")


@pytest.mark.parametrize("length", [2, BODY_LIMIT + 1])
def test_a_client_that_expects_100_is_asked_for_a_body_that_may_come(echoing: Server, length: int) -> None:
    request = f"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    with connect(echoing) as connection, connection.makefile("rb") as stream:
        connection.sendall(request.encode())
        first = status_of(stream.readline())
        assert first == (100 if length == 2 else 413)
        if first == 100:
            assert stream.readline() == b"\r\n"
            connection.sendall(b"{}")
            assert status_of(stream.readline()) == 200


def test_http_1_0_ends_with_the_connection_whatever_it_asks_for(echoing: Server) -> None:
    head, body = raw(echoing, b"GET /health HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
    assert status_of(head) == 200
    assert b"\r\nconnection: close" in head.lower()
    assert json.loads(body)["requestContext"]["http"]["protocol"] == "HTTP/1.0"


def test_head_claims_no_other_length_than_get(server: Server) -> None:
    head, body = raw(server, b"HEAD /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert (status_of(head), body) == (200, b"")
    assert b"content-length" not in head.lower()


def test_an_absolute_target_is_its_path_and_query(echoing: Server) -> None:
    head, body = raw(echoing, b"GET http://a.example/health?a=%20 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    event = json.loads(body)
    assert (status_of(head), event["rawPath"], event["rawQueryString"]) == (200, "/health", "a=%20")


def test_pipelined_requests_are_answered_in_order(echoing: Server) -> None:
    last = 9
    heads = [f"GET /{n} HTTP/1.1\r\nhost: x\r\n" + "connection: close\r\n" * (n == last) for n in range(last + 1)]
    with connect(echoing) as connection, connection.makefile("rb") as stream:
        connection.sendall("".join(f"{head}\r\n" for head in heads).encode())
        text = stream.read().decode()
    places = [text.index(f'"rawPath": "/{n}"') for n in range(last + 1)]
    assert places == sorted(places)


def test_a_burst_of_connections_is_served(echoing: Server) -> None:
    """All connect before any is answered: none may be turned away, or retry by SYN after a second."""
    connections = [connect(echoing) for _ in range(200)]
    for connection in connections:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
    statuses = []
    for connection in connections:
        with connection, connection.makefile("rb") as stream:
            statuses.append(status_of(stream.readline()))
    assert statuses == [200] * 200


HEAD = b"GET / HTTP/1.1\r\nhost: x\r\na: "
BODY = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n"
FIRST = b"GET /first HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "start"),
    [(b"", b""), (b"", HEAD), (b"", BODY), (FIRST, HEAD), (FIRST, BODY)],
    ids=["nothing", "head", "body", "head after a request", "body after a request"],
)
def test_a_request_that_never_ends_is_ended(first: bytes, start: bytes) -> None:
    """However often a byte comes: the limit is for the whole request."""
    with Server(echo, quiet=True, request_seconds=0.5) as server, connect(server) as connection:
        connection.sendall(first + start)
        connection.settimeout(0.05)
        received = b""
        while True:
            try:
                data = connection.recv(65536)
            except TimeoutError:
                if start:
                    connection.sendall(b"x")
                continue
            except ConnectionError:
                break
            if not data:
                break
            received += data
    assert received.count(b"HTTP/1.1 200") == bool(first)
    assert received.count(b"HTTP/1.1 408") == 1


def test_a_long_answer_is_not_cut_by_the_limit_for_requests() -> None:
    def slow(event: Any, context: object) -> dict[str, Any]:
        time.sleep(0.4)
        return echo(event, context)

    with Server(slow, quiet=True, request_seconds=0.1) as server:
        assert status_of(raw(server, b"GET / HTTP/1.0\r\n\r\n")[0]) == 200


def test_a_client_that_goes_away_disturbs_nobody(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    for request in (b"", b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{}"):
        with connect(server) as connection:
            connection.sendall(request)
    assert status_of(raw(server, b"GET /health HTTP/1.0\r\n\r\n")[0]) == 200
    assert capfd.readouterr() == ("", "")


def test_stopping_finishes_what_is_under_way() -> None:
    began = Event()

    def slow(event: Any, context: object) -> dict[str, Any]:
        began.set()
        time.sleep(0.3)
        return echo(event, context)

    server = Server(slow, quiet=True)
    answers: list[bytes] = []
    with server:
        asking = Thread(target=lambda: answers.append(raw(server, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")[0]))
        asking.start()
        assert began.wait(10)
    asking.join()
    assert status_of(answers[0]) == 200


def test_an_exception_of_the_handler_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    def fails(event: object, context: object) -> None:
        raise LookupError("secret")

    with Server(fails, quiet=True) as server:
        head, body = raw(server, b"GET / HTTP/1.0\r\n\r\n")
    assert (status_of(head), b"secret" in body, json.loads(body)["status"]) == (500, False, 500)
    assert capsys.readouterr().err.startswith("LookupError: secret\n")


def test_pages_come_before_the_handler_and_may_leave_a_request_to_it() -> None:
    def page(request: HttpRequest) -> dict[str, Any] | None:
        if "text/html" not in dict(request.headers).get("accept", ""):
            return None
        return {"statusCode": 200, "headers": {"content-type": "text/html"}, "body": "<p>é"}

    with Server(echo, quiet=True, pages={"/": page}) as server:
        assert raw(server, b"GET / HTTP/1.0\r\naccept: text/html\r\n\r\n")[1] == "<p>é".encode()
        for request in (b"GET / HTTP/1.0\r\n\r\n", b"GET /a HTTP/1.0\r\naccept: text/html\r\n\r\n"):
            assert json.loads(raw(server, request)[1])["version"] == "2.0"


def test_it_listens_on_ipv6_too() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with Server(echo, "::1", quiet=True) as server:
        assert server.url == f"http://[::1]:{server.address[1]}"
        assert json.loads(raw(server, b"GET / HTTP/1.0\r\n\r\n")[1])["requestContext"]["http"]["sourceIp"] == "::1"


@pytest.mark.parametrize(
    ("line", "status"), [(b"PRI * HTTP/2.0", 505), (b"GET / HTTP/0.9", 505), (b"GET / HTTP/3", 400), (b"GET /", 400)]
)
def test_other_versions_of_http_are_refused_by_name(server: Server, line: bytes, status: int) -> None:
    head, body = raw(server, line + b"\r\nhost: x\r\n\r\n")
    assert status_of(head) == status
    version = line.rpartition(b" ")[2].decode()
    wanted = f"HTTP/1.1 or HTTP/1.0, got {version}" if status == 505 else "a request as RFC 9112 defines it"
    assert json.loads(body)["detail"] == f"expected {wanted}"
