"""State that the suite does not inherit: ignored signals, and variables that programs here read."""

import os
import signal
from collections.abc import Iterator

import pytest

# Settings of the service, of AWS, of a runner, and of how terminals and Python write.
PREFIXES = ("AWS_", "GITHUB_", "LAMBDA_", "LASTBIT_", "METRICS", "OTEL_", "_X_AMZN_")
NAMES = {
    "ACTIONS_RUNTIME_TOKEN",
    "BASE_PATH",
    "COLUMNS",
    "CORS_ORIGINS",
    "FORCE_COLOR",
    "LANGUAGE",
    "LINES",
    "LOG_REQUESTS",
    "MODEL_DIR",
    "NO_COLOR",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONIOENCODING",
    "PYTHONOPTIMIZE",
    "PYTHONWARNINGS",
    "RUNNER_TEMP",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "UNKNOWN_FIELDS",
}


def pytest_configure() -> None:
    """Before any module of the project is imported."""
    for name in [name for name in os.environ if name.startswith(PREFIXES) or name in NAMES]:
        del os.environ[name]
    # A shell starts what runs in the background with SIGINT ignored, and child processes would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Restore the handling of Ctrl-C after a test that ran a command in this process."""
    before = signal.getsignal(signal.SIGINT)
    yield
    if signal.getsignal(signal.SIGINT) is not before:
        signal.signal(signal.SIGINT, before)
