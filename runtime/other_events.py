"""Events beyond the usual requests: VPC Lattice, warm-ups, and events that were never meant for this function.

Loaded only when such an event comes. docs/events.md has a line for each.
"""

from collections.abc import Set
from typing import Any

from runtime.event import ANSWER_LIMIT, REASONS, Direct, HttpApi, Request, Response


class EventRefused(Exception):  # noqa: N818  (named for what happened)
    """An event that is not a request: the invocation fails, so that a queue or a stream keeps its records."""


class Lattice:
    """VPC Lattice, event versions 1 and 2.

    https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
    """

    answer_limit = ANSWER_LIMIT

    @staticmethod
    def matches(event: dict[str, Any]) -> bool:
        """True for events of VPC Lattice, version 1 or 2."""
        about = event.get("requestContext")
        return "method" in event and ("raw_path" in event or (type(about) is dict and "targetGroupArn" in about))

    @staticmethod
    def request(event: dict[str, Any], context: object) -> Request:
        """Read an event of VPC Lattice, version 1 or 2."""
        path = event["raw_path"] if "raw_path" in event else event.get("path")
        query = event.get("queryStringParameters") or event.get("query_string_parameters")
        is_base64 = event.get("is_base64_encoded" if "raw_path" in event else "isBase64Encoded")
        return Request(
            event["method"],
            path.partition("?")[0] if type(path) is str else path,
            headers=_headers(event.get("headers")),
            body=event.get("body"),
            is_base64=is_base64 is True,
            context=context,
            query=query or (path.partition("?")[2] if type(path) is str else None),
        )

    @staticmethod
    def answer(event: dict[str, Any], response: Response, body: str) -> dict[str, Any]:
        """The response with a status description."""
        reason = REASONS[response.status]
        return {**HttpApi.answer(event, response, body), "statusDescription": f"{response.status} {reason}"}


class WarmUp:
    """A schedule, or a tool that keeps functions warm: answered at once, and neither logged nor counted."""


WARM_UP_SOURCES = ("serverless-plugin-warmup",)
WARM_UP_MEMBERS = ("warmer", "warmup")

# Members that only these events have, by service.
RECORDS = {
    "aws:codecommit": "CodeCommit",
    "aws:dynamodb": "DynamoDB streams",
    "aws:kinesis": "Kinesis streams",
    "aws:s3": "S3",
    "aws:ses": "SES",
    "aws:sns": "SNS",
    "aws:sqs": "SQS",
}
MEMBERS: tuple[tuple[str, frozenset[str]], ...] = (
    ("EventBridge", frozenset({"detail-type", "source", "detail"})),
    ("Amazon MQ", frozenset({"eventSource", "messages"})),
    ("Amazon MQ", frozenset({"eventSource", "rmqMessagesByQueue"})),
    ("Kafka", frozenset({"eventSource", "bootstrapServers", "records"})),
    ("DocumentDB", frozenset({"eventSource", "events"})),
    ("Kinesis Data Analytics", frozenset({"applicationArn", "records"})),
    ("Data Firehose", frozenset({"invocationId", "records"})),
    ("CloudWatch Logs", frozenset({"awslogs"})),
    ("a CloudWatch alarm", frozenset({"alarmArn", "alarmData"})),
    ("a CloudWatch dashboard", frozenset({"widgetContext"})),
    ("S3 Batch Operations", frozenset({"invocationSchemaVersion", "job", "tasks"})),
    ("S3 Object Lambda", frozenset({"xAmzRequestId", "userRequest"})),
    ("an S3 test", frozenset({"Service", "Event", "Bucket"})),
    ("an authorizer", frozenset({"methodArn"})),
    ("an authorizer", frozenset({"routeArn"})),
    ("an authorizer", frozenset({"authorizationToken", "requestContext"})),
    ("AppSync", frozenset({"arguments", "identity", "request"})),
    ("a Bedrock agent", frozenset({"messageVersion", "agent"})),
    ("Lex", frozenset({"bot", "invocationSource"})),
    ("Alexa", frozenset({"directive"})),
    ("Alexa", frozenset({"session", "request", "version"})),
    ("Connect", frozenset({"Name", "Details"})),
    ("Cognito", frozenset({"triggerSource", "userPoolId"})),
    ("Cognito", frozenset({"datasetName", "identityPoolId"})),
    ("CloudFormation", frozenset({"RequestType", "ResponseURL", "StackId"})),
    ("CodeDeploy", frozenset({"DeploymentId", "LifecycleEventHookExecutionId"})),
    ("CodePipeline", frozenset({"CodePipeline.job"})),
    ("Config", frozenset({"invokingEvent", "resultToken"})),
    ("SageMaker", frozenset({"labelingJobArn"})),
    ("Secrets Manager", frozenset({"SecretId", "ClientRequestToken", "Step"})),
    ("IoT", frozenset({"deviceEvent", "deviceInfo"})),
    ("IoT", frozenset({"serialNumber", "clickType"})),
    ("IoT", frozenset({"signatureVerified", "protocolData"})),
    ("IoT", frozenset({"templateArn", "certificateId"})),
    ("Client VPN", frozenset({"connection-id", "endpoint-id"})),
    ("a destination of another function", frozenset({"requestContext", "responsePayload"})),
    ("a destination of another function", frozenset({"requestContext", "requestPayload"})),
)


def classify(event: object, identifier: str, names: Set[str]) -> Any:
    """The type of an event other than the usual requests: Lattice, WarmUp, or Direct.

    `names` are those of the fields of an applicant, `identifier` that of the id. Raises EventRefused, with the service
    that the event is from.
    """
    if type(event) is not dict:
        raise _refusal("a list" if type(event) is list else "a value that is not an object")
    if Lattice.matches(event):
        return Lattice
    if _is_warm_up(event):
        return WarmUp
    if service := _service(event):
        raise _refusal(f"an event of {service}")
    if identifier not in event and "applicants" not in event and 2 * len(event.keys() & names) <= len(event):
        raise _refusal(f'an object without "{identifier}", most of whose fields are unknown')
    return Direct


def _is_warm_up(event: dict[str, Any]) -> bool:
    if event.get("detail-type") == "Scheduled Event":  # a rule of EventBridge, or its scheduler
        return event.get("source") in ("aws.events", "aws.scheduler")
    return event.get("source") in WARM_UP_SOURCES or any(event.get(name) is True for name in WARM_UP_MEMBERS)


def _service(event: dict[str, Any]) -> str:
    """The name of a service by what its events hold; empty if none is known."""
    records = event.get("Records")
    if type(records) is list:
        record = records[0] if records and type(records[0]) is dict else {}
        source = record.get("eventSource") or record.get("EventSource")
        known = RECORDS.get(source) if type(source) is str else None
        return known or ("CloudFront" if "cf" in record else "a queue or a stream")
    about = event.get("requestContext")
    if type(about) is dict and "connectionId" in about:
        return "a WebSocket API"
    for service, members in MEMBERS:
        if members <= event.keys():
            return service
    return ""


def _refusal(got: str) -> EventRefused:
    return EventRefused(
        "event: expected an HTTP request, an applicant, or a batch of applicants, got "
        f"{got}; remove the trigger, or invoke this function from one that reads the event"
    )


def _headers(headers: object) -> dict[str, str]:
    """Names in lower case; several values of a name are joined as HTTP joins them."""
    if type(headers) is not dict:
        return {}
    joined = {name: ", ".join(filter(_is_text, v)) if type(v) is list else v for name, v in headers.items()}
    return {name.lower(): value for name, value in joined.items() if type(name) is str and type(value) is str}


def _is_text(value: object) -> bool:
    return type(value) is str
