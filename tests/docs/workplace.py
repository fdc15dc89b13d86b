"""The folder in which a page's reader is: a checkout in which a small model was trained and exported."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests import applicants
from tests.docs.snippets import ROOT

RESULTS = ("artifacts", "model", "dist", "build")
SMALL = "[xgboost]\nn_estimators = 20\n[evaluation]\nplots = false\n"


class Workplace:
    """A checkout with `loans.csv`, `loans.toml` and what training and export made of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._first = folder / "first"
        _checkout(self._first)
        frame, target = applicants.draw(1_200)
        frame.insert(0, "uuid", [f"a{i}" for i in range(len(frame))])
        frame.assign(default=target).to_csv(self._first / "loans.csv", index=False)
        frame.assign(default=target)[:800].to_csv(self._first / "loans-2026.csv", index=False)
        settings = applicants.SETTINGS.replace("table.csv", "loans.csv")
        (self._first / "loans.toml").write_text(settings + SMALL)
        frame.sample(400, random_state=1).to_parquet(self._first / "march.parquet")
        frame.sample(400, random_state=1).to_csv(self._first / "march.csv", index=False)
        frame.to_csv(self._first / "book.csv", index=False)
        (self._first / "book").mkdir()
        for part in range(2):
            frame[part::2].to_parquet(self._first / "book" / f"{part}.parquet")
        for words in (["training.run", "--config", "loans.toml"], ["export.to_onnx"]):
            subprocess.run([sys.executable, "-m", *words, "--quiet"], cwd=self._first, check=True, capture_output=True)

    def copy(self, page: str) -> Path:
        """A copy for one page."""
        folder = self._folder / page.replace("/", "-").removesuffix(".md")
        shutil.copytree(self._first, folder, symlinks=True)
        return folder


def _checkout(folder: Path) -> None:
    """All that a clone has, as links, so that its commands write into this folder."""
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in RESULTS and not entry.name.startswith(".venv"):
            (folder / entry.name).symlink_to(entry)
    (folder / ".venv").symlink_to(sys.prefix)
