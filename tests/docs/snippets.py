"""Fenced blocks of a page, and the script that runs them: the commands of a page, in their order.

A comment directly above a block says what the page's reader cannot do here, or what the block is:

    <!-- serves -->              it starts a server in the background; the next block waits for it
    <!-- part of: FILE -->       its lines stand in FILE, which a block before it wrote
    <!-- answer -->              a command before it prints this object, on this processor to the last digits
    <!-- stand-in: TEST -->      it needs an account, a person or hours: TEST runs the same up to there
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
RUN = ("sh", "python")
MARK = re.compile(r"<!-- (serves|part of|answer|stand-in)(?:: (.+?))? -->")


@dataclass(frozen=True)
class Snippet:
    """A fenced block: its language, its text, the number of its first line, and what the comment above it says."""

    language: str
    text: str
    line: int
    mark: str = ""
    about: str = ""


def snippets(page: Path) -> list[Snippet]:
    """The fenced blocks of a page in their order."""
    found, mark, about = list[Snippet](), "", ""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        match token.type:
            case "html_block":
                said = MARK.search(token.content)
                mark, about = (said[1], said[2] or "") if said else ("", "")
            case "fence":
                line = (token.map or [0])[0] + 2
                found.append(Snippet(token.info.partition(" ")[0], token.content, line, mark, about))
                mark = about = ""
            case "paragraph_open" | "heading_open":
                mark = about = ""
    return found


def objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in what commands have printed."""
    decoder, place = json.JSONDecoder(), text.find("{")
    while place >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
            yield found
        except json.JSONDecodeError:
            end = place + 1
        place = text.find("{", end)


def script(page: Path, port: int) -> str:
    """A shell script of the blocks that run: it ends at the first command that fails, and ends its servers."""
    return "\n".join(
        [
            "set -euo pipefail",
            "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT",
            *(line for each in snippets(page) for line in _lines(each, port)),
        ]
    )


def _lines(snippet: Snippet, port: int) -> Iterator[str]:
    if snippet.language not in RUN or snippet.mark == "stand-in":
        return
    yield f": line {snippet.line}"
    if snippet.language == "python":
        yield f"cat > snippet.py <<'PYTHON'\n{snippet.text}PYTHON\npython snippet.py"
        return
    text = snippet.text.replace("localhost:8000", f"127.0.0.1:{port}")
    text = text.replace("python -m runtime.local", f"python -m runtime.local --port {port}")
    yield text.replace("make .venv/ready", ":  # which made the environment of this test")
    if snippet.mark == "serves":
        yield (
            f"for _ in $(seq 300); do curl -sf 127.0.0.1:{port}/health >/dev/null && break; sleep 0.1; done\n"
            f"curl -sSf 127.0.0.1:{port}/health >/dev/null"
        )
