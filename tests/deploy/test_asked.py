"""Questions of a deployment where DNS is not set up yet, or where the API needs more than a key."""

import datetime
import io
import json
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.endpoint import Endpoint, Failed
from deploy.invoked import Invoked
from runtime.manifest import Manifest
from tests.deploy.conftest import NAME, Account
from tests.deploy.served import answer
from tests.deploy.test_deploy import deploy, error
from tests.deploy.test_rollback import back, refusing

pytestmark = [pytest.mark.usefixtures("no_pause"), pytest.mark.tier("land")]
DOMAIN = "scores.bank.invalid"  # which no DNS will ever know


def certificate(folder: Path, name: str) -> Path:
    """A certificate of its own for a name, with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    pem = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *pem) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextmanager
def behind_tls(url: str, pem: Path) -> Iterator[int]:
    """The port of a gateway that ends TLS and asks `url`."""

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))) or None
            assert self.headers["host"].startswith(DOMAIN)
            request = urllib.request.Request(url + self.path, body, dict(self.headers), method=self.command)
            try:
                with urllib.request.urlopen(request) as response:
                    status, headers, content = response.status, response.headers, response.read()
            except urllib.error.HTTPError as refused:
                status, headers, content = refused.code, refused.headers, refused.read()
            self.send_response(status)
            self.send_header("content-type", headers["content-type"])
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  (http.server's name)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def domain(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """A stage with a domain whose record nobody has made."""
    pem = certificate(tmp_path, DOMAIN)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with behind_tls(account.url, pem) as port:
        account.more_outputs = {"Url": f"https://{DOMAIN}:{port}", "DomainTarget": "localhost"}
        yield account


def test_a_first_deployment_with_a_domain_is_green_and_says_what_dns_needs(
    domain: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    assert deploy(stages, packages[0], "--yes") == 0
    out, said = capsys.readouterr()
    assert out.startswith(f"https://{DOMAIN}:")
    assert f"{DOMAIN} has to be an alias (CNAME) of localhost; DNS does not know {DOMAIN} yet" in " ".join(said.split())
    assert "without a key        ✓  403" in said


def test_a_rollback_is_tested_there_too(domain: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    assert deploy(stages, packages[0], "--yes", "--quiet") == 0
    assert deploy(stages, packages[1], "--yes", "--quiet") == 0
    assert back(stages) == 0
    assert f"Testing https://{DOMAIN}" in capsys.readouterr().err or domain.live == "1"
    assert domain.live == "1"


def test_the_certificate_is_still_that_of_the_domain(domain: Account) -> None:
    """A target that shows another name's certificate is not believed."""
    port = domain.more_outputs["Url"].rpartition(":")[2]
    asked = Endpoint(f"https://other.bank.invalid:{port}", target="localhost", attempts=1)
    with pytest.raises(Failed, match="certificate"):
        asked.ask("/health")


class Lambda:
    """Invoke, which moto has only with Docker: the function of an account answers."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.events: list[dict[str, Any]] = []
        self.error: dict[str, str] | None = None

    def invoke(self, arguments: dict[str, Any]) -> dict[str, Any]:
        assert (arguments["FunctionName"], arguments["Qualifier"]) == (NAME, "live")
        event = json.loads(arguments["Payload"])
        self.events.append(event)
        if self.error is not None:
            return {"Payload": io.BytesIO(json.dumps(self.error).encode()), "FunctionError": "Unhandled"}
        return {"Payload": io.BytesIO(json.dumps(self.account.respond(event)).encode())}


@pytest.fixture
def closed(account: Account, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    """A private API: nothing answers at its URL from here."""
    from botocore.client import BaseClient

    function = Lambda(account)
    ordinary = BaseClient._make_api_call

    def call(self: Any, name: str, arguments: Any) -> Any:
        return function.invoke(arguments) if name == "Invoke" else ordinary(self, name, arguments)

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", call)
    account.more_outputs = {"Url": "https://private.bank.invalid", "Closed": "true"}
    return function


def test_a_closed_api_is_tested_through_its_function(
    closed: Lambda, stages: Path, packages: list[Path], manifests: list[Manifest], capsys: Any
) -> None:
    assert deploy(stages, packages[0], "--yes") == 0
    said = capsys.readouterr().err
    assert "the API requires more than a key, so the test invokes its function" in " ".join(said.split())
    assert "self-check rows      ✓" in said
    assert "without a key" not in said
    assert {event["path"] for event in closed.events} >= {"/health", "/model", "/predict", "/predict/batch"}


def test_a_function_that_fails_behind_it_is_brought_back(
    closed: Lambda, stages: Path, packages: list[Path], capsys: Any
) -> None:
    assert deploy(stages, packages[0], "--yes", "--quiet") == 0
    closed.account.broken = lambda event: answer(500, {"detail": "broken"})
    assert deploy(stages, packages[1], "--yes") == 1
    assert "live is back at version 1" in error(capsys)


def test_an_error_of_the_function_is_reported(closed: Lambda, stages: Path, packages: list[Path], capsys: Any) -> None:
    closed.error = {"errorMessage": "model.onnx: sha256 differs", "errorType": "ModelRefused"}
    assert deploy(stages, packages[0], "--yes") == 1
    assert "/health: the function failed: model.onnx: sha256 differs" in error(capsys)


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"{}", b'"pong"', b'{"statusCode": 200, "headers": {}, "body": "x"}', b"[" * 100_000],
    ids=lambda payload: payload[:30].decode(),
)
def test_what_is_no_answer_is_no_traceback(payload: bytes) -> None:
    class Client:
        @staticmethod
        def invoke(**_: Any) -> dict[str, Any]:
            return {"Payload": io.BytesIO(payload)}

    with pytest.raises(Failed, match="/health: expected an answer in JSON"):
        Invoked(Client(), "f").ask("/health")


def test_no_permission_to_invoke_is_one_line(
    closed: Lambda, stages: Path, packages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def denied(_: Any) -> None:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yours"}}, "Invoke")

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refusing("Invoke", denied))
    assert deploy(stages, packages[0], "--yes") == 1
    assert f"invoking {NAME}:live: access denied (AccessDeniedException: not yours)" in error(capsys)
