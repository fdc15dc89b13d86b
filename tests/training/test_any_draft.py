"""Tables of any columns, written in any way: the draft is a configuration by which training reads and fits them."""

import csv
import gzip
import io
import json
import tempfile
import tomllib
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.errors import UserError
from table import read_table
from tests.tiers import examples
from training import draft, run
from training.settings import load_settings

Draw = Callable[[np.random.Generator, int], list[str]]

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
WORDS_FOR_MISSING = ["", "NA", "N/A", "?", ".", "NULL", "-"]
OUTCOMES = [
    ("0", "1"),
    ("good", "bad"),
    ("Fully Paid", "Charged Off"),
    ("N", "Y"),
    ("1", "2"),
    ("non", "oui"),
    ("+", "-"),
]


def _numbers(form: str) -> Draw:
    def drawn(rng: np.random.Generator, rows: int) -> list[str]:
        values = [format(value, ",.2f") for value in rng.lognormal(7, 2, rows)]
        marks = {"us": ",.", "plain": "\0.", "comma": "\0,", "german": ".,", "swiss": "'.", "french": "\u202f,"}[form]
        return [value.translate({ord(","): marks[0].strip("\0"), ord("."): marks[1]}) for value in values]

    return drawn


def _dates(form: str) -> Draw:
    days = pd.date_range("2015-01-03", "2021-12-30", freq="D")
    return lambda rng, rows: [days[at].strftime(form) for at in rng.integers(0, len(days), rows)]


def _levels(*levels: str) -> Draw:
    return lambda rng, rows: rng.choice(levels, rows).tolist()


COLUMNS: dict[str, Draw] = {
    "whole": lambda rng, rows: rng.integers(-5, 90, rows).astype(str).tolist(),
    "coded": lambda rng, rows: np.where(rng.random(rows) < 0.2, -9, rng.integers(0, 60, rows)).astype(str).tolist(),
    "many": lambda rng, rows: [f"{value!r}" for value in rng.normal(0, 1e4, rows).tolist()],
    "huge": lambda rng, rows: [f"1e{power}" for power in rng.integers(30, 60, rows)],
    "percent": lambda rng, rows: [f"{value:.1f}%" for value in rng.uniform(0, 40, rows)],
    "dollars": lambda rng, rows: [f"${value:,.2f}" for value in rng.lognormal(8, 1, rows)],
    "years": lambda rng, rows: rng.choice(["< 1 year", "1 year", "2 years", "10+ years"], rows).tolist(),
    "zip": lambda rng, rows: [f"{value:05d}" for value in rng.integers(0, 200, rows)],
    "ids": lambda rng, rows: [f"L{value}" for value in rng.permutation(rows)],
    "numbered": lambda rng, rows: (rng.permutation(rows) + 10**6).astype(str).tolist(),
    "text": lambda rng, rows: [f"{value}, of no use" for value in rng.integers(0, 10**6, rows)],
    "empty": lambda rng, rows: [""] * rows,
    "constant": lambda rng, rows: ["x"] * rows,
    "mixed": lambda rng, rows: rng.choice(["1", "2", "3+", "n/a", "none"], rows).tolist(),
    "infinite": lambda rng, rows: np.where(rng.random(rows) < 0.1, "inf", rng.integers(0, 99, rows)).tolist(),
    **{f"numbers {form}": _numbers(form) for form in ("us", "plain", "comma", "german", "swiss", "french")},
    **{
        f"dates {form}": _dates(form)
        for form in ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%b-%Y", "%m%Y", "%Y%m", "%Y%m%d", "%d%b%Y", "%Y-%m-%d %H:%M")
    },
    "yes": _levels("yes", "no"),
    "true": _levels("TRUE", "FALSE", "NULL"),
    "ja": _levels("Ja", "Nein"),
    "accents": _levels("é", "e\u0301", "ü", "ß"),
    "levels": _levels("Good", "good ", "bad", "unknown"),
}


@dataclass(frozen=True)
class Made:
    """A file with a table, and what Hypothesis shows of it."""

    suffix: str
    content: bytes
    columns: dict[str, str]


@st.composite
def tables(draw: st.DrawFn) -> Made:
    """A table of a target and columns of some kinds, some cells of them missing, in some format."""
    rows = draw(st.integers(40, 160))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    names = draw(st.lists(NAMES, min_size=2, max_size=7, unique_by=str.strip))
    kinds = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=len(names) - 1, max_size=len(names) - 1))
    cells = {name: COLUMNS[kind](rng, rows) for name, kind in zip(names, kinds, strict=False)}
    word = draw(st.sampled_from(WORDS_FOR_MISSING))
    share = draw(st.sampled_from([0, 0, 0.1, 0.6]))
    for name, column in cells.items():
        cells[name] = [
            word if missing else cell for cell, missing in zip(column, rng.random(rows) < share, strict=True)
        ]
    good, bad = draw(st.sampled_from(OUTCOMES))
    target = draw(st.sampled_from(["default", "loan_status", names[-1]]))
    cells[target] = np.where(rng.random(rows) < 0.3, bad, good).tolist()
    suffix, content = _written(draw, cells)
    return Made(suffix, content, dict(zip(names, kinds, strict=False)))


def _written(draw: st.DrawFn, cells: dict[str, list[str]]) -> tuple[str, bytes]:
    form = draw(st.sampled_from(["csv", "csv", "csv", "jsonl", "parquet"]))
    if form == "parquet":
        return ".parquet", pd.DataFrame(cells).to_parquet()
    if form == "jsonl":
        rows = (dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True))
        return ".jsonl", "\n".join(json.dumps(row) for row in rows).encode()
    out = io.StringIO()
    writer = csv.writer(
        out, delimiter=draw(st.sampled_from(";,\t|")), lineterminator=draw(st.sampled_from(["\n", "\r\n"]))
    )
    writer.writerow(cells)
    writer.writerows(zip(*cells.values(), strict=True))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    content = out.getvalue().encode(encoding, errors="replace")
    return (".csv.gz", gzip.compress(content)) if draw(st.booleans()) else (".csv", content)


def _said(command: Callable[[list[str]], int], words: list[str]) -> tuple[int, str, str]:
    """The exit status of a command, and what it says on standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = command(words)
    return status, out.getvalue(), err.getvalue()


def _drafted(made: Made, folder: Path) -> Path | None:
    """The draft of a table, None where one line says why no draft was written."""
    file, toml = folder / f"table{made.suffix}", folder / "own.toml"
    file.write_bytes(made.content)
    status, out, err = _said(draft.main, [str(file), "--out", str(toml), "--quiet"])
    assert out == ""
    if status:
        assert status == 1
        assert len(err.splitlines()) == 1
        assert not toml.exists()
        return None
    assert err == ""
    tomllib.loads(toml.read_text("utf-8"))
    return toml


@given(made=tables())
@settings(max_examples=examples(25))
def test_the_draft_of_any_table_is_a_configuration_by_which_it_is_read(made: Made) -> None:
    with tempfile.TemporaryDirectory() as folder:
        toml = _drafted(made, Path(folder))
        if toml is None:
            return
        own = load_settings(toml, {})
        if "CHOOSE" in own.data.target:
            with pytest.raises(UserError, match="CHOOSE"):
                read_table(own.schema)
        else:
            assert len(read_table(own.schema).target)


@pytest.mark.tier("land")
@given(made=tables())
@settings(max_examples=examples(4))
def test_training_takes_the_draft_of_any_table_or_says_one_line(made: Made) -> None:
    with tempfile.TemporaryDirectory() as folder:
        toml = _drafted(made, Path(folder))
        if toml is None:
            return
        few = ["--n-estimators", "2", "--folds", "2", "--no-plots", "--calibration", "none", "--resamples", "50"]
        status, _, err = _said(run.main, ["--config", str(toml), "--out", f"{folder}/artifacts", "--quiet", *few])
        assert "Traceback" not in err
        assert (status, len(err.splitlines())) in {(0, 0), (1, 1)}, err
