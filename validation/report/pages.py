"""Rendering the pages: Jinja templates with everything escaped, pictures inline, one script known by its hash."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from cli.words import counted
from validation.report import explained, groups, slices, words
from validation.report.cells import columns_of
from validation.report.headings import title_of
from validation.report.weights import EXPLORED

FOLDER = Path(__file__).parent / "templates"
OTHER_PAGES = ("exploration.", "pack.", "recalibration.", "validation")
"""How the names of templates begin that a training run does not render."""
_ID = re.compile(r'\bid="([^"]*)"')
_REFERENCE = re.compile(r'(href="#|url\(#)([^")]+)')


@cache
def templates() -> jinja2.Environment:
    """The templates, with the filters and the names that they use; read once, by the first page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "columns": columns_of,
        "percent": words.percent,
        "figure": words.figure,
        "between": words.between,
        "plain": words.plain,
        "p": words.p_value,
        "title_of": title_of,
    }
    script = (FOLDER / "tables.js").read_text(encoding="utf-8")
    environment.globals |= {
        "counted": counted,
        "explored_by_weight": EXPLORED,
        "of_groups": groups,
        "of_reasons": explained,
        "of_slices": slices,
        "picture": picture,
        "shown_of": words.shown_of,
        "style": Markup((FOLDER / "style.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        # A browser runs this script and no other, whatever a column of the table is called.
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }
    return environment


def compile_templates() -> None:
    """Compile the templates of a training run's report and of its sections, which its rendering would do."""
    for name in templates().list_templates(filter_func=lambda name: name.endswith(".html.j2")):
        if not name.removeprefix("_").startswith(OTHER_PAGES):
            templates().get_template(name)


def render(template: str, **content: object) -> str:
    """The page of `templates/<template>.html.j2`, which extends base.html.j2."""
    return templates().get_template(f"{template}.html.j2").render(**content)


def picture(svg: str, alt: str) -> Markup:
    """An SVG document as an element of a page, with the text that stands for it where it cannot be seen.

    Ids are kept where the picture refers to them, and are its own: two pictures of a page share none.
    """
    own = hashlib.sha256(f"{alt}\n{svg}".encode()).hexdigest()[:8]
    element = svg[svg.index("<svg") :]
    names: dict[str, str] = {}
    for _, name in _REFERENCE.findall(element):
        names.setdefault(name, f"p{own}-{len(names)}")
    element = _ID.sub(lambda found: f'id="{names[found[1]]}"' if found[1] in names else "", element)
    element = _REFERENCE.sub(lambda found: found[1] + names[found[2]], element)
    return Markup(element.replace("<svg", f'<svg role="img" aria-label="{Markup.escape(alt)}"', 1))
