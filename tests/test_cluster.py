"""A Dask cluster that a command works on: other versions and absent workers are named before any work."""

import copy
from typing import Any

import pytest

from cli.cluster import refuse_versions
from cli.errors import UserError
from scoring.cluster import OF_BYTES
from training.in_parts.cluster import OF_BITS

PACKAGES = dict.fromkeys(("dask", "distributed", *OF_BYTES, *OF_BITS), "1")
ALIKE: dict[str, Any] = {
    "client": {"packages": PACKAGES},
    "scheduler": {"packages": PACKAGES},
    "workers": {"tcp://w": {"packages": PACKAGES}},
}


@pytest.mark.parametrize("packages", [OF_BYTES, OF_BITS])
def test_equal_versions_are_accepted(packages: tuple[str, ...]) -> None:
    refuse_versions("tcp://s", ALIKE, packages)


@pytest.mark.parametrize(
    ("place", "package", "packages"),
    [
        ("scheduler", "dask", OF_BYTES),
        ("scheduler", "distributed", OF_BYTES),
        ("worker", "dask", OF_BYTES),
        ("worker", "distributed", OF_BITS),
        ("worker", "pyarrow", OF_BYTES),
        ("worker", "xgboost", OF_BITS),
    ],
)
def test_another_version_is_named(place: str, package: str, packages: tuple[str, ...]) -> None:
    other = copy.deepcopy(ALIKE)
    its = other["scheduler"] if place == "scheduler" else other["workers"]["tcp://w"]
    its["packages"] = PACKAGES | {package: "0"}
    who = "the scheduler" if place == "scheduler" else "worker tcp://w"
    with pytest.raises(UserError) as caught:
        refuse_versions("tcp://s", other, packages)
    assert str(caught.value) == f"tcp://s: {who}: expected {package} 1, as here, got 0; install the same version on all"


def test_a_scheduler_without_workers_is_named() -> None:
    with pytest.raises(UserError, match="the scheduler has no workers"):
        refuse_versions("tcp://s", ALIKE | {"workers": {}}, OF_BYTES)
