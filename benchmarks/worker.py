"""A process with one handler in it, which takes commands on standard input and answers on standard output.

Run as a script, it imports nothing of the benchmarks: what it sees is what is deployed.

    worker.py MODULE EVENTS LOG

EVENTS has an event a line; the handler's own output goes to LOG. A command is one line, `WHAT FIRST END`, about the
events FIRST to END; the answer is one line of JSON. Events are read when they are needed, and not kept.
"""

import json
import os
import sys
from importlib import import_module
from itertools import islice
from time import perf_counter
from types import SimpleNamespace
from typing import Any

SETTLING = 20


class Worker:
    """The commands, by name."""

    def __init__(self, module: str, events: str) -> None:
        self._handler: Any = import_module(module).handler
        self._path = events
        self._context = SimpleNamespace(aws_request_id="b1")

    def requests(self, first: int, end: int) -> list[float]:
        """The seconds that each event took, from the event to the response."""
        events = self._events(first, end)
        handler, context, now = self._handler, self._context, perf_counter
        for event in events[:SETTLING]:  # the processor has been elsewhere: not what a warm request is
            handler(event, context)
        seconds = []
        for event in events:
            begin = now()
            handler(event, context)
            seconds.append(now() - begin)
        return seconds

    def answers(self, first: int, end: int) -> list[Any]:
        """Answers to each event."""
        return [json.loads(self._handler(event, self._context)["body"]) for event in self._events(first, end)]

    def session(self, first: int, end: int) -> list[float]:
        """The seconds that our handler's own session takes for each applicant alone, from arrays that are there."""
        import numpy as np

        model = self._handler.service.model
        run, manifest, now = model._run, model.manifest, perf_counter
        feeds = []
        for event in self._events(first, end):
            body = json.loads(event["body"])
            numbers = np.array([[body[feature.name] for feature in manifest.numbers]], dtype=np.float64)
            categories = np.array([[body[feature.name] or "" for feature in manifest.categories]], dtype=object)
            feeds.append({"numbers": numbers, "categories": categories})
        outputs = ["probability", "margin"]
        seconds = []
        for feed in feeds:
            begin = now()
            run(outputs, feed)
            seconds.append(now() - begin)
        return seconds

    def batch(self, first: int, end: int) -> list[float]:
        """The seconds for all these applicants in one event."""
        events = self._events(first, end)
        applicants = [json.loads(event["body"]) for event in events]
        event = {**events[0], "rawPath": "/predict/batch", "body": json.dumps({"applicants": applicants})}
        begin = perf_counter()
        answer = self._handler(event, self._context)
        seconds = perf_counter() - begin
        assert json.loads(answer["body"])["scored"] == end - first
        return [seconds]

    def memory(self, first: int, end: int) -> dict[str, int]:
        """VmRSS and VmHWM, in KiB."""
        with open("/proc/self/status", encoding="utf-8") as file:  # noqa: PTH123  (pathlib would count)
            fields = dict(line.split(":", 1) for line in file)
        return {name: int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM")}

    def _events(self, first: int, end: int) -> list[dict[str, Any]]:
        with open(self._path, "rb") as file:  # noqa: PTH123
            return [json.loads(line) for line in islice(file, first, end)]


def main(module: str, events: str, log: str) -> None:
    """Answer commands until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    to_log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(to_log, 1)
    os.dup2(to_log, 2)
    worker = Worker(module, events)
    for line in sys.stdin:
        what, first, end = line.split()
        answers.write(json.dumps(getattr(worker, what)(int(first), int(end))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
