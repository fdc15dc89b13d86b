"""Training runs in S3.

    PREFIX/run.json          the record of the newest complete run: its files, each with its sha256
    PREFIX/RUN/report.html   the files of every run, with its record; RUN is the start of the sha256 of that record
    PREFIX/RUN/run.json

Runs do not write over each other's files, and PREFIX/run.json moves last: however an upload ends, the prefix holds
the last complete run. An earlier one is read as PREFIX/RUN. Nothing is ever deleted.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, cast

from rich.markup import escape

from cli.errors import UserError
from cli.progress import Progress
from runtime.strict_json import parse_file
from storage.address import Address, is_remote
from storage.digest import sha256_of
from storage.faults import Denied, Missing
from storage.store import Moved, Several, Store
from training.artifacts import LARGEST_FILE, RUN, TRAIN_AGAIN, run_of


@contextmanager
def uploaded_run(prefix: str, progress: Progress) -> Iterator[Path]:
    """A folder for the artifacts of a run, uploaded if the block ends without an exception.

    Faults that can be detected early are reported early: text that is not an address, missing credentials, a missing
    bucket.
    """
    address, store = Address.of_prefix(prefix), Store()
    _refuse_other_files(store, address / RUN)
    with tempfile.TemporaryDirectory(prefix="lastbit-") as scratch:
        folder = Path(scratch) / "artifacts"
        yield folder
        with progress.transfer(f"Uploading to {address}") as moved:
            own = _upload(store, folder, address, moved)
    progress.say(f"Written to [bold]{escape(str(own))}/[/] (open report.html), now the run of {escape(str(address))}.")
    progress.say(f"Next: python -m export.to_onnx --artifacts {escape(str(address))}")


@contextmanager
def local_run(name: str, progress: Progress) -> Iterator[Path]:
    """The artifacts folder of this name; one in S3 is brought here for as long as the block runs.

    Raises UserError, naming the object, where one is missing or its sha256 is not the one in the record.
    """
    if not is_remote(name):
        yield Path(name)
        return
    address = Address.of_prefix(name)
    with tempfile.TemporaryDirectory(prefix="lastbit-") as scratch:
        with progress.transfer(f"Downloading {name}") as moved:
            _download(Store(), address, Path(scratch), moved)
        yield Path(scratch)


def _upload(store: Store, folder: Path, address: Address, moved: Moved) -> Address:
    record = (folder / RUN).read_bytes()
    own = address / _run_name(record)
    files: dict[str, str] = run_of(record, folder / RUN)["files"]
    several = Several(moved, sum((folder / name).stat().st_size for name in files))
    for name, sha256 in files.items():
        store.upload(folder / name, own / name, sha256, several.next())
    store.write(own / RUN, record)
    store.write(address / RUN, record)
    return own


def _download(store: Store, address: Address, folder: Path, moved: Moved) -> None:
    record = store.read(address / RUN)
    run_name = _run_name(record)
    own = address if address.key.rpartition("/")[2] == run_name else address / run_name
    several = Several(moved)
    for name, expected in run_of(record, address / RUN)["files"].items():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UserError(f"{address / RUN}: names a file outside of its folder, {name}; do not trust this run")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        store.download(own / name, path, several.next())
        if (came := sha256_of(path)) != expected:
            raise UserError(f"{own / name}: sha256: expected {expected}, got {came}; it was changed: {TRAIN_AGAIN}")
    (folder / RUN).write_bytes(record)


def _run_name(record: bytes) -> str:
    return sha256_of(record)[:12]


def _refuse_other_files(store: Store, record: Address) -> None:
    try:
        content = store.read(record)
    except Denied:
        return  # without s3:ListBucket it may just not be there; a user who may only write gets the error when writing
    except Missing as missing:
        if missing.what == "bucket":
            raise
        return
    try:
        is_run = "schema_version" in cast("Any", parse_file(content, LARGEST_FILE))
    except (ValueError, TypeError):
        is_run = False
    if not is_run:
        raise UserError(f"{record}: is not the record of a training run; name another prefix with --out")
