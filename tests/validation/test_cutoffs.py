"""Cut-offs: each row is what the rule "approve from this score on" brings, counted one applicant at a time."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validation.samples import draw
from validation.cutoffs import MOST_STEPS, cutoff_table
from validation.evidence import Part
from validation.settings import Costs

EDGES = [380.0, 642.0, 663.3, 1000.0]


def part(rows: int = 800) -> Part:
    target, probability = draw(rows)
    frame = pd.DataFrame({"amount": np.where(np.arange(rows) % 9 == 0, np.nan, 100.0 + np.arange(rows))})
    return Part(frame, target, probability, 600 - 30 * np.log(probability / (1 - probability)))


@pytest.mark.parametrize("costs", [Costs(60.0, 700.0), Costs(0.1, 0.6, "amount")])
def test_each_row_is_what_its_rule_brings(costs: Costs) -> None:
    those = part()
    table = cutoff_table(those, EDGES, costs, None if costs.amount is None else those.frame["amount"].to_numpy())
    assert costs.gain is not None
    assert costs.loss is not None
    amount = np.ones(800) if costs.amount is None else those.frame["amount"].fillna(0).to_numpy()
    for row in table.to_dict("records"):
        approved = those.score >= row["Score from"]
        bad = those.target == 1
        assert row["Approved"] == approved.sum()
        assert row["Approval rate"] == pytest.approx(approved.mean())
        assert row["Defaults refused"] == pytest.approx((bad & ~approved).sum() / bad.sum())
        observed = np.where(bad, -costs.loss, costs.gain) * amount
        expected = (costs.gain * (1 - those.probability) - costs.loss * those.probability) * amount
        assert row["Observed profit"] == pytest.approx(observed[approved].sum())
        assert row["Expected profit"] == pytest.approx(expected[approved].sum())
        assert row["Expected profit per applicant"] == pytest.approx(expected[approved].sum() / 800)
        if approved.any():
            assert row["Bad rate"] == pytest.approx(bad[approved].mean())
            assert row["Low"] <= row["Bad rate"] <= row["High"]
            assert row["Predicted bad rate"] == pytest.approx(those.probability[approved].mean())
    assert table["Approval rate"].iloc[0] == 1
    assert table["Approved"].iloc[-1] == 0
    assert math.isnan(table["Bad rate"].iloc[-1])
    assert set(EDGES[1:3]) <= set(table["Score from"])


def test_the_best_cut_off_is_marked() -> None:
    table = cutoff_table(part(), EDGES, Costs(60.0, 700.0))
    for kind in ("expected", "observed"):
        marked = table[table["Best"].isin([kind, "both"])]
        assert marked.index.tolist() == [table[f"{kind.capitalize()} profit"].idxmax()]


def test_without_costs_there_is_no_profit() -> None:
    assert not {"Expected profit", "Observed profit", "Best"} & set(cutoff_table(part(), EDGES, Costs()))


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=40))
def test_any_scores_have_a_short_table_from_all_to_none(scores: list[float]) -> None:
    rows = len(scores)
    those = Part(pd.DataFrame(index=range(rows)), np.ones(rows, dtype=np.int8), np.full(rows, 0.5), np.array(scores))
    table = cutoff_table(those, EDGES, Costs())
    assert len(table) <= MOST_STEPS + 3 + len(EDGES)
    assert table["Score from"].is_monotonic_increasing
    assert table["Score from"].is_unique
    assert table["Approved"].iloc[0] == rows
    assert table["Approved"].iloc[-1] == 0
