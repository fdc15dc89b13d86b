"""`python -m benchmarks local`: requests over a kept connection to the local server, against one connection each."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from time import perf_counter
from typing import Any

from benchmarks.report import Row
from benchmarks.timing import Median, spread
from local.server import Server

REQUESTS, ROUNDS = 300, 15
BODY = json.dumps({"uuid": "1", **{f"feature_{number}": 1.5 for number in range(24)}})
ANSWER = {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": BODY[:200]}


def measure() -> Iterator[Row]:
    """The ratio of a request's time, of medians of interleaved rounds; above 1 a kept connection would be slower."""
    handler: Any = lambda event, context: ANSWER  # noqa: E731  (the server alone)
    with Server(handler, quiet=True) as server:
        kept, single = [], []
        for _ in range(ROUNDS):
            kept.append(_kept(server.address))
            single.append(_single(server.address))
    kept_times, single_times = Median(kept), Median(single)
    what = "runtime.local: a request on a kept connection against one on its own"
    yield Row(what, f"{kept_times / single_times:.2f}", "≤ 1", "kept", spread(kept_times, single_times))
    each = (f"{times / REQUESTS * 1e6:.0f}" for times in (kept_times, single_times))
    yield Row("µs each, client included", ", ".join(each), "")


def _kept(address: tuple[str, int]) -> float:
    with closing(http.client.HTTPConnection(*address)) as client:
        begin = perf_counter()
        for _ in range(REQUESTS):
            _ask(client)
        return perf_counter() - begin


def _single(address: tuple[str, int]) -> float:
    begin = perf_counter()
    for _ in range(REQUESTS):
        with closing(http.client.HTTPConnection(*address)) as client:
            _ask(client)
    return perf_counter() - begin


def _ask(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/predict", BODY, {"content-type": "application/json"})
    client.getresponse().read()
