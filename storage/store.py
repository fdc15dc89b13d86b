"""Objects in S3: read, written and listed. Faults that may pass are retried, bytes are checked, the rest is one line.

boto3's client finds credentials, region and endpoint, signs, and retries requests with growing pauses, eight times or
as often as AWS_MAX_ATTEMPTS says. Its transfer manager (s3transfer 0.19) cannot do what docs/storage.md promises. It
refuses `IfNoneMatch`, knows the SHA-256 of a part only, and does not hand on the answer that confirms an upload. It
asks for an object's head first, and a refused HEAD does not say whether bucket, key or credentials are wrong. It then
reads ranges, for which there is no checksum, and starts a broken range again, five times in all; here a stream
continues where it ended.
"""

import base64
import io
import mimetypes
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from cli.errors import UserError
from cli.words import nearest
from storage.address import Address
from storage.checksum import checksum_of
from storage.digest import sha256_of
from storage.faults import Missing, NotS3, ask_for_a_region_once, told

ATTEMPTS = 8
CONNECT_SECONDS, SILENCE_SECONDS = 10, 30  # until a connection is there; between two bytes of an answer
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0  # seconds before a stream is taken up again, doubled each time
CHUNK = 2**18  # less than this between two breaks of a stream is no progress
NEIGHBOURS = 1_000  # keys that are looked at for one of nearly the same name

Moved = Callable[[int, int], None]
"""Receives the number of bytes that have been moved, and the number of all."""


class Listed(NamedTuple):
    """An object under a prefix: the rest of its key, the time at which it was written, and its number of bytes."""

    key: str
    written: datetime
    size: int


def unwatched(done: int, total: int) -> None:
    """A progress callable that shows nothing."""


class Several:
    """Files that are moved one after the other, shown as one."""

    def __init__(self, moved: Moved, total: int = 0) -> None:
        """`total` is the size of all together, 0 if it is not known beforehand."""
        self._moved, self._total, self._done = moved, total, 0

    def next(self) -> Moved:
        """The callback for the next file."""
        return partial(self._show, self._done)

    def _show(self, before: int, here: int, size: int) -> None:
        self._done = before + here
        self._moved(self._done, max(self._total, before + size))


class Store:
    """S3, with the credentials of the command's user. Raises UserError for all that goes wrong."""

    def __init__(self) -> None:
        try:
            import boto3.session
            import botocore.session
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise UserError('s3:// addresses need boto3, which is not installed; pip install "lastbit[aws]"') from None
        session = botocore.session.get_session()
        try:
            self.attempts: int = session.get_config_variable("max_attempts") or ATTEMPTS
            settings = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=SILENCE_SECONDS,
                retries={"mode": "standard", "total_max_attempts": self.attempts},
            )
            self._client: Any = boto3.session.Session(botocore_session=session).client("s3", config=settings)
            ask_for_a_region_once(self._client)
        except (BotoCoreError, ValueError) as fault:
            raise UserError(f"S3: {str(fault).rstrip('.')}; correct the AWS configuration") from fault

    def read(self, address: Address) -> bytes:
        """The bytes of a small object."""
        content = io.BytesIO()
        self._copy(address, content, unwatched)
        return content.getvalue()

    def download(self, address: Address, path: Path, moved: Moved = unwatched) -> str:
        """Download an object to a file; return the check that it passed, such as `SHA256`, `MD5` or `size`.

        If there is no such object, Missing suggests the nearest key, where the bucket can be listed.
        """
        try:
            with path.open("w+b") as file:
                return self._copy(address, file, moved)
        except Missing as missing:
            raise self._with_suggestion(address, missing) from missing

    def read_range(self, address: Address, first: int, last: int, tag: str | None = None) -> tuple[bytes, str]:
        """The bytes of an object from one place to another, and its ETag. Raises UserError where that is not `tag`."""
        content = io.BytesIO()
        with told(address, self.attempts):
            found = self._copy_range(address, content, first, last, tag)
        return content.getvalue(), found

    def download_ranges(self, address: Address, path: Path, ranges: Iterable[tuple[int, int]], tag: str) -> None:
        """Write parts of the object with this ETag to their places in a file that is there.

        S3 knows no checksum of them: their length alone is checked.
        """
        with told(address, self.attempts), path.open("r+b") as file:
            for first, last in ranges:
                file.seek(first)
                self._copy_range(address, file, first, last, tag)

    def append_range(self, address: Address, path: Path, first: int, last: int, tag: str) -> None:
        """Append a part of the object with this ETag to a file, which may not be there yet."""
        with told(address, self.attempts), path.open("ab") as file:
            self._copy_range(address, file, first, last, tag)

    def write(self, address: Address, content: bytes) -> None:
        """Upload a small object atomically, over an earlier one if there is one."""
        self._put(address, io.BytesIO(content), sha256_of(content))

    def upload(
        self, path: Path, address: Address, sha256: str, moved: Moved = unwatched, *, replace: bool = True
    ) -> None:
        """Upload a file with its sha256; S3 refuses other bytes.

        Raises Taken where another object is there and `replace` is False.
        """
        with _Watched(path, moved) as file:
            self._put(address, file, sha256, {} if replace else {"IfNoneMatch": "*"})

    def listed(self, prefix: Address) -> Iterator[Listed]:
        """The objects under a prefix, by key."""
        start = f"{prefix.key}/" if prefix.key else ""
        with told(prefix, self.attempts):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=start)
            for page in pages:
                if "Name" not in page:
                    raise NotS3(prefix)
                for entry in page.get("Contents", ()):
                    yield Listed(entry["Key"].removeprefix(start), entry["LastModified"], entry["Size"])

    def sha256_of(self, address: Address) -> str | None:
        """The digest of an object's bytes as S3 has it: of what `write` and `upload` put there; else None.

        Raises Missing where there is no such object.
        """
        with told(address, self.attempts):
            answer = _ask(self._client.head_object, address, ("ETag",), ChecksumMode="ENABLED")
        checksum = answer.get("ChecksumSHA256", "")
        return None if not checksum or "-" in checksum else base64.b64decode(checksum).hex()

    def _put(self, address: Address, body: BinaryIO, sha256: str, condition: dict[str, str] | None = None) -> None:
        with told(address, self.attempts):
            put(self._client, address, body, sha256, **condition or {})

    def _copy(self, address: Address, file: BinaryIO, moved: Moved) -> str:
        with told(address, self.attempts):
            for _ in range(2):  # what the way altered may come whole the second time
                answer = self._get(address)
                with closing(answer["Body"]), closing(self._chunks(address, answer)) as chunks:
                    checksum = checksum_of(answer, lambda part: self._size_of_part(address, part))
                    size, checked_by = answer["ContentLength"], checksum.name if checksum else "size"
                    file.seek(0)
                    file.truncate()
                    for chunk in chunks:
                        file.write(chunk)
                        moved(file.tell(), size)
                if file.tell() == size and (checksum is None or checksum.holds(file)):
                    return checked_by
        raise UserError(f"{address}: arrived damaged twice, by its {checked_by}; run again")

    def _copy_range(self, address: Address, file: BinaryIO, first: int, last: int, tag: str | None) -> str:
        condition = {} if tag is None else {"IfMatch": tag}
        answer = self._get(address, Range=f"bytes={first}-{last - 1}", **condition)
        with closing(answer["Body"]):
            if answer["ContentLength"] != last - first:
                raise UserError(
                    f"{address}: expected a range of {last - first:,} bytes, got {answer['ContentLength']:,}"
                )
            with closing(self._chunks(address, answer, first, last)) as chunks:
                written = sum(file.write(chunk) for chunk in chunks)
        if written != last - first:
            raise UserError(f"{address}: expected {last - first:,} bytes, got {written:,}; run again")
        return str(answer["ETag"])

    def _get(self, address: Address, **condition: str) -> dict[str, Any]:
        return _ask(self._client.get_object, address, ("ETag", "ContentLength"), **condition)

    def _chunks(
        self, address: Address, answer: dict[str, Any], first: int = 0, last: int | None = None
    ) -> Generator[bytes]:
        """The bytes of an object, or of its range, that was asked for."""
        from botocore.exceptions import FlexibleChecksumError, HTTPClientError, IncompleteReadError
        from urllib3.exceptions import HTTPError

        done, failures, lately, body = 0, 0, 0, answer["Body"]
        while True:
            try:
                with closing(body):
                    while chunk := body.read(CHUNK):
                        done, lately = done + len(chunk), lately + len(chunk)
                        yield chunk
                return
            except FlexibleChecksumError:  # after the last byte; `_copy` looks itself, as at streams taken up again
                return
            except (HTTPClientError, HTTPError, IncompleteReadError):
                failures, lately = (1 if lately >= CHUNK else failures + 1), 0
                if failures == self.attempts:
                    raise
                time.sleep(min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE))
                body = self._get(
                    address, Range=f"bytes={first + done}-{'' if last is None else last - 1}", IfMatch=answer["ETag"]
                )["Body"]

    def _size_of_part(self, address: Address, number: int) -> int:
        return int(_ask(self._client.head_object, address, ("ContentLength",), PartNumber=number)["ContentLength"])

    def _with_suggestion(self, address: Address, missing: Missing) -> Missing:
        """Suggest the nearest key, where the bucket can be listed."""
        folder, _, name = address.key.rpartition("/")
        siblings = Address(address.bucket, folder)
        try:
            known = [entry.key for entry in islice(self.listed(siblings), NEIGHBOURS)] if missing.what == "key" else []
        except UserError:
            return missing
        if any(key.startswith(f"{name}/") for key in known):
            return Missing(address, missing.what, Address(address.bucket, f"{address.key}/"))
        suggestion = nearest(name, known)
        return Missing(address, missing.what, siblings / suggestion if suggestion else None)


def put(client: Any, address: Address, body: BinaryIO, sha256: str, **more: str) -> None:
    """Put an object of which the sha256 is known there by boto3's client; S3 refuses other bytes.

    `more` are parameters of PutObject. Raises NotS3 if nobody confirmed it, and what boto3 raises (see `told`).
    """
    kind = mimetypes.guess_type(address.key)[0] or "application/octet-stream"
    checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
    content = {"Body": body, "ContentType": kind, "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": checksum}
    _ask(client.put_object, address, ("ETag",), **content, **more)


def _ask(
    operation: Callable[..., dict[str, Any]], address: Address, expected: tuple[str, ...], **more: Any
) -> dict[str, Any]:
    """S3's answer about one object. Raises NotS3 if it lacks what S3 always says: then S3 confirmed nothing."""
    answer = operation(Bucket=address.bucket, Key=address.key, **more)
    if any(name not in answer for name in expected):
        if "Body" in answer:
            answer["Body"].close()
        raise NotS3(address)
    return answer


class _Watched(io.FileIO):
    """A file that reports how far it has been read."""

    def __init__(self, path: Path, moved: Moved) -> None:
        super().__init__(path)
        self._size, self._moved = path.stat().st_size, moved

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(-1 if size is None else size)
        self._moved(self.tell(), self._size)
        return content
