"""What S3 knows of an object's bytes, and whether a file has them.

An object has a checksum of its own (SHA-512, SHA-256, SHA-1, CRC32; CRC32C and CRC64NVME can be checked where the
package awscrt is there), or an ETag that is an MD5. One that was uploaded in parts may have the digest of the parts'
digests.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
        """Whether a file, read from its start, has these bytes."""
        file.seek(0)
        if self.part_size is None:
            return _digest(file, self.algorithm, None) == self.expected
        size = file.seek(0, 2)
        file.seek(0)
        whole = self.algorithm()
        for _ in range(0, size, self.part_size):
            whole.update(_digest(file, self.algorithm, self.part_size))
        return bool(whole.digest() == self.expected)


def checksum_of(answer: Mapping[str, Any], size_of_part: Callable[[int], int]) -> Checksum | None:
    """The checksum in S3's answer to GetObject; None where there is none that can be checked here.

    `size_of_part` asks for the size in bytes of a part, counted from 1.
    """
    for name, algorithm in _algorithms().items():
        if value := answer.get(f"Checksum{name}"):
            digest, _, parts = str(value).partition("-")
            return _of_parts(name, algorithm, base64.b64decode(digest), parts, answer["ContentLength"], size_of_part)
    etag = re.fullmatch(r'"([0-9a-f]{32})(?:-(\d+))?"', answer["ETag"])
    if etag is None or answer.get("ServerSideEncryption") in OPAQUE_ENCRYPTION or "SSECustomerAlgorithm" in answer:
        return None
    digest, parts = etag.groups()
    return _of_parts("MD5", _md5, bytes.fromhex(digest), parts, answer["ContentLength"], size_of_part)


def _of_parts(
    name: str,
    algorithm: Algorithm,
    expected: bytes,
    parts: str | None,
    size: int,
    size_of_part: Callable[[int], int],
) -> Checksum | None:
    if not parts:
        return Checksum(name, algorithm, expected)
    count, part_size = int(parts), size_of_part(1)
    if part_size * (count - 1) + size_of_part(count) != size:
        return None  # parts of different sizes: a digest over them would need the size of each
    return Checksum(f"{name} of its {count} parts", algorithm, expected, part_size)


def _algorithms() -> dict[str, Algorithm]:
    """Those that can be computed here, the strongest first."""
    from botocore import httpchecksum
    from botocore.compat import HAS_CRT

    known: dict[str, Algorithm] = {"SHA512": hashlib.sha512, "SHA256": hashlib.sha256, "SHA1": _sha1}
    if HAS_CRT:
        known |= {"CRC64NVME": httpchecksum.CrtCrc64NvmeChecksum, "CRC32C": httpchecksum.CrtCrc32cChecksum}
    return known | {"CRC32": httpchecksum.Crc32Checksum}


def _sha1() -> Any:
    return hashlib.sha1(usedforsecurity=False)


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def _digest(file: BinaryIO, algorithm: Algorithm, size: int | None) -> bytes:
    """Of the next `size` bytes of a file, or of the rest."""
    digest = algorithm()
    while (size is None or size) and (chunk := file.read(CHUNK if size is None else min(CHUNK, size))):
        digest.update(chunk)
        size = None if size is None else size - len(chunk)
    return bytes(digest.digest())
