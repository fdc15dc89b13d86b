"""Pictures of README and docs: none changed by hand, each small, a stale one named, and a split found exactly."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.digests import ROOT
from benchmarks.pictures import record
from benchmarks.pictures.__main__ import main
from benchmarks.pictures.boundary import STEPS, Values, neighbours, split
from cli.errors import UserError


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record of one picture, in a folder of its own."""
    monkeypatch.setattr(record, "FOLDER", tmp_path)
    monkeypatch.setattr(record, "FILE", tmp_path / "pictures.json")
    monkeypatch.setattr(record, "SHOWN", {"a.png": ("local/page.py", "local/page/style.css")})
    record.keep({"a.png": b"picture"})
    return tmp_path


@pytest.mark.parametrize("name", record.SHOWN)
def test_a_picture_is_the_one_that_the_command_drew_and_is_shown(name: str) -> None:
    assert (ROOT / "docs" / "pictures" / name).stat().st_size <= record.LARGEST
    assert not [line for line in record.stale(record.read()) if line.startswith(name) and "have changed" not in line]
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = [alt for page in pages for alt in re.findall(rf"!\[(.*?)\]\(\S*{name}\)", page.read_text(encoding="utf-8"))]
    assert shown
    assert all(len(alt) > 30 for alt in shown)


def test_everything_that_a_picture_shows_is_there() -> None:
    assert all(digest for name in record.SHOWN for digest in record._digests(name).values())
    assert any(path.endswith("report.html.j2") for path in record.SHOWN["report.png"])


def test_a_fresh_picture_is_not_named(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--strict"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "a.png").write_bytes(b"by hand"), "is not the picture that make pictures has drawn"),
        (lambda folder: (folder / "a.png").unlink(), "was never drawn"),
        (lambda folder: rewrite(folder / "pictures.json"), "stale, since these have changed: local/page.py"),
    ],
)
def test_a_stale_picture_is_a_warning_and_stops_a_release(
    kept: Path, change: object, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(change)
    change(kept)
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == f"a.png: {said}\n"
    assert main(["--check", "--strict"]) == 1
    assert capsys.readouterr().err == "error: docs/pictures: expected no stale picture; make pictures\n"


def rewrite(path: Path) -> None:
    """As if the module had been another when the picture was drawn."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries["a.png"]["digests"]["local/page.py"] = "0" * 12
    path.write_text(json.dumps(entries), encoding="utf-8")


@pytest.mark.parametrize("pictures", [{}, {"a.png": b"1", "b.png": b"2"}, {"a.png": b"0" * (record.LARGEST + 1)}])
def test_only_whole_sets_of_small_pictures_are_kept(kept: Path, pictures: dict[str, bytes]) -> None:
    with pytest.raises(UserError, match="expected"):
        record.keep(pictures)
    assert (kept / "a.png").read_bytes() == b"picture"


@pytest.mark.parametrize("content", [None, "no JSON"])
def test_a_record_that_cannot_be_read_is_one_line(kept: Path, content: str | None) -> None:
    (kept / "pictures.json").unlink()
    if content is not None:
        (kept / "pictures.json").write_text(content)
    with pytest.raises(UserError, match=r"pictures\.json: expected the record of the pictures"):
        record.read()


@pytest.mark.parametrize("threshold", [1e-30, 0.1, 1.0, 7.3, 8388608.5])
def test_a_split_lies_between_two_neighbouring_numbers(threshold: float) -> None:
    at = np.float32(threshold)

    def curve(values: Values) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return np.where(values < at, 0.25, 0.5)

    before, after = split(curve, np.float32(0), np.float32(2 * threshold))
    assert (after, before) == (at, np.nextafter(at, np.float32(-np.inf)))
    around = neighbours(before, after)
    assert len(around) == 2 * STEPS
    assert (around[1:] == np.nextafter(around[:-1], np.float32(np.inf))).all()
    assert np.flatnonzero(np.diff(curve(around))).tolist() == [STEPS - 1]


def test_a_curve_without_a_step_is_refused() -> None:
    with pytest.raises(ValueError, match="found none"):
        split(lambda values: np.zeros(len(values)), np.float32(0), np.float32(1))
