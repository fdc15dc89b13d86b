"""`python deploy/costs.py`: what a stage costs in a month, by the prices that AWS publishes and what we have measured.

Prices are those of us-east-1 in US dollars without tax and free tiers, as found in stored copies of public pages on
2026-11-24: check them before a budget hangs on them. Elsewhere they are up to a quarter higher.
"""

import sys
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[1])

# isort: split
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cli.parser import Parser

HOURS = 730  # a month, as AWS counts it
SECONDS = HOURS * 3600
MILLION, GB, TB = 1e6, 1e9, 1e12
ALL = math.inf

# Each tier: up to how much in a month, and the price of a unit of it.
Tiers = tuple[tuple[float, float], ...]

# https://aws.amazon.com/api-gateway/pricing/, and AWS's whitepaper on private APIs, table 4: REST, a request
REST_REQUEST: Tiers = ((333e6, 3.50e-6), (1_000e6, 2.80e-6), (20_000e6, 2.38e-6), (ALL, 1.51e-6))
# https://aws.amazon.com/lambda/pricing/
LAMBDA_REQUEST = 0.20e-6
# A GB-second; the discounts of 10 and 20 % are AWS's "Introducing tiered pricing for AWS Lambda".
LAMBDA_SECOND: dict[str, Tiers] = {
    "x86_64": ((6e9, 0.0000166667), (15e9, 0.0000150000), (ALL, 0.0000133334)),
    "arm64": ((7.5e9, 0.0000133334), (18.75e9, 0.0000120001), (ALL, 0.0000106667)),
}
# SnapStart for Python: a GB-second of a published version's snapshot, a GB restored. From secondary sources.
SNAPSHOT_SECOND, SNAPSHOT_RESTORE = 0.0000015046, 0.0001397998
# https://aws.amazon.com/cloudwatch/pricing/: a byte of a function's log (tiers since May 2025), of another log, kept
FUNCTION_LOG: Tiers = ((10 * TB, 0.50 / GB), (30 * TB, 0.25 / GB), (50 * TB, 0.10 / GB), (ALL, 0.05 / GB))
OTHER_LOG = 0.50 / GB
LOG_KEPT = 0.03 / GB
# A metric of our own (the first 10,000), a metric that an alarm looks at, a dashboard
METRIC, ALARM_METRIC, DASHBOARD = 0.30, 0.10, 3.00
KEY = 1.00  # https://aws.amazon.com/kms/pricing/
# A byte to the internet, https://aws.amazon.com/ec2/pricing/on-demand/: callers within the region pay less
TO_INTERNET: Tiers = ((10 * TB, 0.09 / GB), (50 * TB, 0.085 / GB), (150 * TB, 0.07 / GB), (ALL, 0.05 / GB))


@dataclass(frozen=True)
class Assumptions:
    """What the table rests on; measured where it says so, on the machine of docs/startup.md."""

    arch: str = "x86_64"
    memory_gb: float = 1.0
    # Measured through AWS's runtime interface client, 9,000 requests: 0.36 to 0.46 ms of a whole processor each.
    cpu_ms: float = 0.46
    # Lambda's own share of a billed duration, which cannot be measured here.
    overhead_ms: float = 1.0
    whole_processor_gb: float = 1769 / 1024
    function_line: int = 850  # bytes, measured: one applicant, log and metrics
    log_overhead: int = 26  # bytes that CloudWatch counts for each line
    access_line: int = 350  # bytes, template.yaml's format filled in
    answer: int = 900  # bytes with headers
    log_months: int = 24  # prod's retention
    compressed: float = 0.15  # of a log that is kept, AWS's own example
    metrics: int = 36  # of one model: 7 routes of 3, 4 of the model, 11 types of problems
    alarm_metrics: int = 14
    snapshots: int = 3  # published versions, deploy.py's VERSIONS_KEPT
    # A process of the function answers 10 requests a second at most and lives for two hours; peaks are three times the
    # mean.
    requests_per_process: float = 10.0
    hours_of_a_process: float = 2.0
    peak: float = 3.0

    @property
    def billed_ms(self) -> int:
        """Rounded up to a millisecond, as it is billed."""
        return math.ceil(self.cpu_ms / min(self.memory_gb / self.whole_processor_gb, 1) + self.overhead_ms)

    def processes(self, rate: float) -> int:
        """How many at the peak of `rate` requests a second on average."""
        needed = max(rate * self.billed_ms / 1000, rate / self.requests_per_process)
        return max(1, math.ceil(self.peak * needed))


def tiered(amount: float, tiers: Tiers) -> float:
    """Dollars for an amount, each part at the price of the tier that it falls in."""
    total, begin = 0.0, 0.0
    for end, price in tiers:
        if amount > begin:
            total += (min(amount, end) - begin) * price
        begin = end
    return total


def monthly(rate: float, a: Assumptions) -> dict[str, float]:
    """Dollars a month for `rate` requests a second on average, by item."""
    requests = rate * SECONDS
    logged = requests * (a.function_line + a.log_overhead)
    accessed = requests * (a.access_line + a.log_overhead)
    restores = a.processes(rate) * HOURS / a.hours_of_a_process
    return {
        "API Gateway, requests": tiered(requests, REST_REQUEST),
        "Lambda, requests": requests * LAMBDA_REQUEST,
        "Lambda, duration": tiered(requests * a.billed_ms / 1000 * a.memory_gb, LAMBDA_SECOND[a.arch]),
        "SnapStart, snapshots": a.snapshots * a.memory_gb * SECONDS * SNAPSHOT_SECOND,
        "SnapStart, restores": restores * a.memory_gb * SNAPSHOT_RESTORE,
        "Logs, the function's": tiered(logged, FUNCTION_LOG),
        "Logs, the API's": accessed * OTHER_LOG,
        "Logs, kept": (logged + accessed) * a.compressed * a.log_months * LOG_KEPT,
        "Metrics, alarms, dashboard, key": a.metrics * METRIC + a.alarm_metrics * ALARM_METRIC + DASHBOARD + KEY,
        "Answers to the internet": tiered(requests * a.answer, TO_INTERNET),
    }


def table(rates: Sequence[float], a: Assumptions) -> str:
    """Markdown: dollars a month, and for a million requests."""
    columns = [monthly(rate, a) for rate in rates]
    lines = ["| US dollars a month | " + " | ".join(f"{rate:,g} a second" for rate in rates) + " |"]
    lines.append("|---|" + "---:|" * len(rates))
    lines += [f"| {item} | " + " | ".join(_dollars(column[item]) for column in columns) + " |" for item in columns[0]]
    totals = [sum(column.values()) for column in columns]
    lines.append("| **together** | " + " | ".join(f"**{_dollars(total)}**" for total in totals) + " |")
    millions = [rate * SECONDS / MILLION for rate in rates]
    each = [_dollars(total / number) for total, number in zip(totals, millions, strict=True)]
    lines.append("| for a million requests | " + " | ".join(each) + " |")
    return "\n".join(lines)


def _dollars(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table and returns the exit status."""
    options = Parser(
        prog="python deploy/costs.py",
        description="What a stage costs in a month, by AWS's published prices (us-east-1) and our measured durations.",
    )
    options.add_argument("--rate", type=_positive, nargs="+", default=[1, 100, 10_000], metavar="N", help="a second")
    options.add_argument("--memory", type=int, default=1024, metavar="MB", help="default: %(default)s")
    options.add_argument("--arch", choices=sorted(LAMBDA_SECOND), default="x86_64", help="default: %(default)s")
    args: Any = options.parse_args(arguments)
    assumptions = replace(Assumptions(), memory_gb=args.memory / 1024, arch=args.arch)
    sys.stdout.write(table(args.rate, assumptions) + "\n")
    return 0


def _positive(text: str) -> float:
    if not (number := float(text)) > 0:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main())
