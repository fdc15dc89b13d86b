"""Places where a large CSV may be cut, so that several processes share it: ends of rows, with counts of the rows.

A line break ends a row unless it is quoted, which depends on all quotes before it. Counting them is right only if each
of them opens a field, closes one, or is half of a doubled one. So cuts are offered only for files in which every quote
with an even number of quotes before it comes at the start of a field or right behind another quote, and every other one
at the end of a field or right before another quote: then the number of quotes is odd exactly within quoted fields, as
Arrow's parser sees them. Any other file stays whole, as does one with a carriage return that no line feed follows,
which ends a row too.
"""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BLOCK = 2**24  # bytes that are looked at at a time
QUOTE, LINE_FEED, RETURN = b'"\n\r'
ASCII_WITHIN = ("utf-8", "utf-8-sig", "ascii", "iso8859", "cp125")
"""Encodings in which each byte of these signs is that sign."""


@dataclass(frozen=True)
class Cuts:
    """Pieces of a CSV: the byte at which each begins, the first with the header, and how many rows each has."""

    starts: tuple[int, ...]
    rows: tuple[int, ...]
    header: int = 0
    """The byte behind the header; 0 where there is one piece."""
    names: tuple[str, ...] = ()
    """The names of the columns where the header lacks one; empty where it has all."""

    def beside_header(self, start: int) -> "Cuts":
        """The cuts of a file in which the piece `start` follows the header at once."""
        before = self.starts[start] - (self.header if start else 0)
        return replace(self, starts=tuple(max(place - before, 0) for place in self.starts))


def is_cuttable(encoding: str) -> bool:
    """True for encodings whose line feeds and quotes are single bytes."""
    return codecs.lookup(encoding).name.startswith(ASCII_WITHIN)


def cuts_of(path: Path, separator: str, rows: int) -> Cuts | None:
    """The pieces of `rows` rows each of a CSV that is not packed; None for one that has to stay whole."""
    with path.open("rb") as file:
        return cuts_in(iter(partial(file.read, BLOCK), b""), separator, rows)


def cuts_in(blocks: Iterable[bytes], separator: str, rows: int) -> Cuts | None:
    """`cuts_of` of a file that comes in blocks."""
    scan = _Scan(separator.encode(), rows)
    return scan.end() if all(map(scan.take, blocks)) else None


class _Scan:
    """The state between two blocks. Rows are counted without empty lines, which no reader counts; the header is one."""

    def __init__(self, separator: bytes, rows: int) -> None:
        self._around = np.frombuffer(separator + b'\n\r"', np.uint8)
        self._every = rows
        self._before = b"\n\n"  # the last two bytes, as if lines had come before
        self._place, self._quotes, self._ends = 0, 0, 0
        self._starts, self._header = [0], 0

    def take(self, content: bytes) -> bool:
        """Look at the next bytes; False where the file has to stay whole."""
        if not self._place and content.startswith(codecs.BOM_UTF8):
            content = content.replace(codecs.BOM_UTF8, b"\n\n\n", 1)  # as if it were not there
        block = np.frombuffer(self._before + content, np.uint8)
        breaks = np.flatnonzero(block[2:] == LINE_FEED) + 2
        if not self._are_returns_paired(block) or not self._are_quotes_paired(block):
            return False
        if QUOTE in content or self._quotes % 2:
            quotes = np.flatnonzero(block[2:] == QUOTE) + 2
            is_end = (self._quotes + np.searchsorted(quotes, breaks)) % 2 == 0
            breaks = breaks[is_end]
            self._quotes += len(quotes)
        ends = breaks[~_follows_a_break(block, breaks)]
        if not self._ends and len(ends):
            self._header = self._place + int(ends[0]) - 1
        wanted = 1 + self._every * len(self._starts)  # rows, the header's too, in front of the next cut
        while wanted <= self._ends + len(ends):
            self._starts.append(self._place + int(ends[wanted - self._ends - 1]) - 1)
            wanted += self._every
        self._ends += len(ends)
        self._place += len(content)
        self._before = (self._before + content)[-2:]
        return True

    def end(self) -> Cuts | None:
        """The pieces of the whole file."""
        last = self._before[-1]
        if self._quotes % 2 or last == RETURN:
            return None
        total = max(self._ends + (last != LINE_FEED) - 1, 0)
        count = max(-(-total // self._every), 1)
        rows = (*[self._every] * (count - 1), total - self._every * (count - 1))
        return Cuts(tuple(self._starts[:count]), rows, self._header if count > 1 else 0)

    def _are_returns_paired(self, block: NDArray[np.uint8]) -> bool:
        returns = np.flatnonzero(block[1:-1] == RETURN) + 1
        return bool((block[returns + 1] == LINE_FEED).all())

    def _are_quotes_paired(self, block: NDArray[np.uint8]) -> bool:
        """Look at each quote and its neighbours; at a last one together with the next block."""
        inside = block[1:-1] == QUOTE
        if not inside.any():
            return True
        places = np.flatnonzero(inside) + 1
        first = self._quotes - int(self._before[-1] == QUOTE)  # quotes before the first of these
        opens = (first + np.arange(len(places))) % 2 == 0
        neighbours = block[np.where(opens, places - 1, places + 1)]
        return bool(np.isin(neighbours, self._around).all())


def _follows_a_break(block: NDArray[np.uint8], breaks: NDArray[np.intp]) -> NDArray[np.bool_]:
    """True for line feeds of empty lines."""
    one, two = block[breaks - 1], block[breaks - 2]
    return np.asarray((one == LINE_FEED) | ((one == RETURN) & (two == LINE_FEED)))
