"""Dates that encoders of levels read are categories of ISO dates; any other step that reads them is refused by name."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from export.own.model import export_own
from export.own.settings import own_settings
from export.refusal import ExportRefused
from runtime.model import Model
from scoring.scorer import Scorer
from tests.export.own.pipelines import QUIET, WITHOUT_REASONS, booster, exported, rows_of
from validation import run as monitor

pytestmark = [pytest.mark.tier("land"), pytest.mark.filterwarnings("ignore")]
X, Y = rows_of(400)
MONTHS = pd.date_range("2016-01-01", periods=12, freq="MS")
DRAWN = MONTHS[np.random.default_rng(3).integers(0, len(MONTHS), len(X))]
DAY = r"20\d\d-\d\d-01"
DATED = X[["income", "debt"]].assign(opened=DRAWN.astype("datetime64[us]"))
OUTCOMES = ((DATED["opened"].dt.month > 6).to_numpy() ^ (Y == 1)).astype(int)

TYPES: dict[str, Any] = {
    "microseconds": lambda opened: opened,
    "nanoseconds, some missing": lambda opened: opened.astype("datetime64[ns]").where(opened.index % 7 != 0),
    "Python's dates": lambda opened: opened.dt.date,
    "categories": lambda opened: opened.astype("category"),
}
ENCODERS: dict[str, Any] = {
    "one-hot": lambda: OneHotEncoder(handle_unknown="ignore"),
    "ordinal": lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    "target": lambda: TargetEncoder(random_state=0),
    "rare": lambda: OneHotEncoder(min_frequency=30, handle_unknown="infrequent_if_exist"),
}


def with_(step: Any, rows: pd.DataFrame) -> Any:
    columns = ColumnTransformer([("opened", step, ["opened"])], remainder="passthrough")
    return make_pipeline(columns, booster()).fit(rows, OUTCOMES)


def served_one(model: Model, row: "pd.Series[Any]", text: str) -> float:
    numbers = [float(row[feature.name]) for feature in model.manifest.numbers]
    return float(model.predict([numbers], [[text]])[0][0])


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("kind", "encoder"), [*zip(TYPES, ENCODERS, strict=True), ("nanoseconds, some missing", "target")]
)
def test_dates_that_an_encoder_reads_are_categories_of_iso_dates(kind: str, encoder: str, tmp_path: Path) -> None:
    rows = DATED.assign(opened=TYPES[kind](DATED["opened"]))
    fitted = with_(ENCODERS[encoder](), rows)
    certificate, model = exported(fitted, rows, tmp_path / "model")
    assert certificate["total"]["margins_bit_equal"] == certificate["total"]["margins"]
    [feature] = model.manifest.categories
    assert feature.vocabulary == tuple(day.date().isoformat() for day in MONTHS)
    assert feature.description == "date, such as 2016-09-01"
    expected = fitted.predict_proba(rows)[:, 1].astype(float).tolist()
    for place in range(20):
        opened = rows["opened"].iloc[place]
        text = "" if pd.isna(opened) else f"{opened:%Y-%m-%d}"
        assert served_one(model, rows.iloc[place], text) == expected[place]
    day: Any = date(2031, 5, 4) if kind == "Python's dates" else pd.Timestamp(2031, 5, 4)
    unseen = rows.head(1).assign(opened=pd.Series([day], dtype=object if kind == "Python's dates" else None))
    assert served_one(model, rows.iloc[0], "2031-05-04") == float(fitted.predict_proba(unseen)[0, 1])


def test_dates_that_the_encoder_raises_for_are_closed(tmp_path: Path) -> None:
    _, model = exported(with_(OrdinalEncoder(), DATED), DATED, tmp_path / "model")
    [feature] = model.manifest.categories
    assert feature.closed
    assert not feature.nullable


def test_dates_of_a_file_of_texts_are_read_as_those_of_the_fit(tmp_path: Path) -> None:
    fitted = with_(ENCODERS["one-hot"](), DATED)
    texts = DATED.assign(opened=DATED["opened"].dt.strftime("%Y-%m-%d"))
    _, model = exported(fitted, texts, tmp_path / "model")
    assert model.manifest.categories[0].vocabulary == tuple(day.date().isoformat() for day in MONTHS)
    with pytest.raises(ExportRefused, match=r"^opened: expected dates such as 2016-09-01, as those of the fit"):
        exported(fitted, texts.assign(opened="last year"), tmp_path / "model")


READERS: dict[str, tuple[Any, str]] = {
    "a scaler": (StandardScaler(), r"opened \(StandardScaler\)"),
    "a function of somebody's": (FunctionTransformer(lambda days: days.astype("int64")), r"opened \(FunctionTransf"),
    "an imputer in front of an encoder": (
        make_pipeline(SimpleImputer(strategy="median"), ENCODERS["ordinal"]()),
        r"opened → ordinalencoder \(OrdinalEncoder\)",
    ),
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("reader", READERS)
def test_another_step_that_reads_dates_is_refused_with_code_that_works(reader: str, tmp_path: Path) -> None:
    step, named = READERS[reader]
    with pytest.raises(ExportRefused) as refused:
        exported(with_(step, DATED), DATED, tmp_path / "model")
    said = str(refused.value)
    assert re.match(rf"opened: columntransformer → {named}.* reads dates, and only OneHotEncoder, Ord", said), said
    days = DATED.copy()
    exec(said.partition("their place: ")[2].partition(" (or on")[0], {"X": days, "pd": pd})
    days = days.drop(columns="opened")
    _, model = exported(booster().fit(days, OUTCOMES), days, tmp_path / "model")
    assert [feature.name for feature in model.manifest.numbers] == ["income", "debt", "opened_days"]


NOT_PLAIN: dict[str, tuple[Any, str]] = {
    "a time zone": (
        lambda opened: opened.dt.tz_localize("UTC"),
        'expected dates, got times with a time zone; make them X["opened"].dt.tz_localize(None).dt.normalize() and',
    ),
    "periods": (
        lambda opened: opened.dt.to_period("M"),
        'expected dates, got periods; make them X["opened"].dt.to_timestamp() and fit again',
    ),
    "the time of the day": (
        lambda opened: opened + pd.Timedelta(minutes=5),
        f'expected dates, got the time {DAY}T00:05:00; make them X["opened"].dt.normalize() and fit again',
    ),
    "durations": (
        lambda opened: opened - opened.min(),
        "expected numbers, booleans, texts or dates, got Timedelta; make it one of them, such as its .dt.days, and",
    ),
}


@pytest.mark.sample(2)
@pytest.mark.parametrize("kind", NOT_PLAIN)
def test_what_is_no_plain_date_is_refused_with_the_remedy(kind: str, tmp_path: Path) -> None:
    make, said = NOT_PLAIN[kind]
    rows = DATED.assign(opened=make(DATED["opened"]))
    with pytest.raises(ExportRefused, match=rf"^opened: {re.escape(said).replace(re.escape(DAY), DAY)}"):
        exported(with_(ENCODERS["one-hot"](), rows), rows, tmp_path / "model")


def test_a_model_of_dates_is_scored_and_monitored_on_a_table_of_dates(tmp_path: Path) -> None:
    fitted = with_(ENCODERS["one-hot"](), DATED)
    export_own(fitted, DATED, OUTCOMES, tmp_path / "model", own_settings(WITHOUT_REASONS), QUIET)
    table = tmp_path / "new.parquet"
    DATED.assign(opened=DATED["opened"].dt.date, bad=OUTCOMES).to_parquet(table)  # date32
    given = ["--model", tmp_path / "model", "--data", table, "--target", "bad", "--id", "", "--quiet"]
    assert monitor.main([*map(str, given), "--out", str(tmp_path / "validated")]) == 0
    found = json.loads((tmp_path / "validated" / "validation.json").read_text(encoding="utf-8"))
    assert found["data"]["rows"] == len(DATED)
    scorer = Scorer.load(str(tmp_path / "model"), id=None)
    expected = fitted.predict_proba(DATED)[:, 1].astype(float).tolist()
    for dtype in ("date", "datetime64[ns]", "str"):
        opened: Any = DATED["opened"]
        opened = opened.dt.date if dtype == "date" else opened.astype(dtype)
        batch = pa.Table.from_pandas(DATED.assign(opened=opened), preserve_index=False).combine_chunks()
        scorer.check(batch.schema, "new")
        scored = scorer.score(batch.to_batches()[0])
        assert scored.rows.column("default_probability").to_pylist() == expected
        assert sum(scored.tally.unusual) == 0
