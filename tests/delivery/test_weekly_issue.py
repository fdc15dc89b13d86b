"""A weekly run that fails opens one issue, and further ones comment on it."""

import json
from pathlib import Path

import pytest

from tests.delivery.runner import Runner

RUN = "https://github.com/bank/lastbit/actions/runs/77"
pytestmark = [pytest.mark.usefixtures("release_environment"), pytest.mark.tier("land")]


def asked(runner: Runner) -> list[list[str]]:
    """The calls of gh after the list of issues."""
    first, *rest = [words[1:] for words in runner.calls]
    assert first[:2] == ["issue", "list"]
    return rest


def test_the_first_failure_opens_an_issue(runner: Runner) -> None:
    (runner.folder / "issues.json").write_text("[]")
    outcome = runner.run("weekly.yml", "issue")
    assert outcome.status == 0, outcome.log
    label, issue = asked(runner)
    assert label[:3] == ["label", "create", "weekly"]
    assert issue[:2] == ["issue", "create"]
    assert RUN in issue[issue.index("--body") + 1]
    assert issue[issue.index("--label") + 1] == "weekly"


def test_the_next_failure_comments_on_it(runner: Runner) -> None:
    (runner.folder / "issues.json").write_text(json.dumps([{"number": 12}]))
    outcome = runner.run("weekly.yml", "issue")
    assert outcome.status == 0, outcome.log
    [comment] = asked(runner)
    assert comment[:3] == ["issue", "comment", "12"]
    assert RUN in comment[comment.index("--body") + 1]


def test_gh_that_may_not_is_one_line(runner: Runner) -> None:
    Path(runner.folder / "gh-fails").touch()
    outcome = runner.run("weekly.yml", "issue")
    assert outcome.status == 1
    assert "error: gh issue list: HTTP 403: Resource not accessible by integration" in outcome.log
    assert "Traceback" not in outcome.log
