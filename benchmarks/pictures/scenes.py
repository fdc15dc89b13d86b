"""Scenes of the pictures: the built-in model, its pages, and the window through which each is seen."""

import shutil
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import population
from benchmarks import picture
from benchmarks.pictures.boundary import boundary
from cli.errors import UserError
from cli.progress import Progress
from export import to_onnx
from local.model import load_handler
from local.page import page_of
from local.server import Server
from runtime.model import Model
from training import explore, run
from training.artifacts import load_artifacts
from validation import run as validate

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1240, 880  # CSS pixels
TABLE, CUSTOMERS, SEED = "customers.parquet", 30_000, 7
DRIFTED = "avg_payment_span_0_12m"  # its lower half comes half as often as in training
ANSWERED = "body:not(.stale) #curve[aria-busy=false] svg"


def draw(folder: Path, progress: Progress) -> None:
    """Draw every picture into `folder`. Raises UserError where there is no Chromium, or a command fails."""
    made = folder / "made"
    artifacts, model = made / "artifacts", made / "model"
    with progress.step("Train and export the built-in model"):
        _done(run.main(["--quiet", "--out", str(artifacts)]))
        _done(to_onnx.main(["--quiet", "--artifacts", str(artifacts), "--out", str(model)]))
    with progress.step("Explore, and validate on customers who differ"):
        _done(explore.main(["--quiet", "--out", str(made / "exploration.html")]))
        customers().to_parquet(made / TABLE)
        with chdir(made):  # the page names the table as it was given
            _done(validate.main(["--quiet", "--data", TABLE]))
    with progress.step("Draw"):
        with browser() as page:
            top(page, artifacts / "report.html", folder / "report.png")
            section(page, artifacts / "report.html", "#reasons", folder / "reasons.png")
            top(page, made / "exploration.html", folder / "exploration.png")
            top(page, made / "validated" / "validation.html", folder / "monitoring.png")
            what_if(page, model, folder / "what-if.png")
        its = load_artifacts(artifacts)
        applicant = population.draw(1000, SEED).drop(columns=["uuid", "default"]).dropna().iloc[:1]
        svg = boundary(its.pipeline, Model.load(str(model)), applicant, DRIFTED)
        (folder / "boundary.svg").write_text(svg, encoding="utf-8")
    with progress.step("Compare isotonic models with the stock converters"):
        picture.draw(folder / "calibrators.svg")
    shutil.rmtree(made)


def customers() -> pd.DataFrame:
    """Applicants of another seed, among whom the lower half of one feature is half as frequent."""
    frame = population.draw(CUSTOMERS, SEED)
    low = frame[DRIFTED] < frame[DRIFTED].median()
    return frame[~low | (frame.index % 2 == 0)]


@contextmanager
def browser() -> Iterator["Page"]:
    """A page of the system's Chromium, in light colours."""
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        raise UserError("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        its = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield its.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        its.close()


def top(page: "Page", file: Path, out: Path) -> None:
    """The first window of a page."""
    page.goto(file.absolute().as_uri())
    page.screenshot(path=out)


def section(page: "Page", file: Path, heading: str, out: Path) -> None:
    """The window that begins with a heading."""
    page.goto(file.absolute().as_uri())
    page.locator(heading).evaluate("heading => heading.scrollIntoView()")
    page.screenshot(path=out)


def what_if(page: "Page", model: Path, out: Path) -> None:
    """The local server's page down to the curve, with its answer to the applicant that it begins with."""
    handler = load_handler(str(model))
    with Server(handler, pages={"/": page_of(handler.service)}, quiet=True) as server:
        page.goto(f"{server.url}/")
        page.locator(ANSWERED).wait_for()
        page.locator("#curve").evaluate("curve => curve.scrollIntoView({block: 'end'})")
        page.screenshot(path=out)


def _done(status: int) -> None:
    if status:
        raise UserError("a command has failed, as said above")
