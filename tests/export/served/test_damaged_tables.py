"""reasons.bin in folder and package: not loaded before it is needed, refused where it is damaged."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from export.model_folder import files_of
from export.package import _assemble
from export.refusal import ExportRefused
from runtime.manifest import ModelRefused
from storage.digest import sha256_of
from tests.export.served.exported import (
    APPLICANT,
    WITH_REASONS,
    ask,
    handler,
    read,
)

pytestmark = pytest.mark.tier("land")

MORE = WITH_REASONS


def test_a_start_that_explains_nothing_loads_nothing_of_it(model: Path) -> None:
    code = (
        "import sys\nfrom runtime.dispatch import Handler\nfrom runtime.settings import Settings\n"
        f"Handler(Settings({{'MODEL_DIR': {str(model)!r}}}))\n"
        "print(sorted({'runtime.explain', 'runtime.tables'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[3]
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_certificate_and_package_hold_the_tables(model: Path, tmp_path: Path) -> None:
    certificate = read(model / "certificate.json")
    assert certificate["sha256"]["reasons.bin"] == sha256_of(model / "reasons.bin")
    assert certificate["reasons"]["largest_difference"] <= 2e-7
    assert certificate["reasons"]["rows"] == certificate["reasons"]["same_top_four"] == 40
    assert files_of(model) == (
        "model.onnx",
        "manifest.json",
        "reasons.bin",
        "batch.bin",
        "initial.json",
        "certificate.json",
    )
    _assemble(tmp_path, model, [])
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == sorted(files_of(model))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def of_another_model(path: Path) -> None:
    digest = read(path.parent / "manifest.json")["sha256"]
    path.write_bytes(path.read_bytes().replace(digest.encode(), digest[::-1].encode()))


def of_other_bytes(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


@pytest.mark.parametrize("damage", [cut, of_another_model, of_other_bytes, Path.unlink])
def test_tables_that_are_not_the_model_s_are_refused_at_start(copy: Path, damage: Callable[[Path], None]) -> None:
    damage(copy / "reasons.bin")
    with pytest.raises(ModelRefused, match=r"reasons\.bin: .*; export the model again"):
        handler(copy)
    with pytest.raises(ExportRefused, match=r"reasons\.bin"):
        files_of(copy)


def test_one_bit_is_refused_before_the_first_explained_answer(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = bytearray((copy / "reasons.bin").read_bytes())
    content[-9] ^= 1
    (copy / "reasons.bin").write_bytes(content)
    its = handler(copy)
    assert ask(its, APPLICANT)[0] == 200
    assert ask(its, APPLICANT, "explain=true")[0] == 500
    assert "reasons.bin: sha256: expected" in capsys.readouterr().err
    with pytest.raises(ModelRefused, match=r"reasons\.bin: sha256"):
        handler(copy, EXPLAIN="always")


def test_tables_that_answer_otherwise_than_at_export_are_refused(copy: Path) -> None:
    from tests.runtime.model_builder import versioned

    manifest = read(copy / "manifest.json")
    manifest["self_check"]["rows"][3]["contributions"][0] += 1e-9
    (copy / "manifest.json").write_text(json.dumps(versioned(manifest)))
    with pytest.raises(ModelRefused, match=r"reasons\.bin: self-check row 3: expected"):
        handler(copy, EXPLAIN="always")
