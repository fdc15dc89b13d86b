"""The hooks around a snapshot, as AWS's own runner runs them."""

import gc
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import snapshot_restore_py

from runtime import snap_start
from runtime.manifest import ModelRefused
from runtime.model import Model
from runtime.observe import Observer
from tests.runtime.sending import SMALL, send

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


def test_a_model_that_does_not_answer_gets_no_snapshot(
    handler: "Handler", capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Model, "predict", None)
    with pytest.raises(ModelRefused, match=r"^before the snapshot: /predict: expected status 200, got 500$"):
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


@pytest.mark.parametrize("limit", [1, 3])
def test_the_rehearsed_batch_keeps_to_the_limit_of_the_model(
    limit: int, handler: "Handler", monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    predict = Model.predict

    def counted(model: Model, numbers: Any, categories: Any = ()) -> Any:
        sizes.append(len(numbers))
        return predict(model, numbers, categories)

    monkeypatch.setattr(Model, "predict", counted)
    handler.service.model.manifest.batch_limit = limit
    snap_start.before_snapshot(handler)
    gc.unfreeze()
    assert sizes == [1, limit]


def test_a_snapshot_needs_no_observer(handler: "Handler") -> None:
    snap_start.before_snapshot(handler)
    snap_start.after_restore(handler)
    assert handler.observe is None
    gc.unfreeze()


def test_both_hooks_are_registered_with_their_handler(handler: "Handler", monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[tuple[Any, ...]] = []
    library = ModuleType("snapshot_restore_py")
    for when in ("register_before_snapshot", "register_after_restore"):
        monkeypatch.setattr(library, when, lambda *hook, when=when: registered.append((when, *hook)), raising=False)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", library)
    snap_start.register(handler)
    assert registered == [
        ("register_before_snapshot", snap_start.before_snapshot, handler),
        ("register_after_restore", snap_start.after_restore, handler),
    ]


def test_without_the_library_no_hook_is_registered_and_the_handler_answers(
    handler: "Handler", monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [list(get()) for get in (snapshot_restore_py.get_before_snapshot, snapshot_restore_py.get_after_restore)]
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)
    snap_start.register(handler)
    found = [list(get()) for get in (snapshot_restore_py.get_before_snapshot, snapshot_restore_py.get_after_restore)]
    assert found == known
    assert send(handler, "POST", "/predict", SMALL)[0] == 200
