"""deploy/template.yaml as SAM transforms it: the deployment of the API that a stage has, and its dependencies."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.stages import read_stage
from deploy.template import read_template
from tests.deploy.test_template import ROOT, TEMPLATE, complete, within

pytestmark = pytest.mark.tier("land")

Resources = dict[str, Any]
IMAGE = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/lastbit@sha256:{'0' * 64}"
PSEUDO = {"AWS::Region": "eu-central-1", "AWS::Partition": "aws"}


@pytest.fixture(scope="session")
def transformed() -> Iterator[Callable[..., Resources]]:
    """The resources that CloudFormation gets, for other settings than prod's."""
    subprocess.run(
        ["make", ".venv-lint/ready", f"PYTHON={sys.executable}"], cwd=ROOT, check=True, capture_output=True, timeout=600
    )
    words = [".venv-lint/bin/python", "tests/deploy/transform.py"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sam:
        asked, answers = sam.stdin, sam.stdout
        assert asked is not None
        assert answers is not None

        def transform(**settings: str) -> Resources:
            values = complete(**settings)
            asked.write(json.dumps([TEMPLATE.body_for(values), values | PSEUDO]) + "\n")
            asked.flush()
            resources: Resources = json.loads(answers.readline())["Resources"]
            return resources

        yield transform
        asked.close()


@pytest.fixture(scope="session")
def plain(transformed: Callable[..., Resources]) -> Resources:
    return transformed()


def of_type(resources: Resources, kind: str) -> list[str]:
    return [name for name, entry in resources.items() if entry["Type"] == kind]


def deployment(resources: Resources) -> str:
    [name] = of_type(resources, "AWS::ApiGateway::Deployment")
    return name


@pytest.mark.parametrize(
    "settings",
    [
        {"PackageType": "Image", "ImageUri": IMAGE},
        {"DomainName": "scores.bank.example", "CertificateArn": "arn:aws:acm:eu-central-1:1:certificate/1"},
        {"EndpointType": "PRIVATE", "VpcEndpoints": "vpce-0a1b2c3d"},
        {"Authorization": "Iam"},
        {"CorsOrigins": "*"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_another_api_has_another_deployment(
    transformed: Callable[..., Resources], plain: Resources, settings: dict[str, str]
) -> None:
    """Its name has a hash of the definition: with the same name, callers get what was deployed before."""
    assert deployment(transformed(**settings)) != deployment(plain)


def test_the_same_api_keeps_its_deployment(transformed: Callable[..., Resources], plain: Resources) -> None:
    other = transformed(MemorySize="2048", ModelVersion="1" * 12, Release="1" * 12, LatencyP99="99")
    assert deployment(other) == deployment(plain)


def test_there_is_one_stage_and_its_name_is_the_stage_s(plain: Resources) -> None:
    [name] = of_type(plain, "AWS::ApiGateway::Stage")
    assert plain[name]["Properties"]["StageName"] == {"Ref": "Stage"}


def needed(resources: Resources, name: str) -> Iterator[str]:
    """The resources that one waits for, directly or not."""
    found: set[str] = set()
    todo = [name]
    while todo:
        for value in within(resources[todo.pop()]):
            if isinstance(value, dict):
                direct = [value.get("Ref"), *value.get("Fn::GetAtt", [])[:1]]
                direct += value.get("DependsOn", []) if isinstance(value.get("DependsOn"), list) else []
                fresh = {each for each in direct if each in resources} - found
                found |= fresh
                todo += fresh
    yield from found


def test_the_stage_moves_to_a_function_that_is_there_and_may_be_called(plain: Resources) -> None:
    """Without that, a change of PackageType would have the API call a function that is still being made."""
    [stage] = of_type(plain, "AWS::ApiGateway::Stage")
    assert {"ApiMayCall", "ZipFunctionAliaslive", "ImageFunctionAliaslive"} <= set(needed(plain, stage))


def test_what_lambda_retains_goes_with_a_change_that_failed(plain: Resources) -> None:
    """SAM retains versions whatever is asked of it, so the change itself has to say it: see deploy/stack.py."""
    for name in of_type(plain, "AWS::Lambda::Version"):
        assert plain[name]["DeletionPolicy"] == "Retain"


def services_of(resources: Resources) -> set[str]:
    return {entry["Type"].split("::")[1] for entry in resources.values()}


def test_cloudformation_s_role_may_make_what_there_is(plain: Resources) -> None:
    """At least one action of each service whose resources the template has."""
    role = read_template(ROOT / "deploy" / "account.yaml").document["Resources"]["CloudFormationRole"]
    actions = {value for value in within(role) if isinstance(value, str) and ":" in value and " " not in value}
    prefixes = {action.partition(":")[0] for action in actions}
    named = {"ApiGateway": "apigateway", "CloudWatch": "cloudwatch", "CodeDeploy": "codedeploy", "WAFv2": "wafv2"}
    wanted = {named.get(service, service.lower()) for service in services_of(plain)}
    assert wanted <= prefixes
    assert {"s3", "cloudformation", "ecr"} <= prefixes  # the package, the transform, the image


def test_roles_of_a_stack_do_no_more_than_the_boundary_lets_them() -> None:
    def allowed(document: Any) -> set[str]:
        statements = [value for value in within(document) if isinstance(value, dict) and value.get("Effect") == "Allow"]
        lists = [value["Action"] if isinstance(value["Action"], list) else [value["Action"]] for value in statements]
        return {action for actions in lists for action in actions} - {"sts:AssumeRole"}

    boundary = read_template(ROOT / "deploy" / "account.yaml").document["Resources"]["Boundary"]
    roles = {name: entry for name, entry in TEMPLATE.document["Resources"].items() if entry["Type"] == "AWS::IAM::Role"}
    assert set(roles) == {"FunctionRole", "TrafficRole"}
    for role in roles.values():
        assert allowed(role["Properties"]["Policies"]) <= allowed(boundary)
        bounded = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
        assert role["Properties"]["PermissionsBoundary"] == bounded


def test_keys_and_logs_outlive_their_stack() -> None:
    kept = {
        name for name, entry in TEMPLATE.document["Resources"].items() if entry.get("UpdateReplacePolicy") == "Retain"
    }
    assert kept == {"FunctionLogs", "AccessLogs", "Key"}
    for name in kept:
        assert TEMPLATE.document["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_prod_is_protected() -> None:
    assert read_stage("prod").is_protected
    assert not read_stage("dev").is_protected


def test_a_stage_knows_account_and_region_by_their_places(tmp_path: Path) -> None:
    path = tmp_path / "stages.toml"
    path.write_text(
        '[x]\nregion = "eu-west-1"\nstack = "lastbit-x"\nbucket = "b-{account}"\nrole = "arn:{account}:{region}"\n'
        '[x.parameters]\nPermissionsBoundary = "arn:aws:iam::{account}:policy/lastbit-boundary-{region}"\n'
    )
    stage = read_stage("x", path).in_account("123456789012")
    assert (stage.bucket, stage.role) == ("b-123456789012", "arn:123456789012:eu-west-1")
    assert stage.parameters == {"PermissionsBoundary": "arn:aws:iam::123456789012:policy/lastbit-boundary-eu-west-1"}


def test_the_role_s_keys_are_those_of_tagged_stacks() -> None:
    """A condition on a tag that nobody gives would end every first deployment at its key."""
    role = read_template(ROOT / "deploy" / "account.yaml").document["Resources"]["CloudFormationRole"]
    asked = {
        (kind.partition("/")[2], value)
        for entry in within(role)
        if isinstance(entry, dict)
        for kind, value in entry.items()
        if kind.startswith(("aws:RequestTag/", "aws:ResourceTag/"))
    }
    assert asked == {("project", "lastbit")}
    assert '{"Key": "project", "Value": "lastbit"}' in (ROOT / "deploy" / "stack.py").read_text(encoding="utf-8")
