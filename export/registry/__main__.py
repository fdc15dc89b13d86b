"""`python -m export.registry`: publishes models to S3, fetches and lists them, rolls back to an earlier one."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("export.registry.__main__")


import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from cli import command
from cli.errors import UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.words import next_command
from export.registry.models import LATEST, VERSION, Registry
from storage.address import is_remote

MODEL = "model"
WHAT_STAYS = "the model folder and the published models are whole, as they were or new"
EPILOG = """\
Published models are never changed or deleted; latest.json names one of them, and moves last.
Credentials are found as AWS's own tools find them. Layout and permissions: docs/storage.md.
"""

Action = Callable[[argparse.Namespace, Progress], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parser()
    args = options.parse_args(arguments)
    if is_remote(getattr(args, "out", "")):
        options.error(f"--out is a folder of this machine; publish uploads a model: publish {args.out}")
    action: Action = args.action
    return command.run(lambda: action(args, Progress(quiet=args.quiet)), WHAT_STAYS)


def parser() -> Parser:
    """The command's options."""
    options = Parser(
        prog="python -m export.registry",
        description="Keep exported models in S3: every version, and which of them is the latest.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = options.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, action: Action, description: str) -> Parser:
        added = commands.add_parser(name, help=description[0].lower() + description[1:], description=f"{description}.")
        added.set_defaults(action=action)
        added.add_argument("address", metavar="s3://bucket/prefix", help="prefix that holds the published models")
        added.add_argument("--quiet", action="store_true", help="print errors only")
        return added

    one = add("publish", publish, "Upload the exported model and make it the latest")
    one.add_argument(
        "--model", default=MODEL, metavar="DIR", help="folder of the exported model (default: %(default)s)"
    )
    one = add("fetch", fetch, "Bring a published model to this machine")
    one.add_argument("--version", type=version, default=LATEST, metavar="VERSION", help="default: %(default)s")
    one.add_argument("--out", default=MODEL, metavar="DIR", help="folder for the model (default: %(default)s)")
    add("versions", list_versions, "List the published models, the newest first")
    one = add("rollback", roll_back, "Make an earlier version the latest; no file is copied")
    one.add_argument("--version", type=earlier_version, required=True, metavar="VERSION", help="as `versions` lists it")
    return options


def version(text: str) -> str:
    """`latest`, or a model version."""
    return text if text == LATEST else _version(text, f"{LATEST} or ")


def earlier_version(text: str) -> str:
    """A model version, by its name: the latest is where a rollback starts."""
    return _version(text, "")


def _version(text: str, besides: str) -> str:
    if not VERSION.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"expected {besides}12 of 0-9 and a-f, as python -m export.registry versions lists, got {text!r}"
        )
    return text


def publish(args: argparse.Namespace, progress: Progress) -> None:
    """Publish the model in a folder; problems of the destination are reported before the upload."""
    registry = Registry(args.address)
    registry.check()
    published = registry.publish(Path(args.model), progress)
    progress.say(f"Published as [bold]{escape(str(registry.address / published))}[/], the latest")


def fetch(args: argparse.Namespace, progress: Progress) -> None:
    """Replace a model folder by a published version."""
    fetched = Registry(args.address).fetch(args.version, Path(args.out), progress)
    then = escape(next_command("runtime.local", "--model", args.out, MODEL))
    progress.say(f"Written to [bold]{escape(args.out)}/[/]: model [bold]{fetched}[/]. Next: {then}")


def list_versions(args: argparse.Namespace, _: Progress) -> None:
    """Print the published versions on standard output."""
    registry = Registry(args.address)
    versions = registry.versions()
    if not versions:
        raise UserError(
            f"{registry.address}: no model is published there; publish one with python -m export.registry publish"
        )
    grid = Grid("version", "published (UTC)", "", box=None, pad_edge=False)
    for entry in versions:
        grid.add_row(entry.version, f"{entry.time:%Y-%m-%d %H:%M:%S}", LATEST if entry.latest else "")
    Console(highlight=False).print(grid)


def roll_back(args: argparse.Namespace, progress: Progress) -> None:
    """Move the pointer to a version, after all of it was examined."""
    registry = Registry(args.address)
    registry.roll_back(args.version, progress)
    progress.say(f"The latest of {escape(str(registry.address))} is now [bold]{args.version}[/]")
