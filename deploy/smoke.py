"""`python deploy/smoke.py URL`: checks a deployed endpoint against the certified model, refusals included.

The manifest's self-check rows, which the runtime compares with the graph at every start, are asked for once more
through everything that lies in between: gateway, function, validation, answer.
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

    start("deploy.smoke")

# isort: split
import argparse
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.table import Table as Grid

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped
from deploy.endpoint import KEY_VARIABLE, PASSING, Answer, Endpoint, Failed
from deploy.invoked import Invoked
from runtime.manifest import NOT_DESCRIBED, Manifest, ModelRefused, SelfCheckRow
from runtime.problem import INVALID_APPLICANT, TYPE_PREFIX
from runtime.score import SCORE_TOLERANCE

PROBLEM_TYPE = "application/problem+json"
# A new stage, key or permission is not known everywhere at once: its first answers may be these.
SETTLING = PASSING | {403, 404}
LONGEST_WAIT = 3600  # seconds
MOST_ATTEMPTS = 20  # each pause is twice the one before


class SmokeFailed(UserError):  # noqa: N818  (named for what happened)
    """The endpoint fails its smoke test: one line that names every failed check."""


@dataclass(frozen=True)
class Expected:
    """The model that should answer; without its manifest, only its version can be compared."""

    model_version: str
    manifest: Manifest | None = None

    @classmethod
    def of(cls, manifest: Manifest) -> "Expected":
        """All that a manifest promises."""
        return cls(manifest.model_version, manifest)


@dataclass
class Smoke:
    """One test of one endpoint. Each check returns what it saw, or raises Failed."""

    endpoint: Endpoint | Invoked
    expected: Expected
    seconds: list[float] = field(default_factory=list)

    @property
    def checks(self) -> dict[str, Callable[[], str]]:
        """Return the checks by name, in order; after the first failure the others would repeat it."""
        checks: dict[str, Callable[[], str]] = {"health": self.health, "model": self.model}
        if self.expected.manifest is not None:
            checks |= {"self-check rows": self.rows, "the same as a batch": self.batch}
        checks |= {"bad request": self.bad_request, "unknown path": self.unknown_path}
        if self.endpoint.has_key:
            checks["without a key"] = self.without_key
        return checks

    def health(self) -> str:
        """Check that /health answers `ok` with the expected model version."""
        answer = self.endpoint.ask("/health", passing=SETTLING)
        _expect_status("/health", answer, 200)
        _equal("/health: status", "ok", _member(answer.content, "status"))
        _equal("/health: model_version", self.expected.model_version, _member(answer.content, "model_version"))
        return f"model {self.expected.model_version}"

    def model(self) -> str:
        """Check that /model describes the manifest that was deployed."""
        answer = self.endpoint.ask("/model")
        _expect_status("/model", answer, 200)
        _equal("/model: model_version", self.expected.model_version, _member(answer.content, "model_version"))
        if self.expected.manifest is None:
            return "its version; nothing else is known of it here"
        for name, value in self.expected.manifest.document.items():
            if name not in NOT_DESCRIBED:
                _equal(f"/model: {name}", value, _member(answer.content, name))
        return "the certified manifest, word for word"

    def rows(self) -> str:
        """Check that /predict answers each self-check row within the manifest's tolerance."""
        manifest, applicants = self._applicants()
        for index, applicant in applicants.items():
            answer = self.endpoint.ask("/predict", applicant)
            _expect_status(f"/predict: self-check row {index}", answer, 200)
            self.seconds.append(answer.seconds)
            self._compare(f"/predict: self-check row {index}", manifest, index, answer.content)
        return f"{_of(len(applicants), len(manifest.self_check))}, p within {manifest.probability_tolerance:.1e}"

    def batch(self) -> str:
        """Check that /predict/batch answers the self-check rows in their order."""
        manifest, applicants = self._applicants()
        taken = list(applicants.items())[: manifest.batch_limit]
        answer = self.endpoint.ask("/predict/batch", {"applicants": [applicant for _, applicant in taken]})
        _expect_status("/predict/batch", answer, 200)
        answers = _member(answer.content, "answers")
        _equal("/predict/batch: answers", len(taken), len(answers) if isinstance(answers, list) else answers)
        for (index, _), content in zip(taken, answers, strict=True):
            self._compare(f"/predict/batch: self-check row {index}", manifest, index, content)
        return _of(len(taken), len(manifest.self_check))

    def bad_request(self) -> str:
        """A field of the wrong type, and one that no model has: each with its pointer, and no number."""
        expected = {"/uuid"}
        content: dict[str, Any] = {"uuid": 5}
        if self.expected.manifest is not None:
            name = self.expected.manifest.features[0].name
            content = {self.expected.manifest.identifier: 5, name: ["x"]}
            expected = {f"/{member.replace('~', '~0').replace('/', '~1')}" for member in content}
        answer = self.endpoint.ask("/predict", content)
        _expect_status("/predict: a bad request", answer, INVALID_APPLICANT.status)
        _equal("/predict: a bad request: content-type", PROBLEM_TYPE, answer.media_type)
        _equal("/predict: a bad request: type", TYPE_PREFIX + INVALID_APPLICANT.name, _member(answer.content, "type"))
        errors = _member(answer.content, "errors")
        pointers = {_member(error, "pointer") for error in errors} if isinstance(errors, list) else errors
        if not isinstance(pointers, set) or not expected <= pointers:
            raise Failed(f"/predict: a bad request: expected errors at {sorted(expected)}, got {errors!r}")
        return f"{INVALID_APPLICANT.status}, {' and '.join(sorted(expected))} named"

    def unknown_path(self) -> str:
        """Check that an unknown path is answered with status 404."""
        answer = self.endpoint.ask("/there-is-no-such-resource")
        _expect_status("an unknown path", answer, 404)
        return "404"

    def without_key(self) -> str:
        """Check that a request without an API key is answered with status 403."""
        answer = self.endpoint.ask("/health", with_key=False)
        _expect_status("/health without a key", answer, 403)
        return "403"

    def _applicants(self) -> tuple[Manifest, dict[int, dict[str, Any]]]:
        """The rows that a request can hold, by their place in the manifest."""
        manifest = self.expected.manifest
        assert manifest is not None
        applicants = {
            index: applicant
            for index, row in enumerate(manifest.self_check)
            if (applicant := applicant_of(manifest, row, f"smoke-{index}")) is not None
        }
        if not applicants:
            raise Failed("none of the self-check rows can be written as a request")
        return manifest, applicants

    @staticmethod
    def _compare(place: str, manifest: Manifest, index: int, content: Any) -> None:
        row = manifest.self_check[index]
        _equal(f"{place}: {manifest.identifier}", f"smoke-{index}", _member(content, manifest.identifier))
        _equal(f"{place}: model_version", manifest.model_version, _member(content, "model_version"))
        _near(f"{place}: probability", row.probability, content, "default_probability", manifest.probability_tolerance)
        if not manifest.stated_tolerance:
            _near(f"{place}: score", row.score, content, "credit_score", SCORE_TOLERANCE)
        _equal(f"{place}: band", row.band, _member(content, "score_band"))
        if manifest.grades is not None:
            _equal(f"{place}: grade", row.grade, _member(content, "grade"))


def applicant_of(manifest: Manifest, row: SelfCheckRow, identifier: str) -> dict[str, Any] | None:
    """A self-check row as the request that leads to it; None where no request does.

    NaN and "" are null. No request holds a boolean of 0.5, misses what may not be missing, or has a level that a
    closed vocabulary lacks.
    """
    applicant: dict[str, Any] = {manifest.identifier: identifier}
    for feature, number in zip(manifest.numbers, row.numbers, strict=True):
        value: Any = None if math.isnan(number) else number
        if value is not None and feature.type == "boolean":
            if value not in (0, 1):
                return None
            value = bool(value)
        applicant[feature.name] = value
    for feature, category in zip(manifest.categories, row.categories, strict=True):
        if feature.closed and category and category not in feature.vocabulary:
            return None
        applicant[feature.name] = category or None
    if any(applicant[feature.name] is None and not feature.nullable for feature in manifest.features):
        return None
    return applicant


def smoke(endpoint: Endpoint | Invoked, expected: Expected, progress: Progress) -> None:
    """Run every check and print its result; raise SmokeFailed with all failures."""
    test = Smoke(endpoint, expected)
    grid = Grid(box=None, pad_edge=False)
    for title in ("Check", "", ""):
        grid.add_column(title)
    failures = []
    with progress.step(f"Testing {endpoint.url}") as show:
        for name, check in test.checks.items():
            show(name)
            try:
                grid.add_row(name, "[green]✓[/]", escaped(check()))
            except Failed as fault:
                failures.append(str(fault))
                grid.add_row(name, "[bold red]✗[/]", escaped(str(fault)))
                if name == "health":
                    break
    progress.console.print(grid)
    if test.seconds:
        first, times = test.seconds[0] * 1000, [seconds * 1000 for seconds in test.seconds]
        progress.say(f"Time to an answer: first {first:.0f} ms, median {median(times):.0f}, longest {max(times):.0f}.")
    if failures:
        raise SmokeFailed(
            f"{endpoint.url}: {_of(len(failures), len(test.checks))} checks failed: {'; '.join(failures)}"
        )


def _expect_status(what: str, answer: Answer, status: int) -> None:
    if answer.status != status:
        detail = answer.content.get("detail") if isinstance(answer.content, dict) else None
        raise Failed(f"{what}: expected status {status}, got {answer.status}" + (f" ({detail})" if detail else ""))


def _member(content: Any, name: str) -> Any:
    return content.get(name) if isinstance(content, dict) else None


def _equal(what: str, expected: Any, got: Any) -> None:
    if expected != got:
        raise Failed(f"{what}: expected {_short(expected)}, got {_short(got)}")


def _near(what: str, expected: float, content: Any, name: str, tolerance: float) -> None:
    got = _member(content, name)
    if type(got) not in (int, float) or not abs(got - expected) <= tolerance:
        raise Failed(f"{what}: expected {expected!r} within {tolerance}, got {_short(got)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _of(number: int, total: int) -> str:
    return f"{number} of {total}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = parser().parse_args(arguments)
    return command.run(lambda: _run(args), "nothing was changed")


def parser() -> Parser:
    """The command's options."""
    options = Parser(
        prog="python deploy/smoke.py",
        description="Test a deployed service: health, model version, the self-check rows through the real endpoint, "
        f"refusals. The API key is read from {KEY_VARIABLE}.",
        epilog="Exit status: 0 all holds, 1 something does not (standard error says what), 2 wrong usage.",
    )
    options.add_argument("url", metavar="URL", help="URL of the stage, as in https://.../prod")
    what = options.add_argument_group("what should answer")
    what.add_argument("--model", metavar="DIR", help="folder of the expected model's manifest.json (default: model)")
    what.add_argument("--model-version", metavar="V", help="expected model version, where its manifest is not at hand")
    how = options.add_argument_group("patience")
    how.add_argument(
        "--timeout",
        type=_seconds,
        default=15.0,
        metavar="S",
        help="seconds to wait for an answer (default: %(default)s)",
    )
    how.add_argument(
        "--attempts",
        type=_count,
        default=5,
        metavar="N",
        help="attempts where a failure may be temporary (default: %(default)s)",
    )
    options.add_argument_group("display").add_argument("--quiet", action="store_true", help="print errors only")
    return options


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= LONGEST_WAIT:
        raise argparse.ArgumentTypeError(f"expected seconds above 0 and at most {LONGEST_WAIT}, got {text!r}")
    return seconds


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_ATTEMPTS):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {MOST_ATTEMPTS}, got {text!r}")
    return int(text)


def _run(args: Any) -> None:
    endpoint = Endpoint(args.url, os.environ.get(KEY_VARIABLE, ""), timeout=args.timeout, attempts=args.attempts)
    if args.model is None and args.model_version:
        expected = Expected(args.model_version)
    else:
        try:
            expected = Expected.of(Manifest.read(str(Path(args.model or "model") / "manifest.json")))
        except ModelRefused as refusal:
            raise UserError(f"{refusal}; or name another with --model, or only --model-version", WRONG_USAGE) from None
        if args.model_version not in (None, expected.model_version):
            raise UserError(
                f"--model-version: expected {expected.model_version}, as --model has, got {args.model_version}",
                WRONG_USAGE,
            )
    smoke(endpoint, expected, Progress(quiet=args.quiet))
