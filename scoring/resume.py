"""Results of an earlier run in an output: finished parts, each checked; anything else is refused."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cli.errors import UserError
from cli.words import shown
from scoring.documents import ScoringRun
from scoring.marker import Marker
from scoring.output import LOCK, OWN, Output, publish_text
from scoring.plan import RUN, Piece
from storage.digest import sha256_of
from storage.json_file import json_text

SIDE_BY_SIDE = 8  # parts of an earlier run that are checked at once


def begin(name: str, output: Output, identity: ScoringRun) -> str:
    """Write run.json, or compare the one that is there; return its digest.

    Raises UserError for an output that belongs to another run or to something else.
    """
    now = json.loads(json_text(identity))
    content = output.read(RUN)
    if content is None:
        if found := sorted(output.names() - {f"{OWN}/{LOCK}"}):
            raise UserError(f"{name}: expected a new folder or one of an earlier run, found {found[0]}; name another")
        return publish_text(output, RUN, json_text(now))
    try:
        earlier = json.loads(content)
        differences = list(_differences(earlier, now))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{name}: {RUN} is damaged; name another --out") from None
    if differences:
        raise UserError(f"{name}: belongs to another run: {differences[0]}; name another --out, or repeat its flags")
    return sha256_of(content)


def finished(output: Output, pieces: Sequence[Piece]) -> dict[int, Marker]:
    """The markers of the pieces whose files are all there with the bytes that the marker says, by number."""
    names = output.names()
    marked = [piece for piece in pieces if piece.marker in names]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = pool.map(lambda piece: _marker(output, piece, names), marked)
        return {piece.number: marker for piece, marker in zip(marked, found, strict=True) if marker is not None}


def _marker(output: Output, piece: Piece, names: set[str]) -> Marker | None:
    content = output.read(piece.marker)
    try:
        marker = Marker.of(json.loads(content or b""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if (marker.piece, marker.part) != (piece.number, piece.part):
        return None
    return marker if all(its.name in names and output.holds(its.name, its.sha256) for its in marker.files) else None


def _differences(earlier: Any, now: Any, place: str = "") -> Iterator[str]:
    """Differences of two documents: `model.version is A there and B here`."""
    if isinstance(earlier, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*now, *earlier]):
            yield from _differences(earlier.get(key), now.get(key), f"{place}.{key}" if place else key)
    elif earlier != now:
        yield f"{place} is {shown(earlier)} there and {shown(now)} here"
