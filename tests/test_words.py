"""What messages say of a command that goes on."""

import pytest

from cli.words import next_command


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("artifacts", "python -m export.to_onnx"),
        ("artifacts/", "python -m export.to_onnx"),
        ("runs/a", "python -m export.to_onnx --artifacts runs/a"),
        ("my artifacts", "python -m export.to_onnx --artifacts 'my artifacts'"),
        ("$HOME", "python -m export.to_onnx --artifacts '$HOME'"),
    ],
)
def test_the_next_command_names_a_folder_that_is_not_the_usual_one(folder: str, said: str) -> None:
    assert next_command("export.to_onnx", "--artifacts", folder, "artifacts") == said
