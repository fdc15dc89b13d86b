"""Headers below a title, and those that name fewer columns than the rows have: row names of R, ends of lines."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from cli.errors import UserError
from table.words import number_of

UNNAMED = "(unnamed)"
MOST_LINES_ABOVE = 20  # of a title and the like
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LINE_END = re.compile(rb"\r\n?|\n")


class HeaderBelowError(UserError):
    """A title stands above the header of a table; `header` is the header's line."""

    def __init__(self, name: str, place: str, header: int) -> None:
        super().__init__(f"{name}: {place} {header} looks like the header; set data.header = {header}")
        self.header = header


def without_title(name: str, content: bytes, header: int) -> bytes:
    """The content with an empty line for each above that of the header. Raises UserError if it has fewer lines."""
    ends = list(islice(LINE_END.finditer(content), header - 1))
    rest = content[ends[-1].end() :] if ends else content
    if len(ends) < header - 1 or not LINE_END.split(rest, maxsplit=1)[0].strip():
        raise UserError(f"{name}: line {header} (data.header) is empty; expected the names of the columns")
    return b"".join(end.group() for end in ends) + rest


def completed(content: bytes, separator: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """The content with a header as `completed_names` has it; `rows` are the first ones."""
    names = completed_names(header, rows)
    if names == list(header):
        return content
    start = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0
    start += len(content[start:]) - len(content[start:].lstrip(b"\r\n"))
    mark = separator.encode()
    if len(names) == len(header):
        return content[:start] + UNNAMED.encode() + content[start:].removeprefix(b'""')
    if names[0] == UNNAMED:
        return content[:start] + UNNAMED.encode() + mark + content[start:]
    end = min(at for at in (content.find(b"\n", start), content.find(b"\r", start)) if at >= 0)
    return content[:end] + mark + content[end:]


def completed_names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The header with a name, or an empty one, for each column of the first rows; a first one without is UNNAMED.

    Rows with fewer cells than the header, such as notes and totals, say nothing about it.
    """
    if not header or UNNAMED in header:
        return list(header)
    if header[0] == "":
        return [UNNAMED, *header[1:]]
    full = [row for row in rows if len(row) >= len(header)]
    if not full or any(len(row) != len(header) + 1 for row in full):
        return list(header)
    return [*header, ""] if all(row[-1] == "" for row in full) else [UNNAMED, *header]


def header_below(rows: Sequence[tuple[int, Sequence[str]]]) -> int | None:
    """The line of the header where a title stands above it, None where the first row is as wide as the others.

    `rows` are the first ones with their lines. A header has a name of its own, no number, for each column of most rows.
    """
    widths = Counter(_width(cells) for _, cells in rows)
    [(width, times)] = widths.most_common(1) or [(0, 0)]
    if width < 2 or 2 * times <= len(rows) or not rows or 2 * _width(rows[0][1]) > width:
        return None
    for line, cells in rows[1 : MOST_LINES_ABOVE + 1]:
        names = [cell.strip() for cell in cells[:width]]
        if _width(cells) == width:
            are_names = (
                all(names) and len(set(names)) == width and not any(number_of(name) is not None for name in names)
            )
            return line if are_names else None
    return None


def _width(cells: Sequence[str]) -> int:
    """Number of cells up to the last that is not empty."""
    return max((at for at, cell in enumerate(cells, 1) if cell.strip()), default=0)
