"""The hooks around a snapshot, as AWS's own runner runs them."""

import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime import snap_start
from runtime.manifest import ModelRefused
from runtime.observe import Observer
from tests.runtime.test_handler import SMALL, send

if TYPE_CHECKING:
    from runtime.dispatch import Handler
    from tests.runtime.conftest import MakeHandler

ROOT = Path(__file__).parents[2]

RESTORE = """
import gc, json, sys
from awslambdaric.lambda_runtime_hooks_runner import run_after_restore, run_before_snapshot
from runtime.handler import handler
started = set(sys.modules)
frozen = gc.get_freeze_count()
run_before_snapshot()
snapshot = set(sys.modules)
more = gc.get_freeze_count() - frozen
run_after_restore()
events = [
    {"requestContext": {"http": {"method": "POST"}}, "rawPath": path, "body": body, "isBase64Encoded": is_base64}
    for path, body, is_base64 in json.load(sys.stdin)
]
statuses = [handler(event, None)["statusCode"] for event in events]
print(json.dumps([statuses, sorted(set(sys.modules) - snapshot), sorted(snapshot - started), more]), file=sys.stderr)
"""


@pytest.fixture
def handler(make_handler: "MakeHandler", small_model: Path) -> "Handler":
    return make_handler(small_model)


def test_a_restored_process_loads_nothing_more(reference_model: Path) -> None:
    applicant = json.loads((ROOT / "examples" / "reference-request.json").read_text())
    batch = json.dumps({"applicants": [applicant] * 300})
    requests = [("/predict", json.dumps(applicant), False), ("/predict/batch", batch, False), ("/model", None, False)]
    done = subprocess.run(
        [sys.executable, "-c", RESTORE],
        cwd=ROOT,
        input=json.dumps(requests),
        env={
            "MODEL_DIR": str(reference_model),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            "AWS_LAMBDA_FUNCTION_NAME": "score",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    statuses, after_restore, before_snapshot, frozen = json.loads(done.stderr)
    assert statuses == [200, 200, 405]
    assert after_restore == []
    assert {"runtime.branches", "runtime.columns"} <= set(before_snapshot)
    assert frozen > 0
    # What was answered before the snapshot is not logged, and the first request after it is the cold one.
    assert [json.loads(line)["cold_start"] for line in done.stdout.splitlines()] == [True, False, False]


def test_no_other_start_pays_for_it(reference_model: Path) -> None:
    code = "import runtime.handler, sys; sys.exit('runtime.snap_start' in sys.modules)"
    for kind in ("on-demand", "provisioned-concurrency"):
        environment = {"MODEL_DIR": str(reference_model), "AWS_LAMBDA_INITIALIZATION_TYPE": kind}
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, timeout=60, check=True)


def test_a_model_that_does_not_answer_gets_no_snapshot(handler: "Handler", capsys: pytest.CaptureFixture[str]) -> None:
    handler.service.model._run = None
    with pytest.raises(ModelRefused, match="before the snapshot: /predict: expected status 200, got 500"):
        snap_start.before_snapshot(handler)
    assert json.loads(capsys.readouterr().err)["fault"] == "TypeError"


def test_the_request_after_a_restore_is_cold(handler: "Handler") -> None:
    writes: list[bytes] = []
    handler.observe = Observer(handler.service.model.manifest, writes.append, log=True, namespace=None, cold=True)
    snap_start.before_snapshot(handler)
    assert writes == []
    for _ in range(2):  # one snapshot is restored many times
        snap_start.after_restore(handler)
        for _ in range(2):
            send(handler, "POST", "/predict", SMALL)
    assert [json.loads(write)["cold_start"] for write in writes] == [True, False, True, False]
    gc.unfreeze()


def test_a_model_with_small_batches(handler: "Handler") -> None:
    handler.service.model.manifest.batch_limit = 1
    snap_start.before_snapshot(handler)
    gc.unfreeze()


def test_without_observers(handler: "Handler") -> None:
    snap_start.before_snapshot(handler)
    snap_start.after_restore(handler)
    assert handler.observe is None
    gc.unfreeze()


def test_where_the_library_is_not_there(handler: "Handler", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)
    snap_start.register(handler)
