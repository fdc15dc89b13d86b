"""Banned phrases: each is found where it stands, and the words around it are not."""

from pathlib import Path

import pytest

from delivery.prose import faults, main


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("# It hangs on the weather.\n", "hangs on"),
        ("# A file that is none.\n", "that is none"),
        ("# Nobody could\n# tell apart the two.\n", "tell apart"),
        ('"""What a thing is."""\n', "What"),
        ('def f() -> None:\n    """Whether it is so."""\n', "Whether"),
    ],
)
def test_a_banned_phrase_is_found_with_its_place(tmp_path: Path, text: str, phrase: str) -> None:
    file = tmp_path / "text.py"
    file.write_text(text)
    [line] = faults(file)
    assert line.startswith(f"{file}:{2 if text.count(chr(10)) > 1 else 1}: ")
    assert repr(phrase) in line


@pytest.mark.parametrize("text", ["x = 1 if y is None else 2\n", '"""Name of a thing."""\n', "# depends on it\n", ""])
def test_other_words_are_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "text.py"
    file.write_text(text)
    assert list(faults(file)) == []


def test_the_command_fails_and_prints_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "page.md").write_text("It hangs on this.\nOf those that are none.\n")
    assert main([str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert "expected no banned phrase, got 2" in err


def test_a_test_s_name_of_two_words_is_refused_and_a_sentence_is_not(tmp_path: Path) -> None:
    file = tmp_path / "test_text.py"
    file.write_text(
        "def test_no_id(): ...\ndef test_ids_are_unique(): ...\nclass TestIds:\n    def test_none(self): ...\n"
    )
    assert [line.split(": ")[1] for line in faults(file)] == ["test_no_id"]


def test_a_file_that_is_not_python_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.py").write_text("x = 1\nif x\n", encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"error: {tmp_path}/text.py:2: expected Python, got expected ':'\n"
