"""The events that a Lambda is invoked with: told apart, read into a request, answered in their own shape.

Reading an event never raises, whatever it holds: what is missing or of another type is empty. Only the body
is read later, when a route needs it, and may turn out unreadable.
"""

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from runtime import strict_json
from runtime.problem import BODY_TOO_LARGE, UNREADABLE_BODY, Problem
from runtime.strict_json import Written

Scored: TypeAlias = tuple[float, str, int, int]


class Request:
    """What a route needs to know.

    The names of `headers` are in lower case; `stage` is what the path may begin with ("/prod"), or empty. `route`
    is the resource that was found for the path, empty until then.
    """

    __slots__ = ("_body", "_is_base64", "headers", "method", "path", "request_id", "route", "stage", "trace_id")

    def __init__(
        self,
        method: object,
        path: object,
        *,
        headers: dict[str, str],
        body: object = None,
        is_base64: bool = False,
        stage: object = None,
        request_id: object = None,
    ) -> None:
        self.method = method if type(method) is str else ""
        self.path = path if type(path) is str else ""
        self.route = ""
        self.headers = headers
        self.stage = f"/{stage}" if type(stage) is str else ""
        self.trace_id = _first_id(headers.get("x-amzn-trace-id"))
        self.request_id = _first_id(headers.get("x-request-id"), request_id, self.trace_id)
        self._body = body
        self._is_base64 = is_base64

    def body(self, size_limit: int) -> bytes:
        """The decoded body, empty if there is none. Raises Problem if it is too large or undecodable."""
        body = self._body
        if body is None:
            return b""
        if type(body) is not str:
            raise Problem(UNREADABLE_BODY, "expected the event to hold the body as a string or null")
        if len(body) > (size_limit * 3 // 2 if self._is_base64 else size_limit):
            raise Problem(BODY_TOO_LARGE, f"expected at most {size_limit} bytes")
        if not self._is_base64:
            return body.encode("utf-8", "surrogatepass")  # a lone surrogate is refused where UTF-8 is read
        from binascii import a2b_base64  # a library to load, for binary bodies only

        try:
            return a2b_base64(body, strict_mode=True)
        except ValueError as fault:
            raise Problem(UNREADABLE_BODY, f"expected base64, as isBase64Encoded says: {fault}") from None


class Response:
    """An answer before it has the shape of its event: `content` is JSON or `Written`, or None for no body.

    The rest is for logs and metrics, which must not hold anything that an applicant sent: `scored` has (score, band,
    missing values, warnings) of each applicant scored, `refused` counts the others of a batch, `problem` is the name
    of the kind of problem that it is.
    """

    __slots__ = ("content", "headers", "problem", "refused", "scored", "status")

    def __init__(
        self,
        content: object,
        status: int = 200,
        headers: dict[str, str] | None = None,
        *,
        scored: Sequence[Scored] = (),
        refused: int = 0,
        problem: str = "",
    ) -> None:
        self.content = content
        self.status = status
        self.headers = headers if headers is not None else {}
        self.scored = scored
        self.refused = refused
        self.problem = problem

    def text(self) -> str:
        """The body; raises ValueError for a number that JSON cannot hold."""
        if type(self.content) is Written:
            return self.content
        return "" if self.content is None else strict_json.write(self.content)


class HttpApi:
    """API Gateway HTTP API (payload format 2.0) and function URLs."""

    @staticmethod
    def matches(event: dict[str, Any]) -> bool:
        return type(_object(event, "requestContext").get("http")) is dict

    @staticmethod
    def request(event: dict[str, Any], context: object) -> Request:
        about = event["requestContext"]
        return Request(
            about["http"].get("method"),
            event.get("rawPath"),
            headers=_headers(event),
            body=event.get("body"),
            is_base64=event.get("isBase64Encoded") is True,
            stage=about.get("stage"),
            request_id=about.get("requestId"),
        )

    @staticmethod
    def answer(event: dict[str, Any], response: Response, body: str) -> dict[str, Any]:
        return {
            "statusCode": response.status,
            "headers": response.headers,
            "body": body,
            "isBase64Encoded": False,
        }


class RestApi:
    """API Gateway REST API, and HTTP API with payload format 1.0."""

    answer = HttpApi.answer

    @staticmethod
    def matches(event: dict[str, Any]) -> bool:
        return "httpMethod" in event

    @staticmethod
    def request(event: dict[str, Any], context: object) -> Request:
        about = _object(event, "requestContext")
        return Request(
            event["httpMethod"],
            event.get("path"),
            headers=_headers(event),
            body=event.get("body"),
            is_base64=event.get("isBase64Encoded") is True,
            stage=about.get("stage"),
            request_id=about.get("requestId") or getattr(context, "aws_request_id", None),
        )


class LoadBalancer:
    """Application Load Balancer, with headers of one value or of several."""

    request = RestApi.request

    @staticmethod
    def matches(event: dict[str, Any]) -> bool:
        return "httpMethod" in event and "elb" in _object(event, "requestContext")

    @staticmethod
    def answer(event: dict[str, Any], response: Response, body: str) -> dict[str, Any]:
        shaped = HttpApi.answer(event, response, body)
        shaped["statusDescription"] = f"{response.status} {REASONS[response.status]}"
        if type(event.get("multiValueHeaders")) is dict:  # then the load balancer ignores `headers`
            headers = shaped.pop("headers")
            shaped["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
        return shaped


class Direct:
    """Everything else: an applicant, or `{"applicants": [...]}`, handed over by `aws lambda invoke`.

    Its answer is the content itself, of a prediction as of a problem.
    """

    @staticmethod
    def request(event: object, context: object) -> Request:
        is_batch = type(event) is dict and "applicants" in event
        return Request(
            "POST",
            "/predict/batch" if is_batch else "/predict",
            headers={},
            body=_json_again(event),
            request_id=getattr(context, "aws_request_id", None),
        )

    @staticmethod
    def answer(event: object, response: Response, body: str) -> object:
        return json.loads(body)


KINDS: tuple[Any, ...] = (HttpApi, LoadBalancer, RestApi)

REASONS = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
}


def infer(event: object) -> Any:
    """The kind of an event: the most specific that matches."""
    if type(event) is dict:
        for kind in KINDS:
            if kind.matches(event):
                return kind
    return Direct


def _object(event: dict[str, Any], key: str) -> dict[str, Any]:
    value = event.get(key)
    return value if type(value) is dict else {}


def _headers(event: dict[str, Any]) -> dict[str, str]:
    """Names in lower case; several values of a name are joined as HTTP joins them."""
    headers = event.get("headers")
    if type(headers) is dict and headers:
        return {n.lower(): v for n, v in headers.items() if type(v) is str and type(n) is str}
    return {
        name.lower(): ", ".join(value for value in values if type(value) is str)
        for name, values in _object(event, "multiValueHeaders").items()
        if type(values) is list and type(name) is str
    }


def _first_id(*candidates: object) -> str:
    """The first that is fit for a header and a log line."""
    for text in candidates:
        if type(text) is str and 0 < len(text) <= 128 and text.isascii() and text.isprintable():
            return text
    return ""


def _json_again(event: object) -> str | None:
    """A parsed event as JSON text again, so that there is one way to validate; None if it is not JSON."""
    try:
        return json.dumps(event)
    except (TypeError, ValueError, RecursionError):
        return None
