"""Alarms by metric math, evaluated: what rings, and what does not."""

import re
from typing import Any

import pytest

from tests.deploy.test_template import RESOURCES

pytestmark = pytest.mark.tier("land")

NAN = float("nan")


def rings(alarm: str, threshold: float, **metrics: float) -> bool:
    """True if one period with these values exceeds the threshold.

    Metric math is read as Python: IF, AND, OR and FILL, which replaces a metric that nobody has written.
    """
    properties = RESOURCES[alarm]["Properties"]
    expression: Any = properties["Metrics"][0]["Expression"]
    text = expression if isinstance(expression, str) else expression["Fn::Sub"]
    text = re.sub(r"\$\{ScoreMedian(Low|High)\}", lambda match: {"Low": "560", "High": "620"}[match[1]], text)
    text = text.replace(" AND ", " and ").replace(" OR ", " or ")
    names: dict[str, Any] = {
        "IF": lambda condition, then, otherwise: then if condition else otherwise,
        "FILL": lambda value, other: other if value != value else value,
    }
    assert {entry["Id"] for entry in properties["Metrics"][1:]} == metrics.keys()
    value = _Lazy(text, names, metrics).value()
    assert properties["ComparisonOperator"] == "GreaterThanThreshold"
    return bool(value > threshold)


class _Lazy:
    """Division by zero and missing values are no data in CloudWatch, and no data does not ring here."""

    def __init__(self, text: str, names: dict[str, Any], metrics: dict[str, float]) -> None:
        self.text, self.names = text, {**names, **metrics}

    def value(self) -> float:
        try:
            return float(eval(self.text, {"__builtins__": {}}, self.names))
        except ZeroDivisionError:
            return NAN


@pytest.mark.parametrize(
    ("requests", "cold", "p99", "expected"),
    [
        (6, 1, 400, False),  # a canary at a tenth of one request a second: its one slow request is the first
        (60, 1, 400, False),
        (99, 0, 400, False),
        (100, 0, 400, True),
        (6_000, 10, 400, True),  # a slow version under load, whatever was restored
        (6_000, NAN, 400, True),  # nothing was restored
        (200, 2, 400, False),  # one in a hundred is the first of a process
        (6_000, 100, 400, False),
        (6_000, 10, 20, False),
    ],
)
def test_slow_is_what_many_requests_say_and_not_the_first_ones(
    requests: float, cold: float, p99: float, expected: bool
) -> None:
    assert rings("Slow", 25, requests=requests, cold=cold, p99=p99) is expected


@pytest.mark.parametrize(
    ("requests", "failed", "expected"),
    [(10, 1, False), (10, 2, False), (10, 3, True), (1_000, 3, False), (1_000, 11, True), (0, 0, False)],
)
def test_one_failed_request_of_few_is_no_alarm(requests: float, failed: float, expected: bool) -> None:
    assert rings("GatewayErrors", 0.01, requests=requests, failed=failed) is expected


@pytest.mark.parametrize(("applicants", "missing", "expected"), [(99, 0.9, False), (100, 0.9, True), (100, 0.1, False)])
def test_missing_values_of_few_applicants_are_no_alarm(applicants: float, missing: float, expected: bool) -> None:
    assert rings("MissingValues", 0.3, applicants=applicants, missing=missing) is expected


@pytest.mark.parametrize(
    ("refused", "scored", "expected"),
    [(30, 60, False), (30, 70, True), (100, NAN, True), (NAN, 1_000, False), (10, 990, False)],
)
def test_the_share_of_refused_applicants_decides_the_alarm(refused: float, scored: float, expected: bool) -> None:
    assert rings("Refused", 0.2, refused=refused, scored=scored) is expected


@pytest.mark.parametrize(
    ("applicants", "median", "expected"), [(99, 700, False), (100, 700, True), (100, 500, True), (100, 600, False)]
)
def test_a_score_outside_the_limits_of_the_model_rings(applicants: float, median: float, expected: bool) -> None:
    assert rings("ScoreDrift", 0, applicants=applicants, median=median) is expected


@pytest.mark.parametrize(("requests", "cold", "expected"), [(99, 0.5, False), (100, 0.5, True), (100, 0.01, False)])
def test_cold_starts_of_many_requests(requests: float, cold: float, expected: bool) -> None:
    assert rings("ColdStarts", 0.05, requests=requests, cold=cold) is expected


def test_an_alarm_on_a_share_a_percentile_or_a_mean_has_a_least_count() -> None:
    """Alarms on a plain metric count events: a single event too many, or too few, raises them."""
    for name, entry in RESOURCES.items():
        if entry["Type"] == "AWS::CloudWatch::Alarm" and "MetricName" in entry["Properties"]:
            assert entry["Properties"].get("Statistic") == "Sum", name
