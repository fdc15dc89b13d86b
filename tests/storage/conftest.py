"""S3 on loopback: moto's server, a proxy that makes faults, a bucket for each test; and two small models."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.loaders import Loader

from storage import store
from tests import applicants
from tests.model_folder import train_and_export
from tests.once import once
from tests.storage.faulty import Proxy

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_MAX_ATTEMPTS": "3",
}
SETTINGS = f"""{applicants.SETTINGS}
[model]
calibration = "sigmoid"
"""
NUMBERS = count(1)
LOADER = Loader()  # reads the description of S3 once, not for every client
FEW_TREES = ("--n-estimators", "15", "--no-plots", "--quiet")


@dataclass
class Bucket:
    """A bucket that commands reach through `proxy`, and tests directly."""

    name: str
    proxy: Proxy
    client: Any

    def __str__(self) -> str:
        return f"s3://{self.name}"

    def put(self, key: str, content: bytes, **more: Any) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content, **more)

    def get(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def content(self) -> dict[str, bytes]:
        """Every object by its key."""
        return {key: self.get(key) for key in self.digests()}

    def digests(self) -> dict[str, str]:
        """The MD5 of every object by its key."""
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {entry["Key"]: entry["ETag"] for entry in listed}


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    """The port of an S3 server."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("s3_process.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="session")
def proxy(s3_port: int) -> Iterator[Proxy]:
    server = Proxy(s3_port)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def client(s3_port: int) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{s3_port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def bucket(proxy: Proxy, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, which this process and its children reach through the proxy; temporary files go to tmp_path."""
    proxy.heal()
    for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL": proxy.url}).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)  # it remembers
    monkeypatch.setattr("botocore.session.create_loader", lambda *_: LOADER)
    monkeypatch.setattr(store, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    name = f"bucket-{next(NUMBERS)}"
    client.create_bucket(Bucket=name)
    return Bucket(name, proxy, client)


@pytest.fixture
def scratch(bucket: Bucket, tmp_path: Path) -> Path:
    """Where temporary files go."""
    return tmp_path / "scratch"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders, each with settings.toml, table.csv, artifacts/ and model/ of a version of its own."""

    def train(folder: Path, seed: int) -> None:
        frame, target = applicants.draw(600)
        frame.assign(default=target, uuid=[f"a{i}" for i in range(600)]).to_csv(folder / "table.csv", index=False)
        (folder / "settings.toml").write_text(SETTINGS)
        train_and_export(folder, "--seed", str(seed), "--n-estimators", "15")

    (first, _), (second, _) = (once(tmp_path_factory, f"stored-{seed}", partial(train, seed=seed)) for seed in (1, 2))
    return first, second
