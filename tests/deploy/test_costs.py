"""deploy/costs.py: its arithmetic by hand, its assumptions against what they are about, its table in the docs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.costs import (
    ALL,
    FUNCTION_LOG,
    LAMBDA_SECOND,
    REST_REQUEST,
    SECONDS,
    TB,
    Assumptions,
    main,
    monthly,
    table,
    tiered,
)
from deploy.deploy import VERSIONS_KEPT
from deploy.template import read_template
from runtime.manifest import Manifest
from runtime.observe import Observer
from runtime.problem import PROBLEM_TYPES
from tests.deploy.served import open_handler
from tests.deploy.test_template import of_type, within

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("millions", "dollars"),
    [
        (0, 0.0),
        (1, 3.50),
        (333, 1_165.50),
        (334, 1_168.30),
        (1_000, 1_165.50 + 667 * 2.80),
        (20_000, 1_165.50 + 1_867.60 + 19_000 * 2.38),
        (26_280, 1_165.50 + 1_867.60 + 45_220 + 6_280 * 1.51),
    ],
)
def test_requests_in_tiers(millions: float, dollars: float) -> None:
    assert tiered(millions * 1e6, REST_REQUEST) == pytest.approx(dollars, abs=1e-6)


def test_the_discounts_are_those_that_aws_announced() -> None:
    """10 % from the second tier on, 20 % from the third: "Introducing tiered pricing for AWS Lambda"."""
    for tiers in LAMBDA_SECOND.values():
        (_, full), (_, second), (end, third) = tiers
        assert second == pytest.approx(0.9 * full, rel=1e-4)
        assert third == pytest.approx(0.8 * full, rel=1e-4)
        assert end == ALL
    assert LAMBDA_SECOND["arm64"][0][1] == pytest.approx(0.8 * LAMBDA_SECOND["x86_64"][0][1], rel=1e-4)


def test_logs_in_tiers() -> None:
    """60 TB of a function's log were said to cost $12,500 when the tiers came."""
    assert tiered(60 * TB, FUNCTION_LOG) == pytest.approx(12_500)


def test_one_request_a_second_by_hand() -> None:
    costs = monthly(1, Assumptions())
    assert SECONDS == 2_628_000
    assert costs["API Gateway, requests"] == pytest.approx(2.628 * 3.50)
    assert costs["Lambda, requests"] == pytest.approx(2.628 * 0.20)
    assert costs["Lambda, duration"] == pytest.approx(2_628_000 * 0.002 * 0.0000166667)
    assert costs["SnapStart, snapshots"] == pytest.approx(3 * 2_628_000 * 0.0000015046)
    assert costs["Logs, the function's"] == pytest.approx(2_628_000 * 876 * 0.50e-9)
    assert costs["Metrics, alarms, dashboard, key"] == pytest.approx(36 * 0.30 + 14 * 0.10 + 3 + 1)


@pytest.mark.parametrize(("memory", "milliseconds"), [(0.125, 8), (0.5, 3), (1.0, 2), (1769 / 1024, 2), (4.0, 2)])
def test_durations_are_rounded_up(memory: float, milliseconds: int) -> None:
    """Below 1769 MB a function has that part of a processor."""
    assert Assumptions(memory_gb=memory).billed_ms == milliseconds


def test_processes() -> None:
    assert Assumptions().processes(1) == 1
    assert Assumptions().processes(100) == 30  # three times what ten requests a second each needs
    assert Assumptions().processes(10_000) == 3_000


def test_the_assumptions_are_what_they_are_about() -> None:
    its = Assumptions()
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    read = [value for alarm in alarms for value in within(alarm) if isinstance(value, dict) and "MetricName" in value]
    # The query over the models reads a metric for each of two, while traffic moves.
    assert its.alarm_metrics == len(read) + 2
    routes = 7  # six resources, and none
    assert its.metrics == 3 * routes + 4 + len(PROBLEM_TYPES)
    assert its.snapshots == VERSIONS_KEPT
    prod = (ROOT / "deploy/stages.toml").read_text().partition("[prod.parameters]")[2]
    assert "MemorySize = 1024" in prod
    assert "LogRetention = 731" in prod
    format_ = read_template().document["Resources"]["Api"]["Properties"]["AccessLogSetting"]["Format"]
    filled = re.sub(r"\$context\.[\w.]+", "x" * 18, format_)
    assert len(filled) <= its.access_line


def test_the_line_of_a_request_is_as_long_as_it_says(models: list[Path]) -> None:
    handler = open_handler(models[0])
    lines: list[bytes] = []
    manifest = Manifest.read(str(models[0] / "manifest.json"))
    handler.observe = Observer(manifest, lines.append, log=True, namespace="lastbit/prod", cold=False)
    headers = {"X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678"}
    about = {"stage": "prod", "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}
    body = json.dumps({"uuid": "1"})
    handler({"httpMethod": "POST", "path": "/predict", "headers": headers, "requestContext": about, "body": body}, None)
    assert abs(len(lines[0]) - Assumptions().function_line) < 30


def test_the_documentation_has_the_table() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert table([1, 100, 10_000], Assumptions()) in operations


def test_the_command(capsys: Any) -> None:
    assert main(["--rate", "50", "--memory", "512", "--arch", "arm64"]) == 0
    assert "| US dollars a month | 50 a second |" in capsys.readouterr().out
    for words in (["--rate", "0"], ["--rate", "many"], ["--memory", "x"]):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 2
