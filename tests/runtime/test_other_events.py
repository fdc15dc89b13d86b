"""Events that are no usual request: each is answered, or refused by name, as docs/events.md says."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime.event import Direct, infer
from runtime.observe import Observer
from runtime.other_events import MEMBERS, RECORDS, EventRefused, Lattice
from tests.runtime.model_builder import EVENTS, reference_request

if TYPE_CHECKING:
    from runtime.dispatch import Handler

ReadEvent = Callable[[str], Any]

OTHER = EVENTS / "other"
WARM_UPS = sorted(path.stem for path in (OTHER / "warm_up").glob("*.json"))
REFUSED = sorted(path.stem for path in (OTHER / "refused").glob("*.json"))

# The service that the message names, where it is not one of the shapes that have no name.
SERVICES = {
    "active_mq": "Amazon MQ",
    "alexa": "Alexa",
    "appsync": "AppSync",
    "authorizer_appsync": "an authorizer",
    "authorizer_http_api": "an authorizer",
    "authorizer_rest": "an authorizer",
    "authorizer_token": "an authorizer",
    "bedrock_agent": "a Bedrock agent",
    "bedrock_agent_function": "a Bedrock agent",
    "client_vpn": "Client VPN",
    "cloudformation": "CloudFormation",
    "cloudfront": "CloudFront",
    "cloudwatch_alarm": "a CloudWatch alarm",
    "cloudwatch_dashboard": "a CloudWatch dashboard",
    "cloudwatch_logs": "CloudWatch Logs",
    "codecommit": "CodeCommit",
    "codedeploy": "CodeDeploy",
    "codepipeline": "CodePipeline",
    "cognito_sync": "Cognito",
    "cognito_user_pool": "Cognito",
    "config_rule": "Config",
    "connect": "Connect",
    "destination": "a destination of another function",
    "document_db": "DocumentDB",
    "dynamodb_stream": "DynamoDB streams",
    "eventbridge": "EventBridge",
    "eventbridge_s3": "EventBridge",
    "firehose": "Data Firehose",
    "iot_authorizer": "IoT",
    "iot_button": "IoT",
    "iot_one_click": "IoT",
    "iot_provisioning": "IoT",
    "kinesis": "Kinesis streams",
    "kinesis_analytics": "Kinesis Data Analytics",
    "lex_v1": "Lex",
    "lex_v2": "Lex",
    "msk": "Kafka",
    "rabbit_mq": "Amazon MQ",
    "records_of_another": "a queue or a stream",
    "s3": "S3",
    "s3_batch": "S3 Batch Operations",
    "s3_object_lambda": "S3 Object Lambda",
    "s3_test": "an S3 test",
    "sagemaker": "SageMaker",
    "secrets_manager": "Secrets Manager",
    "ses": "SES",
    "sns": "SNS",
    "sqs": "SQS",
    "websocket_connect": "a WebSocket API",
    "websocket_disconnect": "a WebSocket API",
    "websocket_message": "a WebSocket API",
}
NAMELESS = {
    "console_test": 'an object without "uuid", most of whose fields are unknown',
    "empty": 'an object without "uuid", most of whose fields are unknown',
    "pipe": "a list",
}


def read(name: str) -> Any:
    return json.loads((OTHER / f"{name}.json").read_text())


def test_every_event_is_in_the_documentation_with_its_answer() -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    answers: dict[str, str] = {}
    for files, answer in re.findall(r"^\|[^|]*\| (`.*`) \| (\w[\w-]*)", page, re.MULTILINE):
        answers |= dict.fromkeys(re.findall(r"`([\w/]+)`", files), answer)
    requests = {path.stem: "direct" if "direct" in path.stem else "request" for path in EVENTS.glob("*.json")}
    warm_ups = {f"warm_up/{name}": "warm-up" for name in WARM_UPS}
    refused = {f"refused/{name}": "error" for name in REFUSED}
    assert answers == requests | warm_ups | refused
    assert set(REFUSED) == SERVICES.keys() | NAMELESS.keys()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_request_fails_with_the_name_of_its_service(name: str, handler: "Handler", small: "Handler") -> None:
    got = f"an event of {SERVICES[name]}" if name in SERVICES else NAMELESS[name]
    for served in (handler, small):  # the small model has a feature named "region", as some events have
        with pytest.raises(EventRefused) as refusal:
            served(read(f"refused/{name}"), None)
        assert str(refusal.value) == (
            f"event: expected an HTTP request, an applicant, or a batch of applicants, got {got}; "
            "remove the trigger, or invoke this function from one that reads the event"
        )


def test_every_known_service_has_an_event() -> None:
    assert {service for service, _ in MEMBERS} | {*RECORDS.values()} <= {*SERVICES.values()}


@pytest.mark.parametrize("name", WARM_UPS)
def test_a_warm_up_is_answered_and_not_counted(name: str, small: "Handler") -> None:
    lines: list[bytes] = []
    manifest = small.service.model.manifest
    small.observe = Observer(manifest, lines.append, log=True, namespace="x", cold=True)
    try:
        answer = small(read(f"warm_up/{name}"), None)
        assert answer == {"status": "ok", "model_version": manifest.model_version}
        with pytest.raises(EventRefused):
            small(read("refused/sqs"), None)
        assert lines == []
        small({"uuid": "1"}, None)
        assert json.loads(lines[0])["cold_start"] is True
    finally:
        small.observe = None


@pytest.mark.parametrize(
    "event", [{"warmup": "yes"}, {"warmer": 1}, {"source": "another"}, {"detail-type": "Scheduled Event"}]
)
def test_what_only_looks_like_a_warm_up_is_refused(event: dict[str, Any], handler: "Handler") -> None:
    with pytest.raises(EventRefused):
        handler(event, None)


@pytest.mark.parametrize(
    "event", [None, [], [{"uuid": "1"}], "x", 3, True, {"key": 1}, {"Records": []}, {"Records": [3]}]
)
def test_what_is_no_object_or_has_no_field_is_refused(event: object, handler: "Handler") -> None:
    with pytest.raises(EventRefused, match="event: expected an HTTP request, an applicant, or a batch"):
        handler(event, None)


def test_an_applicant_with_mistakes_is_answered(small: "Handler") -> None:
    for event in (
        {"uuid": "1", "a": 1, "b": 2, "c": 3},  # the id makes it one
        {"income": 1.0, "age": 30, "x": 1},  # most of its fields are the model's
        {"applicants": [], "x": 1},
        {"uuid": "1", "Region": "north", "version": "2"},
    ):
        assert infer(event) is Direct
        answer: Any = small(event, None)
        assert answer["status"] == 422


@pytest.mark.parametrize("name", ["vpc_lattice_v1", "vpc_lattice_v2"])
def test_lattice_is_answered_as_it_asks(name: str, event: ReadEvent, handler: "Handler") -> None:
    answer: Any = handler(event(name), None)
    assert (answer["statusCode"], answer["statusDescription"], answer["isBase64Encoded"]) == (200, "200 OK", False)
    assert json.loads(answer["body"]) == handler(reference_request(), None)
    refused: Any = handler({**event(name), "body": None}, None)
    assert refused["statusDescription"] == "400 Bad Request"
    assert refused["headers"]["content-type"] == "application/problem+json"


def test_the_query_of_lattice_is_no_part_of_the_path(event: ReadEvent, handler: "Handler") -> None:
    recorded = event("vpc_lattice_v1")
    answer: Any = handler({**recorded, "raw_path": "/predict?a=/b"}, None)
    assert answer["statusCode"] == 200


@pytest.mark.parametrize(
    "headers", [None, 3, [], {"a": None}, {"content-type": [3, "application/json"]}, {"a": [None]}]
)
def test_odd_headers_of_lattice_never_raise(headers: object, event: ReadEvent, handler: "Handler") -> None:
    for name in ("vpc_lattice_v1", "vpc_lattice_v2"):
        recorded = {**event(name), "headers": headers}
        assert Lattice.matches(recorded)
        answer: Any = handler(recorded, None)
        assert answer["statusCode"] == 200
