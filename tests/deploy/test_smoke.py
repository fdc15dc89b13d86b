"""deploy/smoke.py against the service, and against services that are broken in one way each."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deploy import endpoint
from deploy.smoke import applicant_of, main
from runtime.manifest import Manifest
from tests.deploy.served import Answer, Respond, answer, guarded, serving
from tests.runtime.model_builder import write_manifest

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[2]


def smoke(url: str, *words: object) -> int:
    return main([url, "--attempts", "1", "--timeout", "5", *map(str, words)])


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FIRST_PAUSE", 0.01)
    monkeypatch.delenv("LASTBIT_API_KEY", raising=False)


def changed(respond: Respond, path: str, **members: Any) -> Respond:
    """The answers at a path with other members."""

    def other(event: Any) -> Answer:
        given = respond(event)
        if event["rawPath"] == path and given["statusCode"] == 200:
            given["body"] = json.dumps(json.loads(given["body"]) | members)
        return given

    return other


@pytest.mark.parametrize("number", [0, 1])
def test_a_service_that_answers_as_its_manifest_passes_every_check(
    models: list[Path], handlers: list[Respond], number: int, capsys: Any
) -> None:
    with serving(handlers[number]) as url:
        assert smoke(url, "--model", models[number]) == 0
    said = capsys.readouterr().err
    for check in ("health", "model", "self-check rows", "the same as a batch", "bad request", "unknown path"):
        assert f"{check} " in said
    assert "without a key" not in said
    assert "✗" not in said
    assert "Time to an answer: first" in said


def test_the_script_tests_a_service_in_a_process_of_its_own(models: list[Path]) -> None:
    """The commands that workflow and people run: runtime.local, and deploy/smoke.py from the project's folder."""
    local = subprocess.Popen(
        [sys.executable, "-m", "runtime.local", "--port", "0", "--model", str(models[0])],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert local.stdout is not None
        url = local.stdout.readline().split()[1].removesuffix("/predict;")
        command = [sys.executable, "deploy/smoke.py", url, "--model", str(models[0]), "--attempts", "1"]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
        assert "8 of 8, p within 4.5e-16" in done.stderr
        quiet = subprocess.run([*command, "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (quiet.returncode, quiet.stderr) == (0, "")
    finally:
        local.terminate()
        local.communicate(timeout=30)


def test_only_the_version_where_there_is_no_manifest(
    handlers: list[Respond], manifests: list[Manifest], capsys: Any
) -> None:
    with serving(handlers[0]) as url:
        assert smoke(url, "--model-version", manifests[0].model_version) == 0
        assert "self-check" not in capsys.readouterr().err
        assert smoke(url, "--model-version", manifests[1].model_version) == 1
    expected = f"expected '{manifests[1].model_version}', got '{manifests[0].model_version}'"
    assert expected in capsys.readouterr().err


def test_the_key_is_sent_and_its_absence_must_be_refused(
    models: list[Path], handlers: list[Respond], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("LASTBIT_API_KEY", "secret")
    with serving(guarded(handlers[0], "secret")) as url:
        assert smoke(url, "--model", models[0]) == 0
        said = capsys.readouterr().err
        assert "without a key        ✓  403" in said
        assert "secret" not in said
        monkeypatch.setenv("LASTBIT_API_KEY", "another")
        assert smoke(url, "--model", models[0]) == 1
        assert "/health: expected status 200, got 403 (Forbidden)" in capsys.readouterr().err
    with serving(handlers[0]) as url:  # a gateway that lets everybody in
        assert smoke(url, "--model", models[0]) == 1
        assert "/health without a key: expected status 403, got 200" in capsys.readouterr().err


def test_every_self_check_row_reaches_the_graph_as_it_was(models: list[Path], handlers: list[Respond]) -> None:
    """The oracle is the manifest itself: the handler's own validation turns the request back into the row."""
    from runtime.validate import Validator

    for model in models:
        manifest = Manifest.read(str(model / "manifest.json"))
        written = [applicant_of(manifest, row, "x") for row in manifest.self_check]
        for row, applicant in zip(manifest.self_check, written, strict=True):
            if applicant is not None:
                again = Validator(manifest).applicant(json.loads(json.dumps(applicant)))
                assert repr([float(n) for n in again.numbers]) == repr([float(n) for n in row.numbers])
                assert again.categories == row.categories
        assert any(written)


def test_rows_that_no_request_holds(manifests: list[Manifest]) -> None:
    """The small model has features that may not be missing, and a boolean is true or false."""
    manifest = manifests[1]
    assert applicant_of(manifest, manifest.self_check[0], "x") is None  # all is missing
    row = manifest.self_check[4]
    column = [feature.type for feature in manifest.numbers].index("boolean")
    before, row.numbers[column] = row.numbers[column], 0.5
    assert applicant_of(manifest, row, "x") is None
    row.numbers[column] = before
    assert applicant_of(manifest, row, "x") is not None


def wrong(model: Path, respond: Respond, capsys: Any, *words: object) -> str:
    """Return the error line for a service that must not pass."""
    with serving(respond) as url:
        begin = time.monotonic()
        assert smoke(url, "--model", model, *words) == 1
        assert time.monotonic() - begin < 30
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(said) == 1
    return str(said[0])


def test_a_service_of_another_model_fails_one_check(models: list[Path], handlers: list[Respond], capsys: Any) -> None:
    said = wrong(models[0], handlers[1], capsys)
    assert "1 of 6 checks failed: /health: model_version: expected" in said


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_a_probability_off_by_a_millionth_fails(
    models: list[Path], handlers: list[Respond], manifests: list[Manifest], path: str, capsys: Any
) -> None:
    def other(event: Any) -> Answer:
        given = handlers[0](event)
        if event["rawPath"] == path and given["statusCode"] == 200:
            content = json.loads(given["body"])
            last = content["answers"][-1] if path == "/predict/batch" else content
            last["default_probability"] += 1e-6
            given["body"] = json.dumps(content)
        return given

    said = wrong(models[0], other, capsys)
    row = 7 if path == "/predict/batch" else 0
    expected = manifests[0].self_check[row].probability
    assert f"1 of 6 checks failed: {path}: self-check row {row}: probability: expected {expected!r} within" in said


@pytest.mark.parametrize(
    ("member", "value", "named"),
    [
        ("model_version", "000000000000", "model_version: expected"),
        ("credit_score", 1.0, "score: expected"),
        ("credit_score", "600", "score: expected"),
        ("credit_score", True, "score: expected"),
        ("score_band", "[410, 438]", "band: expected"),
        ("uuid", "another", "uuid: expected 'smoke-0', got 'another'"),
        ("default_probability", None, "probability: expected"),
    ],
)
def test_a_wrong_member_of_the_answer(
    models: list[Path], handlers: list[Respond], member: str, value: Any, named: str, capsys: Any
) -> None:
    said = wrong(models[0], changed(handlers[0], "/predict", **{member: value}), capsys)
    assert f"/predict: self-check row 0: {named}" in said


def test_bands_that_are_not_the_certified_ones(models: list[Path], handlers: list[Respond], capsys: Any) -> None:
    said = wrong(models[0], changed(handlers[0], "/model", bands=[1, 2]), capsys)
    assert "/model: bands: expected [410" in said
    assert "got [1, 2]" in said


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (
            answer(200, "<html>Welcome</html>", **{"content-type": "text/html"}),
            "expected JSON, got text/html: '<html>Welcome</html>'",
        ),
        (answer(200, ""), "expected JSON, got application/json: ''"),
        (answer(200, "[" * 100_000), "expected JSON, got application/json: '[[["),
        (answer(200, [1]), "/health: status: expected 'ok', got None"),
        (answer(200, {"status": "ill"}), "/health: status: expected 'ok', got 'ill'"),
        (answer(500, {"detail": "on our side"}), "/health: expected status 200, got 500 (on our side)"),
        (answer(503, {}), "/health: expected status 200, got 503"),
        (answer(302, {}, location="https://elsewhere.example"), "/health: expected status 200, got 302"),
        (answer(200, '"' + "x" * (9 * 2**20) + '"'), "with a body of more than"),
    ],
)
def test_invalid_answers_fail(models: list[Path], given: Answer, named: str, capsys: Any) -> None:
    assert named in wrong(models[0], lambda event: {**given, "headers": dict(given["headers"])}, capsys)


def test_refusals_that_do_not_refuse(models: list[Path], handlers: list[Respond], capsys: Any) -> None:
    """All that fails is named at once."""

    def lax(event: Any) -> Answer:
        given = handlers[0](event)
        if given["statusCode"] == 404:
            return answer(200, "Home")
        return answer(400, {"message": "Invalid request body"}) if given["statusCode"] == 422 else given

    said = wrong(models[0], lax, capsys)
    assert "2 of 6 checks failed: /predict: a bad request: expected status 422, got 400; " in said


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"type": "urn:lastbit:problem:invalid-batch"}, "type: expected 'urn:lastbit:problem:invalid-applicant'"),
        ({"type": "urn:lastbit:problem:invalid-applicant"}, "expected errors at ['/max_paid_inv_0_24m', '/uuid']"),
        ({"type": "urn:lastbit:problem:invalid-applicant", "errors": [{"pointer": "/uuid"}]}, "expected errors at"),
    ],
)
def test_a_problem_without_what_is_wrong(
    models: list[Path], handlers: list[Respond], content: Any, named: str, capsys: Any
) -> None:
    def other(event: Any) -> Answer:
        given = handlers[0](event)
        problem = {"content-type": "application/problem+json"}
        return answer(422, content, **problem) if given["statusCode"] == 422 else given

    assert named in wrong(models[0], other, capsys)


def test_a_refused_connection_fails(models: list[Path], capsys: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        assert smoke(f"http://127.0.0.1:{taken.getsockname()[1]}", "--model", models[0]) == 1
    assert "/health: connection refused" in capsys.readouterr().err


def test_a_timeout_fails(models: list[Path], capsys: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        assert main([url, "--model", str(models[0]), "--timeout", "0.2", "--attempts", "2"]) == 1
    assert "/health: no answer within 0.2 s, 2 times" in capsys.readouterr().err


def test_a_cold_start_is_waited_for(models: list[Path], handlers: list[Respond]) -> None:
    """A gateway that knows the new stage after a moment, and a function that is throttled once."""
    first = {"/health": [answer(403, {}), answer(504, {})], "/predict": [answer(429, {})]}

    def slow(event: Any) -> Answer:
        waiting = first.get(event["rawPath"])
        return waiting.pop() if waiting else handlers[0](event)

    with serving(slow) as url:
        assert main([url, "--model", str(models[0]), "--attempts", "3", "--timeout", "5"]) == 0
    assert first == {"/health": [], "/predict": []}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["ftp://x"], "expected a URL such as"),
        (["nonsense"], "expected a URL such as"),
        (["https://[::1/prod"], "expected a URL such as"),
        (["https://x:y/prod"], "expected a URL such as"),
        (["https://x:65536/prod"], "expected a URL such as"),
        (["https://x/a b"], "expected a URL such as"),
        (["http://example.com/prod"], "expected https"),
        (["https://x/?q=1"], "expected a URL such as"),
        (["https://x", "--model", "/nowhere"], "/nowhere/manifest.json: expected a manifest"),
    ],
)
def test_wrong_arguments_end_with_status_2(words: list[str], named: str, capsys: Any) -> None:
    assert main(words) == 2
    assert named in capsys.readouterr().err


def test_contradicting_or_unknown_flags_end_with_status_2(models: list[Path], capsys: Any) -> None:
    assert main(["https://x", "--model", str(models[0]), "--model-version", "000000000000"]) == 2
    assert "--model-version: expected" in capsys.readouterr().err
    for words in (["https://x", "--modle", "x"], []):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("flag", "values", "expected"),
    [
        ("--attempts", ("0", "21", "two", "²", "-1"), "a whole number from 1 to 20"),
        ("--timeout", ("0", "-1", "nan", "inf", "1e300", "soon"), "seconds above 0 and at most 3600"),
    ],
)
def test_a_patience_that_cannot_be_ends_with_status_2(
    flag: str, values: tuple[str, ...], expected: str, capsys: Any
) -> None:
    for value in values:
        with pytest.raises(SystemExit) as stopped:
            main(["https://x", f"{flag}={value}"])
        assert stopped.value.code == 2
        assert f"argument {flag}: expected {expected}, got {value!r} (--help" in capsys.readouterr().err


def test_a_model_without_a_row_that_a_request_holds_is_said(
    models: list[Path], handlers: list[Respond], tmp_path: Path, capsys: Any
) -> None:
    """Every boolean of the rows is one half."""
    document = json.loads((models[0] / "manifest.json").read_text())
    column = document["inputs"]["numbers"].index("has_paid")
    for row in document["self_check"]["rows"]:
        row["numbers"][column] = 0.5
    write_manifest(tmp_path, document)
    version = Manifest.read(str(tmp_path / "manifest.json")).model_version
    said = wrong(tmp_path, changed(handlers[0], "/health", model_version=version), capsys)
    assert said.count("none of the self-check rows can be written as a request") == 2  # alone, and in a batch
