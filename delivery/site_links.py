"""Hook of the site's build: a link out of docs/, to a file of the repository, becomes one to its page on GitHub.

In the repository such links are relative, so that they work in an editor and on GitHub. A link to a file that does not
exist ends the build.
"""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?P<up>(?:\.\./)+)(?P<path>[^)#\s]+)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """The page's text with absolute links to the repository in place of those that leave docs/."""
    source = Path(page.file.abs_src_path)

    def absolute(link: re.Match[str]) -> str:
        target = (source.parent / link["up"] / link["path"]).resolve()
        if target.is_relative_to(ROOT / "docs"):
            return link[0]
        if not target.exists():
            raise FileNotFoundError(f"{page.file.src_uri}: {link['up']}{link['path']}: no such file in the repository")
        kind = "tree" if target.is_dir() else "blob"
        return f"]({config['repo_url'].rstrip('/')}/{kind}/main/{target.relative_to(ROOT).as_posix()}"

    return LINK.sub(absolute, markdown)
