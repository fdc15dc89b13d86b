"""What every command shares: its exit status, its one line for a mistake, and how it shows that it is working."""

import argparse
import errno
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console
from rich.status import Status

from training.errors import FAILED, WRONG_USAGE, UserError, nearest

DISK = {
    errno.ENOSPC: "the disk is full; make room and run again",
    errno.EROFS: "the disk is read-only; name a folder that can be written",
    errno.EACCES: "no permission; name a folder that can be written",
    errno.EDQUOT: "the disk quota is used up; make room and run again",
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


def escaped(text: str) -> str:
    """Text in which rich finds no markup."""
    return text.replace("[", r"\[")


class Parser(argparse.ArgumentParser):
    """The parser of every command: a mistake is one line, with the nearest flag where one is unknown."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **settings})

    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            flag = unknown.split()[0].partition("=")[0]
            suggestion = nearest(flag, self._option_string_actions)
            message = f"unknown flag {flag}" if flag.startswith("-") else f"unexpected argument {flag}"
            message += f"; did you mean {suggestion}?" if suggestion else ""
        self.exit(WRONG_USAGE, f"{self.prog}: {message} (--help lists the flags)\n")


class Progress:
    """Steps of a longer command on standard error: a spinner while one runs, a line when it is done."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        self._spinner: Status | None = None

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        """Shows `what` while the block runs; the callable given adds what it is busy with."""
        begin = time.monotonic()
        with self.console.status(f"{what} …") as status:
            self._spinner = status
            try:
                yield lambda detail: status.update(f"{what}: {detail} …")
            finally:
                self._spinner = None
        self.console.print(f"[green]✓[/] {what} [dim]{time.monotonic() - begin:.1f} s[/]")

    @contextmanager
    def transfer(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Shows a bar while the block runs; the callable is told how many bytes have been moved, and of how many."""
        from rich import filesize  # these cost 16 ms, which most commands save
        from rich import progress as bars
        from rich.table import Column

        begin, moved = time.monotonic(), 0
        name = bars.TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True))
        figures = [
            figure(table_column=Column(no_wrap=True))
            for figure in (bars.DownloadColumn, bars.TransferSpeedColumn, bars.TimeRemainingColumn)
        ]
        columns = (bars.SpinnerColumn(), name, bars.BarColumn(bar_width=16), *figures)
        bar = bars.Progress(*columns, console=self.console, transient=True, expand=True)
        with self._without_spinner(), bar:
            task = bar.add_task(what, total=None)

            def show(done: int, total: int) -> None:
                nonlocal moved
                moved = done
                bar.update(task, completed=done, total=total)

            yield show
        seconds = f"[dim]{time.monotonic() - begin:.1f} s[/]"
        self.console.print(f"[green]✓[/] {what}, {filesize.decimal(moved)} {seconds}")

    @contextmanager
    def _without_spinner(self) -> Iterator[None]:
        """Stops the spinner of the step around: a terminal has room for one display (rich before 14.1)."""
        spinner = self._spinner
        if spinner is not None:
            spinner.stop()
        yield
        if spinner is not None:
            spinner.start()

    def say(self, text: str) -> None:
        """A line of text; rich's markup is understood."""
        self.console.print(text)
