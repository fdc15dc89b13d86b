"""The line of a local command for a mistake, like that of every other command but without rich."""

import sys


def complain(line: str) -> None:
    """Write `error: ` and the line to standard error."""
    sys.stderr.write(f"error: {line}\n")
