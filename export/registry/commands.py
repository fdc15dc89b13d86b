"""What `python -m export.to_onnx` does with published models: publish, fetch, list, roll back."""

import argparse
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from cli.errors import UserError
from cli.parser import Parser
from cli.progress import Progress
from export.registry.models import LATEST, VERSION, Registry
from storage.address import is_remote

MODEL = "model"
WHAT_STAYS = "the model folder and the published models are whole, as they were or new"
USAGE = """python -m export.to_onnx [--artifacts DIR] [--out DIR] [--publish s3://bucket/prefix]
       python -m export.to_onnx --fetch s3://bucket/prefix [--version VERSION] [--out DIR]
       python -m export.to_onnx --versions s3://bucket/prefix
       python -m export.to_onnx --rollback s3://bucket/prefix --version VERSION"""
EPILOG = """\
Published models are never changed or deleted; latest.json names one of them, and moves last.
Credentials are found as AWS's own tools find them. Layout and permissions: docs/storage.md.
"""

Action = Callable[[argparse.Namespace, Progress], None]


def add_flags(options: Parser) -> None:
    """Adds the flags of this part to those of the export."""
    published = options.add_argument_group("published models")
    one_of = published.add_mutually_exclusive_group()
    address = "s3://bucket/prefix"
    one_of.add_argument("--publish", metavar=address, help="after the export, upload the model and make it the latest")
    one_of.add_argument("--fetch", metavar=address, help="instead of an export, bring a published model to --out")
    one_of.add_argument("--versions", metavar=address, help="list the published models")
    one_of.add_argument("--rollback", metavar=address, help="make --version the latest; no file is copied")
    published.add_argument(
        "--version", type=version, metavar="VERSION", help=f"of --fetch and --rollback; fetched by default: {LATEST}"
    )


def version(text: str) -> str:
    """`latest`, or a model version."""
    if text != LATEST and not VERSION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"expected {LATEST} or 12 of 0-9 and a-f, as --versions lists, got {text!r}")
    return text


def chosen(options: Parser, args: argparse.Namespace) -> Action | None:
    """What is to be done instead of an export, if anything. Ends the command for flags that do not go together."""
    doing = next((name for name in ACTIONS if getattr(args, name) is not None), None)
    action, goes_with = ACTIONS[doing] if doing else (None, {"artifacts", "out"})
    for name in ("artifacts", "out", "version"):
        if getattr(args, name) is not None and name not in goes_with:
            options.error(f"--{name} does not go with {f'--{doing}' if doing else 'an export'}")
    if args.out is not None and is_remote(args.out):
        options.error(f"--out is a folder here; --publish uploads the model: --publish {args.out}")
    if doing == "rollback" and args.version in (None, LATEST):
        options.error("--rollback needs the --version to go back to; --versions lists them")
    return action


def publish(registry: Registry, model: Path, progress: Progress) -> None:
    """Publishes the model in a folder."""
    published = registry.publish(model, progress)
    progress.say(f"Published as [bold]{escape(str(registry.address / published))}[/], the latest")


def _fetch(args: argparse.Namespace, progress: Progress) -> None:
    out = args.out or MODEL
    fetched = Registry(args.fetch).fetch(args.version or LATEST, Path(out), progress)
    progress.say(f"Written to [bold]{escape(out)}/[/]: model [bold]{fetched}[/]. Next: python -m runtime.local")


def _list(args: argparse.Namespace, _: Progress) -> None:
    registry = Registry(args.versions)
    versions = registry.versions()
    if not versions:
        raise UserError(f"{registry.address}: no model is published there; publish one with --publish")
    grid = Grid("version", "published (UTC)", "", box=None, pad_edge=False)
    for entry in versions:
        grid.add_row(entry.version, f"{entry.time:%Y-%m-%d %H:%M:%S}", LATEST if entry.latest else "")
    Console(highlight=False).print(grid)


def _roll_back(args: argparse.Namespace, progress: Progress) -> None:
    registry = Registry(args.rollback)
    registry.roll_back(args.version, progress)
    progress.say(f"The latest of {escape(str(registry.address))} is now [bold]{args.version}[/]")


ACTIONS: dict[str, tuple[Action, set[str]]] = {
    "fetch": (_fetch, {"out", "version"}),
    "versions": (_list, set()),
    "rollback": (_roll_back, {"version"}),
}
"""By flag: what is done, and which other flags go with it."""
