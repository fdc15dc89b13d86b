"""A body that is not plain text: base64, as events carry bytes, and gzip; loaded only when one comes."""

import zlib
from binascii import a2b_base64

from runtime.problem import BODY_TOO_LARGE, UNREADABLE_BODY, UNSUPPORTED_MEDIA_TYPE, Problem

GZIP = ("gzip", "x-gzip")
# https://www.iana.org/assignments/http-parameters/http-parameters.xhtml#content-coding
KNOWN = ("aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "pack200-gzip", "x-compress", "zstd")
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def decode(body: str, encoding: str, size_limit: int, *, is_base64: bool) -> bytes:
    """The bytes of a body; raises Problem if they cannot be had, or are more than `size_limit` once decompressed."""
    coding = encoding.strip().lower()
    if coding not in ("", "identity", *GZIP):
        name = coding if coding in KNOWN else "another"
        detail = f"expected the content-encoding gzip or none, got {name}"
        raise Problem(UNSUPPORTED_MEDIA_TYPE, detail, headers={"accept-encoding": "gzip"})
    if not is_base64:
        # No gzip is text, so that API Gateway has decompressed it already, or has read its bytes as text.
        if coding in GZIP and body.startswith("\x1f"):
            raise Problem(UNREADABLE_BODY, "expected gzip bytes, got text: declare the media type as binary")
        return body.encode("utf-8", "surrogatepass")
    try:
        data = a2b_base64(body, strict_mode=True)
    except ValueError as fault:
        raise Problem(UNREADABLE_BODY, f"expected base64, as isBase64Encoded says: {fault}") from None
    return _decompress(data, size_limit) if coding in GZIP else data


def _decompress(data: bytes, size_limit: int) -> bytes:
    """The content of one gzip member or several (RFC 1952, 2.2), never more in memory than the limit and a byte."""
    content = b""
    while data:
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            content += member.decompress(data, size_limit + 1 - len(content))
        except zlib.error:
            raise Problem(UNREADABLE_BODY, "expected gzip, as content-encoding says") from None
        if len(content) > size_limit:
            raise Problem(BODY_TOO_LARGE, f"expected at most {size_limit} bytes, decompressed")
        if not member.eof:
            raise Problem(UNREADABLE_BODY, "expected gzip, as content-encoding says, got only its beginning")
        data = member.unused_data
    return content
