"""Requests that cannot be answered as asked, as RFC 9457 problem details.

Each `type` is stable: clients may branch on it. No `detail` quotes a value that an applicant
sent, and none holds a stack trace, so a problem may be shown and kept.
"""

TYPE_PREFIX = "urn:lastbit:problem:"


class ProblemType:
    """A type of problem: the last part of its URN, its HTTP status, its title, and what the client should do."""

    __slots__ = ("name", "remedy", "status", "title")

    def __init__(self, name: str, status: int, title: str, remedy: str) -> None:
        self.name = name
        self.status = status
        self.title = title
        self.remedy = remedy


UNREADABLE_BODY = ProblemType(
    "unreadable-body",
    400,
    "Request body is unreadable",
    "send the body as the headers declare it: base64 or gzip that decodes",
)
INVALID_JSON = ProblemType(
    "invalid-json", 400, "Request body is not valid JSON", "send a JSON object in UTF-8; the detail has line and column"
)
NESTED_TOO_DEEP = ProblemType("nested-too-deep", 400, "JSON is nested too deeply", "send an applicant as a flat object")
INVALID_PARAMETER = ProblemType(
    "invalid-parameter", 400, "Query parameter is invalid", "correct the query: explain is true, false or all"
)
NOT_FOUND = ProblemType(
    "not-found",
    404,
    "Resource not found",
    "use one of the routes that the detail names; behind a custom domain set BASE_PATH",
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", 405, "Method not allowed", "use the method that the header allow names"
)
NO_REASONS = ProblemType(
    "no-reasons",
    409,
    "Reasons are not available",
    "do what the detail says: export the model with reasons, or set EXPLAIN to on-request",
)
BODY_TOO_LARGE = ProblemType("body-too-large", 413, "Request body is too large", "send fewer applicants at once")
ANSWER_TOO_LARGE = ProblemType("answer-too-large", 413, "Answer is too large", "send fewer applicants at once")
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    415,
    "Media type or encoding is not supported",
    "send content-type: application/json, and gzip or no encoding",
)
INVALID_APPLICANT = ProblemType(
    "invalid-applicant", 422, "Applicant failed validation", "correct each field that errors points to"
)
INVALID_BATCH = ProblemType(
    "invalid-batch",
    422,
    "Batch failed validation",
    "send applicants as a list of objects within the limit that the detail names",
)
INTERNAL_ERROR = ProblemType(
    "internal-error", 500, "Request could not be answered", "try again; the log has the fault under the request id"
)

PROBLEM_TYPES = (
    UNREADABLE_BODY,
    INVALID_JSON,
    NESTED_TOO_DEEP,
    INVALID_PARAMETER,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    NO_REASONS,
    BODY_TOO_LARGE,
    ANSWER_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID_APPLICANT,
    INVALID_BATCH,
    INTERNAL_ERROR,
)


class Problem(Exception):  # noqa: N818  (RFC 9457's word)
    """Raised wherever a request is found to be wrong, and answered in one place, the handler.

    `errors` has an entry for each wrong field (see `error`), `headers` what the answer needs besides the
    usual ones.
    """

    def __init__(
        self,
        type_: ProblemType,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.type = type_
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def content(self) -> dict[str, object]:
        """The members of the problem+json object."""
        content: dict[str, object] = {
            "type": TYPE_PREFIX + self.type.name,
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
        }
        if self.errors:
            content["errors"] = self.errors
        return content


def error(pointer: str, detail: str) -> dict[str, str]:
    """An entry of `errors` or `warnings`: the place in the request (RFC 6901), and what is wrong there."""
    return {"pointer": pointer, "detail": detail}


def child(pointer: str, name: str) -> str:
    """The pointer to the member `name` below `pointer`, readable whatever a client calls its fields.

    >>> child("/applicants/0", "a/b~c")
    '/applicants/0/a~1b~0c'
    """
    if len(name) > 100:
        name = name[:100] + "..."
    name = name.encode("utf-8", "replace").decode()  # a lone surrogate is no text that an answer may hold
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
