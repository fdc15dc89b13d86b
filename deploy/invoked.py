"""The service behind an API that wants more than a key (a network, signature or certificate), asked through Lambda."""

import json
import time
from typing import Any

from deploy.endpoint import FIRST_PAUSE, PASSING, Answer, Failed
from deploy.versions import LIVE
from storage.faults import told


class Invoked:
    """The function behind the alias `live`, asked with the events that API Gateway would make of requests."""

    has_key = False  # Lambda itself asks for none

    def __init__(self, client: Any, function: str, *, attempts: int = 5) -> None:
        self.url = f"{function}:{LIVE}"
        self._client = client
        self._function = function
        self._attempts = attempts

    def ask(
        self, path: str, content: Any = None, *, with_key: bool = True, passing: frozenset[int] = PASSING
    ) -> Answer:
        """Answer to a POST of the content as JSON, or to a GET without content; transient failures are retried.

        Raises Failed where the function ends with an error, or answers with what is not JSON.
        """
        assert with_key
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
            answer = self._ask_once(path, content)
            if answer.status not in passing:
                break
        return answer

    def _ask_once(self, path: str, content: Any) -> Answer:
        event = {
            "resource": path,
            "path": path,
            "httpMethod": "GET" if content is None else "POST",
            "headers": {"accept": "application/json, application/problem+json", "content-type": "application/json"},
            "queryStringParameters": None,
            "requestContext": {"httpMethod": "GET" if content is None else "POST", "stage": LIVE},
            "body": None if content is None else json.dumps(content, allow_nan=False),
            "isBase64Encoded": False,
        }
        begin = time.perf_counter()
        with told(f"invoking {self.url}"):
            given = self._client.invoke(FunctionName=self._function, Qualifier=LIVE, Payload=json.dumps(event).encode())
            body = given["Payload"].read()
        seconds = time.perf_counter() - begin
        try:
            answer = json.loads(body)
            if "FunctionError" in given:
                raise Failed(f"{path}: the function failed: {answer.get('errorMessage', given['FunctionError'])}")
            headers = {name.lower(): value for name, value in answer["headers"].items()}
            media_type = str(headers["content-type"]).partition(";")[0].strip()
            return Answer(int(answer["statusCode"]), media_type, json.loads(answer["body"]), seconds)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            raise Failed(f"{path}: expected an answer in JSON, got {body[:60].decode('utf-8', 'replace')!r}") from None
