"""Progress display of a longer command."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

from cli.words import escaped


class Progress:
    """Steps of a longer command on standard error: a spinner while one runs, a line when it is done."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True, emoji=False)
        self._spinner: Status | None = None

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show `what` while the block runs; the callable given adds what it is busy with."""
        begin = time.monotonic()
        with self.console.status(escaped(f"{what} …")) as status:
            self._spinner = status
            try:
                yield lambda detail: status.update(escaped(f"{what}: {detail} …"))
            finally:
                self._spinner = None
        self.console.print(f"[green]✓[/] {escaped(f'{what} ')}[dim]{time.monotonic() - begin:.1f} s[/]")

    @contextmanager
    def transfer(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Show a bar while the block runs; call the callable with the bytes moved so far and the total."""
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
            task = bar.add_task(escaped(f"{what} "), total=None)

            def show(done: int, total: int) -> None:
                nonlocal moved
                moved = done
                bar.update(task, completed=done, total=total)

            yield show
        seconds = f"[dim]{time.monotonic() - begin:.1f} s[/]"
        self.console.print(f"[green]✓[/] {escaped(f'{what}, ')}{filesize.decimal(moved)} {seconds}")

    @contextmanager
    def _without_spinner(self) -> Iterator[None]:
        """Stop the spinner of the step around: a terminal has room for one display (rich before 14.1)."""
        spinner = self._spinner
        if spinner is not None:
            spinner.stop()
        yield
        if spinner is not None:
            spinner.start()

    def say(self, text: str) -> None:
        """A line of text; rich's markup is understood, so that names have to be `escaped`."""
        self.console.print(text)
