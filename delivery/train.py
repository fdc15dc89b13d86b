"""`python -m delivery.train`: trains on what is in S3, exports, and publishes the version with its certificate.

What training writes holds applicants (a sample, the report's tables), so it goes to S3, where they came from, and
nothing but metrics to the summary.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.train")


import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from delivery import workflow
from delivery.certificate import show
from delivery.markdown import table
from export.registry.models import Registry
from storage.address import Address
from storage.store import Store
from training.artifacts import RUN, run_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = parser().parse_args(arguments)
    return command.run(lambda: train(args), "the version that was published last is as it was")


def parser() -> argparse.ArgumentParser:
    """The command's options. What is empty is as if it were not there: a workflow's inputs are."""
    options = Parser(
        prog="python -m delivery.train",
        description="Run training.run, export.to_onnx and export.registry from S3 to S3, and write their summaries.",
    )
    files = options.add_argument_group("input and output")
    files.add_argument("--data", required=True, metavar="ADDRESS", help="the table, s3://bucket/key")
    files.add_argument("--config", default="", metavar="FILE.toml", help="the settings, a file of the repository")
    files.add_argument("--tune", default="", metavar="N", help="trials of the search for parameters; default no search")
    files.add_argument(
        "--artifacts", required=True, metavar="ADDRESS", help="folder for training's results, s3://bucket/prefix"
    )
    files.add_argument(
        "--models", required=True, metavar="ADDRESS", help="prefix of the published versions, s3://bucket/prefix"
    )
    return options


def train(args: argparse.Namespace) -> None:
    """Raise UserError for the first step that fails."""
    for name in ("data", "artifacts", "models"):
        if not getattr(args, name):
            raise UserError(f"--{name}: expected an address in S3, got none (docs/delivery.md)", WRONG_USAGE)
    Registry(args.models).check()  # before an hour of training, not after it
    optional = [word for name in ("config", "tune") if (value := getattr(args, name)) for word in (f"--{name}", value)]
    _run("training.run", "--data", args.data, *optional, "--out", args.artifacts)
    record = Address.of_prefix(args.artifacts) / RUN
    workflow.summary(as_markdown(run_of(Store().read(record), record)))
    _run("export.to_onnx", "--artifacts", args.artifacts)
    _run("export.registry", "publish", args.models)
    show(Path("model"))


def _run(module: str, *words: str) -> None:
    """In a process of its own, so that the memory of one step is not held during the next."""
    status = subprocess.run([sys.executable, "-m", module, *words], check=False).returncode
    if status:
        raise UserError(f"python -m {module} ended with {status}, for the reason above", status)


def as_markdown(run: Mapping[str, Any]) -> str:
    """Metrics of a run as a Markdown table with a column for train and for test; no applicant's data."""
    parts = {part: dict(_numbers(content)) for part, content in run["metrics"].items() if isinstance(content, dict)}
    names = list(dict.fromkeys(name for content in parts.values() for name in content))
    rows = [[name, *(_number(content.get(name)) for content in parts.values())] for name in names]
    return f"### Training\n\n{table(['Metric', *parts], rows)}\n"


def _numbers(content: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in content.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
