"""The traces of a start and 100 requests on the machine: seen from outside, by strace, with CI unset.

onnxruntime's official wheels keep quiet where CI is set, so a test that has it set sees nothing wrong.
"""

import json
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.export.packaging.lambda_process import running
from tests.runtime.model_builder import EVENTS

pytestmark = pytest.mark.tier("land")

INVOCATIONS = 100
RECORDED = [path.read_bytes() for path in sorted(EVENTS.glob("*.json"))]

STRACE = shutil.which("strace")
# Every call that names a file, uses the network, makes a process or a thread, or makes a file without a name.
TRACED = "trace=%file,%network,%process,memfd_create,ftruncate"
WRITES = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|TMPFILE)")
CHANGES = re.compile(
    r"(creat|mkdir|rename|unlink|rmdir|link|symlink|mknod|truncate|chmod|chown|utime|memfd_create|ftruncate|setxattr)"
)


@dataclass(frozen=True)
class Call:
    """One system call, as strace writes it."""

    name: str
    line: str


def calls(trace: Path) -> list[Call]:
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    matches = [re.match(r"\d+ +(\w+)\((.*)", line) for line in lines]
    return [Call(match[1], match[2]) for match in matches if match]


def finished(trace: Path) -> None:
    """Wait for strace to have written the end."""
    for _ in range(1_200):
        if re.search(r"\+\+\+ (killed|exited)", trace.read_text(encoding="utf-8", errors="replace").splitlines()[-1]):
            return
        time.sleep(0.05)
    raise AssertionError(f"strace has not written the end of the process to {trace}")


@pytest.mark.skipif(STRACE is None, reason="strace is not installed (Debian: apt-get install strace)")
@pytest.mark.sample(1)
@pytest.mark.parametrize("polls_in_threads", [False, True])
def test_a_start_opens_no_socket_but_the_interfaces_no_file_and_no_thread(
    variables: dict[str, str], home: Path, tmp_path: Path, polls_in_threads: bool
) -> None:
    """From Python 3.12 on, awslambdaric waits for each invocation in a thread, gone when it has come."""
    assert "CI" not in variables
    variables |= {"AWS_EXECUTION_ENV": f"AWS_Lambda_python{'3.13' if polls_in_threads else '3.11'}"}
    trace = tmp_path / "trace"
    # -D: strace is the grandchild, so that the process is the function's.
    under = [STRACE or "", "-D", "-f", "-q", "-s", "256", "-e", TRACED, "-o", str(trace)]
    with running(variables, tmp_path / "log", under) as function:
        for number in range(INVOCATIONS):
            assert function.api.invoke(RECORDED[number % len(RECORDED)]).kind == "response"
        port = function.api.port
        time.sleep(0.1)  # the thread that answered ends, and the one that waits has begun
        threads = function.threads()
    finished(trace)
    seen = calls(trace)

    connected = [call.line for call in seen if call.name == "connect"]
    interface = f'sin_port=htons({port}), sin_addr=inet_addr("127.0.0.1")'
    assert connected
    assert [line for line in connected if interface not in line] == []
    assert [call for call in seen if call.name in ("bind", "listen", "accept", "accept4")] == []
    # libcurl opens one IPv6 socket to see whether it could, and closes it.
    kinds = {re.sub(r"\).*", "", call.line) for call in seen if call.name == "socket"}
    assert kinds <= {"AF_INET, SOCK_STREAM, IPPROTO_IP", "AF_INET, SOCK_STREAM, IPPROTO_TCP"} | {
        "AF_INET6, SOCK_DGRAM, IPPROTO_IP"
    }
    # Nothing is sent past a connection.
    assert [call for call in seen if call.name.startswith("sendto") and "sa_family" in call.line] == []

    assert [call for call in seen if call.name.startswith("open") and WRITES.search(call.line)] == []
    assert [call for call in seen if CHANGES.match(call.name)] == []
    assert [call for call in seen if str(home) in call.line and call.name.startswith("open")] == []
    assert list(home.iterdir()) == []

    assert len([call for call in seen if call.name == "execve"]) == 1
    made = [call for call in seen if call.name in ("clone", "clone3", "fork", "vfork")]
    assert len(made) == (INVOCATIONS + 1 if polls_in_threads else 0)
    assert len(threads) == (2 if polls_in_threads else 1)


def test_it_writes_a_line_a_request(variables: dict[str, str], tmp_path: Path) -> None:
    """No warning at the start, and of each request nothing but one line of JSON."""
    with running(variables, tmp_path / "log") as function:
        for event in RECORDED:
            function.api.invoke(event)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    assert [line["Requests"] for line in lines] == [1] * len(RECORDED)
    assert [line["cold_start"] for line in lines] == [True, *[False] * (len(RECORDED) - 1)]
    assert all(line["request_id"] and line["_aws"] for line in lines)


def test_it_writes_nothing_where_that_is_off(variables: dict[str, str], tmp_path: Path) -> None:
    with running(variables | {"LOG_REQUESTS": "off", "METRICS": "off"}, tmp_path / "log") as function:
        for event in RECORDED:
            function.api.invoke(event)
    assert (tmp_path / "log").read_text(encoding="utf-8") == ""
