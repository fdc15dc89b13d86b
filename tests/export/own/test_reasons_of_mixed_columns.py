"""Reasons where steps make columns of several: one group that has all of those is a player, less is refused."""

import json
from collections.abc import Iterator
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from cli.errors import UserError
from export.own.settings import OwnSettings, own_settings
from runtime.model import Model
from runtime.table_file import REASONS_FILE
from runtime.tables import Tables
from scoring.scorer import Scorer
from tests.export.own.pipelines import NUMBERS, TEXTS, booster, exported, rows_of
from tests.export.served.exported import ask, handler

pytestmark = pytest.mark.tier("land")
X, Y = rows_of(500)
ANYONE = {"uuid": "1", "income": 1e4, "age": 30, "debt": 1.5, "late": 0, "job": "nurse", "city": "city 1"}


@pytest.fixture(scope="module", autouse=True)
def fewer_rows() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr("export.own.proof.RANDOM_AND_REAL_ROWS", 300)
    patch.setattr("export.certificate.certify.SINGLE_ROWS", 20)
    patch.setattr("export.reasons.build.COMPARED", 40)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model of two principal components, whose numbers are one group, and the numbers beside them as they are."""
    folder = tmp_path_factory.mktemp("grouped") / "model"
    exported(fitted_with(components()), X, folder, Y, settings({"means": NUMBERS}))
    return folder


def settings(groups: dict[str, list[str]], **more: Any) -> OwnSettings:
    return own_settings({"exactness": {"tolerance": 1e-6}, "reason_groups": groups, **more})


def fitted_with(numbers: Any) -> Pipeline:
    columns = [("n", numbers, NUMBERS), ("t", OneHotEncoder(handle_unknown="ignore"), TEXTS)]
    return make_pipeline(ColumnTransformer(columns, sparse_threshold=0), booster(n_estimators=6)).fit(X, Y)


def components() -> FeatureUnion:
    return FeatureUnion([("of several", make_pipeline(SimpleImputer(), PCA(2))), ("apart", StandardScaler())])


def of_all_coalitions(fitted: Pipeline, applicants: pd.DataFrame, reference: pd.DataFrame) -> Any:
    """The definition, through the fitted pipeline itself: [N, players] of margin."""
    columns = [NUMBERS, ["job"], ["city"]]
    found = np.zeros((len(applicants), len(columns)))
    for row in range(len(applicants)):
        worth = {}
        for size in range(len(columns) + 1):
            for coalition in combinations(range(len(columns)), size):
                mixed = reference.copy()
                for name in (name for player in coalition for name in columns[player]):
                    its = [applicants[name].iloc[row]] * len(reference)
                    mixed[name] = pd.Series(its, index=reference.index, dtype=reference[name].dtype)
                worth[coalition] = fitted[-1].predict(fitted[:-1].transform(mixed), output_margin=True).mean()
        for player in range(len(columns)):
            for coalition, value in worth.items():
                if player not in coalition:
                    share = factorial(len(coalition)) * factorial(len(columns) - len(coalition) - 1)
                    joined = worth[tuple(sorted((*coalition, player)))]
                    found[row, player] += share / factorial(len(columns)) * (joined - value)
    return found


def test_a_group_gets_the_points_of_the_columns_that_are_made_of_it(grouped: Path) -> None:
    model = Model.load(str(grouped))
    compared = json.loads((grouped / "certificate.json").read_text())["reasons"]
    assert compared["largest_difference"] <= 2e-7
    assert compared["same_top_four"] + compared["tied_top_four"] >= compared["rows"]
    record = model.manifest.document["reasons"]
    assert [player["name"] for player in record["players"]] == ["means", "job", "city"]
    tables = Tables.read(str(grouped), record["file"]["sha256"], model.manifest.sha256)
    some = X.iloc[::60]
    numbers = some[[its.name for its in model.manifest.numbers]].to_numpy(dtype=float, na_value=np.nan)
    words = some[TEXTS].astype(object).where(some[TEXTS].notna(), "").to_numpy()
    found = tables.contributions_of(numbers, words)
    assert (
        np.abs(found - of_all_coalitions(fitted_with(components()), some, X)).max() <= 5e-6
    )  # XGBoost's own margins are float32
    assert np.abs(found).max(axis=0).min() > 0.005


def test_batches_and_scored_tables_have_the_reasons_of_each_alone(grouped: Path) -> None:
    its = handler(grouped)
    names = [feature.name for feature in its.service.model.manifest.features]
    some = X.iloc[:40].astype(object).where(X.iloc[:40].notna(), None)
    records: list[Any] = some[names].to_dict("records")
    rows = [{"uuid": str(i), **row} for i, row in enumerate(records)]
    alone = [ask(its, row, "explain=all")[1] for row in rows]
    assert ask(its, {"applicants": rows, "explain": "all"}, "", "/predict/batch")[1]["answers"] == alone
    for answer in alone:
        total = answer["base_points"] + sum(answer["points"].values())
        assert round(total, 2) == round(answer["credit_score"], 2)
    table = pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False).combine_chunks()
    scored = Scorer.load(str(grouped), explain=True).score(table.to_batches()[0]).rows.to_pylist()
    assert [row["points"] for row in scored] == [answer["points"] for answer in alone]


def test_columns_of_several_without_one_group_leave_a_model_without_reasons(tmp_path: Path) -> None:
    fitted = fitted_with(make_pipeline(SimpleImputer(), PCA(2)))
    splits: list[dict[str, list[str]]] = [{}, {"means": NUMBERS[:3]}, {"a": NUMBERS[:2], "b": NUMBERS[2:]}]
    for number, groups in enumerate(splits):
        _, model = exported(fitted, X, tmp_path / str(number), Y, settings(groups))
        why = model.manifest.document["reasons"]["why"]
        assert why.endswith(
            '(PCA) makes columns of several; unite ["income", "age", "debt", "late"] in one of [reason_groups]'
        )
        assert not (tmp_path / str(number) / REASONS_FILE.name).exists()
        problem = ask(handler(tmp_path / str(number)), ANYONE, "explain=true")
        assert (problem[0], problem[1]["detail"]) == (409, why)


def test_hints_for_a_column_that_is_mixed_are_refused(tmp_path: Path) -> None:
    texts = {"income": {"actionable": True, "direction": "up"}}
    wanted = settings({"means": NUMBERS}, reasons={"hints": True}, reason_texts=texts)
    with pytest.raises(
        UserError, match=r"reason_texts\.income\.actionable: .*\(PCA\) makes columns of income and others"
    ):
        exported(fitted_with(make_pipeline(SimpleImputer(), PCA(2))), X, tmp_path / "model", Y, wanted)
