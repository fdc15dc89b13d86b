"""An image that is not built as it has to be is not recorded."""

import json
import re
import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest

from cli.errors import UserError
from delivery import image
from delivery.image import main
from export.packaging.target import Target
from tests.delivery.runner import COMMANDS
from tests.delivery.workflow_files import ROOT

pytestmark = pytest.mark.tier("land")

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/lastbit"


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package to be made an image of, in a workflow whose docker is the stand-in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{COMMANDS}:/usr/bin:/bin")
    monkeypatch.setenv("STAND_IN", str(tmp_path))
    for name, value in {
        "GITHUB_SHA": "a" * 40,
        "GITHUB_RUN_ID": "5",
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "IMAGE_REPOSITORY": REPOSITORY,
    }.items():
        monkeypatch.setenv(name, value)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.onnx").write_bytes(b"graph")
    folder = tmp_path / "dist"
    folder.mkdir()
    with ZipFile(folder / "lambda.zip", "w") as archive:
        archive.writestr("model/manifest.json", json.dumps({"model_version": "c3bb2f7865ee"}))
    return folder


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of a refusal."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0].removeprefix("error: ")


def test_each_processor_gets_an_image_of_its_platform(dist: Path) -> None:
    for arch, platform in (("x86_64", "linux/amd64"), ("arm64", "linux/arm64")):
        assert main(["--arch", arch]) == 0
        calls = [json.loads(line) for line in (dist.parent / "calls.jsonl").read_text().splitlines()]
        words = [words for words in calls if "--push" in words][-1]
        assert words[words.index("--platform") + 1] == platform
        assert f"{REPOSITORY}:c3bb2f7865ee-aaaaaaaaaaaa-{arch}-5.2" in words
        image = json.loads((dist / "image.json").read_text())["image"]
        assert (dist.parent / "output").read_text().endswith(f"digest={image.partition('@')[2]}\n")


def test_a_failure_of_docker_is_printed(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dist.parent / "docker-fails").touch()
    assert main([]) == 1
    assert said(capsys) == "docker buildx imagetools inspect: failed with exit status 1"
    assert not (dist / "image.json").exists()


def test_an_image_without_what_is_pinned_is_not_recorded(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dist.parent / "scanner-fails").touch()
    assert main([]) == 1
    assert re.match(r"sbom\.spdx\.json: expected \w+ [\d.]+ among 1 parts, found none$", said(capsys))
    assert not (dist / "image.json").exists()


def test_a_machine_without_docker_is_refused(
    dist: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(dist))
    assert main([]) == 1
    assert said(capsys).startswith("docker: no such command")


@pytest.mark.parametrize("repository", [f"{REPOSITORY}:latest", "lastbit", "https://example.com/lastbit"])
def test_an_invalid_repository_is_refused(
    dist: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, repository: str
) -> None:
    monkeypatch.setenv("IMAGE_REPOSITORY", repository)
    assert main([]) == 2
    assert said(capsys) == f"IMAGE_REPOSITORY: expected registry/name without a tag, got {repository!r}"
    assert not (dist.parent / "calls.jsonl").exists()


def test_a_missing_or_damaged_package_is_refused(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dist / "lambda.zip").write_bytes(b"not a zip")
    assert main([]) == 1
    assert "dist/lambda.zip: expected a package with a model inside" in said(capsys)
    (dist / "lambda.zip").unlink()
    assert main([]) == 1
    assert "dist/lambda.zip: no such file; build the release again" in said(capsys)


def test_a_tag_without_a_digest_is_refused(
    dist: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ("latest", '{"mediaType": "x"}', '{"digest": "sha256:12"}', "[]"):
        monkeypatch.setattr(image, "_docker", lambda *_, answer=answer: answer)
        assert main([]) == 1
        shown = "sha256:12" if "sha256" in answer else answer
        assert f"python:3.13: expected a digest, docker says {shown!r}" in said(capsys)
    assert not (dist / "image.json").exists()


def test_a_push_without_a_digest_is_not_recorded(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docker = dist.parent / "commands" / "docker"
    shutil.copytree(COMMANDS, docker.parent)
    docker.write_text(docker.read_text().replace('{"containerimage.digest": ', '{"config.digest": '))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{docker.parent}:/usr/bin:/bin")
        assert main([]) == 1
    assert said(capsys) == "docker: expected the digest of the pushed image, got 'None'"
    assert not (dist / "image.json").exists()


@pytest.mark.parametrize("text", ["", "[]", '"SPDX"', '{"predicate": 3}', '{"spdxVersion": "SPDX-2.3"}'])
def test_what_is_not_the_image_s_parts_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sbom.spdx.json"
    with pytest.raises(UserError, match=r"expected the image's parts in sbom\.spdx\.json, got none"):
        image.parts_of(path, Target((3, 13), "x86_64"))
    path.write_text(text)
    with pytest.raises(UserError, match=r"sbom\.spdx\.json: expected the image's parts as SPDX, got something else"):
        image.parts_of(path, Target((3, 13), "x86_64"))
