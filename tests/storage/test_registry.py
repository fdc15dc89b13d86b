"""Published models: versions do not change, the pointer moves last, nothing that is not whole is brought back."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.errors import UserError
from cli.progress import Progress
from export import to_onnx
from export.refusal import ExportRefused
from export.registry.models import ALL_FILES as FILES
from export.registry.models import Registry
from runtime.digest import version_of
from runtime.model import Model
from storage.faults import Denied, Missing
from tests.storage import faulty
from tests.storage.conftest import Bucket
from training.artifacts import load_artifacts

pytestmark = pytest.mark.tier("land")

SILENT = Progress(quiet=True)


def publish(folder: Path, bucket: Bucket) -> str:
    return Registry(f"{bucket}/models").publish(folder / "model", SILENT)


def fetch(bucket: Bucket, out: Path, version: str = "latest") -> str:
    return Registry(f"{bucket}/models").fetch(version, out, SILENT)


def told(action: Callable[[], object], kind: type[UserError] = UserError) -> str:
    with pytest.raises(kind) as caught:
        action()
    return str(caught.value)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def pointer(bucket: Bucket) -> dict[str, Any]:
    return dict(json.loads(bucket.get("models/latest.json")))


@pytest.fixture
def versions(trained: tuple[Path, Path]) -> tuple[str, str]:
    one, two = (Model.load(str(folder / "model")).manifest.model_version for folder in trained)
    assert one != two
    return one, two


def test_a_model_comes_back_as_it_was(
    bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str], tmp_path: Path
) -> None:
    assert publish(trained[0], bucket) == versions[0]
    assert bucket.content().keys() == {f"models/{versions[0]}/{name}" for name in FILES} | {"models/latest.json"}
    assert list(pointer(bucket)) == ["schema_version", "model_version", "time", "sha256"]
    assert (pointer(bucket)["schema_version"], pointer(bucket)["model_version"]) == (1, versions[0])
    assert pointer(bucket)["sha256"] == {
        name: hashlib.sha256((trained[0] / "model" / name).read_bytes()).hexdigest() for name in FILES
    }
    written = [line.rpartition("/models/")[2] for line in bucket.proxy.seen if line.startswith("PUT")]
    assert written == [*(f"{versions[0]}/{name}" for name in FILES), "latest.json"]
    assert fetch(bucket, tmp_path / "model") == versions[0]
    assert content(tmp_path / "model") == content(trained[0] / "model")


def test_a_model_without_reasons_has_no_such_file(bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path) -> None:
    artifacts = replace(load_artifacts(trained[0] / "artifacts"), drawn={})
    to_onnx.export(artifacts, tmp_path / "one" / "model", SILENT)
    version = publish(tmp_path / "one", bucket)
    names = {"model.onnx", "manifest.json", "batch.bin", "initial.json", "certificate.json"}
    assert bucket.content().keys() == {f"models/{version}/{name}" for name in names} | {"models/latest.json"}
    assert fetch(bucket, tmp_path / "model") == version
    assert content(tmp_path / "model") == content(tmp_path / "one" / "model")
    assert [entry.version for entry in Registry(f"{bucket}/models").versions()] == [version]


def test_a_version_can_be_made_the_latest_again(
    bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str], tmp_path: Path, scratch: Path
) -> None:
    registry = Registry(f"{bucket}/models")
    assert registry.versions() == []
    for folder in trained:
        publish(folder, bucket)
    assert {(entry.version, entry.latest) for entry in registry.versions()} == {
        (versions[0], False),
        (versions[1], True),
    }
    assert fetch(bucket, tmp_path / "model") == versions[1]
    assert fetch(bucket, tmp_path / "model", versions[0]) == versions[0]
    before = bucket.content()
    assert registry.roll_back(versions[0], SILENT) == versions[0]
    changed = {key for key, value in bucket.content().items() if before[key] != value}
    assert changed == {"models/latest.json"}
    assert fetch(bucket, tmp_path / "model") == versions[0]
    assert [entry.version for entry in registry.versions() if entry.latest] == [versions[0]]
    assert list(scratch.iterdir()) == []


def test_publishing_again_changes_nothing(bucket: Bucket, trained: tuple[Path, Path]) -> None:
    publish(trained[0], bucket)
    before = bucket.content()
    publish(trained[0], bucket)
    assert bucket.content() == before  # not even the pointer's time


def test_publishing_an_earlier_version_makes_it_the_latest(
    bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str]
) -> None:
    for folder in (*trained, trained[0]):
        publish(folder, bucket)
    assert pointer(bucket)["model_version"] == versions[0]


@pytest.mark.parametrize("name", FILES)
def test_a_version_with_other_bytes_is_refused(
    name: str, bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str]
) -> None:
    publish(trained[1], bucket)
    bucket.put(f"models/{versions[0]}/{name}", b"other")
    before = pointer(bucket)
    message = told(lambda: publish(trained[0], bucket), ExportRefused)
    assert message.startswith(f"{bucket}/models/{versions[0]}/{name}: sha256: expected ")
    assert "a published version never changes" in message
    assert bucket.get(f"models/{versions[0]}/{name}") == b"other"
    assert pointer(bucket) == before


def test_an_upload_that_stops_anywhere_leaves_the_last_version(
    bucket: Bucket,
    trained: tuple[Path, Path],
    versions: tuple[str, str],
    tmp_path: Path,
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    publish(trained[0], bucket)
    requests = len(bucket.proxy.seen)
    for number in range(requests):
        bucket.proxy.heal()
        bucket.proxy.will(faulty.dropped, after=number)
        told(lambda: publish(trained[1], bucket))
        assert len(bucket.proxy.seen) == number + 1
        bucket.proxy.heal()
        assert fetch(bucket, tmp_path / "model") == versions[0]
        listed = [(entry.version, entry.latest) for entry in Registry(f"{bucket}/models").versions()]
        assert (versions[0], True) in listed
        assert list(scratch.iterdir()) == []
    assert publish(trained[1], bucket) == versions[1]
    assert fetch(bucket, tmp_path / "model") == versions[1]


def test_answers_that_nobody_hears(
    bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str], tmp_path: Path
) -> None:
    """Each upload is done, its answer is lost, and trying again finds the object there."""
    for name in (*FILES, "latest.json"):
        bucket.proxy.will(faulty.lost, "PUT", name, times=1)
    assert publish(trained[0], bucket) == versions[0]
    assert fetch(bucket, tmp_path / "model") == versions[0]


def test_a_version_that_is_not_whole_is_not_there(
    bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str], tmp_path: Path
) -> None:
    publish(trained[0], bucket)
    bucket.proxy.will(faulty.refused(500, "InternalError"), "PUT", "certificate.json")
    told(lambda: publish(trained[1], bucket))
    bucket.proxy.heal()
    assert [entry.version for entry in Registry(f"{bucket}/models").versions()] == [versions[0]]
    message = told(lambda: fetch(bucket, tmp_path / "model", versions[1]))
    assert message == f"{bucket}/models: no version {versions[1]}; python -m export.registry versions lists them"
    assert not (tmp_path / "model").exists()


def test_what_is_not_there(
    bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "model"
    assert told(lambda: fetch(bucket, out)) == (
        f"{bucket}/models: no model is published there; publish one with python -m export.registry publish"
    )
    publish(trained[0], bucket)
    listing = "python -m export.registry versions lists them"
    nearly = versions[0][:-1] + ("0" if versions[0][-1] != "0" else "1")
    assert told(lambda: fetch(bucket, out, nearly)) == (
        f"{bucket}/models: no version {nearly}; did you mean {versions[0]}? {listing}"
    )
    bucket.proxy.will(faulty.refused(403, "AccessDenied"), "GET", bucket.name)  # to list it
    assert (
        told(lambda: fetch(bucket, out, nearly))
        == f"{bucket}/models: no version {nearly}; python -m export.registry versions lists them"
    )
    assert "access denied" in told(Registry(f"{bucket}/models").versions, Denied)
    bucket.proxy.heal()
    bucket.client.delete_object(Bucket=bucket.name, Key=f"models/{versions[0]}/model.onnx")
    assert told(lambda: fetch(bucket, out)) == (
        f"{bucket}/models/latest.json: names version {versions[0]}, which is incomplete; roll back to another"
    )
    nowhere = Registry("s3://no-such-bucket-here/models")
    for action in (nowhere.check, nowhere.versions, lambda: nowhere.fetch(versions[0], out, SILENT)):
        assert "no such bucket" in told(action, Missing)
    assert list(tmp_path.iterdir()) == [tmp_path / "scratch"]


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_named_and_the_last_good_folder_stays(
    name: str, bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str], tmp_path: Path
) -> None:
    shutil.copytree(trained[1] / "model", tmp_path / "model")
    before = content(tmp_path / "model")
    publish(trained[0], bucket)
    key = f"models/{versions[0]}/{name}"
    altered = bucket.get(key).replace(b"0", b"1", 1)
    bucket.put(key, altered)
    found = hashlib.sha256(altered).hexdigest()
    message = told(lambda: fetch(bucket, tmp_path / "model"), ExportRefused)
    assert message.startswith(f"{bucket}/{key}: sha256: latest.json has ")
    assert f"found {found}" in message
    if name != "certificate.json":  # by name the certificate is what the others are compared with
        message = told(lambda: fetch(bucket, tmp_path / "model", versions[0]), ExportRefused)
        assert message.startswith(f"{bucket}/{key}: sha256: the certificate has ")
        assert str(tmp_path) not in message
        assert told(lambda: Registry(f"{bucket}/models").roll_back(versions[0], SILENT), ExportRefused) == message
    assert content(tmp_path / "model") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "scratch"]


def put_altered(bucket: Bucket, model: Path, version: str, changes: dict[str, Any]) -> None:
    """A version whose manifest was changed by someone who changed the certificate with it."""
    manifest = json.loads((model / "manifest.json").read_text()) | changes
    altered = json.dumps(manifest).encode()
    certificate = json.loads((model / "certificate.json").read_text())
    certificate["sha256"]["manifest.json"] = hashlib.sha256(altered).hexdigest()
    for name in ("model.onnx", "reasons.bin", "batch.bin", "initial.json"):
        bucket.put(f"models/{version}/{name}", (model / name).read_bytes())
    bucket.put(f"models/{version}/manifest.json", altered)
    bucket.put(f"models/{version}/certificate.json", json.dumps(certificate).encode())


def test_a_version_is_a_digest_of_what_it_names(
    bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str], tmp_path: Path
) -> None:
    model = trained[0] / "model"
    assert version_of(json.loads((model / "manifest.json").read_text())) == versions[0]
    put_altered(bucket, model, versions[0], {"limits": {"batch": 7}})
    message = told(lambda: fetch(bucket, tmp_path / "model", versions[0]), ExportRefused)
    assert "manifest.json: model_version: expected " in message
    assert f'the digest of all else in it, got "{versions[0]}"' in message
    put_altered(bucket, model, versions[1], {})  # a whole model under another's name
    message = told(lambda: fetch(bucket, tmp_path / "model", versions[1]), ExportRefused)
    assert f"expected model version {versions[1]}, found {versions[0]}" in message
    assert not (tmp_path / "model").exists()


def test_a_model_on_which_the_runtime_does_not_start_is_not_brought(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path
) -> None:
    manifest = json.loads((trained[0] / "model/manifest.json").read_text())
    manifest["self_check"]["rows"][0]["margin"] = [9.0] * len(manifest["self_check"]["rows"][0]["margin"])
    version = version_of(manifest)
    put_altered(bucket, trained[0] / "model", version, manifest | {"model_version": version})
    message = told(lambda: fetch(bucket, tmp_path / "model", version), ExportRefused)
    assert message.startswith(f"{bucket}/models/{version}/model.onnx: self-check row 0")
    assert not (tmp_path / "model").exists()


WRONG_POINTERS = [
    b"years of work",
    b"[]",
    b"{}",
    b'{"schema_version": 2, "model_version": "000000000000", "sha256": {}}',
    b'{"schema_version": 1, "model_version": "000000000000", "sha256": []}',
    json.dumps({"schema_version": 1, "model_version": "../0000000000", "sha256": dict.fromkeys(FILES, "")}).encode(),
    json.dumps({"schema_version": 1, "model_version": "000000000000", "sha256": dict.fromkeys(FILES, "")})
    .replace("{", '{"time": 1, "time": 2, ', 1)
    .encode(),
    json.dumps({"schema_version": 1, "model_version": 7, "sha256": dict.fromkeys(FILES, "")}).encode(),
]


@pytest.mark.parametrize("wrong", WRONG_POINTERS)
def test_an_invalid_pointer_is_refused(
    wrong: bytes, bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str], tmp_path: Path
) -> None:
    publish(trained[0], bucket)
    bucket.put("models/latest.json", wrong)
    registry = Registry(f"{bucket}/models")
    for action in (registry.check, registry.versions, lambda: fetch(bucket, tmp_path / "model")):
        assert told(action) == (
            f"{bucket}/models/latest.json: does not point to a published model; "
            "name another prefix, or roll back to a version"
        )
    registry.roll_back(versions[0], SILENT)
    assert fetch(bucket, tmp_path / "model") == versions[0]


def test_who_may_not_list_can_publish(bucket: Bucket, trained: tuple[Path, Path], versions: tuple[str, str]) -> None:
    """Without s3:ListBucket, S3 says of a key that is not there that access is denied."""
    bucket.proxy.will(faulty.refused(403, "AccessDenied"), "GET", "latest.json")
    Registry(f"{bucket}/models").check()
    publish(trained[0], bucket)
    assert pointer(bucket)["model_version"] == versions[0]
