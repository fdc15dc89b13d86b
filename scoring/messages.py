"""What workers say: rows that were read, a piece that is done, or a fault, after which a worker says no more."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from cli.disk import in_words
from cli.errors import FAILED, UserError
from scoring.marker import Marker

Result = TypeVar("Result")


@dataclass(frozen=True)
class Rows:
    """So many rows more were read; fewer than none where the process that read them died."""

    count: int


@dataclass(frozen=True)
class Fault:
    """What went wrong, in one line."""

    line: str
    status: int = FAILED

    def error(self) -> UserError:
        """The fault as an exception."""
        return UserError(self.line, self.status)


Message: TypeAlias = Rows | Marker


def answer(action: Callable[[], Result]) -> Result | Fault:
    """What the action returns, or the fault for what goes wrong."""
    try:
        return action()
    except UserError as mistake:
        return Fault(str(mistake), mistake.exit_status)
    except OSError as fault:
        return Fault(in_words(fault))
    except MemoryError:
        return Fault("not enough memory for a batch; run with fewer --workers")
