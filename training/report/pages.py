"""Rendering the pages: Jinja templates with everything escaped, pictures inline."""

from pathlib import Path

import jinja2
from markupsafe import Markup

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def render(template: str, **content: object) -> str:
    """The page of `templates/<template>.html.j2`, which extends base.html.j2."""
    return TEMPLATES.get_template(f"{template}.html.j2").render(**content)


def picture(svg: str, alt: str) -> Markup:
    """An SVG document as an element of a page, with the text that stands for it where it cannot be seen."""
    element = svg[svg.index("<svg") :]
    return Markup(element.replace("<svg", f'<svg role="img" aria-label="{Markup.escape(alt)}"', 1))
