"""Tiers of the suite: `--tier quick` for people, `land` (the default) for what lands, `full` every week.

A test that needs long, and tests that go through a large matrix of faults or inputs, say so:

    @pytest.mark.tier("land")   # runs in this tier and in those above it; "full": every week only
    def test_each_command_resumes_after_a_kill() -> None: ...

    @pytest.mark.sample(40)     # a large matrix written as parameters: 40 of them when landing, 4 in quick, all in full
    @pytest.mark.parametrize("fault", FAULTS)
    def test_no_fault_is_served(fault: Fault) -> None: ...

    def test_no_exchange_of_names_starts(sample: Sample) -> None:   # the same inside of one test, for cheap cases
        for pair in sample(PAIRS, 200): ...

    @given(...)                 # hypothesis: the tier sets how many examples
    @settings(max_examples=examples(8))   # only where 60 when landing are too many, or too few
    def test_any_text_is_answered(text: str) -> None: ...

Samples are the same in every run and differ by the name of the test; `--sample-seed N` draws others.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

TIERS = ("quick", "land", "full")
QUICK_SHARE = 10  # one in so many of what runs when landing
EXAMPLES = {"quick": 10, "land": 60, "full": 600}  # of hypothesis, for a test

T = TypeVar("T")


class Sample:
    """Draws some cases of a matrix, by tier and seed, in the matrix's own order."""

    def __init__(self, tier: str, seed: object) -> None:
        self._tier = tier
        self._seed = seed

    def __call__(self, matrix: Iterable[T], size: int) -> list[T]:
        """All cases in the tier full, `size` when landing, a tenth of them (at least one) in quick."""
        cases = list(matrix)
        wanted = {"quick": max(1, size // QUICK_SHARE), "land": size, "full": len(cases)}[self._tier]
        if wanted >= len(cases):
            return cases
        drawn = random.Random(str(self._seed)).sample(range(len(cases)), wanted)
        return [cases[index] for index in sorted(drawn)]


def examples(landing: int) -> int:
    """Number of hypothesis's examples in this tier for a test that draws `landing` of them when landing."""
    assert settings.default is not None
    return max(1, landing * settings.default.max_examples // EXAMPLES["land"])


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lastbit")
    group.addoption("--tier", choices=TIERS, default="land", help="how much runs (default: land); see tests/tiers.py")
    group.addoption("--sample-seed", type=int, default=0, metavar="N", help="draw other samples of large matrices")
    group.addoption("--shuffle", type=int, metavar="SEED", help="run files, and the tests in them, in another order")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "tier(name): the lowest tier that runs the test: land or full")
    config.addinivalue_line("markers", "sample(size): how many cases of a parametrized test run when landing")
    tier = config.getoption("--tier")
    # No deadline: how long an example takes depends on the machine. Only the full tier looks for new examples.
    usual = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
    for name, number in EXAMPLES.items():
        settings.register_profile(name, usual, max_examples=number, derandomize=name != "full", database=None)
    settings.load_profile(tier)


def pytest_report_header(config: pytest.Config) -> str:
    return f"tier: {config.getoption('--tier')}, sample seed: {config.getoption('--sample-seed')}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tier = config.getoption("--tier")
    kept = [item for item in items if TIERS.index(_lowest(item)) <= TIERS.index(tier)]
    large: dict[tuple[str, str], list[pytest.Item]] = defaultdict(list)
    for item in kept:
        if item.get_closest_marker("sample"):
            large[_test(item)].append(item)
    dropped: set[pytest.Item] = set()
    for test, cases in large.items():
        marker = cases[0].get_closest_marker("sample")
        assert marker is not None
        drawn = Sample(tier, (config.getoption("--sample-seed"), test[1]))(cases, *marker.args)
        dropped |= set(cases) - set(drawn)
    kept = [item for item in kept if item not in dropped]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    if (seed := config.getoption("--shuffle")) is not None:
        kept = _shuffled(kept, seed)
    items[:] = kept


@pytest.fixture
def sample(request: pytest.FixtureRequest) -> Callable[[Iterable[T], int], list[T]]:
    """Draws cases of a large matrix: `sample(matrix, size)`; see the module."""
    option = request.config.getoption
    return Sample(option("--tier"), (option("--sample-seed"), _test(request.node)[1]))


def _lowest(item: pytest.Item) -> str:
    marker = item.get_closest_marker("tier")
    if marker is None:
        return TIERS[0]
    [name] = marker.args
    if name not in TIERS:
        raise pytest.UsageError(f"{item.nodeid}: expected a tier of {', '.join(TIERS)}, got {name!r}")
    return str(name)


def _test(item: pytest.Item) -> tuple[str, str]:
    """The file of a test and its name without parameters."""
    return str(item.path), item.name.partition("[")[0]


def _shuffled(items: list[pytest.Item], seed: int) -> list[pytest.Item]:
    """Files in another order, and tests in each: fixtures of a file are made once, as in the usual order."""
    chance = random.Random(seed)
    files: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[str(item.path)].append(item)
    groups = list(files.values())
    chance.shuffle(groups)
    for group in groups:
        chance.shuffle(group)
    return [item for group in groups for item in group]
