"""From the path of a request to a resource; loaded only if the path is not that of a resource already."""

import re
from collections.abc import Iterator

from runtime.event import Request

_SLASHES = re.compile("/{2,}")
# RFC 3986, 2.3: these characters mean the same with percent-encoding and without; no others are decoded.
_ENCODED_UNRESERVED = re.compile("%(?:2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])")


def normal(path: str) -> str:
    """The path with single slashes, without one at its end, and with unreserved characters decoded.

    >>> normal("//predict/%62atch/")
    '/predict/batch'
    """
    path = _ENCODED_UNRESERVED.sub(lambda found: chr(int(found[0][1:], 16)), path)
    return _SLASHES.sub("/", path).rstrip("/") or "/"


def candidates(request: Request, base_path: str) -> Iterator[str]:
    """Readings of the path, most literal first: with and without prefixes, then the resource API Gateway matched."""
    path = normal(request.path)
    yield path
    for prefixes in ((base_path, request.stage), (request.stage, base_path)):
        rest = path
        for prefix in prefixes:
            if prefix and (rest == prefix or rest.startswith(prefix + "/")):
                rest = rest[len(prefix) :] or "/"
                yield rest
    if request.resource:
        yield normal(request.resource)
