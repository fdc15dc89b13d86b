"""A file is written whole or not at all."""

import stat
from pathlib import Path

import pytest

from cli.errors import UserError
from storage.whole_file import out_file, write_whole


def test_a_file_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "new/page.html"
    for text in ("first, ü", "second"):
        write_whole(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_what_stops_the_writing_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    write_whole(path, "earlier")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "half of a pair \ud800")

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, "later")
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_names_that_cannot_be_files(tmp_path: Path) -> None:
    assert out_file("--out", f"{tmp_path}/page.html") == tmp_path / "page.html"
    with pytest.raises(UserError, match="--out: expected a file, got the folder"):
        out_file("--out", str(tmp_path))
    with pytest.raises(UserError, match="--json: expected a file, got s3://bucket"):
        out_file("--json", "s3://bucket/x.json")
