"""The events that carry a request: distinguished, read into a request, answered in their own shape.

Reading an event never raises, whatever it holds: what is missing or of another type is empty. Only the body
is read later, when a route needs it, and may turn out unreadable. Events that carry no request, and those of
VPC Lattice, are left to runtime.other_events. docs/events.md lists them all.
"""

import json
import os
from collections.abc import Sequence
from typing import Any, TypeAlias

from runtime import strict_json
from runtime.problem import BODY_TOO_LARGE, UNREADABLE_BODY, Problem
from runtime.strict_json import Written

Scored: TypeAlias = tuple[float, str, int, int, str]

# Lambda takes answers of 6 MiB and 100 bytes as the runtime interface encodes them, a load balancer 1 MiB.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
ANSWER_LIMIT = 6_291_556
LOAD_BALANCER_LIMIT = 1024 * 1024
# More than the headers of an answer ever take, with the ids of a client in them.
ENVELOPE = 8_192

# A trace header holds several fields (Root, Parent, Sampled, Lineage, and what others add).
ID_LIMIT, TRACE_LIMIT = 128, 1024


class Request:
    """The parts of a request that a route needs.

    The names of `headers` are in lower case. `stage` is the prefix that the path may have ("/prod"), or empty.
    `resource` is the path of the resource that API Gateway has matched, or empty. `route` is the resource that
    was found for the path, and empty until then. `request_id` is the first that exists of the client's, API
    Gateway's and Lambda's.
    """

    __slots__ = (
        "_about",
        "_body",
        "_is_base64",
        "_query",
        "gateway_request_id",
        "headers",
        "is_direct",
        "lambda_request_id",
        "method",
        "path",
        "request_id",
        "resource",
        "route",
        "stage",
        "trace_id",
        "traceparent",
    )

    def __init__(
        self,
        method: object,
        path: object,
        *,
        headers: dict[str, str],
        body: object = None,
        is_base64: bool = False,
        about: dict[str, Any] | None = None,
        resource: str = "",
        context: object = None,
        query: object = None,
        is_direct: bool = False,
    ) -> None:
        """Read the parts of an event.

        `about` is the event's requestContext, `context` the object that Lambda passes with an event, `query` the query
        as text or as names and values.
        """
        self._query = query
        self.is_direct = is_direct
        self.method = method if type(method) is str else ""
        self.path = path if type(path) is str else ""
        self.route = ""
        self.headers = headers
        self.resource = resource
        self._about = about = {} if about is None else about
        stage = about.get("stage")
        self.stage = f"/{stage}" if type(stage) is str else ""
        trace_id = headers.get("x-amzn-trace-id")
        self.trace_id = _first_id(trace_id, os.environ.get("_X_AMZN_TRACE_ID"), limit=TRACE_LIMIT)
        self.traceparent = _first_id(headers.get("traceparent"))
        self.gateway_request_id = _first_id(about.get("requestId"))
        self.lambda_request_id = _first_id(getattr(context, "aws_request_id", None))
        self.request_id = _first_id(
            headers.get("x-request-id"), self.gateway_request_id, self.lambda_request_id, trace_id
        )
        self._body = body
        self._is_base64 = is_base64

    def body(self, size_limit: int) -> bytes:
        """The decoded body, empty if the event has no body. Raises Problem if it is too large or undecodable."""
        body = self._body
        if body is None:
            return b""
        if type(body) is not str:
            raise Problem(UNREADABLE_BODY, "expected the event to hold the body as a string or null")
        if len(body) > (size_limit * 3 // 2 if self._is_base64 else size_limit):
            raise Problem(BODY_TOO_LARGE, f"expected at most {size_limit} bytes")
        encoding = self.headers.get("content-encoding", "")
        if not (self._is_base64 or encoding):
            return body.encode("utf-8", "surrogatepass")  # a lone surrogate is refused where UTF-8 is read
        from runtime.body import decode  # a library to load, for binary bodies only

        return decode(body, encoding, size_limit, is_base64=self._is_base64)

    def parameter(self, name: str) -> str | None:
        """The last value of a parameter of the query, None if it is absent; letters and dashes need no decoding."""
        query = self._query
        if type(query) is str:
            pairs = (part.partition("=") for part in query.split("&"))
            values: list[object] = [value for its_name, _, value in pairs if its_name == name]
        else:
            found = query.get(name) if type(query) is dict else None
            values = found if type(found) is list else [] if found is None else [found]
        return (values[-1] if type(values[-1]) is str else "") if values else None

    def base_url(self) -> str:
        """The address above the route, as the client sees it: with a domain if the event names one."""
        path = self._about.get("path")  # of a REST API: with its stage, or with what a custom domain puts before
        path = (path if type(path) is str else self.path).rstrip("/")
        prefix = path[: -len(self.route)].rstrip("/") if path.endswith(self.route) else ""
        domain = _first_id(self._about.get("domainName"))
        return f"https://{domain}{prefix}" if domain else prefix or "/"


class Response:
    """An answer before it gets the shape of its event: `content` is JSON or `Written`, or None without a body.

    The rest is for logs and metrics, which must not hold anything that an applicant sent: `scored` has (score, band,
    missing values, warnings, grade) of each applicant scored, the grade as a JSON member after a comma, empty for a
    model without grades; `refused` counts the applicants that were not, `problem` is the name of the problem's type.
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

    answer_limit = ANSWER_LIMIT

    @staticmethod
    def matches(event: dict[str, Any]) -> bool:
        """True for events of an HTTP API or a function URL."""
        return type(_object(event, "requestContext").get("http")) is dict and "routeArn" not in event

    @staticmethod
    def request(event: dict[str, Any], context: object) -> Request:
        """Read an event of payload format 2.0."""
        about = event["requestContext"]
        route_key = event.get("routeKey")  # "POST /predict", or "$default"
        template = route_key.partition(" ")[2] if type(route_key) is str else ""
        return Request(
            about["http"].get("method"),
            event.get("rawPath"),
            headers=_headers(event),
            body=event.get("body"),
            is_base64=event.get("isBase64Encoded") is True,
            about=about,
            resource=_resource(event, template),
            context=context,
            query=event.get("rawQueryString") or event.get("queryStringParameters"),
        )

    @staticmethod
    def answer(event: dict[str, Any], response: Response, body: str) -> dict[str, Any]:
        """The response in payload format 2.0."""
        return {
            "statusCode": response.status,
            "headers": response.headers,
            "body": body,
            "isBase64Encoded": False,
        }


class RestApi:
    """API Gateway REST API, and HTTP API with payload format 1.0."""

    answer = HttpApi.answer
    answer_limit = ANSWER_LIMIT

    @staticmethod
    def matches(event: dict[str, Any]) -> bool:
        """True for events of a REST API; False for those of authorizers, agents and WebSockets."""
        if "httpMethod" not in event or "methodArn" in event or "apiPath" in event:  # an authorizer's, an agent's
            return False
        return "connectionId" not in _object(event, "requestContext")  # a WebSocket API's

    @staticmethod
    def request(event: dict[str, Any], context: object) -> Request:
        """Read an event of payload format 1.0."""
        return Request(
            event["httpMethod"],
            event.get("path"),
            headers=_headers(event),
            body=event.get("body"),
            is_base64=event.get("isBase64Encoded") is True,
            about=_object(event, "requestContext"),
            resource=_resource(event, event.get("resource")),
            context=context,
            query=event.get("multiValueQueryStringParameters") or event.get("queryStringParameters"),
        )


class LoadBalancer:
    """Application Load Balancer, with headers of one value or of several."""

    request = RestApi.request
    answer_limit = LOAD_BALANCER_LIMIT

    @staticmethod
    def matches(event: dict[str, Any]) -> bool:
        """True for events of an Application Load Balancer."""
        return "httpMethod" in event and "elb" in _object(event, "requestContext")

    @staticmethod
    def answer(event: dict[str, Any], response: Response, body: str) -> dict[str, Any]:
        """The response with a status description, and with multi-value headers where the target group has them on."""
        shaped = HttpApi.answer(event, response, body)
        shaped["statusDescription"] = f"{response.status} {REASONS[response.status]}"
        if type(event.get("multiValueHeaders")) is dict:  # then the load balancer ignores `headers`
            headers = shaped.pop("headers")
            shaped["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
        return shaped


class Direct:
    """An applicant, or `{"applicants": [...]}`, handed over by `aws lambda invoke` or by a state machine.

    Its answer is the content itself, for a prediction and for a problem.
    """

    answer_limit = ANSWER_LIMIT

    @staticmethod
    def request(event: object, context: object) -> Request:
        """Read a direct invocation: an applicant, or a batch with `applicants`."""
        is_batch = type(event) is dict and "applicants" in event
        return Request(
            "POST",
            "/predict/batch" if is_batch else "/predict",
            headers={},
            body=_json_again(event),
            context=context,
            is_direct=True,
        )

    @staticmethod
    def answer(event: object, response: Response, body: str) -> object:
        """The body by itself, as an object."""
        return json.loads(body)


EVENT_TYPES: tuple[Any, ...] = (HttpApi, LoadBalancer, RestApi)

REASONS = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
}


def infer(event: object) -> Any:
    """The type of an event that carries a request: the most specific that matches; Direct if none does."""
    if type(event) is dict:
        for event_type in EVENT_TYPES:
            if event_type.matches(event):
                return event_type
    return Direct


def encoded_size(event_type: Any, event: Any, response: Response, body: str) -> int:
    """The bytes of an answer as AWS's runtime interface client writes it.

    It writes a blank after each comma and colon, and a body as a string: with a backslash before each quotation mark
    and backslash. A body is ASCII without control characters. In the managed runtimes since Python 3.12, text beyond
    ASCII in a direct answer is written shorter; for those the size is an upper limit.
    https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/lambda_runtime_marshaller.py
    """
    if event_type is Direct:
        return len(body) + strict_json.separators(body)
    envelope = json.dumps(event_type.answer(event, response, ""))
    return len(envelope) + len(body) + body.count('"') + body.count("\\")


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


def _resource(event: dict[str, Any], template: object) -> str:
    """The path in a resource of API Gateway: of "/predict" itself, of "/v1/{proxy+}" what stands for the variable."""
    if type(template) is not str or not template.endswith("+}"):
        return template if type(template) is str else ""
    value = _object(event, "pathParameters").get(template[template.rfind("{") + 1 : -2])
    return f"/{value}" if type(value) is str else ""


def _first_id(*candidates: object, limit: int = ID_LIMIT) -> str:
    """The first that is fit for a header and a log line."""
    for text in candidates:
        if type(text) is str and 0 < len(text) <= limit and text.isascii() and text.isprintable():
            return text
    return ""


def _json_again(event: object) -> str | None:
    """A parsed event as JSON text again, so that there is one way to validate; None if it is not JSON."""
    try:
        return json.dumps(event)
    except (TypeError, ValueError, RecursionError):
        return None
