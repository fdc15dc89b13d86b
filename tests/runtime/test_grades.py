"""Grades of a master scale: to the last bit at every limit, in every answer, and in nothing of a model without them."""

import itertools
import json
import math
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.grades import Grades, fault_of, grades_to_check
from runtime.manifest import Manifest, ModelRefused
from runtime.model import Model
from runtime.openapi import describe
from tests.runtime.model_builder import SMALL_FEATURES, build_model, write_manifest
from tests.runtime.sending import send

if TYPE_CHECKING:
    from tests.runtime.conftest import MakeHandler

SCALE = Grades([0.1, 0.4, 0.5, 0.6], ["A+", "A", 'B & "co"', "C%s", "Ä"])
APPLICANTS = [
    {"uuid": f"{income}-{debt}-{shop}", "income": income, "age": 30, "insured": True, "debt": debt, "shop": shop}
    | {"region": "north"}
    for income, debt, shop in itertools.product((None, 1.0, 9.0, 19.0), (None, 2, 18), (None, "Travel", "Café"))
]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graded") / "model"
    build_model(folder, SMALL_FEATURES, SCALE)
    return folder


@given(st.lists(st.floats(0, 1, exclude_min=True, exclude_max=True), min_size=1, max_size=20, unique=True))
def test_a_limit_begins_its_grade_and_its_neighbour_below_ends_the_one_before(limits: list[float]) -> None:
    limits.sort()
    grades = Grades(limits, [str(number) for number in range(len(limits) + 1)])
    for place, limit in enumerate(limits):
        assert grades.name(limit) == str(place + 1)
        assert grades.name(math.nextafter(limit, 0)) == str(place)
        above = math.nextafter(limit, 1)
        assert grades.name(above) == str(place + 2 if above in limits else place + 1)
    assert grades.name(0.0) == "0"
    assert grades.name(1.0) == str(len(limits))


def test_what_is_checked_holds_every_limit_and_both_its_neighbours() -> None:
    checked = {entry["probability"]: entry["grade"] for entry in grades_to_check(SCALE)}
    assert len(checked) == 3 * len(SCALE.limits) + 2
    for limit in SCALE.limits:
        assert {math.nextafter(limit, 0), limit, math.nextafter(limit, 1)} <= checked.keys()
    assert all(SCALE.name(p) == grade for p, grade in checked.items() if isinstance(p, float))


@pytest.mark.parametrize("probability", [math.nan, -5e-324, math.nextafter(1, 2), math.inf])
def test_what_is_no_probability_has_no_grade(probability: float) -> None:
    with pytest.raises(ValueError, match="expected a number from 0 to 1"):
        SCALE.name(probability)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([], "two grades or more"),
        ([0.0, 0.5], "above 0 and below 1"),
        ([0.5, 1.0], "above 0 and below 1"),
        ([math.nan], "above 0 and below 1"),
        ([0.2, 0.2], "ascending"),
        ([0.3, 0.2], "ascending"),
        ([n / 101 for n in range(1, 101)], "at most 99"),
        ([n / 101 for n in range(1, 100)], ""),
    ],
)
def test_limits_that_make_no_grades_are_named(limits: list[float], expected: str) -> None:
    assert expected in fault_of(limits)
    assert bool(fault_of(limits)) == bool(expected)


def test_every_answer_has_the_grade_of_its_probability(graded: Path, make_handler: "MakeHandler") -> None:
    handler = make_handler(graded)
    _, _, together = send(handler, "POST", "/predict/batch", {"applicants": APPLICANTS})
    names = set()
    for applicant, of_batch in zip(APPLICANTS, together["answers"], strict=True):
        status, _, answer = send(handler, "POST", "/predict", applicant)
        assert status == 200
        assert {**answer, "warnings": []} == {**of_batch, "warnings": []}
        assert answer["grade"] == SCALE.name(answer["default_probability"])
        assert list(answer)[:5] == ["uuid", "default_probability", "credit_score", "score_band", "grade"]
        names.add(answer["grade"])
    assert len(names) > 2


def test_the_description_lists_the_grades_and_the_answer_keeps_to_it(graded: Path, make_handler: "MakeHandler") -> None:
    manifest = Manifest.read(str(graded / "manifest.json"))
    answer = describe(manifest)["components"]["schemas"]["Answer"]
    assert answer["properties"]["grade"]["enum"] == SCALE.names
    assert "grade" in answer["required"]
    _, _, served = send(make_handler(graded), "GET", "/openapi.json")
    assert served["components"]["schemas"]["Answer"] == answer
    _, _, model = send(make_handler(graded), "GET", "/model")
    assert model["grades"] == {"limits": SCALE.limits, "names": SCALE.names}


def test_a_model_without_grades_answers_byte_for_byte_as_before(
    small_model: Path, graded: Path, make_handler: "MakeHandler"
) -> None:
    """The texts but for the member and the version are equal, and nothing else says the word."""
    plain, with_grades = make_handler(small_model), make_handler(graded)
    versions = [Manifest.read(str(folder / "manifest.json")).model_version for folder in (small_model, graded)]
    for path, body in (("/predict", APPLICANTS[0]), ("/predict/batch", {"applicants": APPLICANTS})):
        one, other = (_text(handler, path, body) for handler in (plain, with_grades))
        assert '"grade"' not in one
        for name in SCALE.names:
            other = other.replace(f',"grade":{json.dumps(name)}', "")
        assert one == other.replace(versions[1], versions[0])
    _, _, document = send(plain, "GET", "/openapi.json")
    assert "grade" not in json.dumps(document)


def _text(handler: Any, path: str, body: Any) -> str:
    event = {
        "version": "2.0",
        "rawPath": path,
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": path}, "requestId": "r", "stage": "$default"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
    text: str = handler(event, None)["body"]
    return text


def test_only_a_model_with_grades_loads_their_module(small_model: Path, graded: Path) -> None:
    program = (
        "import sys; from runtime.model import Model; Model.load(sys.argv[1]); print('runtime.grades' in sys.modules)"
    )
    for folder, loaded in ((small_model, "False"), (graded, "True")):
        run = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == loaded


def _move_a_limit(manifest: dict[str, Any]) -> None:
    manifest["grades"]["limits"][1] = math.nextafter(0.4, 1)


def _exchange_names(manifest: dict[str, Any]) -> None:
    names = manifest["grades"]["names"]
    names[0], names[1] = names[1], names[0]


def _repeat_a_name(manifest: dict[str, Any]) -> None:
    manifest["grades"]["names"][1] = "A+"


def _empty_a_name(manifest: dict[str, Any]) -> None:
    manifest["grades"]["names"][1] = ""


def _drop_a_limit(manifest: dict[str, Any]) -> None:
    del manifest["grades"]["limits"][0]


def _descend(manifest: dict[str, Any]) -> None:
    manifest["grades"]["limits"].reverse()


def _reach_one(manifest: dict[str, Any]) -> None:
    manifest["grades"]["limits"][-1] = 1


def _empty_limits(manifest: dict[str, Any]) -> None:
    manifest["grades"] = {"limits": [], "names": ["all"]}


def _check_nothing(manifest: dict[str, Any]) -> None:
    manifest["self_check"]["grades"] = []


def _check_no_more(manifest: dict[str, Any]) -> None:
    del manifest["self_check"]["grades"]


def _grade_a_row_otherwise(manifest: dict[str, Any]) -> None:
    row = manifest["self_check"]["rows"][0]
    row["grade"] = next(name for name in SCALE.names if name != row["grade"])


def _drop_a_row_s_grade(manifest: dict[str, Any]) -> None:
    del manifest["self_check"]["rows"][3]["grade"]


@pytest.mark.parametrize(
    "damage",
    [
        _move_a_limit,
        _exchange_names,
        _repeat_a_name,
        _empty_a_name,
        _drop_a_limit,
        _descend,
        _reach_one,
        _empty_limits,
        _check_nothing,
        _check_no_more,
        _grade_a_row_otherwise,
        _drop_a_row_s_grade,
    ],
)
def test_other_grades_than_at_export_are_refused_even_where_the_version_fits(
    damage: Callable[[dict[str, Any]], None], graded: Path, tmp_path: Path
) -> None:
    manifest = deepcopy(json.loads((graded / "manifest.json").read_text()))
    damage(manifest)
    (tmp_path / "model.onnx").write_bytes((graded / "model.onnx").read_bytes())
    write_manifest(tmp_path, manifest)
    with pytest.raises(ModelRefused, match="grade") as refused:
        Model.load(str(tmp_path))
    assert "\n" not in str(refused.value)
