"""Logs and metrics: what a line holds, what it never holds, and that no answer depends on it."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import observe as module
from runtime.grades import Grades
from runtime.model import Model
from runtime.observe import MOST_VALUES, Observer, histogram
from tests.runtime.model_builder import SMALL_FEATURES, build_model, reference_request
from tests.runtime.sending import SMALL, send

if TYPE_CHECKING:
    from runtime.dispatch import Handler
    from tests.runtime.conftest import MakeHandler

    Observed = Callable[..., tuple[Handler, list[bytes]]]

ROOT = Path(__file__).parents[2]
NOW = 1_700_000_000.125
SECRET = "a name that no line may hold"

DIMENSIONS = ["model_version", "route", "problem"]


@pytest.fixture
def observed(
    make_handler: "MakeHandler", small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> "Callable[..., tuple[Handler, list[bytes]]]":
    """A handler over the small model, and the writes that its observer makes."""
    monkeypatch.setattr(module, "time", lambda: NOW)

    def make(*, log: bool = True, namespace: str | None = "scores", cold: bool = True) -> "tuple[Handler, list[bytes]]":
        handler = make_handler(small_model)
        writes: list[bytes] = []
        manifest = handler.service.model.manifest
        handler.observe = Observer(manifest, writes.append, log=log, namespace=namespace, cold=cold)
        return handler, writes

    return make


def line(write: bytes) -> dict[str, Any]:
    """The object in one write of one line."""
    assert write.endswith(b"\n")
    assert write.count(b"\n") == 1

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    found: dict[str, Any] = json.loads(write, object_pairs_hook=once, parse_constant=lambda token: pytest.fail(token))
    return found


def metrics(found: dict[str, Any]) -> dict[tuple[str, ...], dict[str, Any]]:
    """For each set of dimensions the metrics, as CloudWatch would take them out of a line."""
    assert found["_aws"]["Timestamp"] == int(NOW * 1000)
    taken: dict[tuple[str, ...], dict[str, Any]] = {}
    for directive in found["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == "scores"
        [names] = directive["Dimensions"]
        assert set(names) <= set(DIMENSIONS)
        assert all(type(found[name]) is str and found[name] for name in names)
        metrics = directive["Metrics"]
        assert all(set(metric) == {"Name", "Unit"} for metric in metrics)
        taken[tuple(found[name] for name in names)] = {metric["Name"]: found[metric["Name"]] for metric in metrics}
    return taken


def test_a_prediction_is_one_line_with_its_metrics(observed: "Observed") -> None:
    handler, writes = observed()
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
    answer = send(handler, "POST", "/predict", {**SMALL, "age": 90}, x_amzn_trace_id=trace)[2]
    [found] = map(line, writes)
    version = answer["model_version"]
    latency = found["duration_ms"]
    assert metrics(found) == {
        (version, "/predict"): {"Requests": 1, "Errors": 0, "Latency": latency},
        (version,): {
            "ColdStart": 1,
            "Score": pytest.approx(answer["credit_score"], abs=0.005),
            "MissingShare": pytest.approx(2 / len(SMALL_FEATURES), abs=0.00005),
        },
    }
    del found["_aws"]
    assert {name: value for name, value in found.items() if name[0].islower()} == {
        "model_version": version,
        "route": "/predict",
        "level": "INFO",
        "timestamp": "2023-11-14T22:13:20.125Z",
        "request_id": "r-1",
        "trace_id": trace,
        "status": 200,
        "duration_ms": latency,
        "cold_start": True,
        "scored": 1,
        "refused": 0,
        "band": answer["score_band"],
        "missing": 2,
        "warnings": 1,
    }
    assert latency > 0


def test_the_grade_stands_beside_the_band_of_a_model_with_grades(make_handler: "MakeHandler", tmp_path: Path) -> None:
    """As the answer has it, whatever its name; a line of a batch has neither."""
    build_model(tmp_path / "model", SMALL_FEATURES, Grades((1e-7, 0.999), ['A"\n', "B", "C"]))
    handler = make_handler(tmp_path / "model")
    writes: list[bytes] = []
    manifest = handler.service.model.manifest
    handler.observe = Observer(manifest, writes.append, log=True, namespace="scores", cold=False)
    answer = send(handler, "POST", "/predict", SMALL)[2]
    send(handler, "POST", "/predict/batch", {"applicants": [SMALL, {**SMALL, "uuid": "2"}]})
    one, batch = (json.loads(write) for write in writes)
    assert (one["band"], one["grade"]) == (answer["score_band"], answer["grade"])
    assert list(one).index("grade") == list(one).index("band") + 1
    assert "grade" not in batch
    assert batch["MissingShare"] == one["MissingShare"]


def test_a_batch_is_one_line_with_a_histogram_of_scores(observed: "Observed") -> None:
    handler, writes = observed()
    applicants = [{**SMALL, "uuid": str(i), "income": i, "owner": None, "age": 90} for i in range(300)]
    answer = send(handler, "POST", "/predict/batch", {"applicants": [*applicants, 3, {}]})[2]
    [found] = map(line, writes)
    scores = [entry["credit_score"] for entry in answer["answers"][:300]]
    assert (found["scored"], found["refused"], found["missing"], found["warnings"]) == (300, 2, 900, 300)
    assert "band" not in found
    taken = metrics(found)[(answer["answers"][0]["model_version"],)]
    assert taken["MissingShare"] == pytest.approx(3 / len(SMALL_FEATURES), abs=0.00005)
    assert taken["Score"] == json.loads(histogram(scores))


@pytest.mark.parametrize(
    ("method", "path", "body", "route", "problem", "level"),
    [
        ("POST", "/predict", {"uuid": SECRET}, "/predict", "invalid-applicant", "WARN"),
        ("POST", "/predict", "{", "/predict", "invalid-json", "WARN"),
        ("GET", f"/{SECRET}", None, "none", "not-found", "WARN"),
        (SECRET, "/health", None, "/health", "method-not-allowed", "WARN"),
        ("POST", "/predict", SMALL, "/predict", "internal-error", "ERROR"),
    ],
)
def test_an_error_is_logged_by_its_kind(
    observed: "Observed",
    method: str,
    path: str,
    body: object,
    route: str,
    problem: str,
    level: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler, writes = observed()
    if problem == "internal-error":
        monkeypatch.setattr(Model, "predict", None)
    status, _, answer = send(handler, method, path, body)
    [found] = map(line, writes)
    assert answer["type"].endswith(f":{found['problem']}")
    assert (found["status"], found["level"], found["route"], found["problem"]) == (status, level, route, problem)
    version = found["model_version"]
    taken = metrics(found)
    assert list(taken) == [(version, route), (version,), (version, problem)]
    assert (taken[(version, route)]["Errors"], taken[(version, problem)]) == (1, {"Errors": 1})
    refused = {"Refused": 1} if problem == "invalid-applicant" else {}
    assert taken[(version,)] == {"ColdStart": 1} | refused
    assert SECRET not in writes[0].decode()
    assert bool(capsys.readouterr().err) is (problem == "internal-error")


def test_what_is_neither_scored_nor_wrong(observed: "Observed") -> None:
    handler, writes = observed()
    for method, path in (("GET", "/health"), ("HEAD", "/model")):
        send(handler, method, path)
    send(handler, "POST", "/predict/batch", {"applicants": []})
    for write, route in zip(writes, ("/health", "/model", "/predict/batch"), strict=True):
        found = line(write)
        assert (found["route"], found["level"], found["scored"]) == (route, "INFO", 0)
        assert "Score" not in found
        assert "missing" not in found


def test_only_the_first_request_is_cold(observed: "Observed") -> None:
    handler, writes = observed()
    for _ in range(3):
        send(handler, "GET", "/health")
    assert [line(write)["cold_start"] for write in writes] == [True, False, False]
    assert [line(write)["ColdStart"] for write in writes] == [1, 0, 0]
    handler, writes = observed(cold=False)
    send(handler, "GET", "/health")
    assert line(writes[0])["cold_start"] is False


def test_log_and_metrics_can_each_be_on_alone(observed: "Observed") -> None:
    handler, writes = observed(namespace=None)
    send(handler, "POST", "/predict", SMALL)
    assert not {name for name in line(writes[0]) if name[0] == "_" or name[0].isupper()}
    handler, writes = observed(log=False)
    send(handler, "POST", "/predict", SMALL)
    found = line(writes[0])
    assert set(found) - {"_aws"} == {name for taken in metrics(found).values() for name in taken} | {
        "model_version",
        "route",
    }


def test_no_value_of_an_applicant_is_logged(observed: "Observed") -> None:
    """Each value is one that nothing else could have brought into a line."""
    handler, writes = observed()
    numbers = {"income": 77123.5, "age": 77456, "debt": 77789.25}
    good = {**SMALL, **numbers, "uuid": "uuid-Z7", "shop": "shop-Z7", "region": "region-Z7"}
    assert send(handler, "POST", "/predict", good)[0] == 200
    assert send(handler, "POST", "/predict", {**good, "owner": "own-Z7", "key-Z7": 1})[0] == 422
    assert send(handler, "POST", "/predict/batch", {"applicants": [good, {**good, "age": "77456"}]})[0] == 200
    send(handler, "POST", "/predict/Z7", good, user_agent="Z7", cookie="Z7", x_forwarded_for="Z7")
    assert len(writes) == 4
    text = b"".join(writes).decode()
    for value in ("Z7", "77123", "77456", "77789"):
        assert value not in text


@pytest.mark.parametrize("identifier", ['"', "\\", '","status":200,"x":"', "{}", "%s%d{0}", "a" * 128])
def test_ids_are_quoted(observed: "Observed", identifier: str) -> None:
    handler, writes = observed()
    send(handler, "POST", "/predict", SMALL, x_request_id=identifier, x_amzn_trace_id=identifier)
    found = line(writes[0])
    assert (found["request_id"], found["trace_id"], found["status"]) == (identifier, identifier, 200)


class Context:
    aws_request_id = "lambda-1"


def test_all_ids_are_in_the_line(observed: "Observed", monkeypatch: pytest.MonkeyPatch) -> None:
    handler, writes = observed()
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;" + "Lineage=" + "a" * 200
    event = {
        "httpMethod": "POST",
        "path": "/predict",
        "headers": {"X-Request-Id": "client-1", "TraceParent": parent, "X-Amzn-Trace-Id": trace},
        "requestContext": {"requestId": "gateway-1"},
        "body": json.dumps(SMALL),
    }
    answer: Any = handler(event, Context())
    found = line(writes[0])
    names = ("request_id", "gateway_request_id", "lambda_request_id", "trace_id", "traceparent")
    assert [found[name] for name in names] == ["client-1", "gateway-1", "lambda-1", trace, parent]
    assert (answer["headers"]["x-request-id"], answer["headers"]["x-amzn-trace-id"]) == ("client-1", trace)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272794")
    handler(SMALL, Context())
    found = line(writes[1])
    assert (found["request_id"], found["trace_id"]) == ("lambda-1", "Root=1-5759e988-bd862e3fe1be46a994272794")
    assert not {"gateway_request_id", "lambda_request_id"} & found.keys()  # none, and the request id itself


@pytest.mark.parametrize("refused", [1, 1000])
def test_refused_applicants_are_counted_and_warned_of(observed: "Observed", refused: int) -> None:
    handler, writes = observed()
    for scored in (0, 1):
        applicants = [SMALL] * scored + [{"uuid": "1"}] * (refused - scored)
        assert send(handler, "POST", "/predict/batch", {"applicants": applicants})[0] == 200
        found = line(writes[scored])
        [by_model] = [its for dimensions, its in metrics(found).items() if len(dimensions) == 1]
        assert by_model.get("Refused", 0) == found["refused"] == refused - scored
        assert ("Score" in by_model) is (scored > 0)
        assert found["level"] == ("WARN" if refused > scored else "INFO")


def test_an_id_that_is_not_fit_for_a_line_is_left_out(observed: "Observed") -> None:
    handler, writes = observed()
    send(handler, "GET", "/health", x_request_id="a\nb", x_amzn_trace_id="é")
    assert (line(writes[0])["request_id"], line(writes[0])["trace_id"]) == ("r-1", "")


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), BrokenPipeError(), BlockingIOError()])
def test_a_line_that_cannot_be_written(
    observed: "Observed", fault: OSError, capsys: pytest.CaptureFixture[str]
) -> None:
    handler, _ = observed()
    expected = send(handler, "POST", "/predict", SMALL)

    def fail(_: bytes) -> None:
        raise fault

    handler.observe = Observer(handler.service.model.manifest, fail, log=True, namespace="scores", cold=True)
    assert send(handler, "POST", "/predict", SMALL) == expected
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("seconds", [-1.0, -1e300, -math.inf, math.nan, -0.0])
def test_a_clock_that_jumps_gives_a_latency_of_zero(
    observed: "Observed", seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, writes = observed()
    times = iter([5.0, 5.0 + seconds])
    monkeypatch.setattr("runtime.dispatch.perf_counter", lambda: next(times))
    assert send(handler, "POST", "/predict", SMALL)[0] == 200
    found = line(writes[0])
    assert (found["duration_ms"], found["Latency"]) == (0, 0)


@pytest.mark.parametrize("now", [-1.0, 0.0, 1e300, math.nan])
def test_a_wall_clock_that_jumps_changes_no_answer(
    observed: "Observed", now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, _ = observed()
    expected = send(handler, "POST", "/predict", SMALL)
    monkeypatch.setattr(module, "time", lambda: now)
    assert send(handler, "POST", "/predict", SMALL) == expected


@given(st.lists(st.floats(-1e4, 1e4) | st.floats(500, 501), min_size=1, max_size=300))
def test_a_histogram_is_what_cloudwatch_takes(scores: list[float]) -> None:
    found = json.loads(histogram(scores))
    assert len(found["Values"]) == len(found["Counts"]) == len(set(found["Values"])) <= MOST_VALUES
    assert sum(found["Counts"]) == found["Count"] == len(scores)
    assert found["Min"] == round(min(scores), 2)
    assert found["Max"] == round(max(scores), 2)
    step = max(1.0, (max(scores) - min(scores)) / (MOST_VALUES - 2) * 2)
    for value in found["Values"]:
        assert any(abs(value - score) <= step / 2 for score in scores)


def test_nothing_is_observed_by_default(make_handler: "MakeHandler") -> None:
    assert make_handler().observe is None
    assert make_handler(AWS_LAMBDA_FUNCTION_NAME="score", LOG_REQUESTS="off", METRICS="off").observe is None


def test_nothing_is_observed_without_a_file_behind_standard_output(
    make_handler: "MakeHandler", monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in (None, object()):
        monkeypatch.setattr(sys, "stdout", stream)
        handler = make_handler(LOG_REQUESTS="on")
        assert handler.observe is None
        assert send(handler, "POST", "/predict", reference_request())[0] == 200


ASK = """
import json, sys
from runtime.handler import handler
event = {"requestContext": {"http": {"method": "POST"}}, "rawPath": "/predict", "body": open(sys.argv[1]).read()}
statuses = [handler(event, None)["statusCode"] for _ in range(3)]
print(statuses, "runtime.observe" in sys.modules, file=sys.stderr)
"""


def ask(reference_model: Path, stdout: int, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-c", ASK, "examples/reference-request.json"],
        cwd=ROOT,
        env={"MODEL_DIR": str(reference_model), **environment},
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
        check=True,
    )


def test_in_a_lambda_both_are_on(reference_model: Path) -> None:
    done = ask(reference_model, subprocess.PIPE, AWS_LAMBDA_FUNCTION_NAME="score", METRICS_NAMESPACE="Credit/Scores")
    assert done.stderr == b"[200, 200, 200] True\n"
    lines = [line(text) for text in done.stdout.splitlines(keepends=True)]
    assert [found["cold_start"] for found in lines] == [True, False, False]
    for found in lines:
        assert found["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Credit/Scores"
        written = datetime.strptime(found["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        assert abs(datetime.now(UTC).timestamp() - written.timestamp()) < 60


def test_elsewhere_they_are_off_and_cost_nothing(reference_model: Path) -> None:
    done = ask(reference_model, subprocess.PIPE)
    assert (done.stdout, done.stderr) == (b"", b"[200, 200, 200] False\n")


def test_a_full_disk_stops_no_answer(reference_model: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    done = ask(reference_model, full, LOG_REQUESTS="on", METRICS="on")
    os.close(full)
    assert done.stderr == b"[200, 200, 200] True\n"
