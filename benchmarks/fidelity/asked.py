"""One peer asked for every case, in the peer's own environment; the answers as a JSON file."""

import json
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.fidelity.cases import Case, case

Answer = dict[str, Any]


Compare = Callable[[Callable[..., Any], Case], Answer]
"""Ask a peer's function for a case, and compare what it gives with the truth."""


class PeerRefused(Exception):  # noqa: N818  (named for what happened)
    """A peer raised for a case; the message is the first line of the fault."""


def write_answers(package: str, function: str, cases: Iterable[str], compare: Compare) -> None:
    """Write `case → answer` to the file that the command line names: PEER OUT; `function` is of `package`.PEER."""
    peer, out = sys.argv[1:]
    warnings.simplefilter("ignore")
    asked = getattr(import_module(f"{package}.{peer}"), function)
    found = {name: answer(compare, asked, case(name)) for name in cases}
    Path(out).write_text(json.dumps(found, indent=1), encoding="utf-8")


def answer(compare: Compare, function: Callable[..., Any], its: Case) -> Answer:
    """Compare one case; `{"refused": reason}` where the peer's function raises. A fault of ours is not a refusal."""

    def asked(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as fault:
            traceback.print_exc()
            raise PeerRefused(f"{type(fault).__name__}: {fault}".splitlines()[0][:200]) from fault

    try:
        return compare(asked, its)
    except PeerRefused as refusal:
        return {"refused": str(refusal)}
