"""`python -m runtime.local`: the Lambda handler behind HTTP on this machine, for curl, for browsers and for tests.

Each request becomes the event that an HTTP API would send, and the handler's answer goes back to the byte. A browser
that asks for `/` gets a page of its own: see local.page.
"""

import argparse

from cli.parser import Parser
from local.complaint import complain
from local.model import load_handler
from local.stop import on_stop
from runtime.manifest import ModelRefused
from runtime.settings import SettingRefused


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        from local.application import say
        from local.page import page_of
        from local.server import Server, authority
    except ImportError as fault:
        complain(f"{fault.name}: expected to be installed, got nothing; run pip install 'lastbit[serve]'")
        return 1
    try:
        handler = load_handler(options.model)
    except (ModelRefused, SettingRefused) as fault:
        complain(str(fault))
        return 1
    except KeyboardInterrupt:
        complain("interrupted; nothing was served")
        return 1
    try:
        pages = {"/": page_of(handler.service)}
        server = Server(handler, options.host, options.port, pages=pages, quiet=options.quiet)
    except (OSError, UnicodeError) as fault:
        # socket.create_server adds to the text of the fault what the line says anyway.
        reason = (getattr(fault, "strerror", None) or str(fault)).partition(" (while")[0]
        where = authority(options.host, options.port)
        complain(f"cannot listen on {where}: {reason}; choose another with --host or --port")
        return 1
    on_stop(server.stop)
    if not options.quiet:
        say(f"Serving {server.url}/predict; Ctrl-C stops")
    server.run()
    server.close()
    if not options.quiet:
        say("Stopped")
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m runtime.local",
        description="Serve the Lambda handler over HTTP on this machine; a browser gets a page at / to try the model.",
        epilog="Exit status: 0 stopped by Ctrl-C or SIGTERM, 1 could not serve (standard error says why), "
        "2 wrong usage.",
    )
    where = parser.add_argument_group("where")
    where.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    where.add_argument(
        "--port", type=_port, default=8000, help="port to listen on; 0 picks a free one (default: %(default)s)"
    )
    what = parser.add_argument_group("what")
    what.add_argument(
        "--model", metavar="DIR", help="folder of model.onnx and manifest.json (default: $MODEL_DIR, model)"
    )
    what.add_argument("--quiet", action="store_true", help="print no line at the start and none for each request")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, got {text!r}")
    return int(text)
