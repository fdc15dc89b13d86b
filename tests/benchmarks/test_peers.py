"""Fidelity of peers: verdicts, pinned environments, and rows that stand at splits."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks import page, peers
from benchmarks.digests import ROOT
from benchmarks.fidelity.answers import ask
from benchmarks.fidelity.cases import FITS, NUMBERS, Case, case
from benchmarks.figures import Figure
from benchmarks.peers import PEERS, Peer, verdict


@pytest.fixture(scope="module")
def margin() -> Case:
    return case("margin")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"refused": "TypeError: no"}, "refused"),
        ({"off": 0.0, "share": 0.0, "off_at_splits": 0.0}, "exact"),
        ({"off": 0.0, "share": 0.0, "off_at_splits": 1e-8}, "right"),
        ({"off": 9e-7, "share": 0.0, "off_at_splits": 0.0}, "right"),
        ({"off": 2e-7, "share": 0.0, "off_at_splits": 0.314}, "**wrong** at splits, by 0.31"),
        ({"off": 0.63, "share": 0.476, "off_at_splits": 0.0}, "**wrong** by 0.63, 48 % of rows"),
    ],
)
def test_a_verdict_says_how_far_off_an_answer_is(found: dict[str, float | str], said: str) -> None:
    assert verdict(found) == said


def test_an_answer_is_compared_with_the_pipeline(margin: Case) -> None:
    def its(case_: Case, added: float = 0.0) -> list[object]:
        answers = [case_.pipeline.predict_proba(rows)[:, 1] for rows in (case_.rows, case_.at_splits)]
        answers[0][:400] += added
        return list(answers)

    assert verdict(ask(its, margin)) == "exact"
    assert verdict(ask(lambda case_: its(case_, 0.25), margin)) == "**wrong** by 0.25, 10 % of rows"
    assert verdict(ask(lambda case_: its(case_, np.nan), margin)) == "**wrong** by 1, 10 % of rows"


def test_an_exception_is_a_refusal(margin: Case) -> None:
    def refuses(_: Case) -> None:
        raise NotImplementedError("not supported\nmore")

    assert ask(refuses, margin) == {"refused": "NotImplementedError: not supported"}


def test_rows_at_splits_stand_on_both_sides_of_a_float32(margin: Case) -> None:
    """A comparison in float64 sends a row to the other leaf, and XGBoost's own does not."""
    table = margin.pipeline.get_booster().trees_to_dataframe()
    splits = {(name, np.float32(value)) for name, value in zip(table.Feature, table.Split, strict=True)}
    values = margin.at_splits[NUMBERS].to_numpy()
    on = np.array(
        [[(name, np.float32(value)) in splits for name, value in zip(NUMBERS, row, strict=True)] for row in values]
    )
    exactly = values == values.astype(np.float32).astype(np.float64)
    assert (on & exactly).any(axis=1).mean() > 0.2
    assert (on & ~exactly).any(axis=1).mean() > 0.2


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", FITS)
def test_a_case_has_rows_at_its_splits(name: str) -> None:
    its = case(name)
    assert len(its.at_splits) > 300
    assert len(np.unique(its.pipeline.predict_proba(its.rows)[:, 1])) > 20


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_is_pinned(name: str) -> None:
    lines = (peers.REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!]+", line) for line in lines)
    assert peers.title(name).startswith(f"{PEERS[name].packages[0]} ")
    assert (ROOT / "benchmarks" / "fidelity" / f"{PEERS[name].module}.py").exists()


def test_a_peer_that_cannot_be_asked_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert peers._answers("x", Peer("x", (), "no-such-program")) == "not asked: no-such-program is not on this machine"

    def fails(_: str) -> Path:
        raise subprocess.CalledProcessError(1, "pip", stderr=b"Collecting x\nERROR: no version; none at all\n")

    monkeypatch.setattr(peers, "environment", fails)
    assert peers._answers("x", Peer("x", ())) == "not asked: ERROR: no version, none at all"


def test_verdicts_are_a_table_of_peers_and_cases() -> None:
    shown = [
        Figure("peers/a", "a 1.0", "margin: exact; DART: refused"),
        Figure("peers/b", "b 2.0", "margin: right; DART: **wrong** by 0.4, 9 % of rows"),
        Figure("peers/c", "c 3.0", "not asked: java is not on this machine"),
    ]
    text = page.filled("<!-- figures: peers -->\n<!-- end of figures -->", shown)
    assert "| | margin | DART |\n|---|---|---|\n| a 1.0 | exact | refused |\n" in text
    assert (
        "| b 2.0 | right | **wrong** by 0.4, 9 % of rows |\n\nc 3.0: not asked: java is not on this machine.\n" in text
    )
