"""Faults of the handler: answered as 500, logged without the applicant's data, and seen by the observer."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime.model import Model
from tests.runtime.model_builder import reference_request

if TYPE_CHECKING:
    from tests.runtime.conftest import MakeHandler
from tests.runtime.sending import problem, send

SECRET = "a name that no log may hold"


def test_an_unexpected_fault_is_500_without_the_applicant_s_data(
    make_handler: "MakeHandler", capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = make_handler()

    def fail(*_: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(Model, "predict", fail)
    status, headers, answer = send(handler, "POST", "/predict", reference_request() | {"uuid": SECRET})
    assert (status, headers["content-type"]) == (500, "application/problem+json")
    assert answer == problem(
        "internal-error",
        500,
        "Request could not be answered",
        "the fault is in the service; the log has it under the request id",
    )
    out, err = capsys.readouterr()
    line = json.loads(err)
    assert (out, err.count("\n")) == ("", 1)
    assert line["fault"] == "KeyError"
    assert line["request_id"] == "r-1"
    assert Path(line["place"].rpartition(":")[0]).name == "test_handler_faults.py"
    assert SECRET not in err


def test_without_standard_error_a_fault_is_answered(
    make_handler: "MakeHandler", monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = make_handler()
    monkeypatch.setattr(Model, "predict", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert send(handler, "POST", "/predict", reference_request())[0] == 500


def test_a_fault_that_cannot_be_logged_is_answered(
    make_handler: "MakeHandler", monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = make_handler()
    monkeypatch.setattr(Model, "predict", None)
    full = open("/dev/full", "w", encoding="utf-8", buffering=1)  # noqa: SIM115, PTH123
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", full)
        assert send(handler, "POST", "/predict", reference_request())[0] == 500
    with pytest.raises(OSError, match="No space"):  # so something was written there
        full.close()


def test_the_observer_sees_request_response_and_time(
    make_handler: "MakeHandler", capsys: pytest.CaptureFixture[str]
) -> None:
    handler = make_handler()
    seen: list[Any] = []
    handler.observe = lambda request, response, seconds: seen.append((request, response, seconds))
    answer = send(handler, "POST", "/predict", reference_request() | {"has_paid": None, "time_hours": 1000})[2]
    send(handler, "POST", "/predict/batch", {"applicants": [reference_request(), 3]})
    send(handler, "GET", "/none")
    (request, response, seconds), (_, batch, _), (_, missing, _) = seen
    assert (request.path, request.method, request.request_id, response.status) == (
        "/predict",
        "POST",
        "r-1",
        200,
    )
    assert response.scored == [(answer["credit_score"], answer["score_band"], 1, 1, "")]
    assert (len(batch.scored), batch.refused) == (1, 1)
    assert [request.route for request, _, _ in seen] == ["/predict", "/predict/batch", ""]
    assert [response.problem for _, response, _ in seen] == ["", "", "not-found"]
    assert (missing.status, missing.scored) == (404, ())
    assert seconds >= 0
    handler.observe = lambda *_: json.loads("{")
    assert send(handler, "POST", "/predict", reference_request())[0] == 200
    assert json.loads(capsys.readouterr().err)["fault"] == "JSONDecodeError"
