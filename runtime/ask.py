"""`python -m runtime.ask FILE`: one request through the Lambda handler, as API Gateway would send it."""

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from runtime.manifest import ModelRefused
from runtime.settings import SettingRefused, Settings

if TYPE_CHECKING:
    from runtime.dispatch import Handler


def main(arguments: list[str] | None = None) -> int:
    """Prints the answer; a problem goes to standard error. Returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        body = _read(options.file)
        handler = load_handler(options.model)
    except (OSError, UnicodeDecodeError, ModelRefused, SettingRefused) as fault:
        reason = f"{options.file}: {fault.strerror}" if isinstance(fault, OSError) else fault
        sys.stderr.write(f"{reason}\n")
        return 1
    answer: Any = handler(_event(body, "/predict/batch" if options.batch else "/predict"), None)
    is_answered = answer["statusCode"] == 200
    stream = sys.stdout if is_answered else sys.stderr
    stream.write(json.dumps(json.loads(answer["body"]), indent=2) + "\n")
    return 0 if is_answered else 1


def load_handler(model_folder: str | None) -> "Handler":
    """A handler as Lambda has it, over another model folder than the environment's if one is given.

    Raises ModelRefused or SettingRefused.
    """
    from runtime.dispatch import Handler  # onnxruntime with it: not for --help

    environment = dict(os.environ)
    if model_folder is not None:
        environment["MODEL_DIR"] = model_folder
    return Handler(Settings(environment))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m runtime.ask",
        description="Send one request through the Lambda handler, as API Gateway would; print the answer.",
        epilog="Exit status: 0 answered, 1 not answered (standard error says why), 2 wrong usage.",
    )
    parser.add_argument("file", metavar="FILE", help="the body of the request, JSON; - reads it from standard input")
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


def _event(body: str, path: str) -> dict[str, Any]:
    return {
        "resource": path,
        "path": path,
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": None,
        "requestContext": {"stage": "local", "requestId": "local"},
        "body": body,
        "isBase64Encoded": False,
    }


if __name__ == "__main__":
    sys.exit(main())
