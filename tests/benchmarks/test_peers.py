"""Fidelity of peers: verdicts, pinned environments, and rows that stand at splits."""

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import page, peers
from benchmarks.digests import ROOT
from benchmarks.explainers import EXPLAINERS
from benchmarks.explaining.answers import shapley
from benchmarks.fidelity.answers import compare
from benchmarks.fidelity.asked import answer
from benchmarks.fidelity.cases import FITS, NUMBERS, Case, case
from benchmarks.figures import Figure
from benchmarks.peers import PEERS, Peer, verdict

CONTESTS = [
    *(("fidelity", name, peer) for name, peer in PEERS.items()),
    *(("explaining", name, peer) for name, peer in EXPLAINERS.items()),
]


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

    assert verdict(answer(compare, its, margin)) == "exact"
    assert verdict(answer(compare, lambda case_: its(case_, 0.25), margin)) == "**wrong** by 0.25, 10 % of rows"
    assert verdict(answer(compare, lambda case_: its(case_, np.nan), margin)) == "**wrong** by 1, 10 % of rows"


def test_an_exception_is_a_refusal(margin: Case) -> None:
    def refuses(_: Case) -> None:
        raise NotImplementedError("not supported\nmore")

    assert answer(compare, refuses, margin) == {"refused": "NotImplementedError: not supported"}


def test_a_fault_of_the_comparison_is_not_a_refusal(margin: Case) -> None:
    with pytest.raises(ValueError, match="unpack"):
        answer(compare, lambda _: (1, 2, 3), margin)


def test_rows_at_splits_stand_on_both_sides_of_a_float32(margin: Case) -> None:
    """A comparison in float64 sends a row to the other leaf, and XGBoost's own does not."""
    table = margin.pipeline.get_booster().trees_to_dataframe().dropna(subset=["Split"])  # without the leaves
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


@pytest.mark.parametrize(("contest", "name", "peer"), CONTESTS)
def test_a_peer_is_pinned(contest: str, name: str, peer: Peer) -> None:
    lines = peers.requirements(contest, name).read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!]+", line) for line in lines)
    assert peers.title(contest, name, peer).startswith(f"{peer.packages[0]} ")
    assert (ROOT / "benchmarks" / contest / f"{peer.module}.py").exists()


def test_a_peer_that_cannot_be_asked_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        peers._answers("x", "x", Peer("x", (), "no-such-program"))
        == "not asked: no-such-program is not on this machine"
    )

    def fails(_: str, __: str) -> Path:
        raise subprocess.CalledProcessError(1, "pip", stderr=b"Collecting x\nERROR: no version; none at all\n")

    monkeypatch.setattr(peers, "environment", fails)
    assert peers._answers("x", "x", Peer("x", ())) == "not asked: ERROR: no version, none at all"


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


class Product:
    """Margin that is the product of two features: by hand, each gets half of the joint effect."""

    def predict(self, rows: pd.DataFrame, output_margin: bool) -> np.ndarray[Any, Any]:
        return (rows["a"] * rows["b"]).to_numpy()


def test_shapley_values_are_those_of_the_definition() -> None:
    rows, reference = pd.DataFrame({"a": [3.0], "b": [5.0]}), pd.DataFrame({"a": [1.0, 0.0], "b": [2.0, 0.0]})
    # Against (1, 2): a gets ((6 - 2) + (15 - 5)) / 2 = 7, b ((5 - 2) + (15 - 6)) / 2 = 6; against (0, 0): 7.5 each.
    assert shapley(Product(), rows, reference).tolist() == [[7.25, 6.75]]
