"""`python deploy/deploy.py --stage dev`: the package in dist/ to a stage, after saying what will change.

It stops before anything is changed where the model is not certified, the package does not fit, a setting is missing or
AWS would refuse; afterwards CloudFormation, CodeDeploy and the smoke test each bring back what was there before.
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

    start("deploy.deploy")

# isort: split
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped
from deploy.artifact import read_artifact
from deploy.asked import asked_of
from deploy.aws import Aws, connect
from deploy.plan import Plan
from deploy.release import Release, compose
from deploy.smoke import Expected, SmokeFailed, smoke
from deploy.stack import Stack, State
from deploy.stages import NO_ACCOUNT, STAGES, read_stage
from deploy.template import TEMPLATE, read_template
from deploy.versions import LIVE, PREVIOUS, Function, Version
from runtime.manifest import Manifest, ModelRefused
from storage.address import Address
from storage.faults import code_of, told
from storage.store import put

VERSIONS_KEPT = 3
# Changes that CloudFormation cannot make, and the remedy.
STUCK = {
    "ROLLBACK_COMPLETE": "its first deployment failed; remove it (aws cloudformation delete-stack)",
    "ROLLBACK_FAILED": "its first deployment failed; remove it (aws cloudformation delete-stack)",
    "CREATE_FAILED": "its first deployment failed; remove it (aws cloudformation delete-stack)",
    "DELETE_FAILED": "it could not be removed; remove it again (aws cloudformation delete-stack)",
    "UPDATE_ROLLBACK_FAILED": "finish what it began (aws cloudformation continue-update-rollback)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = parser().parse_args(arguments)
    return command.run(
        lambda: deploy(args, Progress(quiet=args.quiet)),
        "a deployment that has begun continues in CloudFormation, and nothing else was changed",
    )


def parser() -> Parser:
    """The command's options."""
    options = Parser(
        prog="python deploy/deploy.py",
        description="Deploy the package in dist/ to a stage: print the changes, ask, deploy, test.",
        epilog="Writes the URL to standard output. Exit status: 0 deployed and tested, 1 not (standard error says why, "
        "and what runs now), 2 wrong usage.",
    )
    what = options.add_argument_group("what and where")
    what.add_argument("--stage", required=True, help="a stage of deploy/stages.toml")
    what.add_argument("--package", default="dist/lambda.zip", metavar="ZIP", help="default: %(default)s")
    what.add_argument("--image", default="", metavar="URI", help="with @sha256:..., the same package as an image")
    how = options.add_argument_group("how")
    how.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
    how.add_argument("--yes", action="store_true", help="do not ask")
    how.add_argument("--at-once", action="store_true", help="move all traffic at once, whatever the alarms")
    files = options.add_argument_group("other files")
    files.add_argument("--stages", default=str(STAGES), metavar="FILE", help="default: deploy/stages.toml")
    files.add_argument("--template", default=str(TEMPLATE), metavar="FILE", help="default: deploy/template.yaml")
    options.add_argument_group("display").add_argument(
        "--quiet", action="store_true", help="print errors and the URL only"
    )
    return options


def deploy(args: Any, progress: Progress) -> None:
    """Raise UserError at the first obstacle or failure."""
    stage = read_stage(args.stage, Path(args.stages))
    template = read_template(Path(args.template))
    with progress.step("Checking the package"):
        artifact = read_artifact(Path(args.package))
    unknown = stage.in_account(NO_ACCOUNT)
    compose(unknown, template, artifact, "checked-before-aws-is-asked", args.image, at_once=args.at_once)
    _note_another_model(artifact.manifest.model_version, progress)

    with progress.step("Asking AWS what is there") as show:
        aws = connect(stage.region)
        if stage.account not in ("", aws.account):
            raise UserError(
                f"stage {stage.name} is in account {stage.account}, "
                f"but these credentials are for "
                f"{aws.account}; log in to the former"
            )
        stage = stage.in_account(aws.account)
        release = compose(stage, template, artifact, stage.bucket, args.image, at_once=args.at_once)
        is_uploaded = _is_uploaded(aws, stage.bucket, release)
        stack = Stack(aws.client("cloudformation"), stage.stack)
        state = stack.state()
        _refuse_stuck(stack.name, state)
        function = Function(aws.client("lambda"), f"{stage.stack}-{release.parameters['PackageType']}")
        live = _live(function)
        _refuse_shared(function)
        _refuse_moved(state, live, release)
        show("what would change")
        proposal = stack.propose(
            f"release-{release.id}-{uuid4().hex[:8]}",
            template.body_for(release.parameters),
            release.parameters,
            stage.role,
        )

    plan = Plan(aws, stage, release, is_uploaded, state, function.name, live, proposal)
    goes_ahead = False
    try:
        plan.show(progress)
        goes_ahead = not args.dry_run and plan.changes_something and (args.yes or _agreed())
    finally:
        if not (goes_ahead and proposal.changes):
            stack.withdraw(proposal)
    if args.dry_run or (plan.changes_something and not goes_ahead):
        progress.say("Nothing was changed.")
        return
    if goes_ahead and plan.returns_to:
        function.point(LIVE, plan.returns_to)
    elif goes_ahead:
        if not is_uploaded:
            with progress.step("Uploading the package"):
                _upload(aws, stage.bucket, release)
        with progress.step(f"Deploying to {stage.name}"):
            try:
                state = stack.carry_out(
                    proposal, uuid4().hex, lambda event: progress.say(f"  [dim]{escaped(event)}[/]")
                )
            except UserError as failure:
                raise UserError(f"{failure}; {_what_answers(function)}") from None
        _refuse_elsewhere(state, function)
        if stage.is_protected:
            stack.protect()
    assert state is not None
    _test(aws, state, release, function, live, progress)
    if goes_ahead:
        _settle(function, live, progress)
    progress.say(f"Model [bold]{escaped(artifact.manifest.model_version)}[/] answers at:")
    sys.stdout.write(state.outputs["Url"] + "\n")


def _note_another_model(packaged: str, progress: Progress) -> None:
    try:
        exported = Manifest.read("model/manifest.json").model_version
    except ModelRefused:
        return
    if exported != packaged:
        note = f"model/ holds {exported}, the package {packaged}; to deploy the former, run make package"
        progress.say(f"[yellow]Note:[/] {escaped(note)}")


def _show(event: str, progress: Progress) -> None:
    progress.say(f"  [dim]{escaped(event)}[/]")


def _is_uploaded(aws: Aws, bucket: str, release: Release) -> bool:
    """Raise UserError where there is no bucket of ours."""
    client = aws.client("s3")
    with told(f"reading the bucket {bucket}"):
        try:
            client.head_bucket(Bucket=bucket, ExpectedBucketOwner=aws.account)
        except client.exceptions.ClientError as fault:
            if code_of(fault) in ("404", "NoSuchBucket"):
                raise UserError(
                    f"{bucket}: no such bucket; make it once (docs/operations.md), or change deploy/stages.toml"
                ) from None
            raise
        try:
            found = client.head_object(Bucket=bucket, Key=release.artifact.key, ExpectedBucketOwner=aws.account)
        except client.exceptions.ClientError as fault:
            if code_of(fault) in ("404", "NoSuchKey"):
                return False
            raise
    return bool(found["ContentLength"] == release.artifact.size)


def _upload(aws: Aws, bucket: str, release: Release) -> None:
    """In one request, which S3 takes only if the checksum is right: the object is there whole, or not at all."""
    artifact = release.artifact
    address = Address(bucket, artifact.key)
    with told(address), artifact.path.open("rb") as file:
        put(aws.client("s3"), address, file, artifact.sha256, ExpectedBucketOwner=aws.account)


def _refuse_stuck(name: str, state: State | None) -> None:
    if state is None:
        return
    if state.is_moving:
        raise UserError(f"{name}: is {state.status}: another deployment is under way; wait for it")
    if state.status in STUCK:
        raise UserError(f"{name}: is {state.status}: {STUCK[state.status]}")


def _refuse_shared(function: Function) -> None:
    """Traffic that is still between two versions, though no deployment is under way."""
    for number, share in function.shares(LIVE).items():
        raise UserError(
            f"{function.name}: {share:.0%} of the requests go to version {number}, left from a deployment that was "
            "stopped; choose one with deploy/rollback.py --version"
        )


def _refuse_moved(state: State | None, live: Version | None, release: Release) -> None:
    """CloudFormation tells CodeDeploy which version has the traffic and is unaware of a manual rollback."""
    known = state.outputs.get("Version") if state else None
    if release.is_gradual and live is not None and known is not None and live.number != known:
        raise UserError(
            f"live is at version {live.number}, and the stack left it at {known}: it was rolled back, and traffic "
            f"would be moved from {known}; deploy with --at-once, which moves it from {live.number}"
        )


def _refuse_elsewhere(state: State, function: Function) -> None:
    """Refuse to continue where CloudFormation reports success but the alias was moved meanwhile."""
    known, live = state.outputs["Version"], function.behind(LIVE)
    if live != known:
        raise UserError(
            f"{function.name}: CloudFormation has deployed version {known}, and live is at {live}: it was moved "
            "meanwhile; choose one with deploy/rollback.py --version"
        )


def _live(function: Function) -> Version | None:
    number = function.behind(LIVE)
    return next((version for version in function.versions() if version.number == number), None)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise UserError(
            "expected a terminal to confirm in, got none; to deploy without confirmation, pass --yes", WRONG_USAGE
        )
    return input("Go ahead? [y/N] ").strip().lower() in ("y", "yes")


def _what_answers(function: Function) -> str:
    try:
        live = _live(function)
    except UserError as unknown:
        return f"what answers now is not known ({unknown})"
    return f"live is at {live}" if live else "nothing answers"


def _test(
    aws: Aws, state: State, release: Release, function: Function, before: Version | None, progress: Progress
) -> None:
    """The smoke test; where it fails, the version before gets the requests again."""
    try:
        smoke(asked_of(aws, state, progress), Expected.of(release.artifact.manifest), progress)
    except SmokeFailed as failure:
        if before is None or function.behind(LIVE) == before.number:
            raise UserError(f"{failure}; {_what_answers(function)}") from None
        function.point(LIVE, before.number)
        raise UserError(f"{failure}; live is back at {before}") from None


def _settle(function: Function, before: Version | None, progress: Progress) -> None:
    """Keep the versions that a rollback needs and delete older ones."""
    if before is not None and function.behind(LIVE) != before.number:
        function.point(PREVIOUS, before.number)
        progress.say(f"A rollback would bring back {escaped(before)}.")
    try:
        forgotten = function.forget(VERSIONS_KEPT)
    except UserError as fault:  # it is deployed all the same
        progress.say(f"[yellow]Note:[/] {escaped(fault)}")
        return
    if forgotten:
        progress.say(f"Deleted version {', '.join(forgotten)}; their packages stay in the bucket.")
