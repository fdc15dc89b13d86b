"""A served model, compared over HTTP with its handler in this process."""

from pathlib import Path

import pytest

from cli.errors import UserError
from delivery.loopback import main, served
from tests.deploy.served import askable_model
from tests.runtime.model_builder import reference_features


def test_answers_over_http_are_those_of_the_handler(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = askable_model(tmp_path / "model", reference_features())
    assert main(["--model", str(model)]) == 0
    assert "applicants are answered over HTTP as by the handler, to the byte\n" in capfd.readouterr().out


def test_a_damaged_model_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    assert main(["--model", str(tmp_path)]) != 0
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith(f"error: {tmp_path}/manifest.json: ")


def test_a_server_that_does_not_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"runtime\.local: expected that it serves, got nothing"), served(tmp_path):
        pass
