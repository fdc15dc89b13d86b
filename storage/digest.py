"""The digest by which files, tables and versions are named and compared."""

import hashlib
from pathlib import Path


def sha256_of(content: Path | bytes) -> str:
    """The digest of bytes, or of the bytes of a file, in hexadecimal."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
