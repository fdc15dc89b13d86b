"""deploy/template.yaml and stages.toml: what can be held of them without AWS.

cfn-lint, sam validate and checkov read the template in `make lint-deploy`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.errors import UserError
from deploy.artifact import key_of
from deploy.release import OURS
from deploy.stages import read_stage
from deploy.template import BODY_LIMIT, read_template
from runtime.manifest import Manifest
from runtime.observe import Observer
from runtime.problem import PROBLEM_TYPES, TYPE_PREFIX
from runtime.settings import NAMESPACE, Settings
from tests.deploy.served import Respond, open_handler

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TEMPLATE = read_template()
RESOURCES: dict[str, Any] = TEMPLATE.document["Resources"]
# Values of every parameter that a stage cannot have, and none that matters.
RELEASED = {
    "ModelVersion": "0" * 12,
    "Release": "0" * 12,
    "PackageBucket": "packages",
    "PackageKey": key_of("0" * 64),
    "ImageUri": "",
    "Gradual": "true",
    "ScoreMedianLow": "560",
    "ScoreMedianHigh": "620",
    "MissingShare": "0.2",
}


def of_type(kind: str) -> dict[str, Any]:
    return {name: entry["Properties"] for name, entry in RESOURCES.items() if entry["Type"] == kind}


def within(value: Any) -> Iterator[Any]:
    """Every value in a document."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from within(inner)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_stages_are_complete(stage: str) -> None:
    parameters = read_stage(stage).parameters
    assert not parameters.keys() & set(OURS)
    complete = TEMPLATE.complete({**parameters, **RELEASED, "Stage": stage})
    assert complete.keys() == TEMPLATE.parameters.keys()


def test_every_parameter_is_bounded_and_used() -> None:
    used = {value["Ref"] for value in within(TEMPLATE.document) if isinstance(value, dict) and set(value) == {"Ref"}}
    used |= set(re.findall(r"\$\{(\w+)\}", TEMPLATE.body))
    for name, rule in TEMPLATE.parameters.items():
        assert rule.keys() & {"AllowedPattern", "AllowedValues", "MinValue"} or name.startswith("ScoreMedian"), name
        assert name in used


def test_cloudformation_takes_it_along() -> None:
    assert len(TEMPLATE.body.encode()) < 0.85 * BODY_LIMIT


def statements(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the statements of a template's policies, each with the resource that holds it."""
    for name, entry in read_template(path).document["Resources"].items():
        for value in within(entry):
            if isinstance(value, dict) and value.get("Effect") == "Allow":
                yield {**value, "of": name}


@pytest.mark.parametrize("file", ["template.yaml", "account.yaml"])
def test_wildcards_are_those_that_the_documentation_lists(file: str) -> None:
    """Statements with * in an action or a resource: none, except where the service allows nothing else."""
    found = set()
    for statement in statements(ROOT / "deploy" / file):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in actions), statement
        texts = [value for value in within(statement.get("Resource", "")) if isinstance(value, str)]
        if any("*" in text for text in texts):
            found.add((statement["of"], statement["Sid"]))
    listed = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", OPERATIONS, re.MULTILINE)
    assert found == {
        entry for entry in map(tuple, listed) if entry[0] in read_template(ROOT / "deploy" / file).document["Resources"]
    }
    assert file == "account.yaml" or found


def test_a_stage_names_no_managed_policy() -> None:
    assert "ManagedPolicyArns" not in TEMPLATE.body
    assert all("Policies" not in entry for entry in of_type("AWS::Serverless::Function").values())
    assert all("Role" in entry for entry in of_type("AWS::Serverless::Function").values())


def test_logs_are_kept_for_a_time_and_encrypted() -> None:
    for entry in of_type("AWS::Logs::LogGroup").values():
        assert entry.keys() >= {"RetentionInDays", "KmsKeyId"}
    assert TEMPLATE.document["Globals"]["Function"]["LoggingConfig"]["LogGroup"] == {"Ref": "FunctionLogs"}


# The metrics that alarms and dashboard look at are those that the runtime writes.


@pytest.fixture(scope="module")
def written(models: list[Path]) -> set[tuple[str, tuple[str, ...]]]:
    """Name and dimensions of every metric in the lines of an applicant, a batch, and an error."""
    manifest = Manifest.read(str(models[0] / "manifest.json"))
    handler = open_handler(models[0])
    lines: list[bytes] = []
    handler.observe = Observer(manifest, lines.append, log=True, namespace="lastbit/dev", cold=True)
    applicant = {"uuid": "1"}
    for path, body in (("/predict", applicant), ("/predict/batch", {"applicants": [applicant] * 3}), ("/predict", [])):
        event = {"httpMethod": "POST", "path": path, "headers": {}, "requestContext": {}, "body": json.dumps(body)}
        handler(event, None)
    directives = [entry for line in lines for entry in json.loads(line)["_aws"]["CloudWatchMetrics"]]
    assert len(lines) == 3
    return {
        (metric["Name"], tuple(dimensions))
        for entry in directives
        for dimensions in entry["Dimensions"]
        for metric in entry["Metrics"]
    }


def metrics_of(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The metrics of our own that an alarm reads."""
    for value in within(alarm):
        if isinstance(value, dict) and value.get("Namespace") == {"Fn::Sub": "lastbit/${Stage}"}:
            yield value


def test_alarms_look_at_what_the_runtime_writes(written: set[tuple[str, tuple[str, ...]]]) -> None:
    seen = set()
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        for metric in metrics_of(alarm):
            dimensions = {entry["Name"]: entry["Value"] for entry in metric["Dimensions"]}
            assert (metric["MetricName"], tuple(dimensions)) in written, metric
            assert dimensions["model_version"] == {"Ref": "ModelVersion"}
            assert dimensions.get("route", "/predict") in ("/predict", "/predict/batch")
            assert dimensions.get("problem", PROBLEM_TYPES[0].name) in {kind.name for kind in PROBLEM_TYPES}
            seen.add(metric["MetricName"])
    query = RESOURCES["InternalErrors"]["Properties"]["Metrics"][0]["Expression"]["Fn::Sub"]
    name, dimensions, problem = re.findall(
        r"SUM\((\w+)\) FROM SCHEMA\(\"lastbit/\$\{Stage\}\", (.*)\) .* = '(.*)'", query
    )[0]
    assert (name, tuple(dimensions.split(", "))) in written
    assert problem in {kind.name for kind in PROBLEM_TYPES}
    assert seen | {name} == {metric for metric, _ in written} - {"Requests"}  # which only the dashboard shows


def test_the_dashboard_shows_what_the_runtime_writes(written: set[tuple[str, tuple[str, ...]]]) -> None:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    expressions = [value for value in within(widgets) if isinstance(value, str) and value.startswith("SEARCH(")]
    shown = set()
    for expression in expressions:
        # Names with anything but letters and digits have to be in quotation marks, or nothing is found.
        found = re.fullmatch(r"""SEARCH\('\{(.+)\} MetricName="(\w+)"','\w+',\d+\)""", expression)
        assert found, expression
        namespace, *dimensions = re.findall(r'"([^"]+)"(?:,|$)', found[1])
        assert ",".join(f'"{part}"' for part in (namespace, *dimensions)) == found[1]
        assert namespace == "lastbit/${Stage}"
        shown.add((found[2], tuple(dimensions)))
    assert shown <= written
    assert {name for name, _ in shown} == {name for name, _ in written}
    places = [(widget["x"], widget["y"], widget["width"], widget["height"]) for widget in widgets]
    assert all(x + width <= 24 for x, _, width, _ in places)
    cells = [(column, row) for x, y, w, h in places for column in range(x, x + w) for row in range(y, y + h)]
    assert len(cells) == len(set(cells))  # none over another


def test_the_namespace_is_one_that_the_runtime_takes() -> None:
    for stage in ("dev", "prod"):
        assert re.fullmatch(NAMESPACE, f"lastbit/{stage}")


# Settings of the runtime.


def test_every_setting_of_the_runtime_can_be_set() -> None:
    """But METRICS, which the alarms need, and the model's folder, which the package has."""
    variables = dict(TEMPLATE.document["Globals"]["Function"]["Environment"]["Variables"])
    named = set(re.findall(r"`([A-Z]+_[A-Z]+|EXPLAIN|METRICS)`", Settings.__doc__ or ""))
    assert named - {"MODEL_DIR", "METRICS"} == variables.keys()
    assert variables.pop("METRICS_NAMESPACE") == {"Fn::Sub": "lastbit/${Stage}"}
    for name, value in variables.items():
        assert value == {"Ref": "".join(word.capitalize() for word in name.split("_"))}


def complete(**values: str) -> dict[str, str]:
    return TEMPLATE.complete({**read_stage("prod").parameters, **RELEASED, "Stage": "prod", **values})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("LogRequests", ["on", "off"]),
        ("UnknownFields", ["refuse", "ignore"]),
        ("Explain", ["always", "on-request", "never"]),
        ("CorsOrigins", ["", "*", "https://app.bank.example", "https://a.example,http://localhost:3000"]),
        ("BasePath", ["", "/credit", "/credit-v1"]),
    ],
)
def test_what_the_template_takes_the_runtime_takes(name: str, values: list[str]) -> None:
    variable = re.sub("(?<=[a-z])(?=[A-Z])", "_", name).upper()
    for value in values:
        complete(**{name: value})
        Settings({variable: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CorsOrigins", "https://a.example, https://b.example"),
        ("CorsOrigins", "a.example"),
        ("CorsOrigins", "https://*.example"),
        ("BasePath", "credit"),
        ("BasePath", "/credit/"),
        ("BasePath", "/a/b"),
        ("VpcEndpoints", "vpc-1"),
        ("Truststore", "trust.pem"),
        ("PermissionsBoundary", "boundary"),
        ("EndpointType", "EDGE"),
        ("Authorization", "None"),
    ],
)
def test_what_would_not_work_is_refused_before_aws_is_asked(name: str, value: str) -> None:
    with pytest.raises(UserError, match=f"{name}: expected "):
        complete(**{name: value})


def test_every_alarm_is_explained_and_heard() -> None:
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        title = alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        assert f"\n### {title}\n" in OPERATIONS
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Topic"}]
        assert "TreatMissingData" in alarm


def test_four_alarms_stop_a_deployment() -> None:
    preference = TEMPLATE.document["Globals"]["Function"]["DeploymentPreference"]
    stopping = [entry["Ref"] for entry in preference["Alarms"]]
    assert len(stopping) == 4
    readable = [
        entry["Fn::GetAtt"][0]
        for statement in statements(TEMPLATE.path)
        if statement.get("Sid") == "ReadAlarms"
        for entry in statement["Resource"]
    ]
    assert readable == stopping
    for name in stopping:  # quick enough for the shortest canary, five minutes
        alarm = RESOURCES[name]["Properties"]
        [period] = {entry["Period"] for entry in within(alarm) if isinstance(entry, dict) and "Period" in entry}
        assert period * alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) <= 120


# The API lets everything through that the handler answers.


def test_the_gateway_refuses_nothing_that_the_handler_takes(handlers: list[Respond]) -> None:
    definition = RESOURCES["Api"]["Properties"]["DefinitionBody"]
    assert definition["components"]["schemas"] == {"Object": {"type": "object"}}
    for path in ("/predict", "/predict/batch"):
        for body in ("", "null", "5", '"x"', "[]", "[{}]", "true", "{", "x"):
            event: Any = {"httpMethod": "POST", "path": path, "headers": {}, "requestContext": {}, "body": body}
            assert handlers[0](event)["statusCode"] in (400, 422)
        assert definition["paths"][path]["post"]["requestBody"]["required"] is True


def test_every_route_wants_a_key_or_a_signature_and_leads_to_the_alias() -> None:
    """But the question of a browser whether it may ask, which comes without either."""
    definition = RESOURCES["Api"]["Properties"]["DefinitionBody"]
    schemes = definition["components"]["securitySchemes"]
    assert schemes["key"]["name"] == "x-api-key"
    assert schemes["iam"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    for path, methods in definition["paths"].items():
        assert path == "/" or "options" in methods
        for name, given in methods.items():
            method = given
            if name == "options":
                condition, method, otherwise = given["Fn::If"]
                assert (condition, otherwise) == ("HasCors", {"Ref": "AWS::NoValue"})
                assert method["security"] == []
            else:
                assert method["security"] == {"Fn::If": ["WantsIam", [{"iam": []}], [{"key": []}]]}
            uri = method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            assert uri.endswith("function:${AWS::StackName}-${PackageType}:live/invocations")
            assert " " not in uri


def test_what_the_gateway_says_itself_is_a_problem_too() -> None:
    responses = RESOURCES["Api"]["Properties"]["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "BAD_REQUEST_BODY", "MISSING_AUTHENTICATION_TOKEN"} == responses.keys()
    for response in responses.values():
        assert response["responseParameters"]["gatewayresponse.header.content-type"] == "'application/problem+json'"
        template = response["responseTemplates"]["application/json"]
        # API Gateway replaces messageString by a quoted string.
        content = json.loads(template.replace("$context.error.messageString", '"x"'))
        kind = {TYPE_PREFIX + kind.name: kind for kind in PROBLEM_TYPES}.get(content["type"])
        assert content["type"] == "about:blank" or kind is not None
        if kind is not None:
            assert (content["title"], content["status"]) == (kind.title, kind.status)
            assert response["statusCode"] == kind.status


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "no such file"),
        (b"Resources: [", "is not YAML ("),
        (b"Resources: \xff", "is not YAML ("),
        (b"", "expected a template with Resources"),
        (b"- Resources", "expected a template with Resources"),
        (b"Resources: {}\n#" + b" " * BODY_LIMIT, f"expected at most {BODY_LIMIT} bytes, got {BODY_LIMIT + 15}"),
    ],
)
def test_a_template_that_cloudformation_would_not_take_is_one_line(
    content: bytes | None, line: str, tmp_path: Path
) -> None:
    path = tmp_path / "template.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as refusal:
        read_template(path)
    assert str(refusal.value).startswith(f"{path}: {line}")
    assert refusal.value.exit_status == 2
