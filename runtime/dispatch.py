"""From an event to its answer: the handler, over whichever model folder its settings name."""

import sys
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from runtime.event import ENVELOPE, Direct, Request, Response, encoded_size, infer
from runtime.manifest import Manifest, ModelRefused
from runtime.model import Model
from runtime.problem import ANSWER_TOO_LARGE, INTERNAL_ERROR, INVALID_APPLICANT, Problem
from runtime.service import Service
from runtime.settings import Settings
from runtime.strict_json import write

if TYPE_CHECKING:
    from runtime.observe import Observer

HEADERS = (
    ("content-type", "application/json"),
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
)

Observe = Callable[[Request, Response, float], None]


class Handler:
    """Event in, answer out; the only exception is EventRefused, for an event that is no request (docs/events.md).

    `observe`, where set, is called with the request, the response and the seconds in between: for logs and metrics.
    It must not read anything that an applicant sent; the response has what it needs.
    """

    def __init__(self, settings: Settings) -> None:
        self.service = Service(Model.load(settings.model_folder), settings)
        if settings.explain == "always":
            if why := self.service.model.manifest.reasons_why:
                raise ModelRefused(f"EXPLAIN=always: expected a model with reasons, got none: {why}")
            self.service.explainer()
        manifest = self.service.model.manifest
        self.observe: Observe | None = _observer(settings, manifest)
        self._cors_origins = settings.cors_origins
        self._names = frozenset(
            {manifest.identifier, "applicants", "explain", *(feature.name for feature in manifest.features)}
        )

    def __call__(self, event: object, context: object) -> object:
        """Answer one Lambda event in the shape that its trigger expects."""
        begin = perf_counter()
        event_type = infer(event)
        if event_type is Direct and not (type(event) is dict and event and event.keys() <= self._names):
            from runtime.other_events import WarmUp, classify  # other triggers, and direct events with a mistake

            event_type = classify(event, self.service.model.manifest.identifier, self._names)
            if event_type is WarmUp:
                return self.service.health()
        request: Request = event_type.request(event, context)
        try:
            response = self.service.respond(request)
            body = response.text()
            if 2 * len(body) + ENVELOPE > event_type.answer_limit:
                self._complete(response.headers, request)
                size = encoded_size(event_type, event, response, body)
                if size > event_type.answer_limit:
                    expected = f"expected at most {event_type.answer_limit} bytes as Lambda encodes it, got {size}"
                    raise Problem(ANSWER_TOO_LARGE, f"{expected}; send fewer applicants at once")
        except Exception as fault:
            response = _refusal(fault, request)
            body = response.text()
        if request.method == "HEAD":
            response.content, body = None, ""
        self._complete(response.headers, request)
        if self.observe is not None:
            try:
                self.observe(request, response, perf_counter() - begin)
            except Exception as fault:
                _report(fault, request)
        return event_type.answer(event, response, body)

    def _complete(self, headers: dict[str, str], request: Request) -> None:
        """Add the headers that every answer has to those that are this answer's own."""
        for name, value in HEADERS:
            headers.setdefault(name, value)
        if request.request_id:
            headers["x-request-id"] = request.request_id
        if "x-amzn-trace-id" in request.headers and request.trace_id:
            headers["x-amzn-trace-id"] = request.trace_id
        if self._cors_origins:
            headers["vary"] = "origin"
            origin = request.headers.get("origin", "")
            if origin in self._cors_origins or "*" in self._cors_origins:
                headers["access-control-allow-origin"] = origin if origin in self._cors_origins else "*"
                headers["access-control-expose-headers"] = "x-amzn-trace-id, x-request-id"


def _observer(settings: Settings, manifest: Manifest) -> "Observer | None":
    """Write logs and metrics, where they are on and can be written."""
    if not (settings.log_requests or settings.metrics):
        return None
    from runtime.observe import Observer, to_stdout  # a start without them does without

    write_line = to_stdout()
    if write_line is None:
        return None
    return Observer(
        manifest,
        write_line,
        log=settings.log_requests,
        namespace=settings.metrics_namespace if settings.metrics else None,
        cold=settings.initialization != "provisioned-concurrency",  # then no request waits for the start
    )


def _refusal(fault: Exception, request: Request) -> Response:
    """The response to a request that was refused (Problem), or that failed on our side (anything else)."""
    if not isinstance(fault, Problem):
        _report(fault, request)
        fault = Problem(INTERNAL_ERROR, "the fault is in the service; the log has it under the request id")
    content = fault.content()
    if request.request_id:
        content["request_id"] = request.request_id
    headers = {**fault.headers, "content-type": "application/problem+json"}
    refused = 1 if fault.type is INVALID_APPLICANT else 0
    return Response(content, fault.type.status, headers, refused=refused, problem=fault.type.name)


def _report(fault: Exception, request: Request) -> None:
    """One line with type and place of an unexpected fault; its message might quote an applicant."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
    line = {"level": "ERROR", "fault": type(fault).__name__, "place": place, "request_id": request.request_id}
    try:
        sys.stderr.write(write(line) + "\n")
    except (OSError, ValueError, AttributeError):
        return  # closed, full or not there: no reason not to answer
