"""Target of a package: a Python and a processor of Lambda's."""

import argparse
import platform
import re
import sys
from dataclasses import dataclass

# Lambda's word for a processor → Linux's and the wheels' word for it.
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
OLDEST_PYTHON = (3, 11)
# Lambda's Python 3.11 and older are on Amazon Linux 2, whose glibc is 2.26; the wheels need 2.28.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
OLDEST_ON_LAMBDA = (3, 12)
# Newest first, all older than the glibc 2.34 of Amazon Linux 2023.
MANYLINUX = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")


@dataclass(frozen=True)
class Target:
    """`python` is (major, minor), `arch` as Lambda calls it."""

    python: tuple[int, int]
    arch: str

    @property
    def version(self) -> str:
        """Name of the runtime, such as python3.13."""
        return f"{self.python[0]}.{self.python[1]}"

    @property
    def name(self) -> str:
        """Fit for a folder's name."""
        return f"cp{self.python[0]}{self.python[1]}-{self.arch}"

    @property
    def platforms(self) -> tuple[str, ...]:
        """The wheel platforms that run there."""
        return tuple(f"{manylinux}_{MACHINES[self.arch]}" for manylinux in MANYLINUX)

    @property
    def markers(self) -> dict[str, str]:
        """The environment that a requirement's marker is about; pip asks its own Python instead."""
        return {
            "python_version": self.version,
            "python_full_version": f"{self.version}.0",
            "platform_machine": MACHINES[self.arch],
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
            "platform_python_implementation": "CPython",
            "implementation_name": "cpython",
        }

    @property
    def is_on_lambda(self) -> bool:
        """True if a managed runtime of Lambda's can load the wheels."""
        return self.python >= OLDEST_ON_LAMBDA

    @property
    def runs_here(self) -> bool:
        """True if this machine could run the package, given that Python."""
        return (
            sys.platform == "linux" and platform.machine() == MACHINES[self.arch] and platform.libc_ver()[0] == "glibc"
        )


def python_version(text: str) -> tuple[int, int]:
    """The type of --python: 3.11 or newer, major and minor only."""
    match = re.fullmatch(r"(3)\.(\d{1,2})", text)
    if not match or (version := (int(match[1]), int(match[2]))) < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise argparse.ArgumentTypeError(f"expected {oldest} or newer, such as 3.13, got {text!r}")
    return version


def lambda_name(machine: str) -> str | None:
    """Lambda's name of a processor that Linux, Windows, macOS or Docker names; None for one that Lambda lacks."""
    name = machine.lower()
    arch = {"aarch64": "arm64", "amd64": "x86_64"}.get(name, name)
    return arch if arch in MACHINES else None


def architecture(text: str) -> str:
    """The type of --arch: Lambda's names, or those of others for the same processors."""
    if (arch := lambda_name(text)) is None:
        raise argparse.ArgumentTypeError(f"expected {' or '.join(MACHINES)}, got {text!r}")
    return arch
