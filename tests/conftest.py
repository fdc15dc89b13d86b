"""One headless Chromium for every test that looks at a page."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fonts import FontSet

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest.register_assert_rewrite("tests.pages")
pytest_plugins = ["tests.machine", "tests.tiers"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
# The last of them keep a browser that nobody uses from asking its maker for news.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Opened:
    """A page, and what happened while it was loaded and used."""

    page: "Page"
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Errors and warnings on the console, exceptions, dialogs."""


@pytest.fixture(scope="session")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[FontSet | None], "Browser"]]:
    """The system's Chromium, one for each font set; None: with what the machine has. Skipped without Chromium."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started: dict[FontSet | None, Browser] = {}

        def browser(fonts: FontSet | None) -> "Browser":
            if fonts and not fonts.found():
                pytest.skip(f"font set {fonts.name} is not installed (Debian: apt-get install {fonts.package})")
            if fonts not in started:
                environment = fonts.environment(tmp_path_factory.mktemp("fonts")) if fonts else None
                started[fonts] = playwright.chromium.launch(
                    executable_path=executable, args=FLAGS, env=dict(environment) if environment else None
                )
            return started[fonts]

        yield browser
        for one in started.values():
            one.close()


@pytest.fixture
def open_page(browsers: Callable[[FontSet | None], "Browser"]) -> Iterator[Callable[..., Opened]]:
    """Open a file without a network, or an address, in a context of its own, with a font set.

    Keywords are the context's.
    """
    contexts = []

    def opened(path: Path | str, fonts: FontSet | None = None, **options: Any) -> Opened:
        context = browsers(fonts).new_context(offline=not isinstance(path, str), **options)
        contexts.append(context)
        its = Opened(context.new_page())
        its.page.on("request", lambda request: its.requests.append(request.url))
        its.page.on("pageerror", lambda error: its.faults.append(str(error)))
        its.page.on("console", lambda message: its.faults.append(message.text))
        its.page.on("dialog", lambda dialog: its.faults.append(dialog.message))
        its.page.goto(path if isinstance(path, str) else path.as_uri())
        return its

    yield opened
    for context in contexts:
        context.close()
