"""No damage to a manifest changes an answer: it is refused in one line, or answers as before to the bit."""

import itertools
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.event import Request
from runtime.manifest import Manifest, ModelRefused
from runtime.model import Model
from runtime.problem import Problem
from runtime.service import Service
from runtime.settings import Settings
from tests.runtime.damage import damaged
from tests.runtime.model_builder import SMALL_FEATURES, build_model, versioned
from tests.tiers import Sample

WAYS = 6_000

# Inside and outside of every range and vocabulary, and values that are missing.
VALUES: dict[str, tuple[Any, ...]] = {
    "income": (None, 3.5, 9e9),
    "owner": (None, True),
    "age": (18.0, 400.0),
    "insured": (False,),
    "debt": (None, 7.0),
    "shop": ("Travel", "?"),
    "region": ("north",),
}
APPLICANTS = [
    {"uuid": str(index), **dict(zip(VALUES, row, strict=True))}
    for index, row in enumerate(itertools.product(*VALUES.values()))
]


def answers(service: Service) -> str:
    """All that the service says of some applicants, of a batch that is too long, and of itself."""
    said = []
    long = {"applicants": [{"uuid": "x"}] * 1_001}
    for path, body in (("/predict/batch", {"applicants": APPLICANTS}), ("/predict/batch", long), ("/model", None)):
        method = "GET" if body is None else "POST"
        request = Request(method, path, headers={}, body=json.dumps(body))
        try:
            said.append(service.respond(request).text())
        except Problem as problem:
            said.append(json.dumps(problem.content()))
    return "\n".join(said)


def opened(folder: Path) -> Service | None:
    """The service over a model folder; None where it is refused, as it has to be: in one line of bounded length."""
    try:
        return Service(Model.load(str(folder)), Settings({"MODEL_DIR": str(folder)}))
    except ModelRefused as fault:
        line = str(fault)
    assert "\n" not in line
    assert len(line) < 1_000
    return None


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    build_model(tmp_path / "model", SMALL_FEATURES)
    return dict(json.loads((tmp_path / "model/manifest.json").read_text()))


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_damaged_manifest_is_refused_or_answers_the_same(
    document: dict[str, Any], tmp_path: Path, sample: Sample
) -> None:
    folder = tmp_path / "model"
    expected, refused = answers(Service(Model.load(str(folder)), Settings({}))), 0
    seeds = sample(range(WAYS), 600)
    for seed in seeds:
        (folder / "manifest.json").write_bytes(damaged(document, seed))
        if (service := opened(folder)) is None:
            refused += 1
        else:
            assert answers(service) == expected, f"seed {seed}"
    assert refused > 0.9 * len(seeds)


def test_a_manifest_with_a_fitting_digest_is_refused_in_one_line_or_answers(
    document: dict[str, Any], tmp_path: Path, sample: Sample
) -> None:
    """A forged digest cannot make a start crash, nor an answer that is not JSON."""
    folder = tmp_path / "model"
    for seed in sample(range(WAYS), 300):
        (folder / "manifest.json").write_bytes(damaged(document, seed, versioned))
        if (service := opened(folder)) is not None:
            for line in answers(service).splitlines():
                json.loads(line, parse_constant=pytest.fail)


def test_no_exchange_of_two_names_starts(document: dict[str, Any], tmp_path: Path) -> None:
    """With the digest of before, and with one that fits."""
    for key in ("numbers", "categories"):
        for one, two in itertools.combinations(range(len(document["inputs"][key])), 2):
            for sign in (dict, versioned):
                changed = json.loads(json.dumps(document))
                names = changed["inputs"][key]
                names[one], names[two] = names[two], names[one]
                (tmp_path / "model/manifest.json").write_text(json.dumps(sign(changed)))
                with pytest.raises(ModelRefused, match=r"model_version: expected|self_check: inputs: "):
                    Model.load(str(tmp_path / "model"))


@pytest.mark.parametrize("step", [1, -14, 0.01])
def test_no_moved_edge_starts(document: dict[str, Any], step: float) -> None:
    for index in range(len(document["bands"])):
        changed = json.loads(json.dumps(document))
        changed["bands"][index] += step
        with pytest.raises(ModelRefused, match=r"self_check: scores\[\d+\]: band: expected "):
            Manifest(versioned(changed))


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("score", "probability_limits"), [1e-6, 0.99999999], "scores"),
        (("score", "points"), 601, "scores"),
        (("score", "odds"), 50.001, "scores"),
        (("score", "points_to_double"), 20.01, "scores"),
        (("score", "points"), 1e308, "score"),
        (("limits", "batch"), 10**9, "batch"),
        (("self_check", "probability_tolerance"), 1, "probability_tolerance"),
        (("self_check", "scores"), [], "scores"),
        (("features", 0, "name"), "\ud800", "name"),
        (("id",), "", "id"),
    ],
)
def test_what_decides_is_noticed_without_the_digest(
    document: dict[str, Any], path: tuple[Any, ...], value: Any, place: str
) -> None:
    *way, last = path
    changed = inner = json.loads(json.dumps(document))
    for step in way:
        inner = inner[step]
    inner[last] = value
    with pytest.raises(ModelRefused, match=place):
        Manifest(versioned(changed))
