"""`python -m delivery.loopback`: starts the local server as a user would and compares its answers with the handler's.

The applicants are the model's own self-check rows, so that any model can be tried.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.loopback")


import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli import command
from cli.errors import UserError
from cli.parser import Parser
from export.model_folder import MANIFEST
from local.event import HttpRequest, http_api_event
from local.model import load_handler
from runtime.manifest import ModelRefused
from runtime.settings import SettingRefused

PATH = "/predict/batch"
HEADERS = {"content-type": "application/json"}
PATIENCE = 60  # seconds, for an answer and for the end


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = Parser(
        prog="python -m delivery.loopback", description="Serve a model on loopback and compare the answers."
    )
    parser.add_argument("--model", metavar="DIR", type=Path, default=Path("model"), help="default: model")
    options = parser.parse_args(arguments)
    return command.run(lambda: compare(options.model), "nothing was changed")


def compare(model: Path) -> None:
    """Raise UserError if the server's answer differs in any byte from the handler's in this process."""
    try:
        handler = load_handler(str(model))
    except (ModelRefused, SettingRefused) as refusal:
        raise UserError(str(refusal)) from refusal
    body = json.dumps({"applicants": applicants(json.loads((model / MANIFEST).read_text(encoding="utf-8")))}).encode()
    expected: Any = handler(http_api_event(HttpRequest("POST", PATH, tuple(HEADERS.items()), body)), None)
    with served(model) as address:
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        connection.request("POST", PATH, body, HEADERS)
        response = connection.getresponse()
        status, answer = response.status, response.read().decode()
        connection.close()
    if (status, answer) != (expected["statusCode"], expected["body"]) or status != 200:
        raise UserError(f"{address}: expected {expected['statusCode']} {expected['body']}, got {status} {answer}")
    found = json.loads(answer)
    if found["refused"] or not found["scored"]:
        raise UserError(f"{address}: expected that every self-check row is scored, got {answer}")
    sys.stdout.write(f"{found['scored']} applicants are answered over HTTP as by the handler, to the byte\n")


def applicants(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The self-check rows of a manifest as applicants of a request."""
    inputs = manifest["inputs"]
    binary = {feature["name"] for feature in manifest["features"] if feature["type"] == "boolean"}
    found = []
    for index, row in enumerate(manifest["self_check"]["rows"]):
        values = dict(zip(inputs["numbers"], row["numbers"], strict=True))
        values |= dict(zip(inputs["categories"], (text or None for text in row["categories"]), strict=True))
        values |= {name: bool(values[name]) for name in binary if values[name] is not None}
        found.append({"uuid": str(index), **values})
    return found


@contextmanager
def served(model: Path) -> Iterator[str]:
    """A server in a process of its own: host and port."""
    words = [sys.executable, "-m", "runtime.local", "--port", "0", "--model", str(model)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            if not said.startswith("Serving http://"):
                raise UserError(f"runtime.local: expected that it serves, got {said.strip() or 'nothing'}")
            yield urlsplit(said.split()[1]).netloc
        finally:
            process.terminate()
            process.wait(PATIENCE)
