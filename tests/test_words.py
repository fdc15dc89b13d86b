"""Messages on the next command."""

import pytest

from cli.words import isolated, next_command


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


@pytest.mark.parametrize("name", ["income", "εισόδημα", "年收入", "💰", ""])
def test_a_name_written_from_left_to_right_stays_as_it_is(name: str) -> None:
    assert isolated(name) == name


@pytest.mark.parametrize("name", ["الدخل", "הכנסה", "income דולר"])
def test_a_name_written_from_right_to_left_is_isolated(name: str) -> None:
    assert isolated(name) == f"\u2068{name}\u2069"
