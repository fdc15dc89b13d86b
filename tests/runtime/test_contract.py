"""schemathesis reads the OpenAPI description, and asks the local server whatever that lets anybody ask."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from local.server import Server
from runtime.manifest import Manifest
from runtime.openapi import describe
from runtime.validate import EXACT_LIMIT
from tests.runtime.model_builder import SMALL_FEATURES, build_model
from tests.runtime.sending import send
from tests.tiers import examples

if TYPE_CHECKING:
    from runtime.dispatch import Handler

# Cases that schemathesis derives from the description are fixed; those that it draws are, by derandomize.
LEAST_CASES = Counter({"GET /": 5, "POST /predict": 100, "POST /predict/batch": 100})  # of any other: one

with TemporaryDirectory() as folder:
    DESCRIPTION = describe(Manifest(build_model(Path(folder), SMALL_FEATURES)))

schema = schemathesis.openapi.from_dict(DESCRIPTION)


@pytest.fixture
def asked() -> Iterator[Counter[str]]:
    """Count the cases of the operation that a test asks for, and fail the test that asked too few."""
    counts: Counter[str] = Counter()
    yield counts
    [(label, count)] = counts.items()
    assert count >= max(1, min(LEAST_CASES[label], examples(LEAST_CASES[label])))


@pytest.fixture(scope="module")
def address(small: "Handler") -> Iterator[str]:
    """The URL of a server over the small model."""
    with Server(small, quiet=True) as server:
        yield server.url


def has_large_whole_number(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(has_large_whole_number, value.values()))
    return type(value) is int and abs(value) > EXACT_LIMIT


def test_the_description_is_the_served_one(small: "Handler") -> None:
    assert send(small, "GET", "/openapi.json")[2] == json.loads(json.dumps(DESCRIPTION))


@schema.parametrize()
@settings(max_examples=examples(100), derandomize=True, database=None, suppress_health_check=[*HealthCheck])
def test_every_answer_is_as_described(case: schemathesis.Case[Any], address: str, asked: Counter[str]) -> None:
    """Never a 5xx; status, content type and body as described; what is so is accepted, what is not is refused."""
    asked[case.operation.label] += 1
    if case.operation.label != "POST /predict/batch":
        # No keyword of JSON Schema distinguishes a whole number beyond 2^53 (refused) from a fraction of that size.
        excluded: list[Any] = [positive_data_acceptance] if has_large_whole_number(case.body) else []
        case.call_and_validate(base_url=address, excluded_checks=excluded)
        return
    # A batch is answered: one applicant's problem replaces its answer.
    response = case.call_and_validate(base_url=address, excluded_checks=[negative_data_rejection])
    if response.status_code == 200 and case.meta and case.meta.generation.mode.is_negative:
        assert response.json()["refused"] > 0


def test_every_path_of_the_description_is_asked() -> None:
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert {operation.path for operation in operations} == set(DESCRIPTION["paths"])
    assert LEAST_CASES.keys() <= {operation.label for operation in operations}
