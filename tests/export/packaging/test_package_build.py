"""The same bytes every time, and nothing at all where something is wrong."""

import hashlib
import json
import re
import shutil
import stat
from importlib.metadata import version
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from export import package as command
from export.packaging import archive
from export.packaging.bytecode import interpreter_for
from export.packaging.refusal import PackageRefused
from export.packaging.target import Target, architecture
from tests.export.packaging.build_command import package
from tests.export.packaging.model_folder import certified_model, certify
from tests.runtime.model_builder import write_manifest

pytestmark = pytest.mark.tier("land")

# The figures that the project promises; docs/package.md has what they are.
ZIP_LIMIT = 29_000_000
UNZIPPED_LIMIT = 85_000_000


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def test_it_is_as_small_as_promised(dist: Path, task: Path) -> None:
    assert (dist / "lambda.zip").stat().st_size <= ZIP_LIMIT
    assert sum(path.stat().st_size for path in files(task).values()) <= UNZIPPED_LIMIT


def test_a_second_build_is_the_same_to_the_byte(
    dist: Path, task: Path, model: Path, target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "elsewhere" / "dist"
    assert package(model, again, target) == 0
    assert digest(again / "lambda.zip") == digest(dist / "lambda.zip")
    assert {name: digest(path) for name, path in files(again / "task").items()} == {
        name: digest(path) for name, path in files(task).items()
    }
    said = capsys.readouterr().err
    assert f"sha256 {digest(again / 'lambda.zip')}" in said
    parts = ["runtime", "model", "onnxruntime", "numpy", "OpenBLAS", "licences, metadata", "Together"]
    assert [line for line in parts if re.search(rf"^{line}\s+\d+\s+[\d.]+\s+[\d.]+\s*$", said, re.MULTILINE)] == parts
    assert re.search(r"Lambda's limits: \d+% of 262\.1 MB unzipped, \d+% of 52\.4 MB for a direct upload", said)


def test_the_zip_holds_the_task_and_nothing_of_this_machine(dist: Path, task: Path) -> None:
    with ZipFile(dist / "lambda.zip") as zipped:
        assert zipped.namelist() == sorted(files(task))
        for entry in zipped.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.external_attr >> 16 == stat.S_IFREG | 0o644
            assert (entry.create_system, entry.compress_type) == (3, ZIP_DEFLATED)
            assert hashlib.sha256(zipped.read(entry)).hexdigest() == digest(task / entry.filename)
    this_machine = str(command.ROOT).encode(), str(task).encode()
    for path in files(task).values():
        if path.suffix != ".so":
            assert not [place for place in this_machine if place in path.read_bytes()], path


def test_anybody_may_read_the_task(task: Path) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in files(task).values()}
    assert modes == {0o644}
    assert {stat.S_IMODE(path.stat().st_mode) for path in task.rglob("*") if path.is_dir()} == {0o755}


def test_the_model_goes_in_as_it_was_certified(task: Path, model: Path) -> None:
    names = ["certificate.json", "manifest.json", "model.onnx"]
    assert sorted(files(task / "model")) == names
    assert [digest(task / "model" / name) for name in names] == [digest(model / name) for name in names]


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store instead of compressing: for builds whose zip nobody looks into."""
    monkeypatch.setattr(archive, "LEVEL", 0)


@pytest.mark.usefixtures("fast")
def test_a_build_replaces_the_last_one(model: Path, target: Target, tmp_path: Path) -> None:
    (tmp_path / "task" / "model").mkdir(parents=True)
    (tmp_path / "task" / "model" / "certificate.json").write_text("old")
    (tmp_path / "task" / "old.py").write_text("old")
    (tmp_path / "lambda.zip").write_text("old")
    (tmp_path / "lastbit-0.1.0.whl").write_text("another tool's")
    assert package(model, tmp_path, target, "--quiet") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lambda.zip", "lastbit-0.1.0.whl", "task"]
    assert (tmp_path / "task" / "model" / "model.onnx").exists()
    assert not (tmp_path / "task" / "old.py").exists()
    assert (tmp_path / "lambda.zip").stat().st_size > 1_000_000


def refused(
    capsys: pytest.CaptureFixture[str], model: Path, out: Path, target: Target, cache: Path | None = None
) -> str:
    """The one line that a refused build says; whatever was in `out` is still there."""
    before = {name: digest(path) for name, path in files(out).items()} if out.is_dir() else None
    more = {} if cache is None else {"cache": cache}
    assert package(model, out, target, **more) == 1
    after = {name: digest(path) for name, path in files(out).items()} if out.is_dir() else None
    assert after == before
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("✓")]
    assert len(said) == 1
    assert said[0].startswith("error: ")
    return said[0].removeprefix("error: ")


@pytest.fixture
def broken(model: Path, tmp_path: Path) -> Path:
    """A copy of the model, to be broken."""
    return shutil.copytree(model, tmp_path / "broken")


def test_a_missing_model_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, target: Target) -> None:
    line = refused(capsys, tmp_path / "none", tmp_path / "dist", target)
    assert line.startswith(f"{tmp_path}/none: expected a folder with model.onnx, manifest.json and certificate.json")
    assert "python -m export.to_onnx" in line


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json", "certificate.json"])
def test_a_file_of_the_model_is_missing(
    capsys: pytest.CaptureFixture[str], broken: Path, tmp_path: Path, target: Target, name: str
) -> None:
    (broken / name).unlink()
    line = refused(capsys, broken, tmp_path / "dist", target)
    assert line.startswith(f"{broken / name}: no such file")
    assert "export again" in line


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_certificate_of_another_model_is_refused(
    capsys: pytest.CaptureFixture[str], broken: Path, tmp_path: Path, target: Target, name: str
) -> None:
    certified = digest(broken / name)
    with (broken / name).open("ab") as file:
        file.write(b" ")
    line = refused(capsys, broken, tmp_path / "dist", target)
    expected = f"{broken / name}: sha256: the certificate has {certified}, found {digest(broken / name)}"
    assert line.startswith(expected)


@pytest.mark.parametrize(
    ("certificate", "message"),
    [
        ("{", "is not JSON"),
        ('{"sha256": {}, "sha256": {}}', 'is not JSON ("sha256" more than once in an object)'),
        ('{"total": NaN}', "is not JSON (NaN, which is not JSON)"),
        ("[]", "schema_version: expected 1, got None"),
        ('{"schema_version": 2}', "schema_version: expected 1, got 2"),
        ('{"schema_version": 1, "sha256": null, "versions": {}}', "sha256: expected an object"),
        ('{"schema_version": 1, "sha256": {}, "versions": []}', "versions: expected an object"),
        ('{"schema_version": 1, "sha256": {}, "versions": {}}', "the certificate has None"),
    ],
)
def test_an_invalid_certificate_is_refused(
    capsys: pytest.CaptureFixture[str], broken: Path, tmp_path: Path, target: Target, certificate: str, message: str
) -> None:
    (broken / "certificate.json").write_text(certificate)
    assert message in refused(capsys, broken, tmp_path / "dist", target)


def test_a_certificate_for_another_onnxruntime_is_refused(
    capsys: pytest.CaptureFixture[str], broken: Path, tmp_path: Path, target: Target
) -> None:
    certify(broken, versions={"onnxruntime": "1.26.0", "machine": "x86_64"})
    line = refused(capsys, broken, tmp_path / "dist", target)
    assert "certified with onnxruntime 1.26.0, but requirements/lambda.txt packages 1." in line


def test_a_manifest_that_the_runtime_refuses_is_not_packaged(
    capsys: pytest.CaptureFixture[str], broken: Path, tmp_path: Path, target: Target
) -> None:
    manifest = json.loads((broken / "manifest.json").read_text())
    (broken / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 99}))
    certify(broken)
    line = refused(capsys, broken, tmp_path / "dist", target)
    assert "schema_version: expected 2, got 99; deploy a newer runtime" in line


def test_a_model_that_does_not_start(
    capsys: pytest.CaptureFixture[str], broken: Path, dist: Path, tmp_path: Path, target: Target
) -> None:
    """The certificate fits, the self-check rows do not: found by starting the package, and nothing is replaced."""
    manifest = json.loads((broken / "manifest.json").read_text())
    manifest["self_check"]["rows"][0]["probability"] = 0.5
    write_manifest(broken, manifest)
    certify(broken)
    out = tmp_path / "dist"
    (out / "task" / "model").mkdir(parents=True)
    (out / "task" / "model" / "certificate.json").write_text("the last good one")
    (out / "lambda.zip").write_text("the last good one")
    line = refused(capsys, broken, out, target)
    assert line.startswith("the package does not start: ")
    assert "self-check row 0" in line
    assert sorted(path.name for path in out.iterdir()) == ["lambda.zip", "task"]


def test_missing_wheels_are_refused(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Target
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    line = refused(capsys, model, tmp_path / "dist", target, tmp_path / "cache")
    assert re.match(
        rf"pip found no wheels of numpy .*, onnxruntime .* for Python {target.version} on {target.arch}: ", line
    )
    assert list((tmp_path / "cache" / target.name).iterdir()) == []


def test_wheels_that_are_not_the_pinned_ones(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Target
) -> None:
    """A cache that was tampered with is not used, and a mirror with other files is refused by pip."""
    wheels = Path(shutil.copytree(command.ROOT / "build" / "wheels" / target.name, tmp_path / "cache" / target.name))
    for wheel in wheels.glob("numpy-*.whl"):
        with wheel.open("ab") as file:
            file.write(b"\0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    line = refused(capsys, model, tmp_path / "dist", target, tmp_path / "cache")
    assert line.startswith("pip found no wheels of numpy ")
    assert "HASHES" in line


def test_a_folder_with_other_files_is_not_replaced(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path, target: Target
) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "precious.txt").write_text("keep me")
    line = refused(capsys, model, tmp_path, target)
    assert line.startswith(f"{tmp_path}: expected a new folder or one of an earlier run (with task/model/cert")


@pytest.mark.parametrize("name", ["", "task", "lambda.zip"])
def test_a_file_in_place_of_a_folder_is_refused_and_the_other_way_round(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path, target: Target, name: str
) -> None:
    place = tmp_path / "dist" / name
    if name == "lambda.zip":
        place.mkdir(parents=True)
    else:
        place.parent.mkdir(exist_ok=True)
        place.write_text("")
    expected = "a file, found a folder" if name == "lambda.zip" else "a folder, found a file"
    assert refused(capsys, model, tmp_path / "dist", target).startswith(f"{place}: expected {expected}")


def test_a_package_over_lambda_s_limit_is_refused() -> None:
    command.check_unzipped(250 * 1024 * 1024)
    with pytest.raises(PackageRefused, match=r"has 262\.1 MB, and Lambda's limit is 262\.1 MB"):
        command.check_unzipped(250 * 1024 * 1024 + 1)


@pytest.mark.parametrize(
    "arguments", [["--python", "3.10"], ["--python", "3.13.1"], ["--python", "x"], ["--arch", "riscv"], ["extra"]]
)
def test_wrong_arguments_end_with_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_names_of_others_for_processors() -> None:
    assert [architecture(name) for name in ("amd64", "AMD64", "x86_64")] == ["x86_64"] * 3
    assert [architecture(name) for name in ("aarch64", "arm64", "ARM64")] == ["arm64"] * 3


@pytest.mark.usefixtures("fast")
def test_a_package_that_is_not_as_it_could_be_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], target: Target
) -> None:
    """Too large for a direct upload, and without the target's Python, so neither compiled nor started."""
    monkeypatch.setattr(command, "UPLOAD_LIMIT", 1_000_000)
    monkeypatch.setattr(command, "interpreter_for", lambda target: None)
    model = certified_model(tmp_path / "model")
    certify(model, versions={"onnxruntime": version("onnxruntime"), "machine": "ppc64le"})
    assert package(model, tmp_path / "dist", target) == 0
    said = capsys.readouterr().err
    assert "Note: certified on ppc64le: " in said
    assert f"Note: without bytecode, since there is no python{target.version} here" in said
    assert "Note: not started here" in said
    assert "Note: too large for a direct upload: deploy it from S3" in said
    names = files(tmp_path / "dist" / "task")
    assert "numpy/__init__.py" in names
    assert not [name for name in names if name.endswith(".pyc")]


def test_an_interpreter_is_of_the_version_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shim that fails and one that lies about its version are passed over."""
    for name, line in (("failing", "exit 127"), ("lying", "echo 3 11 cpython final")):
        shim = tmp_path / name / "python3.99"
        shim.parent.mkdir()
        shim.write_text(f"#!/bin/sh\n{line}\n")
        shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/failing:{tmp_path}/lying:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreter_for(Target((3, 99), "x86_64")) is None
    honest = tmp_path / "versions" / "3.99.1" / "bin" / "python3.99"
    honest.parent.mkdir(parents=True)
    honest.write_text("#!/bin/sh\necho 3 99 cpython final\n")
    honest.chmod(0o755)
    assert interpreter_for(Target((3, 99), "x86_64")) == str(honest)
