"""The one line of a command that is interrupted."""

import signal
from collections.abc import Callable

import pytest

from cli import command
from cli.errors import UserError


def interrupted(fault: Exception) -> Callable[[], None]:
    """Work that makes another exception of Ctrl-C, as some modules do while they are imported."""

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise fault from None

    return work


@pytest.mark.parametrize("fault", [ImportError("initialization failed"), OSError("gone"), UserError("x: no such file")])
def test_ctrl_c_is_reported_as_an_interruption(fault: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(interrupted(fault), "all is as it was") == 1
    assert capsys.readouterr().err == "error: interrupted; all is as it was\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_faults_are_reported_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    def work(fault: Exception) -> None:
        raise fault

    with pytest.raises(ImportError):
        command.run(lambda: work(ImportError("initialization failed")), "")
    assert command.run(lambda: work(UserError("x: no such file")), "") == 1
    assert capsys.readouterr().err == "error: x: no such file\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_stays_ignored_where_it_was() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert command.run(lambda: signal.raise_signal(signal.SIGINT), "") == 0
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (MemoryError(), "error: not enough memory for this table; nothing was changed\n"),
        (KeyboardInterrupt(), "error: interrupted; nothing was changed\n"),
        (
            OSError(28, "No space left on device"),
            "error: the disk is full; make room and run again; nothing was changed\n",
        ),
        (OSError(5, "Input/output error", "a.csv"), "error: a.csv: Input/output error; nothing was changed\n"),
        (PermissionError(13, "Permission denied"), "permission denied; correct the permissions, or name another"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    fault: BaseException, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise fault

    assert command.run(fail, "nothing was changed") == 1
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
