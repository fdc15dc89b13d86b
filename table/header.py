"""Headers that name fewer columns than the rows have: R's and pandas' row names, and a separator at each line's end."""

from collections.abc import Sequence

UNNAMED = "(unnamed)"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def completed(content: bytes, separator: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """The content with a header that has a name, or an empty cell, for each column; a first one without is UNNAMED.

    `rows` are the first ones.
    """
    start = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0
    start += len(content[start:]) - len(content[start:].lstrip(b"\r\n"))
    mark = separator.encode()
    if header and header[0] == "" and UNNAMED not in header:
        rest = content[start:].removeprefix(b'""')
        return content[:start] + UNNAMED.encode() + rest
    one_more = bool(rows) and all(len(row) == len(header) + 1 for row in rows)
    if not one_more or UNNAMED in header:
        return content
    if all(row[-1] == "" for row in rows):
        end = min(at for at in (content.find(b"\n", start), content.find(b"\r", start)) if at >= 0)
        return content[:end] + mark + content[end:]
    return content[:start] + UNNAMED.encode() + mark + content[start:]
