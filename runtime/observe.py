"""One line of JSON for each request: a log, and CloudWatch metrics in the embedded metric format; loaded if asked for.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

A line holds nothing that an applicant sent: no feature, no id of theirs, no path. A line that cannot be written is
left out, and the answer is not affected.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from time import gmtime, strftime, time

from runtime.event import Request, Response
from runtime.manifest import Manifest
from runtime.strict_json import write

Write = Callable[[bytes], object]

_string: Callable[[str], str] = write

# CloudWatch takes no more values of a metric in one line.
MOST_VALUES = 100

_BY_ROUTE = {"Requests": "Count", "Errors": "Count", "Latency": "Milliseconds"}
_BY_MODEL = {"ColdStart": "Count"}
_BY_MODEL_IF_SCORED = {**_BY_MODEL, "Score": "None", "MissingShare": "None"}
_REFUSED = {"Refused": "Count"}
_BY_PROBLEM = {"Errors": "Count"}


class Observer:
    """Called with each request, its response and the seconds in between; hands one line to `write`.

    `cold` is True if the next request is the first after a start, or after a restore from a snapshot.
    """

    __slots__ = (
        "_answered",
        "_failed",
        "_features",
        "_has_metrics",
        "_log",
        "_scored",
        "_second",
        "_version",
        "_write",
        "cold",
    )

    def __init__(self, manifest: Manifest, write: Write, *, log: bool, namespace: str | None, cold: bool) -> None:
        """Lines with the members of a log or without, with metrics under a namespace or without (None)."""
        self.cold = cold
        self._second = (0, "1970-01-01T00:00:00")  # the last one that was spelled out
        self._write = write
        self._log = log
        self._has_metrics = namespace is not None
        self._version = _string(manifest.model_version)
        self._features = max(len(manifest.features), 1)
        # Which metrics a line has, constant for each kind of response; empty without metrics.
        route, model, problem = ["model_version", "route"], ["model_version"], ["model_version", "problem"]
        # Constant but for whether applicants were refused: with it, "Refused" joins the metrics of the model.
        self._scored, self._answered, self._failed = (
            tuple(
                _directives(namespace, (route, _BY_ROUTE), (model, by_model | refused), *more)
                for refused in ({}, _REFUSED)
            )
            for by_model, more in (
                (_BY_MODEL_IF_SCORED, ()),
                (_BY_MODEL, ()),
                (_BY_MODEL, ((problem, _BY_PROBLEM),)),
            )
        )

    def __call__(self, request: Request, response: Response, seconds: float) -> None:
        """Log one answered request as a line of metrics; `seconds` is its duration."""
        is_cold, self.cold = self.cold, False
        milliseconds = max(0.0, seconds) * 1000  # a clock may jump
        now = int(time() * 1000)
        line = f'{{"model_version":{self._version},"route":"{request.route or "none"}"'
        if response.problem:
            line += f',"problem":"{response.problem}"'
        if self._log:
            line += self._entry(request, response, milliseconds, now, is_cold)
        if self._has_metrics:
            line += self._metrics(response, milliseconds, now, is_cold)
        try:
            self._write(f"{line}}}\n".encode())
        except OSError:
            return  # closed, full or not there: no reason to say more

    def _entry(self, request: Request, response: Response, milliseconds: float, now: int, is_cold: bool) -> str:
        """The members for a log. Ids are the only ones that come from outside: quoted, and of a limited length."""
        status, scored = response.status, response.scored
        # Level and timestamp as Lambda's own filter of log levels reads them.
        level = "ERROR" if status >= 500 else "WARN" if status >= 400 or response.refused else "INFO"
        second, rest = divmod(now, 1000)
        if (spelled := self._second)[0] != second:
            self._second = spelled = (second, strftime("%Y-%m-%dT%H:%M:%S", gmtime(second)))
        if len(scored) == 1:
            _, band, missing, warnings, grade = scored[0]
            result = f',"band":"{band}"{grade},"missing":{missing},"warnings":{warnings}'
        elif scored:
            result = f',"missing":{sum([s[2] for s in scored])},"warnings":{sum([s[3] for s in scored])}'
        else:
            result = ""
        ids = f'"request_id":{_string(request.request_id)},"trace_id":{_string(request.trace_id)}'
        for name, value in (
            ("gateway_request_id", request.gateway_request_id),
            ("lambda_request_id", request.lambda_request_id),
            ("traceparent", request.traceparent),
        ):
            if value and value != request.request_id:
                ids += f',"{name}":{_string(value)}'
        return (
            f',"level":"{level}","timestamp":"{spelled[1]}.{rest:03d}Z",{ids}'
            f',"status":{status},"duration_ms":{milliseconds:.3f}'
            f',"cold_start":{"true" if is_cold else "false"}'
            f',"scored":{len(scored)},"refused":{response.refused}{result}'
        )

    def _metrics(self, response: Response, milliseconds: float, now: int, is_cold: bool) -> str:
        """Metrics of the line and their values."""
        is_error = 1 if response.problem else 0
        values = f',"Requests":1,"Errors":{is_error},"Latency":{milliseconds:.3f},"ColdStart":{1 if is_cold else 0}'
        directives = self._failed if is_error else self._answered
        scored = response.scored
        if response.refused:
            values += f',"Refused":{response.refused}'
        if scored:
            directives = self._scored
            share = sum([entry[2] for entry in scored]) / (len(scored) * self._features)
            score = f"{scored[0][0]:.2f}" if len(scored) == 1 else histogram([entry[0] for entry in scored])
            values += f',"Score":{score},"MissingShare":{share:.4f}'
        return f'{values},"_aws":{{"Timestamp":{now},"CloudWatchMetrics":{directives[response.refused > 0]}}}'


def histogram(scores: Sequence[float]) -> str:
    """Points and how many applicants have about as many; in steps of 1, 2, 4, ... points, as fine as CloudWatch takes.

    >>> histogram([600.2, 599.9, 520.4])
    '{"Values":[600,520],"Counts":[2,1],"Max":600.2,"Min":520.4,"Count":3,"Sum":1720.5}'
    """
    lowest, highest = min(scores), max(scores)
    step = 1
    while (highest - lowest) / step > MOST_VALUES - 2:
        step *= 2
    counts = Counter([round(score / step) * step for score in scores])
    return write(
        {
            "Values": list(counts),
            "Counts": list(counts.values()),
            "Max": round(highest, 2),
            "Min": round(lowest, 2),
            "Count": len(scores),
            "Sum": round(sum(scores), 2),
        }
    )


def to_stdout() -> Write | None:
    """Write a line to standard output by one call of the system, so that no other line comes in between.

    None if standard output is closed, or is not a file.
    """
    try:
        return partial(os.write, sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return None


def _directives(namespace: str | None, *groups: tuple[list[str], dict[str, str]]) -> str:
    """The `CloudWatchMetrics` of a line: for each group its dimensions and its metrics with their units."""
    if namespace is None:
        return ""
    return write(
        [
            {
                "Namespace": namespace,
                "Dimensions": [dimensions],
                "Metrics": [{"Name": name, "Unit": unit} for name, unit in metrics.items()],
            }
            for dimensions, metrics in groups
        ]
    )
