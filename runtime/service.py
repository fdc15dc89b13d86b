"""The resources of the service: from a request to its answer."""

import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from runtime import problem
from runtime.event import Request, Response, Scored
from runtime.manifest import NOT_DESCRIBED, ModelRefused
from runtime.model import Model
from runtime.problem import Problem, error
from runtime.score import Bands
from runtime.settings import Settings
from runtime.strict_json import Written, parse, write, write_text
from runtime.validate import Validator

if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from runtime.columns import Columns
    from runtime.explain import Explainer

BODY_LIMIT = 64 * 1024
# Lambda's own limit for a request and for an answer is 6 MiB, what API Gateway puts around the body included.
BATCH_BODY_LIMIT = 5 * 1024 * 1024

Route = Callable[[Request], Response]


class Service:
    """Answer requests from one model."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self.model = model
        self._settings = settings
        self._validator = Validator(model.manifest, ignore_unknown_fields=settings.ignore_unknown_fields)
        self._columns: Columns | None = None
        self._explainer: Explainer | None = None
        self._explain_is_a_feature = "explain" in (feature.name for feature in model.manifest.features)
        self._bands = Bands(model.manifest.bands)
        self._grades = model.manifest.grades
        self._start = f"{{{write(model.manifest.identifier)}:"
        self._version = f',"model_version":{write(model.manifest.model_version)}'
        self._routes: dict[str, dict[str, Route]] = {
            "/": {"GET": self._home},
            "/health": {"GET": self._health},
            "/model": {"GET": self._describe},
            "/openapi.json": {"GET": self._openapi},
            "/predict": {"POST": self._predict},
            "/predict/batch": {"POST": self._predict_batch},
        }

    def respond(self, request: Request) -> Response:
        """The response to a request; raises Problem if it cannot be answered as asked."""
        methods = self._methods(request)
        if request.method == "OPTIONS" and self._settings.cors_origins:
            return Response(None, 204, {"allow": _allow(methods), **_preflight(methods)})
        route = methods.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            allow = _allow(methods)
            raise Problem(problem.METHOD_NOT_ALLOWED, f"expected {allow}", headers={"allow": allow})
        return route(request)

    def _methods(self, request: Request) -> dict[str, Route]:
        """The methods of the resource, whose path may have the prefixes of a custom domain and of a stage."""
        route = request.path
        if route not in self._routes:
            from runtime.paths import candidates  # most requests do without

            route = next(filter(self._routes.__contains__, candidates(request, self._settings.base_path)), "")
            if not route:
                raise Problem(problem.NOT_FOUND, f"expected one of {', '.join(self._routes)}")
        request.route = route
        return self._routes[route]

    def _home(self, request: Request) -> Response:
        return Response("Home")

    def health(self) -> dict[str, str]:
        """State of the service and version of its model."""
        return {"status": "ok", "model_version": self.model.manifest.model_version}

    def _health(self, request: Request) -> Response:
        return Response(self.health())

    def _describe(self, request: Request) -> Response:
        """The manifest without what only the start and the monitor need."""
        document = self.model.manifest.document
        return Response({name: value for name, value in document.items() if name not in NOT_DESCRIBED})

    def _openapi(self, request: Request) -> Response:
        from runtime.openapi import describe  # only when asked

        return Response(describe(self.model.manifest, self._settings, server=request.base_url()))

    def _predict(self, request: Request) -> Response:
        value = _json(request, BODY_LIMIT)
        wanted = self._wanted(request, value if request.is_direct and not self._explain_is_a_feature else None)
        applicant = self._validator.applicant(value)
        probability, _ = self.model.predict([applicant.numbers], [applicant.categories])
        answers, scored = self._answers(
            (applicant.identifier,), probability.tolist(), (applicant.missing,), (applicant.warnings,), ("",)
        )
        answer = answers[0]
        if wanted:
            # As _explained does of many.
            p, every = probability.item(), wanted == "all"
            more = self.explainer().explain(applicant.numbers, applicant.categories, p, scored[0][0], every=every)
            answer = f"{answer[:-1]},{more}}}"
        return Response(Written(answer), scored=scored)

    def _predict_batch(self, request: Request) -> Response:
        """One run of the session for all that are valid; for each an answer or a problem, in order."""
        value = _json(request, BATCH_BODY_LIMIT)
        wanted = self._wanted(request, value)
        values = self._validator.batch(value)
        if self._columns is None:
            from runtime.columns import Columns  # a start that answers single applicants does without

            self._columns = Columns(self.model.manifest)
        batch = self._columns.look(values)
        refused: dict[int, str] = {}
        for position in batch.second_look:
            value = values[position]
            try:
                batch.put(position, self._validator.applicant(value, f"/applicants/{position}"))
            except Problem as fault:
                identifier = self._validator.identifier_of(value)
                known = {} if identifier is None else {self.model.manifest.identifier: identifier}
                refused[position] = write({**known, **fault.content()})
        batch.leave_out(list(refused))
        answers: list[str] = []
        scored: list[Scored] = []
        if batch.identifiers:
            probabilities = self._scored(batch.numbers, batch.categories)
            pointers = (f"/applicants/{i}" for i in range(len(values)) if i not in refused)
            answers, scored = self._answers(
                batch.identifiers, probabilities.tolist(), batch.missing, batch.warnings, pointers
            )
            if wanted:
                answers = self._explained(answers, batch.numbers, batch.categories, probabilities, scored, wanted)
        for position, entry in refused.items():  # in ascending order, so that each lands in its place
            answers.insert(position, entry)
        content = f'{{"scored":{len(scored)},"refused":{len(refused)},"answers":[{",".join(answers)}]}}'
        return Response(Written(content), scored=scored, refused=len(refused))

    def _scored(self, numbers: "Any", categories: "Any") -> "NDArray[np.float64]":
        try:
            return self.model.predict(numbers, categories)[0]
        except ModelRefused as fault:
            print(fault, file=sys.stderr)  # noqa: T201  (it names files, and no applicant)
            raise Problem(problem.INTERNAL_ERROR, "batch.bin does not belong to the model; see the log") from None

    @property
    def explains(self) -> bool:
        """False where reasons are switched off."""
        return self._settings.explain != "never"

    def explainer(self) -> "Explainer":
        """Explainer of scores, read and checked on first use.

        Raises ModelRefused where its file is not the model's, Problem for a model without reasons or with reasons
        switched off.
        """
        if self._explainer is None:
            if not self.model.manifest.reasons_size:
                raise Problem(problem.NO_REASONS, self.model.manifest.reasons_why)
            from runtime.explain import load_explainer  # a start that explains nothing does without

            self._explainer = load_explainer(self.model)
        return self._explainer

    def _wanted(self, request: Request, value: object) -> str:
        """Which explanations a request wants, "" for none, "true" or "all"; takes `explain` out of its JSON value."""
        asked: object = request.parameter("explain")
        pointer = "" if asked is None else "explain in the query: "
        if type(value) is not list and isinstance(value, dict) and "explain" in value:
            given = value.pop("explain")
            asked = {True: "true", False: "false"}.get(given) if type(given) is bool else given
            pointer = "/explain: "
            asked = "null" if asked is None else asked
        if asked is None and self._settings.explain == "on-request":
            return ""  # most requests
        if asked not in (None, "", "true", "false", "all"):
            raise Problem(problem.INVALID_PARAMETER, f"{pointer}expected true, false or all")
        wanted = "" if asked in (None, "false") else "all" if asked == "all" else "true"
        setting = self._settings.explain
        if wanted and setting == "never":
            raise Problem(problem.NO_REASONS, "reasons are switched off (EXPLAIN=never)")
        wanted = wanted or ("true" if setting == "always" else "")
        if wanted and self._explainer is None:
            self._load_explainer()
        return wanted

    def _load_explainer(self) -> None:
        try:
            self.explainer()
        except ModelRefused as fault:
            print(fault, file=sys.stderr)  # noqa: T201  (it names files, and no applicant)
            raise Problem(problem.INTERNAL_ERROR, "reasons.bin does not belong to the model; see the log") from None

    def _explained(
        self,
        answers: list[str],
        numbers: "Any",
        categories: "Any",
        probabilities: "NDArray[np.float64]",
        scored: list[Scored],
        wanted: str,
    ) -> list[str]:
        """The answers with the reasons of each."""
        from runtime.tables import as_lists  # loaded with the explainer

        explain, every = self.explainer().explain, wanted == "all"
        rows = zip(answers, as_lists(numbers), as_lists(categories), probabilities.tolist(), scored, strict=True)
        return [
            f"{answer[:-1]},{explain(its, words, p, score[0], every=every)}}}" for answer, its, words, p, score in rows
        ]

    def _answers(
        self,
        identifiers: Iterable[str],
        probabilities: list[float],
        missing: Iterable[int],
        warnings: Iterable[list[dict[str, str]]],
        pointers: Iterable[str],
    ) -> tuple[list[str], list[Scored]]:
        """For each applicant the answer, as JSON, and what may be logged of it; `pointers` lead to the applicants."""
        scale = self.model.manifest.scale
        scores = scale.scores(probabilities)
        low, high = scale.probability_limits
        if min(probabilities) <= low or max(probabilities) >= high:
            remark = f"probability at or beyond its limit ({low:g} or {high:g}); the score is clipped"
            warnings = [
                remarks if low < p < high else [*remarks, error(pointer, remark)]
                for p, remarks, pointer in zip(probabilities, warnings, pointers, strict=True)
            ]
        bands = list(map(self._bands.name, scores))
        grades = [""] * len(bands)
        if self._grades is not None:
            grades = [f',"grade":{write_text(self._grades.name(p))}' for p in probabilities]
        ends = [f',"warnings":{write(remarks)}}}' if remarks else "}" for remarks in warnings]
        start, version = self._start, self._version
        answers = [
            f'{start}{write_text(name)},"default_probability":{p!r},"credit_score":{score!r},'
            f'"score_band":"{band}"{grade}{version}{end}'
            for name, p, score, band, grade, end in zip(
                identifiers, probabilities, scores, bands, grades, ends, strict=True
            )
        ]
        return answers, list(zip(scores, bands, missing, map(len, warnings), grades, strict=True))


def _json(request: Request, size_limit: int) -> object:
    """The JSON value in the body of a request that says it is JSON, or says nothing."""
    media_type = request.headers.get("content-type", "application/json")
    if media_type != "application/json" and not _is_json(media_type):
        raise Problem(problem.UNSUPPORTED_MEDIA_TYPE, "expected the header content-type: application/json")
    return parse(request.body(size_limit), size_limit)


# Values of a repeated header are joined by commas; a comma within quotation marks belongs to a value.
_VALUES = re.compile(r'(?:[^",]|"[^"]*"?)+')


def _is_json(media_types: str) -> bool:
    essences = [value.partition(";")[0].strip().lower() for value in _VALUES.findall(media_types)]
    return bool(essences) and all(
        essence == "application/json" or (essence.startswith("application/") and essence.endswith("+json"))
        for essence in essences
    )


def _allow(methods: dict[str, Route]) -> str:
    return ", ".join(["GET", "HEAD"] if "GET" in methods else methods)


# Headers that clients of AWS, of OpenTelemetry and of this service send.
ALLOWED_HEADERS = (
    "authorization, content-encoding, content-type, traceparent, tracestate, x-amz-content-sha256, x-amz-date, "
    "x-amz-security-token, x-amz-user-agent, x-amzn-trace-id, x-api-key, x-request-id"
)


def _preflight(methods: dict[str, Route]) -> dict[str, str]:
    return {
        "access-control-allow-methods": _allow(methods),
        "access-control-allow-headers": ALLOWED_HEADERS,
        "access-control-max-age": "3600",
    }
