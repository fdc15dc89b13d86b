"""The model card: generated Markdown, complete without editing, and the same as a part of the report page."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
from markdown_it import MarkdownIt
from markupsafe import Markup

from validation.report.cells import columns_of
from validation.report.pages import templates

NAMES = ("Feature", "Parameter", "File")  # headings of columns that hold names, to be written as code

# A single underscore between letters is no mark in Markdown.
_SPECIAL = re.compile(r"([\\`*\[\]<>|~&#!]|(?<![^\W_])_|_(?![^\W_]))")


def escaped(text: object) -> str:
    """Somebody's text as text: nothing in it is Markdown, HTML or a line of its own."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def code(text: object) -> str:
    """Somebody's name for a column, as code; fit for a cell of a table."""
    inner = " ".join(str(text).split()).replace("|", r"\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", inner)), default=0))
    pad = " " if inner.startswith("`") or inner.endswith("`") else ""
    return f"{fence}{pad}{inner}{pad}{fence}"


def table(frame: pd.DataFrame, formats: Mapping[str, str] | None = None) -> str:
    """A frame as a table of Markdown; `formats` are those of validation.report.cells."""
    columns = columns_of(frame, formats)
    written = [[(code if column.name in NAMES else escaped)(cell.text) for cell in column.cells] for column in columns]
    ruler = "|".join("---:" if column.numeric else "---" for column in columns)
    rows = [" | ".join(row) for row in zip(*written, strict=True)]
    heading = " | ".join(escaped(column.name) for column in columns)
    return "\n".join([f"| {heading} |", f"|{ruler}|", *(f"| {row} |" for row in rows)])


def write(content: Mapping[str, Any]) -> str:
    """The card in Markdown, from what the report is made of."""
    markdown = templates().overlay(autoescape=False)
    markdown.globals = {**markdown.globals, "table": table}
    markdown.filters = {**markdown.filters, "md": escaped, "code": code}
    text = markdown.get_template("model_card.md.j2").render(**content)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def as_html(text: str) -> Markup:
    """The card as a part of a page: without its title, headings one level deeper, no HTML of its own."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text.partition("\n")[2])
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + 1}"
    html = parser.renderer.render(tokens, parser.options, {})
    return Markup(html.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>"))
