"""A Dask cluster that a command uses: its client, and the check of the workers' packages, on which results depend."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cli.errors import UserError

SECONDS = 20  # until a scheduler answers, and until it has a worker
DASK = ("dask", "distributed")
INSTALL = 'needs Dask, which is not installed; pip install "lastbit[dask]"'


@contextmanager
def connected(address: str, packages: Sequence[str], module: str, what_stays: str) -> Iterator[Any]:
    """A client of the scheduler at `address`, all of whose workers have the Dask and the `packages` of this process.

    `module` is the one of lastbit whose functions are sent there.

    Raises UserError, in one line that ends with `what_stays`, for whatever Dask or its workers raise.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UserError(f"a cluster {INSTALL}") from None
    quiet()
    try:
        client = Client(address, timeout=SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as fault:
        raise UserError(f"{address}: no Dask scheduler answers there: {line_of(fault)}; {what_stays}") from fault
    try:
        refuse_versions(address, _versions(address, client, packages), packages)
        refuse_without(address, client, module)
        with client.as_current():
            yield client
    except (UserError, KeyboardInterrupt):
        raise
    except Exception as fault:  # Dask raises whatever the workers did, and classes of its own
        raise UserError(f"{address}: {type(fault).__name__}: {line_of(fault)}; {what_stays}") from fault
    finally:
        client.close(timeout=SECONDS)


def refuse_versions(address: str, versions: Mapping[str, Any], packages: Sequence[str]) -> None:
    """Raise UserError for a scheduler or a worker with another Dask, or a worker with another of the `packages`.

    `versions` is what distributed's Client.get_versions returns.
    """
    here = versions["client"]["packages"]
    if not versions["workers"]:
        raise UserError(f"{address}: the scheduler has no workers; start some (dask worker {address})")
    others: list[tuple[str, Any, tuple[str, ...]]] = [("the scheduler", versions["scheduler"], DASK)]
    others += [(f"worker {name}", its, (*DASK, *packages)) for name, its in versions["workers"].items()]
    for who, its, needed in others:
        for package in needed:
            if (found := its["packages"].get(package)) != here[package]:
                problem = f"expected {package} {here[package]}, as here, got {found or 'none'}"
                raise UserError(f"{address}: {who}: {problem}; install the same version on all")


def refuse_without(address: str, client: Any, module: str) -> None:
    """Raise UserError for a scheduler or a worker that cannot import a module of lastbit; each reads what is sent."""

    def has_it() -> bool:  # sent by value, since nothing of lastbit may be there
        from importlib.util import find_spec

        try:
            return find_spec(module) is not None
        except ImportError:
            return False

    found = {"the scheduler": client.run_on_scheduler(has_it)}
    found |= {f"worker {name}": has for name, has in client.run(has_it).items()}
    for who, has in found.items():
        if not has:
            raise UserError(f"{address}: {who}: expected lastbit, got none; install it there, or set PYTHONPATH")


def quiet() -> None:
    """Keep Dask's log and warnings out of the command's output, which says what is wrong in one line."""
    from distributed.versions import VersionMismatchWarning

    warnings.filterwarnings("ignore", category=VersionMismatchWarning)
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":  # Dask gives some of them a level of their own
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _versions(address: str, client: Any, packages: Sequence[str]) -> Mapping[str, Any]:
    try:
        client.wait_for_workers(1, timeout=SECONDS)
    except TimeoutError:
        raise UserError(f"{address}: the scheduler has no workers; start some (dask worker {address})") from None
    found: Mapping[str, Any] = client.get_versions(packages=list(packages))
    return found


def line_of(fault: BaseException) -> str:
    """Text of an exception, as one line."""
    return " ".join(str(fault).split()).rstrip(".")[:300] or type(fault).__name__
