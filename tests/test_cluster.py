"""A Dask cluster that a command works on: other versions and absent workers are named before any work."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cli.cluster import refuse_versions, refuse_without
from cli.errors import UserError
from scoring.cluster import OF_BYTES
from training.in_parts.cluster import OF_BITS, SENT

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


def elsewhere(question: Callable[[], bool]) -> bool:
    """The answer of a process that has the installed packages, and nothing of lastbit."""
    from distributed.protocol.pickle import dumps

    code = "import pickle, sys; sys.modules |= dict.fromkeys(('scoring', 'training')); "
    code += "print(pickle.load(sys.stdin.buffer)())"
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], input=dumps(question), env=variables, capture_output=True, check=True
    )
    return bool(done.stdout == b"True\n")


def here(question: Callable[[], bool]) -> bool:
    return question()


@pytest.mark.parametrize(
    ("of_scheduler", "of_worker", "who"),
    [(here, elsewhere, "worker tcp://w"), (elsewhere, here, "the scheduler"), (here, here, "")],
)
def test_a_process_of_the_cluster_without_lastbit_is_named(
    of_scheduler: Callable[..., bool], of_worker: Callable[..., bool], who: str
) -> None:
    client = SimpleNamespace(run_on_scheduler=of_scheduler, run=lambda question: {"tcp://w": of_worker(question)})
    for module in ("scoring.dask_plugin", SENT):
        if not who:
            refuse_without("tcp://s", client, module)
            continue
        with pytest.raises(UserError) as caught:
            refuse_without("tcp://s", client, module)
        expected = f"tcp://s: {who}: expected lastbit, got none; install it there, or set PYTHONPATH"
        assert str(caught.value) == expected
