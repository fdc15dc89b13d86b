"""Every command and every snippet of README and docs runs, or names the test that runs it up to the network call."""

import ast
import json
import os
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.docs.snippets import ROOT, RUN, Snippet, objects, script, snippets
from tests.docs.workplace import Workplace

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
BLOCKS = [(name, each) for page, name in zip(PAGES, NAMES, strict=True) for each in snippets(page)]
RUNNING = [name for name in NAMES if any(name == of and _.language in RUN and _.mark != "stand-in" for of, _ in BLOCKS)]


LONG = {"README.md", "docs/tutorial.md"}  # with models of the usual size


def of_kind(*languages: str) -> pytest.MarkDecorator:
    cases = [(name, each) for name, each in BLOCKS if each.language in languages]
    return pytest.mark.parametrize(("page", "snippet"), cases, ids=[f"{name}:{each.line}" for name, each in cases])


@pytest.mark.tier("land")
@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "page", [pytest.param(name, marks=pytest.mark.tier("full") if name in LONG else ()) for name in RUNNING]
)
def test_a_page_runs_from_its_first_command_to_its_last(page: str, workplace: Workplace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = workplace.copy(page)
    done = subprocess.run(
        ["bash", "-xc", script(ROOT / page, port)],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    for each in snippets(ROOT / page):
        if each.mark == "part of":
            lines = iter((folder / each.about).read_text(encoding="utf-8").splitlines())
            assert all(line in lines for line in each.text.splitlines()), f"{page}:{each.line}"
        if each.mark == "answer":
            printed = list(objects(done.stdout))
            assert any(_agree(json.loads(each.text), its) for its in printed), f"{page}:{each.line}: {printed}"


def _agree(shown: dict[str, Any], printed: dict[str, Any]) -> bool:
    """True where nothing differs but last digits and the model's version, which depend on the processor."""
    figures = ("default_probability", "credit_score")
    rest = [
        {name: value for name, value in its.items() if name not in (*figures, "model_version")}
        for its in (shown, printed)
    ]
    return rest[0] == rest[1] and all(printed.get(name) == pytest.approx(shown[name], rel=1e-6) for name in figures)


@of_kind("toml")
def test_toml_is_toml(page: str, snippet: Snippet) -> None:
    tomllib.loads(snippet.text)


@of_kind("json")
def test_json_is_json(page: str, snippet: Snippet) -> None:
    json.loads(snippet.text)


@pytest.mark.parametrize(("page", "snippet"), [(n, e) for n, e in BLOCKS if e.mark == "stand-in"])
def test_a_stand_in_is_a_test(page: str, snippet: Snippet) -> None:
    file, _, name = snippet.about.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)], f"{page}:{snippet.line}"


@pytest.mark.parametrize("page", NAMES)
def test_every_block_says_its_language(page: str) -> None:
    """`text` is for what is shown: a block without a language would be neither shown nor run with certainty."""
    assert [each.line for each in snippets(ROOT / page) if not each.language] == []
