"""Peak memory of training and of export: many levels, many columns."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

import population
from benchmarks.public import ROOT
from benchmarks.report import Row

GIB = 2**20  # KiB, in which the system counts
SEED = 11


def measure() -> Iterator[Row]:
    """Each command as a process of its own, with the settings as they are but for the added columns."""
    for key, title, frame, rare, most in (
        ("5734-levels", "10,000 rows, 5,734 levels", with_levels(10_000, 5_734), 10, None),
        ("rare", "10,000 rows, 5,734 levels, each by itself (rare = 1)", with_levels(10_000, 5_734), 1, None),
        ("600-columns", "6,000 rows, 600 columns", with_columns(6_000, 600), 10, None),
        ("35000-levels", "60,000 rows, 35,000 levels", with_levels(60_000, 35_000), 10, 4.0),
    ):
        with TemporaryDirectory() as folder:
            training, export = peaks(frame, rare, Path(folder))
        what = f"{title}: largest memory of training; of the export, GiB"
        yield Row(what, f"{training:.2f}; {export:.2f}", f"≤ {most:g}" if most else "", key)
        if most is None:
            what = f"{title}: the export's largest memory against training's"
            yield Row(what, f"{export / training:.2f}", "≤ 1.2", f"{key}-export")


def with_levels(rows: int, levels: int) -> pd.DataFrame:
    """Applicants with an employer each: every one of so many has a row, a few have many."""
    rng = np.random.default_rng(SEED)
    employer = np.concatenate([np.arange(levels), rng.zipf(1.3, rows - levels) % levels])
    return population.draw(rows).assign(employer=[f"employer {number}" for number in rng.permutation(employer)])


def with_columns(rows: int, columns: int) -> pd.DataFrame:
    """Applicants with columns of noise besides the built-in ones; each fifth is a category."""
    rng = np.random.default_rng(SEED)
    frame = population.draw(rows)
    noise = {
        f"noise_{number}": rng.choice(list("abcdefgh"), rows) if number % 5 == 0 else rng.normal(size=rows).round(3)
        for number in range(columns - frame.shape[1] + 2)
    }
    return pd.concat([frame, pd.DataFrame(noise)], axis=1)


def peaks(frame: pd.DataFrame, rare: int, folder: Path) -> tuple[float, float]:
    """GiB of training and of export."""
    table, settings = folder / "table.parquet", folder / "settings.toml"
    frame.to_parquet(table, index=False)
    draft = [sys.executable, "-m", "training.draft", str(table), "--target", "default"]
    drafted = subprocess.run(draft, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    # A draft leaves a column out that names rows; here it is what is measured.
    drafted = drafted.replace("# employer = {", "employer = {")
    settings.write_text(f"{drafted}\n[model]\nrare = {rare}\n")
    artifacts, model = str(folder / "artifacts"), str(folder / "model")
    return (
        peak("training.run", "--quiet", "--config", str(settings), "--out", artifacts),
        peak("export.to_onnx", "--quiet", "--artifacts", artifacts, "--out", model),
    )


def peak(*words: str) -> float:
    """GiB that a command holds at most."""
    process = subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{words[0]} failed")
    return usage.ru_maxrss / GIB
