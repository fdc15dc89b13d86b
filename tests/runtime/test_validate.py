"""Each rule of validation with its exact message, all errors of an applicant at once."""

import json
import math
from typing import Any

import pytest

from runtime.columns import Columns
from runtime.manifest import Manifest, ModelRefused
from runtime.problem import INVALID_APPLICANT, INVALID_BATCH, Problem
from runtime.strict_json import parse
from runtime.validate import Applicant, Validator
from tests.runtime.model_builder import SMALL_FEATURES, build_model, versioned

GOOD = {
    "uuid": "a-1",
    "income": 1200.5,
    "owner": True,
    "age": 40,
    "insured": False,
    "debt": None,
    "shop": "Café",
    "region": "north",
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return Manifest(build_model(tmp_path_factory.mktemp("model"), SMALL_FEATURES))


@pytest.fixture(scope="module")
def validator(manifest: Manifest) -> Validator:
    return Validator(manifest)


def body(change: dict[str, Any] | None = None, *, without: str = "") -> bytes:
    members = {**GOOD, **(change or {})}
    members.pop(without, None)
    return json.dumps(members).encode()


def read(validator: Validator, body: bytes) -> Applicant:
    return validator.applicant(parse(body, 10**6))


def errors(validator: Validator, body: bytes) -> list[tuple[str, str]]:
    with pytest.raises(Problem) as problem:
        read(validator, body)
    assert problem.value.type is INVALID_APPLICANT
    found = problem.value.errors
    assert found
    assert problem.value.detail == ("1 validation error" if len(found) == 1 else f"{len(found)} validation errors")
    return [(entry["pointer"], entry["detail"]) for entry in found]


def test_a_good_applicant_is_read_in_the_manifest_s_order(validator: Validator) -> None:
    applicant = read(validator, body())
    assert applicant.identifier == "a-1"
    assert applicant.numbers[:4] == [1200.5, True, 40, False]
    assert math.isnan(applicant.numbers[4])
    assert applicant.categories == ["Café", "north"]
    assert (applicant.missing, applicant.warnings) == (1, [])


def test_null_and_absent_are_the_same(validator: Validator) -> None:
    nulls = read(validator, body({"income": None, "owner": None, "shop": None}))
    absent = read(validator, b'{"uuid": "a-1", "age": 40, "insured": false, "region": "north"}')
    for applicant in (nulls, absent):
        assert [math.isnan(number) for number in applicant.numbers] == [True, True, False, False, True]
        assert applicant.categories == ["", "north"]
        assert (applicant.missing, applicant.warnings) == (4, [])


def test_an_empty_category_is_missing(validator: Validator) -> None:
    applicant = read(validator, body({"shop": ""}))
    assert (applicant.categories[0], applicant.missing) == ("", 2)


WHOLE = (
    "expected a whole number that float64 holds exactly (from -9007199254740992 to 9007199254740992){}, got one beyond"
)
HALF = "expected Unicode text, got half of a surrogate pair"

RULES: list[tuple[bytes, str, str]] = [
    (body(without="uuid"), "/uuid", "expected a string, got null or nothing"),
    (body({"uuid": None}), "/uuid", "expected a string, got null or nothing"),
    (body({"uuid": 7}), "/uuid", "expected a string, got a number"),
    (body({"uuid": ""}), "/uuid", "expected a string of 1 to 128 characters, got 0"),
    (body({"uuid": "x" * 129}), "/uuid", "expected a string of 1 to 128 characters, got 129"),
    (body({"uuid": "\ud800"}), "/uuid", HALF),
    (body({"income": "10"}), "/income", "expected a number or null, got a string"),
    (body({"income": True}), "/income", "expected a number or null, got a boolean"),
    (body({"income": [1]}), "/income", "expected a number or null, got an array"),
    (body({"income": {"a": {}}}), "/income", "expected a number or null, got an object"),
    (body({"income": math.nan}), "/income", "expected a finite number or null, got NaN"),
    (body({"income": math.inf}), "/income", "expected a finite number or null, got an infinite one"),
    (body({"age": -math.inf}), "/age", "expected a finite number, got an infinite one"),
    (
        body({"income": "§"}).replace(b'"\\u00a7"', b"1e999"),
        "/income",
        "expected a finite number or null, got an infinite one",
    ),
    (
        body({"income": "§"}).replace(b'"\\u00a7"', b"9" * 5000),
        "/income",
        "expected a finite number or null, got an infinite one",
    ),
    (body({"income": 2**53 + 1}), "/income", WHOLE.format(" or null")),
    (body({"age": -(2**53) - 1}), "/age", WHOLE.format("")),
    (body({"debt": 10**400}), "/debt", WHOLE.format(" or null")),
    (body({"age": None}), "/age", "expected a number, got null or nothing"),
    (body(without="age"), "/age", "expected a number, got null or nothing"),
    (body({"owner": 1}), "/owner", "expected a boolean or null, got a number"),
    (body({"owner": 0.0}), "/owner", "expected a boolean or null, got a number"),
    (body({"owner": "true"}), "/owner", "expected a boolean or null, got a string"),
    (body({"insured": None}), "/insured", "expected a boolean, got null or nothing"),
    (body({"shop": 3}), "/shop", "expected a string or null, got a number"),
    (body({"shop": False}), "/shop", "expected a string or null, got a boolean"),
    (body({"shop": "\udfff"}), "/shop", HALF),
    (body({"region": None}), "/region", "expected a string, got null or nothing"),
    (body({"region": ""}), "/region", "expected a string, got an empty string"),
    (body({"incomes": 1}), "/incomes", 'unknown field; did you mean "income"?'),
    (body({"INCOME": 1}), "/INCOME", 'unknown field; did you mean "income"?'),
    (body({"qqq": 1}), "/qqq", "unknown field"),
    (body({"a/b~c": 1}), "/a~1b~0c", "unknown field"),
    (body({"\ud800": 1}), "/?", "unknown field"),
    (body({"y" * 200: 1}), "/" + "y" * 100 + "...", "unknown field"),
    (body()[:-1] + b', "age": 41}', "/age", "expected once, got more than once"),
    (b"[]", "", "expected an object, got an array"),
    (b"null", "", "expected an object, got null or nothing"),
    (b'"{}"', "", "expected an object, got a string"),
    (b"3", "", "expected an object, got a number"),
    (b"true", "", "expected an object, got a boolean"),
]


@pytest.mark.parametrize(("wrong", "pointer", "detail"), RULES)
def test_each_broken_rule_is_one_error_with_its_pointer(
    validator: Validator, wrong: bytes, pointer: str, detail: str
) -> None:
    assert errors(validator, wrong) == [(pointer, detail)]


def test_all_errors_are_named_at_once_in_order(validator: Validator) -> None:
    wrong = b'{"uuid": 1, "incom": 2, "income": "x", "owner": 1, "age": 1, "age": null, "shop": 5}'
    assert errors(validator, wrong) == [
        ("/uuid", "expected a string, got a number"),
        ("/income", "expected a number or null, got a string"),
        ("/owner", "expected a boolean or null, got a number"),
        ("/age", "expected a number, got null or nothing"),
        ("/insured", "expected a boolean, got null or nothing"),
        ("/shop", "expected a string or null, got a number"),
        ("/region", "expected a string, got null or nothing"),
        ("/incom", 'unknown field; did you mean "income"?'),
        ("/age", "expected once, got more than once"),
    ]


def test_many_unknown_fields_are_counted(validator: Validator) -> None:
    found = errors(validator, body({f"q{i}": i for i in range(5000)}))
    assert len(found) == 11
    assert found[-1] == ("", "and 4990 more unknown fields")


def test_many_repeated_fields_are_counted(validator: Validator) -> None:
    repeated = b",".join(b'"q%d": 1' % i for i in range(5000))
    found = errors(validator, b"{" + repeated + b"," + repeated + b"}")
    assert ("", "and 4990 more repeated fields") in found


@pytest.mark.parametrize("value", [2**53, -(2**53), 1e300, -1e300, 5e-324, -0.0])
def test_every_exact_number_is_let_in(validator: Validator, value: float) -> None:
    assert read(validator, body({"debt": value})).numbers[4] == value


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"income": 5000.000001}, "/income", "outside the training range, 0 to 5000"),
        ({"income": -1}, "/income", "outside the training range, 0 to 5000"),
        ({"age": 76}, "/age", "outside the training range, 18 to 75.5"),
        ({"debt": 0}, "/debt", "no value of this field was seen in training"),
        ({"shop": "travel"}, "/shop", "category not seen in training"),
        ({"region": "x\0"}, "/region", "category not seen in training"),
    ],
)
def test_what_training_did_not_see_is_a_warning(
    validator: Validator, change: dict[str, Any], pointer: str, detail: str
) -> None:
    applicant = read(validator, body(change))
    assert applicant.warnings == [{"pointer": pointer, "detail": detail}]
    [value] = change.values()
    assert value in [*applicant.numbers, *applicant.categories]


@pytest.mark.parametrize("value", [0.0, 0, 5000, 5000.0])
def test_the_range_of_training_is_closed(validator: Validator, value: float) -> None:
    assert read(validator, body({"income": value})).warnings == []


def test_whole_numbers_beyond_float64_are_refused_within_any_range(manifest: Manifest) -> None:
    document = json.loads(json.dumps(manifest.document))
    document["features"][0]["range"] = [0, 1e300]
    validator = Validator(Manifest(versioned(document)))
    assert read(validator, body({"income": 1e299})).warnings == []
    assert errors(validator, body({"income": 10**299})) == [("/income", WHOLE.format(" or null"))]


def test_unknown_fields_can_be_ignored(manifest: Manifest) -> None:
    validator = Validator(manifest, ignore_unknown_fields=True)
    assert read(validator, body({"more": {"a": [1]}, "and": "more"})).identifier == "a-1"
    assert errors(validator, body({"more": {"a": [math.nan]}})) == [
        ("/more", "expected JSON, got a number that is not finite")
    ]


def test_the_id_may_have_another_name(manifest: Manifest) -> None:
    validator = Validator(Manifest(versioned({**manifest.document, "id": "application"})))
    assert errors(validator, body({"application": "1"})) == [("/uuid", "unknown field")]


def test_pointers_begin_where_the_applicant_stands(validator: Validator) -> None:
    with pytest.raises(Problem) as problem:
        validator.applicant({**GOOD, "age": None}, "/applicants/3")
    assert problem.value.errors == [
        {"pointer": "/applicants/3/age", "detail": "expected a number, got null or nothing"}
    ]


@pytest.mark.parametrize(
    ("batch", "pointer", "detail"),
    [
        (b"[]", "", "expected an object with a list of applicants, got an array"),
        (b"{}", "", 'expected one member, "applicants"'),
        (b'{"applicants": [], "more": 1}', "", 'expected one member, "applicants"'),
        (b'{"applicants": [], "applicants": []}', "/applicants", "expected once, got more than once"),
        (b'{"applicants": {}}', "/applicants", "expected a list, got an object"),
        (
            b'{"applicants": [' + b"1," * 1000 + b"1]}",
            "/applicants",
            "expected at most 1000 applicants, got 1001",
        ),
    ],
)
def test_a_wrong_batch_is_refused_with_its_pointer(
    validator: Validator, batch: bytes, pointer: str, detail: str
) -> None:
    with pytest.raises(Problem) as problem:
        validator.batch(parse(batch, 10**6))
    assert problem.value.type is INVALID_BATCH
    assert problem.value.detail == detail
    assert problem.value.errors == [{"pointer": pointer, "detail": detail}]


def test_a_batch_may_be_full_or_empty(validator: Validator) -> None:
    assert validator.batch({"applicants": []}) == []
    assert len(validator.batch({"applicants": [1] * 1000})) == 1000


def closed(manifest: Manifest, levels: list[str] | None = None) -> Manifest:
    """With categories whose other levels the pipeline raises for."""
    document = json.loads(json.dumps(manifest.document))
    for feature in document["features"]:
        if feature["type"] == "category":
            feature.update(closed=True, vocabulary=levels or feature["vocabulary"])
    return Manifest(versioned(document))


def test_a_level_that_a_closed_vocabulary_lacks_is_an_error(manifest: Manifest) -> None:
    validator = Validator(closed(manifest))
    said = 'expected a category that the model knows, "Travel", "Café"; got another'
    assert errors(validator, body({"shop": "travel"})) == [("/shop", said)]
    applicant = read(validator, body({"shop": " Travel "}))
    assert (applicant.categories[0], applicant.warnings) == ("Travel", [])
    assert read(validator, body({"shop": None})).categories[0] == ""


def test_a_long_closed_vocabulary_is_cut(manifest: Manifest) -> None:
    levels = ["north", *"abcdefghijkl"]
    [(pointer, said)] = errors(Validator(closed(manifest, levels)), body({"shop": "z"}))
    assert pointer == "/shop"
    assert said.endswith('"h", "i" and 3 more (GET /model); got another')


def test_a_batch_finds_what_a_closed_vocabulary_lacks(manifest: Manifest) -> None:
    known, unknown = {**GOOD}, {**GOOD, "region": "nowhere"}
    batch = Columns(closed(manifest)).look([known, unknown])
    assert list(batch.second_look) == [1]


DECOMPOSED = "Cafe\u0301"


def composing(manifest: Manifest, form: object = "NFC") -> Manifest:
    inputs = {**manifest.document["inputs"], "normalization": form}
    return Manifest(versioned({**manifest.document, "inputs": inputs}))


def test_a_decomposed_category_is_another_one_by_default(manifest: Manifest) -> None:
    for its in (manifest, composing(manifest, None)):
        applicant = read(Validator(its), body({"shop": DECOMPOSED}))
        assert applicant.categories[0] == DECOMPOSED
        assert applicant.warnings == [{"pointer": "/shop", "detail": "category not seen in training"}]


def test_a_decomposed_category_is_composed_where_the_manifest_says_so(manifest: Manifest) -> None:
    validator = Validator(composing(manifest))
    applicant = read(validator, body({"shop": DECOMPOSED}))
    assert (applicant.categories[0], applicant.warnings) == ("Café", [])
    unseen = read(validator, body({"shop": "Bu\u0308cher"}))
    assert unseen.warnings == [{"pointer": "/shop", "detail": "category not seen in training"}]


def test_normalization_is_nfc_or_none(manifest: Manifest) -> None:
    for form in ("NFKC", 1, ""):
        with pytest.raises(ModelRefused, match="inputs: normalization: expected "):
            composing(manifest, form)


def test_a_vocabulary_that_is_not_nfc_is_refused_with_the_setting(manifest: Manifest) -> None:
    document = json.loads(json.dumps(manifest.document))
    document["features"][5]["vocabulary"] = ["Travel", DECOMPOSED]
    with pytest.raises(ModelRefused, match="normalization: expected the vocabulary of shop in NFC"):
        composing(Manifest(versioned(document)))


def test_blanks_around_a_category_do_not_count(manifest: Manifest) -> None:
    applicant = read(Validator(manifest), body({"shop": " \u00a0Travel\n"}))
    assert (applicant.categories[0], applicant.warnings) == ("Travel", [])
    unseen = read(Validator(manifest), body({"shop": " Trawl "}))
    assert (unseen.categories[0], unseen.warnings) == (
        " Trawl ",
        [{"pointer": "/shop", "detail": "category not seen in training"}],
    )


def test_a_category_of_blanks_alone_is_missing(manifest: Manifest) -> None:
    nothing = read(Validator(manifest), body({"shop": None}))
    blank = read(Validator(manifest), body({"shop": " \t "}))
    assert (blank.categories, blank.missing, blank.warnings) == (nothing.categories, nothing.missing, [])
