"""The resources of the service: from a request to what is answered."""

from collections.abc import Callable

from runtime import problem
from runtime.event import Request, Response
from runtime.model import Model
from runtime.problem import Problem
from runtime.score import band
from runtime.settings import Settings
from runtime.strict_json import parse
from runtime.validate import Applicant, Validator

BODY_LIMIT = 64 * 1024
# Lambda's own limit for a request and for an answer is 6 MiB, what API Gateway puts around the body included.
BATCH_BODY_LIMIT = 5 * 1024 * 1024

Route = Callable[[Request], Response]


class Service:
    """Answers requests from one model."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self.model = model
        self._settings = settings
        self._validator = Validator(model.manifest, ignore_unknown_fields=settings.ignore_unknown_fields)
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
        """The methods of the resource, whose path may have the prefix of a custom domain and of a stage."""
        path = request.path.rstrip("/") or "/"
        found = self._routes.get(path)
        if found is None:
            for prefix in (self._settings.base_path, request.stage):
                if prefix and (path == prefix or path.startswith(prefix + "/")):
                    path = path[len(prefix) :] or "/"
            found = self._routes.get(path)
        if found is None:
            raise Problem(problem.NOT_FOUND, f"expected one of {', '.join(self._routes)}")
        return found

    def _home(self, request: Request) -> Response:
        return Response("Home")

    def _health(self, request: Request) -> Response:
        return Response({"status": "ok", "model_version": self.model.manifest.model_version})

    def _describe(self, request: Request) -> Response:
        """The manifest without its self-check rows."""
        document = self.model.manifest.document
        return Response({name: value for name, value in document.items() if name != "self_check"})

    def _openapi(self, request: Request) -> Response:
        from runtime.openapi import describe  # only when asked

        return Response(describe(self.model.manifest, ignore_unknown_fields=self._settings.ignore_unknown_fields))

    def _predict(self, request: Request) -> Response:
        applicant = self._validator.applicant(_json(request, BODY_LIMIT))
        answer, scored = self._answers([applicant])[0]
        return Response(answer, scored=(scored,))

    def _predict_batch(self, request: Request) -> Response:
        """One run of the session for all that are valid; for each an answer or a problem, in order."""
        entries: list[object] = []
        applicants: list[Applicant] = []
        positions: list[int] = []
        for index, value in enumerate(self._validator.batch(_json(request, BATCH_BODY_LIMIT))):
            try:
                applicants.append(self._validator.applicant(value, f"/applicants/{index}"))
            except Problem as fault:
                identifier = self._validator.identifier_of(value)
                known = {} if identifier is None else {self.model.manifest.identifier: identifier}
                entries.append({**known, **fault.content()})
            else:
                positions.append(index)
                entries.append(None)
        answers = self._answers(applicants)
        for index, (answer, _) in zip(positions, answers, strict=True):
            entries[index] = answer
        content = {"scored": len(answers), "refused": len(entries) - len(answers), "answers": entries}
        return Response(content, scored=tuple(scored for _, scored in answers))

    def _answers(self, applicants: list[Applicant]) -> list[tuple[dict[str, object], tuple[float, str, int, int]]]:
        """For each applicant the answer, and what may be logged of it."""
        if not applicants:
            return []
        manifest = self.model.manifest
        probabilities, _ = self.model.predict(
            [applicant.numbers for applicant in applicants],
            [applicant.categories for applicant in applicants],
        )
        answers = []
        for applicant, probability in zip(applicants, probabilities.tolist(), strict=True):
            score = manifest.scale.score(probability)
            label = band(score, manifest.bands)
            answer: dict[str, object] = {
                manifest.identifier: applicant.identifier,
                "default_probability": probability,
                "credit_score": score,
                "score_band": label,
                "model_version": manifest.model_version,
            }
            if applicant.warnings:
                answer["warnings"] = applicant.warnings
            answers.append((answer, (score, label, applicant.missing, len(applicant.warnings))))
        return answers


def _json(request: Request, size_limit: int) -> object:
    """The JSON value in the body of a request that says it is JSON, or says nothing."""
    media_type = request.headers.get("content-type", "application/json")
    essence = media_type.partition(";")[0].strip().lower()
    if essence != "application/json" and not (essence.startswith("application/") and essence.endswith("+json")):
        raise Problem(problem.UNSUPPORTED_MEDIA_TYPE, "expected the header content-type: application/json")
    return parse(request.body(size_limit), size_limit)


def _allow(methods: dict[str, Route]) -> str:
    return ", ".join(["GET", "HEAD"] if "GET" in methods else methods)


def _preflight(methods: dict[str, Route]) -> dict[str, str]:
    return {
        "access-control-allow-methods": _allow(methods),
        "access-control-allow-headers": "authorization, content-type, x-api-key, x-request-id",
        "access-control-max-age": "3600",
    }
