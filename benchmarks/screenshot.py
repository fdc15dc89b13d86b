"""`python -m benchmarks.screenshot`: docs/report.png for the README, the top of the report."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from training import run

OUT = Path(__file__).parents[1] / "docs" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1240, 880  # CSS pixels


def main() -> None:
    """Train with the settings as they are, and take the picture."""
    with tempfile.TemporaryDirectory() as folder:
        artifacts = Path(folder) / "artifacts"
        if run.main(["--out", str(artifacts)]):
            raise SystemExit(1)
        shoot(artifacts / "report.html", OUT)


def shoot(page: Path, picture: Path) -> None:
    """The top of a page as PNG."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        tab.goto(page.absolute().as_uri())
        tab.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
