"""Checksums by which an object's bytes are known to S3, computed here again.

An object has a checksum of its own (SHA-512, SHA-256, SHA-1, CRC32; CRC32C and CRC64NVME can be checked where the
package awscrt is installed), or an ETag that is an MD5. An object that was uploaded in parts may have the digest of
the parts' digests, which botocore does not check; nor does it check ETags, or a stream that was resumed.
"""

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

CHUNK = 2**20
OPAQUE_ENCRYPTION = ("aws:kms", "aws:kms:dsse")  # with it an ETag is no MD5
Algorithm = Callable[[], Any]


@dataclass(frozen=True)
class Checksum:
    """The expected digest of a whole object, or of the digests of its parts, each of `part_size` bytes."""

    name: str
    algorithm: Algorithm
    expected: bytes
    part_size: int | None = None

    def holds(self, file: BinaryIO) -> bool:
        """Compare with the bytes of a file, read from its start."""
        size = file.seek(0, 2)
        file.seek(0)
        if self.part_size is None:
            return self._digest(file, size) == self.expected
        whole = self.algorithm()
        for start in range(0, size, self.part_size):
            whole.update(self._digest(file, min(self.part_size, size - start)))
        return bool(whole.digest() == self.expected)

    def _digest(self, file: BinaryIO, size: int) -> bytes:
        digest = self.algorithm()
        while size and (chunk := file.read(min(CHUNK, size))):
            digest.update(chunk)
            size -= len(chunk)
        return bytes(digest.digest())


def checksum_of(answer: Mapping[str, Any], size_of_part: Callable[[int], int]) -> Checksum | None:
    """The checksum in S3's answer to GetObject; None without a checksum that can be computed here.

    `size_of_part` asks for the size in bytes of a part, counted from 1.
    """
    etag = re.fullmatch(r'"([0-9a-f]{32})((?:-\d+)?)"', answer["ETag"])
    if found := next(((name, kind) for name, kind in _algorithms().items() if answer.get(f"Checksum{name}")), None):
        name, algorithm = found
        digest, _, parts = str(answer[f"Checksum{name}"]).partition("-")
        expected = base64.b64decode(digest)
    else:
        if etag is None or answer.get("ServerSideEncryption") in OPAQUE_ENCRYPTION or "SSECustomerAlgorithm" in answer:
            return None
        name, algorithm = "MD5", partial(hashlib.md5, usedforsecurity=False)
        expected, parts = bytes.fromhex(etag[1]), etag[2].removeprefix("-")
    if not parts:
        return Checksum(name, algorithm, expected)
    count, part_size = int(parts), size_of_part(1)
    if part_size * (count - 1) + size_of_part(count) != answer["ContentLength"]:
        return None  # parts of different sizes: a digest over them would need the size of each
    return Checksum(f"{name} of its {count} parts", algorithm, expected, part_size)


class _Crc:
    """A cyclic redundancy check in the form of hashlib's digests."""

    def __init__(self, step: Callable[[bytes, int], int], size: int) -> None:
        self._step, self._size, self._value = step, size, 0

    def update(self, chunk: bytes) -> None:
        self._value = self._step(chunk, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def _algorithms() -> dict[str, Algorithm]:
    """Algorithms that are installed here, the strongest first."""
    sha1 = partial(hashlib.sha1, usedforsecurity=False)
    known: dict[str, Algorithm] = {"SHA512": hashlib.sha512, "SHA256": hashlib.sha256, "SHA1": sha1}
    try:
        from awscrt import checksums
    except ImportError:
        pass
    else:
        known |= {"CRC64NVME": partial(_Crc, checksums.crc64nvme, 8), "CRC32C": partial(_Crc, checksums.crc32c, 4)}
    return known | {"CRC32": partial(_Crc, zlib.crc32, 4)}
