"""`export.registry` stopped at any moment: what is published is a whole version, and so is the folder."""

import os
from pathlib import Path

import pytest

from cli.progress import Progress
from export.registry.models import Registry
from tests.stopped import digests, finish, stop
from tests.storage.conftest import Bucket
from tests.tiers import Sample

pytestmark = [
    pytest.mark.tier("land"),
    pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals"),
]

KILLS = 100
SILENT = Progress(quiet=True)


def test_a_stopped_publication_leaves_whole_versions(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path, sample: Sample, scratch: Path
) -> None:
    whole = {Registry(f"{bucket}/models").publish(folder / "model", SILENT): folder / "model" for folder in trained}
    bucket.client.delete_object(Bucket=bucket.name, Key="models/latest.json")
    publish = ["export.registry", "publish", f"{bucket}/models", "--quiet", "--model"]
    seconds = finish([*publish, trained[0] / "model"])
    for turn, number in enumerate(sample(range(KILLS), 2), 1):
        later = trained[turn % 2] / "model"
        for key in bucket.digests():  # a version that is not there yet, as when it is new
            if key.startswith(f"models/{next(name for name, folder in whole.items() if folder == later)}/"):
                bucket.client.delete_object(Bucket=bucket.name, Key=key)
        stop([*publish, later], f"publish {number}", seconds)
        version = Registry(f"{bucket}/models").fetch("latest", tmp_path / "fetched", SILENT)
        assert digests(tmp_path / "fetched") == digests(whole[version])
        finish([*publish, later])
        version = Registry(f"{bucket}/models").fetch("latest", tmp_path / "fetched", SILENT)
        assert digests(tmp_path / "fetched") == digests(later)
    assert not list(scratch.iterdir())


def test_a_stopped_fetch_leaves_a_whole_folder_and_the_next_one_nothing_else(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path, sample: Sample
) -> None:
    whole = [digests(folder / "model") for folder in trained]
    versions = [Registry(f"{bucket}/models").publish(folder / "model", SILENT) for folder in trained]
    folder = tmp_path / "own" / "model"
    folder.parent.mkdir()
    fetch = ["export.registry", "fetch", f"{bucket}/models", "--quiet", "--out", folder, "--version"]
    seconds = finish([*fetch, versions[0]])
    for turn, number in enumerate(sample(range(KILLS), 2), 1):
        stop([*fetch, versions[turn % 2]], f"fetch {number}", seconds)
        assert digests(folder) in whole
    finish([*fetch, versions[1]])
    assert digests(folder) == whole[1]
    assert list(folder.parent.iterdir()) == [folder]
