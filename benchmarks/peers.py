"""Answers of exporters and servers for ten kinds of fitted pipelines: right, refused, or wrong in silence.

Each peer has an environment of its own under build/peers/, with the newest versions that work together, pinned in
benchmarks/fidelity/requirements/; there the same recipes are fitted, and the peer's answers compared with those of the
pipeline itself (benchmarks/fidelity/answers.py).
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.digests import ROOT
from benchmarks.fidelity import CLOSE
from benchmarks.report import Row

FIDELITY = "fidelity"
ENVIRONMENTS = ROOT / "build" / "peers"


@dataclass(frozen=True)
class Peer:
    """The module that asks it, the packages that name it, and the program that it needs."""

    module: str
    packages: tuple[str, ...]
    program: str = ""


PEERS = {
    "skl2onnx": Peer("onnx_stock", ("skl2onnx", "onnxmltools")),
    "hummingbird-ml": Peer("hummingbird", ("hummingbird-ml", "torch")),
    "m2cgen": Peer("code_m2cgen", ("m2cgen",)),
    "tl2cgen": Peer("code_tl2cgen", ("treelite", "tl2cgen"), "gcc"),
    "sklearn2pmml": Peer("pmml", ("sklearn2pmml", "jpmml-evaluator"), "java"),
    "mlflow": Peer("pyfunc", ("mlflow",)),
    "bentoml": Peer("bento", ("bentoml",)),
}


def measure() -> Iterator[Row]:
    """A row for each peer, ours first: the verdict on each case."""
    yield from asked(FIDELITY, PEERS)


def asked(contest: str, peers: Mapping[str, Peer]) -> Iterator[Row]:
    """Ask lastbit and the peers of a contest: the folder of benchmarks/ with `answers`, `ours` and requirements."""
    yield Row("lastbit", _verdicts(_ask(sys.executable, contest, "ours")), "", "lastbit")
    for name, peer in peers.items():
        yield Row(title(contest, name, peer), _answers(contest, name, peer), "", name)


def requirements(contest: str, name: str) -> Path:
    """The file of a peer's pinned versions."""
    return ROOT / "benchmarks" / contest / "requirements" / f"{name}.txt"


def title(contest: str, name: str, peer: Peer) -> str:
    """Name a peer with its pinned versions."""
    lock = requirements(contest, name).read_text(encoding="utf-8").replace("_", "-")
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", lock, re.MULTILINE))
    shown = [f"{package} {pinned[package]}" for package in peer.packages]
    return f"{' + '.join(shown)} (scikit-learn {pinned['scikit-learn']}, xgboost {pinned['xgboost']})"


def verdict(found: dict[str, Any]) -> str:
    """Say in a few words how a peer answers a case.

    >>> verdict({"refused": "TypeError: no"}), verdict({"off": 0.0, "share": 0.0, "off_at_splits": 0.0})
    ('refused', 'exact')
    >>> verdict({"off": 2e-7, "share": 0.0, "off_at_splits": 2e-7})
    'right'
    >>> verdict({"off": 2e-7, "share": 0.0, "off_at_splits": 0.31})
    '**wrong** at splits, by 0.31'
    >>> verdict({"off": 0.63, "share": 0.476, "off_at_splits": 0.64})
    '**wrong** by 0.63, 48 % of rows'
    """
    if "refused" in found:
        return "refused"
    if found["off"] > CLOSE:
        return f"**wrong** by {found['off']:.2g}, {found['share']:.0%} of rows".replace("%", " %")
    if found["off_at_splits"] > CLOSE:
        return f"**wrong** at splits, by {found['off_at_splits']:.2g}"
    return "right" if max(found["off"], found["off_at_splits"]) else "exact"


def _answers(contest: str, name: str, peer: Peer) -> str:
    if peer.program and shutil.which(peer.program) is None:
        return f"not asked: {peer.program} is not on this machine"
    try:
        return _verdicts(_ask(str(environment(contest, name)), contest, peer.module))
    except subprocess.CalledProcessError as fault:
        last = (fault.stderr or b"").decode(errors="replace").strip().splitlines()[-1:]
        return f"not asked: {''.join(last)[:200]}".replace(";", ",")


def environment(contest: str, name: str) -> Path:
    """Make the peer's environment, unless it is there with these versions, and return its Python."""
    lock, folder = requirements(contest, name), ENVIRONMENTS / name
    ready, wanted = folder / "ready", hashlib.sha256(lock.read_bytes()).hexdigest()
    python = folder / "bin" / "python"
    if not ready.exists() or ready.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, capture_output=True)
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--no-deps", "-r", str(lock)], check=True, capture_output=True)
        ready.write_text(wanted)
    return python


def _ask(python: str, contest: str, module: str) -> dict[str, dict[str, Any]]:
    with TemporaryDirectory() as folder:
        out = Path(folder) / "answers.json"
        command = [python, "-m", f"benchmarks.{contest}.answers", module, str(out)]
        alone = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONNOUSERSITE": "1"}
        subprocess.run(command, cwd=folder, env=alone, check=True, capture_output=True)
        found: dict[str, dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
        return found


def _verdicts(found: dict[str, dict[str, Any]]) -> str:
    return "; ".join(f"{case}: {verdict(its)}" for case, its in found.items())
