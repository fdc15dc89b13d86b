"""What cannot be answered as asked, as RFC 9457 problem details.

The `type` of each kind is stable: clients may branch on it. No `detail` quotes a value that an applicant
sent, and none holds a stack trace, so a problem may be shown and kept.
"""

TYPE_PREFIX = "urn:lastbit:problem:"


class Kind:
    """One kind of problem: the last part of its `type`, its HTTP status, its title."""

    __slots__ = ("name", "status", "title")

    def __init__(self, name: str, status: int, title: str) -> None:
        self.name = name
        self.status = status
        self.title = title


UNREADABLE_BODY = Kind("unreadable-body", 400, "The body of the request cannot be read")
INVALID_JSON = Kind("invalid-json", 400, "The body of the request is not JSON")
NESTED_TOO_DEEP = Kind("nested-too-deep", 400, "The JSON is nested too deep")
NOT_FOUND = Kind("not-found", 404, "There is no such resource")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "The resource does not have this method")
BODY_TOO_LARGE = Kind("body-too-large", 413, "The body of the request is too large")
ANSWER_TOO_LARGE = Kind("answer-too-large", 413, "The answer would be too large")
UNSUPPORTED_MEDIA_TYPE = Kind("unsupported-media-type", 415, "The body of the request has to be JSON")
INVALID_APPLICANT = Kind("invalid-applicant", 422, "The applicant is not as the model needs it")
INVALID_BATCH = Kind("invalid-batch", 422, "The batch is not as it has to be")
INTERNAL_ERROR = Kind("internal-error", 500, "The request could not be answered")

KINDS = (
    UNREADABLE_BODY,
    INVALID_JSON,
    NESTED_TOO_DEEP,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    BODY_TOO_LARGE,
    ANSWER_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID_APPLICANT,
    INVALID_BATCH,
    INTERNAL_ERROR,
)


class Problem(Exception):  # noqa: N818  (RFC 9457's word)
    """Raised wherever a request turns out wrong; answered in one place, the handler.

    `errors` has an entry for each wrong field (see `error`), `headers` what the answer needs besides the
    usual ones.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def content(self) -> dict[str, object]:
        """The members of the problem+json object."""
        content: dict[str, object] = {
            "type": TYPE_PREFIX + self.kind.name,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
        }
        if self.errors:
            content["errors"] = self.errors
        return content


def error(pointer: str, detail: str) -> dict[str, str]:
    """An entry of `errors` or `warnings`: where in the request (RFC 6901), and what is wrong there."""
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
