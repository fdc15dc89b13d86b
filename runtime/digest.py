"""Digests that a start compares: of the graph's bytes, and of everything in a manifest."""

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmap import mmap


def sha256(data: "bytes | mmap") -> str:
    """The digest in hexadecimal.

    hashlib loads OpenSSL, which takes 4 ms if nothing has loaded it yet, more than it saves on a model of a megabyte.
    Python's own implementation gives the same digest. It has no public name, so hashlib is used if a Python renames it.
    """
    if "_hashlib" not in sys.modules:
        name = "_sha2" if sys.version_info >= (3, 12) else "_sha256"
        try:
            return str(__import__(name).sha256(data).hexdigest())
        except (ImportError, AttributeError):
            pass
    import hashlib

    return hashlib.sha256(data).hexdigest()


def version_of(manifest: Mapping[str, Any]) -> str:
    """The version of the model that a manifest describes: a digest of everything in it but the version.

    The graph's own digest is in the manifest, so two models with the same version answer the same. Raises ValueError
    for a number that is not finite.
    """
    return digest_of(manifest, besides="model_version")[:12]


def digest_of(document: Mapping[str, Any], besides: str) -> str:
    """The sha256 of all that a JSON object says besides one member, whatever the order of its members."""
    content = {key: value for key, value in document.items() if key != besides}
    return sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode())
