"""A failure of a worker's action becomes one line with the exit status; what it scores are probabilities."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cli.errors import FAILED, WRONG_USAGE, UserError
from runtime.score import Scale
from scoring.messages import Fault, answer
from scoring.points import scores

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("fault", "line", "status"),
    [
        (UserError("book.csv: two\nlines", WRONG_USAGE), "book.csv: two lines", WRONG_USAGE),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "part-00001.parquet"), "part-00001.parquet", FAILED),
        (MemoryError(), "not enough memory for a batch; run with fewer --workers", FAILED),
    ],
)
def test_a_worker_s_failure_is_a_line(fault: Exception, line: str, status: int) -> None:
    def fail() -> None:
        raise fault

    said = answer(fail)
    assert isinstance(said, Fault)
    assert line in said.line
    error = said.error()
    assert (str(error), error.exit_status) == (said.line, status)
    assert answer(lambda: 7) == 7


def test_a_worker_whose_answers_nobody_reads_ends_without_a_word() -> None:
    """Its parent has just ended, by Ctrl-C."""
    code = "from scoring import worker; worker.answer = lambda _: worker.Fault('none'); worker.main()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(60) == FAILED


@pytest.mark.parametrize("wrong", [-1e-9, 1 + 1e-9, np.nan, np.inf])
def test_what_is_not_a_probability_has_no_points(wrong: float) -> None:
    scale = Scale()
    assert scores(scale, np.array([0.0, 1.0])).tolist() == [scale.score(0.0), scale.score(1.0)]
    with pytest.raises(ValueError, match="expected numbers from 0 to 1"):
        scores(scale, np.array([0.5, wrong]))
