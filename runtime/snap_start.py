"""Lambda SnapStart: work that is done once, before the snapshot, so that no restored process has to do it.

Loaded only where the environment says that a snapshot will be taken.
"""

import gc
from typing import Any

from runtime import paths  # noqa: F401  (loaded before the snapshot, for paths with a stage)
from runtime.dispatch import Handler
from runtime.manifest import ModelRefused
from runtime.model import LARGE_BATCH
from runtime.observe import Observer
from runtime.openapi import example
from runtime.strict_json import write


def register(handler: Handler) -> None:
    """Register the hooks with AWS's library, if it is installed."""
    try:
        from snapshot_restore_py import (
            register_after_restore,
            register_before_snapshot,
        )
    except ImportError:
        return
    register_before_snapshot(before_snapshot, handler)
    register_after_restore(after_restore, handler)


def before_snapshot(handler: Handler) -> None:
    """Answer an applicant and a batch, unobserved: every module is loaded then, every buffer allocated.

    Raises ModelRefused if one is not answered; then there is no snapshot, but one line that says why.
    """
    manifest = handler.service.model.manifest
    applicant = example(manifest)
    batch = {"applicants": [applicant] * min(LARGE_BATCH, manifest.batch_limit)}
    service = handler.service
    if manifest.reasons_size and service.explains:
        service.explainer()
    if manifest.batch_size:
        service.model.batch()
    observe, handler.observe = handler.observe, None
    for path, content in (("/predict", applicant), ("/predict/batch", batch)):
        event = {"requestContext": {"http": {"method": "POST"}}, "rawPath": path, "body": write(content)}
        answer: Any = handler(event, None)
        if answer["statusCode"] != 200:
            raise ModelRefused(f"before the snapshot: {path}: expected status 200, got {answer['statusCode']}")
    handler.observe = observe
    gc.collect()
    gc.freeze()


def after_restore(handler: Handler) -> None:
    """The next request is the first of this process. Model, session and answers are as they were in the snapshot."""
    if isinstance(handler.observe, Observer):
        handler.observe.cold = True
