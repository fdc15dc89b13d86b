"""`export.package` stopped at any moment: task/ and lambda.zip are both as they were, or both new."""

import os
from pathlib import Path

import pytest

from export.packaging.target import Target
from tests.export.packaging.build_command import CACHE
from tests.export.packaging.model_folder import certified_model, certify
from tests.stopped import digests, finish, stop
from tests.tiers import Sample

KILLS = 100


@pytest.mark.tier("full")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_stopped_package_leaves_a_whole_one_and_the_next_one_nothing_else(
    model: Path, target: Target, tmp_path: Path, sample: Sample
) -> None:
    out = tmp_path / "own" / "dist"
    where = ["--out", out, "--cache", CACHE, "--python", target.version, "--arch", target.arch, "--quiet"]
    certify(other := certified_model(tmp_path / "other"), calibration="another")
    package = [["export.package", "--model", folder, *where] for folder in (other, model)]
    seconds, whole = 0.0, []
    for words in package:
        seconds = finish(words)
        whole.append(digests(out))
    assert whole[0] != whole[1]
    for turn, number in enumerate(sample(range(KILLS), 1)):
        stop(package[turn % 2], f"package {number}", seconds)
        assert digests(out) in whole
    finish(package[1])
    assert digests(out) == whole[1]
    assert list(out.parent.iterdir()) == [out]
