"""Wording of messages: values as TOML, shortened lists, the nearest known name."""

import difflib
import json
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from unicodedata import bidirectional

SHOWN_CHARACTERS = 60
LISTED_NAMES = 12


def escaped(text: object) -> str:
    """Text in which rich finds no markup: whatever a user has named."""
    from rich.markup import escape  # not on top: runtime.ask and runtime.local are installed without it

    return escape(str(text))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be, or None where nothing is near."""
    candidates = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), candidates, n=1, cutoff=0.6)
    return candidates[found[0]] if found else None


def isolated(name: str) -> str:
    """A name that text goes around: one that is written from right to left turns no number that follows it."""
    if any(bidirectional(sign) in ("R", "AL") for sign in name):
        return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"
    return name


def next_command(module: str, flag: str, folder: str, default: str) -> str:
    """Next command for the results just written, quoted for a shell; a default folder is left out."""
    words = [] if folder.rstrip("/") == default else [flag, folder]
    return shlex.join(["python", "-m", module, *words])


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shown(value: object) -> str:
    """A value as TOML would write it, cut where it is long."""
    text = _toml(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_toml(member)}' for key, member in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def did_you_mean(name: str, known: Collection[str]) -> str:
    """`did you mean x?`, or what is known where nothing is near."""
    suggestion = nearest(name, known)
    return f"did you mean {named(suggestion)}?" if suggestion else f"known here: {listed(sorted(known))}"


def listed(names: Sequence[str]) -> str:
    """`a, b, c`, cut where there are many."""
    more = f" and {len(names) - LISTED_NAMES} more" if len(names) > LISTED_NAMES else ""
    return ", ".join(map(named, names[:LISTED_NAMES])) + more


def named(name: str) -> str:
    """A name, in quotes where its blanks would not be seen."""
    return name if name and name == name.strip() else shown(name)


def suggested_file(path: Path) -> str:
    """` (did you mean x?)` where the folder of a missing file holds one of nearly that name."""
    try:
        known = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return f" (and no folder {path.parent})"
    suggestion = nearest(path.name, known)
    return f" (did you mean {path.parent / suggestion}?)" if suggestion else ""
