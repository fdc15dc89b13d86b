"""CloudFormation and API Gateway's keys over HTTP, as far as a deployment speaks with them.

moto has neither the SAM transform nor CodeDeploy behind an alias; this does what they would to the function, which moto
does have: a new version, and the alias moved, or moved back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

Deployed = Callable[[dict[str, str]], dict[str, str]]
NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


class Refused(Exception):  # noqa: N818
    """CloudFormation's answer with status 400: a code and a message."""


class CloudFormation:
    """One account.

    `deployed` receives the parameters of what is executed and returns the outputs. If it raises, the stack is rolled
    back for the reason raised.
    """

    def __init__(self, deployed: Deployed) -> None:
        self.deployed = deployed
        self.stacks: dict[str, dict[str, Any]] = {}
        self.change_sets: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        self.refuses = ""
        self.calls: list[str] = []
        self.roles: list[str] = []
        self.retains_except_on_create = False
        self.protected: list[str] = []
        self.bodies: list[str] = []

    def describe_stacks(self, form: dict[str, str]) -> str:
        stack = self.stacks.get(form["StackName"])
        if stack is None:
            raise Refused("ValidationError", f"Stack with id {form['StackName']} does not exist")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in stack["outputs"].items()]
        # What is being done is seen once before it is done.
        status = stack["passing"].pop(0) if stack["passing"] else stack["status"]
        shown = {"StackName": form["StackName"], "StackStatus": status, "CreationTime": "2026-01-01T00:00:00Z"}
        return _members("Stacks", [shown | {"Outputs": outputs}])

    def create_change_set(self, form: dict[str, str]) -> str:
        name = form["StackName"]
        self.roles += [form["RoleARN"]] if "RoleARN" in form else []
        parameters = {
            form[f"Parameters.member.{n}.ParameterKey"]: form[f"Parameters.member.{n}.ParameterValue"]
            for n in range(1, 100)
            if f"Parameters.member.{n}.ParameterKey" in form
        }
        if form["ChangeSetType"] == "CREATE":
            self.stacks[name] = {"status": "REVIEW_IN_PROGRESS", "outputs": {}, "events": [], "passing": []}
        self.bodies.append(form["TemplateBody"])
        identity = f"arn:aws:cloudformation:::changeSet/{form['ChangeSetName']}"
        reason = self.refuses
        body = form["TemplateBody"]
        if not reason and (parameters, body) == (self.stacks[name].get("parameters"), self.stacks[name].get("body")):
            reason = "The submitted information didn't contain changes."
        self.change_sets[identity] = {"stack": name, "parameters": parameters, "body": body, "reason": reason}
        return f"<Id>{identity}</Id>"

    def describe_change_set(self, form: dict[str, str]) -> str:
        change_set = self.change_sets[form["ChangeSetName"]]
        failed = bool(change_set["reason"])
        changes = [
            {"Action": "Modify", "LogicalResourceId": "Slow", "ResourceType": "AWS::CloudWatch::Alarm"},
            {"Action": "Add", "LogicalResourceId": "ZipFunctionVersion1", "ResourceType": "AWS::Lambda::Version"},
        ]
        entries = [{"Type": "Resource", "ResourceChange": change} for change in changes if not failed]
        status = "FAILED" if failed else "CREATE_COMPLETE"
        reason = f"<StatusReason>{escape(change_set['reason'])}</StatusReason>" if failed else ""
        return f"<Status>{status}</Status>{reason}{_members('Changes', entries)}"

    def execute_change_set(self, form: dict[str, str]) -> str:
        change_set = self.change_sets[form["ChangeSetName"]]
        stack = self.stacks[change_set["stack"]]
        token = form["ClientRequestToken"]
        self.retains_except_on_create = form.get("RetainExceptOnCreate") == "true"
        verb = "CREATE" if stack["status"] == "REVIEW_IN_PROGRESS" else "UPDATE"
        stack["passing"] = [f"{verb}_IN_PROGRESS"]
        try:
            stack["outputs"] = self.deployed(change_set["parameters"])
        except Refused as fault:
            self._event(stack, token, "ZipFunctionAliaslive", "AWS::Lambda::Alias", f"{verb}_FAILED", str(fault))
            self._event(stack, token, "Slow", "AWS::CloudWatch::Alarm", f"{verb}_FAILED", "Resource update cancelled")
            stack["status"] = "ROLLBACK_COMPLETE" if verb == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
        else:
            stack |= {"parameters": change_set["parameters"], "body": change_set["body"]}
            self._event(stack, token, "ZipFunctionAliaslive", "AWS::Lambda::Alias", f"{verb}_COMPLETE", "")
            stack["status"] = f"{verb}_COMPLETE"
        return ""

    def describe_stack_events(self, form: dict[str, str]) -> str:
        return _members("StackEvents", self.stacks[form["StackName"]]["events"])

    def update_termination_protection(self, form: dict[str, str]) -> str:
        assert form["EnableTerminationProtection"] == "true"
        self.protected.append(form["StackName"])
        return ""

    def delete_change_set(self, form: dict[str, str]) -> str:
        del self.change_sets[form["ChangeSetName"]]
        return ""

    def delete_stack(self, form: dict[str, str]) -> str:
        del self.stacks[form["StackName"]]
        return ""

    @staticmethod
    def _event(stack: dict[str, Any], token: str, name: str, type_: str, status: str, reason: str) -> None:
        event = {
            "StackId": "s",
            "EventId": f"e{len(stack['events'])}",
            "StackName": "s",
            "LogicalResourceId": name,
            "ResourceType": type_,
            "ResourceStatus": status,
            "Timestamp": "2026-01-01T00:00:00Z",
            "ClientRequestToken": token,
        }
        stack["events"].insert(0, event | ({"ResourceStatusReason": reason} if reason else {}))


def _members(name: str, entries: list[dict[str, Any]]) -> str:
    return f"<{name}>{''.join(f'<member>{_xml(entry)}</member>' for entry in entries)}</{name}>"


def _xml(entry: dict[str, Any]) -> str:
    parts = []
    for key, value in entry.items():
        if isinstance(value, list):
            parts.append(_members(key, value))
        else:
            parts.append(f"<{key}>{_xml(value) if isinstance(value, dict) else escape(value)}</{key}>")
    return "".join(parts)


@contextmanager
def serving(account: CloudFormation) -> Iterator[str]:
    """Its URL, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {key: values[0] for key, values in parse_qs(body, keep_blank_values=True).items()}
            action = form["Action"]
            account.calls.append(action)
            method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in action).lstrip("_")
            try:
                result = f"<{action}Result>{getattr(account, method)(form)}</{action}Result>"
                self._send(200, f'<{action}Response xmlns="{NAMESPACE}">{result}</{action}Response>', "text/xml")
            except Refused as refusal:
                code, message = refusal.args
                error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
                self._send(400, f'<ErrorResponse xmlns="{NAMESPACE}">{error}</ErrorResponse>', "text/xml")

        def do_GET(self) -> None:
            """An API key, with its value."""
            account.calls.append("GetApiKey")
            identity = self.path.partition("?")[0].rsplit("/", 1)[1]
            self._send(200, f'{{"id": "{identity}", "value": "{account.keys[identity]}"}}', "application/json")

        def _send(self, status: int, body: str, media_type: str) -> None:
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
