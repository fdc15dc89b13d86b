"""The scoring core against the handler: the same verdict about every row, and the same bits for those it scores."""

import json
import math
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cli.errors import UserError
from runtime.dispatch import Handler
from runtime.settings import Settings
from scoring.reading import ROWS_AT_ONCE
from scoring.scorer import Scored, Scorer
from table.settings import Data, Feature
from tests.scoring.conftest import book_of

ROOT = Path(__file__).parents[2]
TYPES = {
    "uuid": pa.string(),
    "income": pa.float64(),
    "owner": pa.bool_(),
    "age": pa.float64(),
    "insured": pa.bool_(),
    "debt": pa.int64(),
    "shop": pa.string(),
    "region": pa.string(),
}
VALUES: dict[str, list[Any]] = {
    "uuid": ["a", "é" * 128, "x" * 129, "", None, "NA"],
    "income": [0.0, -0.0, 5000.0, 5001.0, 1e308, -1e308, math.inf, -math.inf, 5e-324, None, 3.4028235e38],
    "owner": [True, False, None],
    "age": [18.0, 75.5, 17.9, None, math.inf],
    "insured": [True, False, None],
    "debt": [0, -1, 2**53, 2**53 + 1, -(2**53) - 1, None],
    "shop": ["Travel", " Travel ", "Cafe\u0301", "Café", "", " ", None, "new", "a\0b", "NA", "Travel\0"],
    "region": ["north", "north ", "", " ", None, "south"],
}


@pytest.fixture(scope="module")
def scorer(model: Path) -> Scorer:
    return Scorer.load(str(model))


def table(rows: list[dict[str, Any]], types: dict[str, Any] = TYPES) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=pa.schema(list(types.items())))


def asked(handler: Handler, row: dict[str, Any]) -> Any:
    return handler({"rawPath": "/predict", "httpMethod": "POST", **EVENT, "body": json.dumps(row)}, None)


EVENT: dict[str, Any] = {
    "version": "2.0",
    "headers": {"content-type": "application/json"},
    "requestContext": {"http": {"method": "POST", "path": "/predict"}, "requestId": "r", "stage": "$default"},
    "isBase64Encoded": False,
}


def test_verdicts_and_bits_are_the_handler_s(model: Path, scorer: Scorer) -> None:
    chance = random.Random(5)
    usual = {
        "income": 12.5,
        "owner": True,
        "age": 40.0,
        "insured": False,
        "debt": 7,
        "shop": "Travel",
        "region": "north",
    }
    rows: list[dict[str, Any]] = []
    for name, values in VALUES.items():  # each odd value alone, then any together
        rows += [{"uuid": "alone", **usual, name: value} for value in values]
    rows += [{name: chance.choice(values) for name, values in VALUES.items()} for _ in range(400)]
    scored = scorer.score(table(rows))
    answers = iter(scored.rows.to_pylist())
    refusals = {reject["row"]: reject for reject in scored.rejects.to_pylist()}
    handler = Handler(Settings({"MODEL_DIR": str(model)}))
    for number, row in enumerate(rows, 1):
        answer = asked(handler, row)
        body = json.loads(answer["body"])
        if answer["statusCode"] == 200:
            got = next(answers)
            assert {name: body[name] for name in got} == got, row
        else:
            reasons = [f"{entry['pointer'][1:]}: {entry['detail']}" for entry in body["errors"]]
            assert refusals.pop(number)["reason"] == "; ".join(reasons), row
    assert refusals == {}
    assert next(answers, None) is None


def test_a_row_has_the_same_bits_in_every_batch(scorer: Scorer) -> None:
    [batch] = book_of(2_000).to_batches()
    whole = scorer.score(batch).rows
    for size in (1, 7, 64, 333):
        pieces = [scorer.score(batch.slice(first, size)).rows for first in range(0, 2_000 if size > 1 else 50, size)]
        assert pa.Table.from_batches(pieces).equals(pa.Table.from_batches([whole.slice(0, sum(map(len, pieces)))]))


@pytest.mark.parametrize(
    ("column", "type_", "values"),
    [
        ("income", pa.decimal128(10, 2), [Decimal("12.50"), None, Decimal("7.00")]),
        ("income", pa.float32(), [12.5, None, 7.0]),
        ("income", pa.string(), ["12.5", "", " 7 "]),
        ("income", pa.int32(), [12, None, 7]),
        ("owner", pa.int8(), [1, 0, None]),
        ("owner", pa.string(), ["yes", "FALSE", None]),
        ("shop", pa.dictionary(pa.int8(), pa.string()), ["Travel", None, "Travel"]),
        ("shop", pa.large_string(), ["Travel", "x", None]),
        ("uuid", pa.int64(), [1, 2, 3]),
        ("uuid", pa.dictionary(pa.int32(), pa.string()), ["a", "b", "a"]),
    ],
)
def test_a_value_is_the_same_however_it_is_stored(scorer: Scorer, column: str, type_: Any, values: list[Any]) -> None:
    """As the request would have it: numbers, true and false, texts."""
    said: dict[Any, Any] = {"yes": True, "FALSE": False, "12.5": 12.5, " 7 ": 7.0, "": None}
    usual = {"uuid": "a", "income": 1.0, "owner": True, "age": 40.0, "insured": False, "debt": 7, "region": "north"}
    plain = []
    for value in values:
        its = said.get(value, value)
        if column == "owner" and its is not None:
            its = bool(its)
        its = str(its) if column == "uuid" else float(its) if isinstance(its, Decimal) else its
        plain.append({**usual, column: its})
    rows = [{**usual, column: value} for value in values]
    got = scorer.score(table(rows, {**TYPES, column: type_}))
    assert got.rejects.num_rows == 0
    assert got.rows.equals(scorer.score(table(plain)).rows)


def refused(scored: Scored) -> list[str]:
    return [reject["reason"] for reject in scored.rejects.to_pylist()]


@pytest.mark.parametrize("text", ["12,5", "1_000", "abc", "0x10", "1e400", "inf", "9007199254740993", "१२ रु"])
def test_text_that_is_no_number_float64_holds_is_rejected(scorer: Scorer, text: str) -> None:
    row = {"uuid": "a", "income": text, "age": 40.0, "insured": True, "region": "north"}
    got = scorer.score(table([row, {**row, "income": "12.5"}], {**TYPES, "income": pa.string()}), 10)
    assert [reject["row"] for reject in got.rejects.to_pylist()] == [10]
    assert refused(got)[0].startswith("income: expected a")
    assert got.rows.num_rows == 1


def test_words_of_the_settings_are_missing_and_true(model: Path) -> None:
    features = [
        Feature("income", "number", special=("-9", "n/s")),
        Feature("owner", "boolean", true=("owns",), false=("rents",)),
        Feature("shop", "category", special=("-9",)),
    ]
    data = Data(missing=(".",), decimal=",", thousands=".")
    scorer = Scorer.load(str(model), data=data, features=features)
    texts = {**TYPES, "income": pa.string(), "owner": pa.string()}
    row = {"uuid": "a", "age": 40.0, "insured": True, "region": "north"}
    written = [{**row, "income": "1.234,5", "owner": "owns", "shop": "-9"}, {**row, "income": "-9", "owner": "."}]
    plain = [{**row, "income": 1234.5, "owner": True}, row]
    assert scorer.score(table(written, texts)).rows.equals(Scorer.load(str(model)).score(table(plain)).rows)


def test_counts_are_those_of_the_rows(scorer: Scorer) -> None:
    row = {"uuid": "a", "income": 1.0, "age": 40.0, "insured": True, "debt": 1, "shop": "Travel", "region": "north"}
    rows = [row, {**row, "income": None}, {**row, "income": 9e9, "shop": "x"}, {**row, "uuid": None}]
    tally = scorer.score(table(rows)).tally
    names = [feature.name for feature in (*scorer.manifest.numbers, *scorer.manifest.categories)]
    assert (tally.rows, tally.rejected, sum(tally.bands)) == (3, 1, 3)
    assert dict(zip(names, tally.missing, strict=True))["income"] == 1
    unusual = dict(zip(names, tally.unusual, strict=True))
    assert (unusual["income"], unusual["shop"], unusual["age"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"income": None}, "no column income; did you mean incoming? "),
        ({"income": pa.timestamp("s")}, "column income: expected numbers, got values of type timestamp[s]"),
        ({"income": pa.bool_()}, "column income: expected numbers, got values of type bool"),
        ({"owner": pa.list_(pa.bool_())}, "column owner: expected true or false, got values of type list"),
        ({"uuid": pa.float64()}, "column uuid: expected texts or whole numbers, got values of type double"),
        ({"uuid": None}, "no column uuid; "),
    ],
)
def test_a_schema_that_cannot_be_scored_is_named(scorer: Scorer, change: dict[str, Any], expected: str) -> None:
    types = {name: type_ for name, type_ in (TYPES | change).items() if type_ is not None}
    with pytest.raises(UserError, match=r"^book: ") as caught:
        scorer.check(pa.schema([*types.items(), ("incoming", pa.string())]), "book")
    assert expected in str(caught.value)


def test_a_table_without_ids_is_scored(model: Path) -> None:
    scorer = Scorer.load(str(model), id=None)
    batch = book_of(5).drop_columns("uuid").to_batches()[0]
    assert scorer.score(batch).rows.schema.names[0] == "default_probability"
    assert scorer.score(batch).rows.num_rows == 5


def test_reasons_of_a_model_without_them_are_refused(model: Path) -> None:
    with pytest.raises(UserError, match="expected a model with reasons"):
        Scorer.load(str(model), explain=True)


def test_a_worker_loads_no_pandas(model: Path) -> None:
    code = (
        "import sys; import scoring.part; from scoring.scorer import Scorer;"
        f"Scorer.load({str(model)!r}); print({{'pandas', 'scipy', 'xgboost', 'sklearn'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_batch_is_a_chunk_of_the_engine(scorer: Scorer) -> None:
    assert scorer.reading.rows_at_once == ROWS_AT_ONCE
