"""What every command shares: its exit status, and its one line for a mistake."""

import errno
import logging
import sys
from collections.abc import Callable

from rich.console import Console

from cli.errors import FAILED, UserError
from cli.words import escaped

# Where the home folder cannot be written, matplotlib says so in two lines and does without its cache.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

DISK = {
    errno.ENOSPC: "the disk is full; make room and run again",
    errno.EROFS: "the disk is read-only; name a folder that can be written",
    errno.EACCES: "no permission; name a folder that can be written",
    errno.EDQUOT: "the disk quota is used up; make room and run again",
    errno.EFBIG: "the file is larger than may be written here; raise the limit (ulimit -f) and run again",
}


def run(command: Callable[[], None], what_stays: str) -> int:
    """Runs a command and returns its exit status: 0, or 1 or 2 with one line on standard error.

    `what_stays` ends the line for an interruption or a disk that cannot be written: what is as it was before.
    """
    try:
        command()
    except UserError as mistake:
        _say(str(mistake))
        return mistake.exit_status
    except KeyboardInterrupt:
        _say(f"interrupted; {what_stays}")
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except OSError as fault:
        where = f"{fault.filename}: " if fault.filename else ""
        _say(f"{where}{DISK.get(fault.errno or 0, fault.strerror or str(fault))}; {what_stays}")
        return FAILED
    except MemoryError:
        _say(f"not enough memory for this table; {what_stays}")
        return FAILED
    return 0


def _say(line: str) -> None:
    Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {escaped(line)}", highlight=False)
