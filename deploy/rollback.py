"""`python deploy/rollback.py --stage prod`: the version before answers again, within a second.

The alias `live` is pointed to another version of the function: no build, no CloudFormation, few permissions.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    if find_spec("rich") is None:
        sys.exit("error: this Python lacks the project's packages; run make .venv/ready and use .venv/bin/python")

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("deploy.rollback")

# isort: split
import re
import tempfile
from collections.abc import Sequence
from typing import Any

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped
from deploy.artifact import key_of, read_artifact
from deploy.asked import asked_of
from deploy.aws import Aws, connect
from deploy.smoke import Expected, smoke
from deploy.stack import Stack, State
from deploy.stages import STAGES, Stage, read_stage
from deploy.versions import LIVE, PREVIOUS, Function, Version


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = parser().parse_args(arguments)
    return command.run(lambda: rollback(args, Progress(quiet=args.quiet)), "nothing else was changed")


def parser() -> Parser:
    """The command's options."""
    options = Parser(
        prog="python deploy/rollback.py",
        description="Route all traffic back to an earlier version of the function, at once, and test it.",
        epilog="Exit status: 0 it answers, 1 it does not (standard error says why), 2 wrong usage.",
    )
    what = options.add_argument_group("what and where")
    what.add_argument("--stage", required=True, help="a stage of deploy/stages.toml")
    what.add_argument(
        "--version", metavar="V", help="a version of the function, or of the model (default: the one before)"
    )
    options.add_argument_group("how").add_argument("--list", action="store_true", help="list the versions")
    files = options.add_argument_group("other files")
    files.add_argument("--stages", default=str(STAGES), metavar="FILE", help="default: deploy/stages.toml")
    options.add_argument_group("display").add_argument("--quiet", action="store_true", help="print errors only")
    return options


def rollback(args: Any, progress: Progress) -> None:
    """Raise UserError where no earlier version exists, or the restored one fails the smoke test."""
    stage = read_stage(args.stage, Path(args.stages))
    aws = connect(stage.region)
    if stage.account not in ("", aws.account):
        raise UserError(
            f"stage {stage.name} is in account {stage.account}, but these credentials are for "
            f"{aws.account}; log in to the former"
        )
    state = Stack(aws.client("cloudformation"), stage.stack).state()
    if state is None or "FunctionName" not in state.outputs:
        raise UserError(f"{stage.stack}: nothing is deployed there")
    if state.is_moving:
        raise UserError(
            f"{stage.stack}: is {state.status}: a deployment is under way; stop it, which brings back what was there "
            f"before (aws cloudformation cancel-update-stack --stack-name {stage.stack})"
        )
    function = Function(aws.client("lambda"), state.outputs["FunctionName"])
    versions = function.versions()
    live, previous = function.behind(LIVE), function.behind(PREVIOUS)
    if args.list:
        for version in versions:
            notes = [alias for alias, number in ((LIVE, live), (PREVIOUS, previous)) if number == version.number]
            sys.stdout.write(f"{version}{' (' + ', '.join(notes) + ')' if notes else ''}\n")
        return
    target = _target(args.version, versions, previous, live)
    if target.number == live and not function.shares(LIVE):
        progress.say(f"{LIVE} is at {escaped(target)} already.")
    else:
        function.point(LIVE, target.number)
        progress.say(f"[green]✓[/] {LIVE} moved from version {live} to {escaped(target)}.")
    _test(aws, stage, state, target, progress)


def _target(wanted: str | None, versions: Sequence[Version], previous: str | None, live: str | None) -> Version:
    """The version that was asked for, or the one before; of a model the newest version."""
    if wanted is None:
        if previous is None:
            raise UserError("no earlier version was deployed; name one with --version (--list lists them)")
        wanted = previous
    is_number = re.fullmatch(r"\d{1,9}", wanted)
    found = [version for version in versions if wanted == (version.number if is_number else version.model)]
    if not found:
        known = ", ".join(f"{version.number} ({version.model or 'unknown'})" for version in versions)
        raise UserError(f"no version {wanted}; the versions are {known or 'none'}", WRONG_USAGE)
    return next((version for version in found if version.number == live), found[-1])


def _test(aws: Aws, stage: Stage, state: State, target: Version, progress: Progress) -> None:
    """The smoke test, by the manifest in the package that the version was made of, if that can be read."""
    expected = _expected(aws, stage, target, progress)
    if expected is None:
        progress.say("[yellow]Note:[/] not tested: nothing is known of the model of this version")
        return
    smoke(asked_of(aws, state, progress), expected, progress)


def _expected(aws: Aws, stage: Stage, target: Version, progress: Progress) -> Expected | None:
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = stage.in_account(aws.account).bucket
    try:
        client = aws.client("s3")
        body = client.get_object(Bucket=bucket, Key=key_of(target.sha256), ExpectedBucketOwner=aws.account)[
            "Body"
        ].read()
    except (ClientError, BotoCoreError):
        progress.say("[yellow]Note:[/] its package cannot be read, so only its model version is compared")
        return Expected(target.model) if target.model else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lambda.zip"
        path.write_bytes(body)
        return Expected.of(read_artifact(path).manifest)
