"""The permissions that each command needs from S3 are those of docs/storage.md, and no more."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.progress import Progress
from export.registry.models import Registry
from runtime.model import Model
from storage.faults import Denied
from storage.files import local_file
from tests.storage import faulty
from tests.storage.conftest import Bucket
from training.artifacts.runs import local_run, uploaded_run

pytestmark = pytest.mark.tier("land")

SILENT = Progress(quiet=True)
DOCUMENT = Path(__file__).parents[2] / "docs" / "storage.md"


def documented() -> dict[str, set[str]]:
    """The permissions that each flag and command needs."""
    _, _, section = DOCUMENT.read_text(encoding="utf-8").partition("## Permissions")
    return {
        flag.replace("`", ""): set(re.findall(r"s3:\w+", cell))
        for flag, cell in re.findall(r"\| (`(?:--)?\w+`[\w ]*) \| (.*) \|", section)
    }


def actions(bucket: Bucket, trained: tuple[Path, Path], scratch: Path) -> dict[str, Callable[[], object]]:
    """A call of each flag and command, by its name in the documentation."""
    registry = Registry(f"{bucket}/models")
    earlier = Model.load(str(trained[0] / "model")).manifest.model_version

    def data() -> None:
        with local_file(f"{bucket}/table.csv", SILENT) as path:
            assert path.read_bytes()

    def folder_of_data() -> None:
        with local_file(f"{bucket}/parts/", SILENT) as path:
            assert len(list(path.iterdir())) == 2

    def out() -> None:
        with uploaded_run(f"{bucket}/new/{len(bucket.content())}", SILENT) as folder:
            shutil.copytree(trained[0] / "artifacts", folder)

    def artifacts() -> None:
        with local_run(f"{bucket}/runs", SILENT) as folder:
            assert (folder / "run.json").exists()

    def publish() -> None:
        registry.check()
        registry.publish(trained[0] / "model", SILENT)

    return {
        "--data": data,
        "--data of a folder or a pattern": folder_of_data,
        "--out": out,
        "--artifacts": artifacts,
        "publish": publish,
        "fetch": lambda: registry.fetch("latest", scratch / "model", SILENT),
        "versions": registry.versions,
        "rollback": lambda: registry.roll_back(earlier, SILENT),
    }


def with_only(permissions: set[str], bucket: Bucket) -> None:
    def fault(handler: faulty.Handler, body: bytes) -> None:
        is_listing = handler.path.partition("?")[0] == f"/{bucket.name}"
        reading = "s3:ListBucket" if is_listing else "s3:GetObject"
        needed = "s3:PutObject" if handler.command == "PUT" else reading
        handler.give(handler.ask(body) if needed in permissions else faulty.refusal(403, "AccessDenied"))

    bucket.proxy.heal()
    bucket.proxy.will(fault)


COMMANDS = (
    "--data",
    "--data of a folder or a pattern",
    "--out",
    "--artifacts",
    "publish",
    "fetch",
    "versions",
    "rollback",
)


def test_every_row_of_the_table_is_tried(bucket: Bucket, trained: tuple[Path, Path], scratch: Path) -> None:
    assert documented().keys() == actions(bucket, trained, scratch).keys() == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_needs_each_of_its_permissions_and_no_other(
    command: str, bucket: Bucket, trained: tuple[Path, Path], scratch: Path
) -> None:
    for key in ("table.csv", "parts/1.csv", "parts/2.csv"):
        bucket.put(key, b"content")
    with uploaded_run(f"{bucket}/runs", SILENT) as folder:
        shutil.copytree(trained[0] / "artifacts", folder)
    for model in trained:
        Registry(f"{bucket}/models").publish(model / "model", SILENT)
    needed, action = documented()[command], actions(bucket, trained, scratch)[command]
    for permission in needed:
        with_only(needed - {permission}, bucket)
        with pytest.raises(Denied, match=f"access denied.*allow {permission} there"):
            action()
    with_only(needed, bucket)
    action()
