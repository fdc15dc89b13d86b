"""`python -m runtime.ask FILE`: one request through the Lambda handler, as API Gateway would send it."""

import json
import sys
from typing import Any

from cli.parser import Parser
from local.complaint import complain
from local.event import HttpRequest, http_api_event
from local.model import load_handler
from runtime.manifest import ModelRefused
from runtime.settings import SettingRefused


def main(arguments: list[str] | None = None) -> int:
    """Print the answer; a problem goes to standard error. Returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        body = _read(options.file)
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        complain(f"{options.file}: cannot be read ({reason}); name a file of JSON, or - for standard input")
        return 1
    try:
        handler = load_handler(options.model)
    except (OSError, ModelRefused, SettingRefused) as fault:
        complain(str(fault))
        return 1
    path = "/predict/batch" if options.batch else "/predict"
    headers = (("content-type", "application/json"),)
    request = HttpRequest("POST", path, headers, body.encode(errors="surrogateescape"))
    answer: Any = handler(http_api_event(request), None)
    is_answered = answer["statusCode"] == 200
    stream = sys.stdout if is_answered else sys.stderr
    stream.write(json.dumps(json.loads(answer["body"]), indent=2) + "\n")
    return 0 if is_answered else 1


def _parser() -> Parser:
    parser = Parser(
        prog="python -m runtime.ask",
        description="Send one request through the Lambda handler, as API Gateway would, and print the answer.",
        epilog="Exit status: 0 answered, 1 not answered (standard error says why), 2 wrong usage.",
    )
    parser.add_argument("file", metavar="FILE", help="JSON body of the request; - reads standard input")
    parser.add_argument("--batch", action="store_true", help="send it to /predict/batch instead of /predict")
    parser.add_argument(
        "--model", metavar="DIR", help="folder of model.onnx and manifest.json (default: $MODEL_DIR, model)"
    )
    return parser


def _read(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    with open(file, encoding="utf-8") as stream:  # noqa: PTH123
        return stream.read()
