"""`python -m runtime.local`: its lines, its exit status, and how it stops."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.serve import main
from tests.runtime.model_builder import reference_request

ROOT = Path(__file__).parents[2]
JSON = {"content-type": "application/json"}


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "runtime.local", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_told_to_stop(reference_model: Path, stop: signal.Signals) -> None:
    with start("--port", "0", "--model", str(reference_model)) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        address = re.fullmatch(r"Serving http://127\.0\.0\.1:(\d+)/predict; Ctrl-C stops\n", ready)
        assert address
        client = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=10)
        client.request("POST", "/predict", json.dumps(reference_request()), JSON)
        assert client.getresponse().read().startswith(b'{"uuid":"1234",')
        process.send_signal(stop)  # the connection stays open, idle
        out, err = process.communicate(timeout=20)
        client.close()
    assert re.fullmatch(r"127\.0\.0\.1 POST /predict 200 \d+ us\nStopped\n", out)
    assert (err, process.returncode) == ("", 0)


def finish(*arguments: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "runtime.local", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_port_in_use(reference_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, out, err = finish("--port", port, "--model", str(reference_model))
    assert (status, out) == (1, "")
    assert (
        err
        == f"error: cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --host or --port\n"
    )


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    status, out, err = finish("--model", str(tmp_path / "none"))
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "run python -m training.run and python -m export.to_onnx first" in err


def test_a_wrong_setting_is_named(reference_model: Path) -> None:
    status, _, err = finish("--model", str(reference_model), UNKNOWN_FIELDS="drop")
    assert (status, err) == (1, "error: UNKNOWN_FIELDS: expected refuse or ignore, got 'drop'\n")


def test_a_host_that_is_not_this_machines(reference_model: Path) -> None:
    status, out, err = finish("--host", "2001:db8::1", "--port", "8000", "--model", str(reference_model))
    assert (status, out) == (1, "")
    assert re.fullmatch(
        r"error: cannot listen on \[2001:db8::1\]:8000: [^;]+; choose another with --host or --port\n", err
    )


def test_without_the_server_one_line_says_what_to_install(reference_model: Path) -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from local.serve import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: uvicorn: expected to be installed, got nothing; run pip install 'lastbit[serve]'\n"


def test_an_interruption_before_it_serves(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: str | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("local.serve.load_handler", interrupted)
    assert main([]) == 1
    assert capsys.readouterr() == ("", "error: interrupted; nothing was served\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "x"], "argument --port: expected a number from 0 to 65535, got 'x'"),
        (["--port", "65536"], "argument --port: expected a number from 0 to 65535, got '65536'"),
        (["--potr", "1"], "unknown flag --potr; did you mean --port?"),
    ],
)
def test_wrong_usage_is_one_line_and_ends_with_status_2(arguments: list[str], said: str) -> None:
    status, out, err = finish(*arguments)
    assert (status, out) == (2, "")
    assert err == f"python -m runtime.local: {said} (--help lists the flags)\n"
