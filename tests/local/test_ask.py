"""`python -m runtime.ask`: the reference request from the command line."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.ask import main
from local.model import load_handler
from tests.runtime.model_builder import REFERENCE_REQUEST, reference_request

if TYPE_CHECKING:
    from runtime.dispatch import Handler

ROOT = Path(__file__).parents[2]


def ask(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "MODEL_DIR"}
    done = subprocess.run(
        [sys.executable, "-m", "runtime.ask", *arguments],
        cwd=ROOT,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_reference_request_is_answered_as_by_the_handler(reference_model: Path, handler: "Handler") -> None:
    status, out, err = ask(str(REFERENCE_REQUEST), "--model", str(reference_model))
    answer = handler(reference_request(), None)
    assert (status, out, err) == (0, json.dumps(answer, indent=2) + "\n", "")


def test_a_batch_is_read_from_standard_input(reference_model: Path) -> None:
    batch = json.dumps({"applicants": [reference_request(), {}]})
    status, out, err = ask("-", "--batch", "--model", str(reference_model), stdin=batch)
    assert (status, err) == (0, "")
    assert (json.loads(out)["scored"], json.loads(out)["refused"]) == (1, 1)


def test_a_problem_goes_to_standard_error(reference_model: Path) -> None:
    status, out, err = ask("-", "--model", str(reference_model), stdin='{"uuid": 1}')
    assert (status, out) == (1, "")
    assert json.loads(err)["errors"] == [{"pointer": "/uuid", "detail": "expected a string, got a number"}]


def test_each_folder_gets_a_handler_of_its_own(reference_model: Path, small_model: Path) -> None:
    folders = [reference_model, small_model, reference_model]
    versions = [load_handler(str(folder)).service.model.manifest.model_version for folder in folders]
    assert versions == [json.loads((folder / "manifest.json").read_text())["model_version"] for folder in folders]
    assert versions[0] != versions[1]


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    assert ask(str(REFERENCE_REQUEST), "--model", str(folder)) == (
        1,
        "",
        f"error: {folder}: expected a folder with model.onnx and manifest.json, got none; "
        "run python -m training.run and python -m export.to_onnx first\n",
    )


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "none.json"
    assert main([str(file)]) == 1
    remedy = "name a file of JSON, or - for standard input"
    assert capsys.readouterr() == ("", f"error: {file}: cannot be read (No such file or directory); {remedy}\n")
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr() == ("", f"error: {tmp_path}: cannot be read (Is a directory); {remedy}\n")


def test_a_file_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "body.json"
    file.write_bytes(b"\xff")
    assert main([str(file)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_standard_input_that_is_no_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff"), encoding="utf-8"))
    assert main(["-"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_wrong_usage_is_one_line_and_ends_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2
    expected = "python -m runtime.ask: the following arguments are required: FILE (--help lists the flags)\n"
    assert capsys.readouterr().err == expected


def test_the_local_commands_need_no_library_but_those_of_the_handler() -> None:
    code = """
import sys
sys.modules |= dict.fromkeys(("rich", "pandas", "pyarrow", "pydantic", "uvicorn"))
import local.ask, local.serve
sys.exit(local.ask.main(["x.json", "--bacth"]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean --batch?" in done.stderr
