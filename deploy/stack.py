"""The CloudFormation stack of a stage: the plan of a change set, its execution, and the result."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.errors import UserError
from storage.faults import code_of, told

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]  # roles, and the SAM transform
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0  # seconds between two looks
# A stack that a first change set has named, and nothing else.
ONLY_NAMED = "REVIEW_IN_PROGRESS"


@dataclass(frozen=True)
class State:
    """`status` is CloudFormation's word."""

    status: str
    outputs: dict[str, str]

    @property
    def is_moving(self) -> bool:
        """True while an operation on the stack is in progress."""
        return self.status.endswith("_IN_PROGRESS") and self.status != ONLY_NAMED


@dataclass(frozen=True)
class Change:
    """Change of one resource: Add, Modify or Remove; `replaces` is True if it is created anew."""

    action: str
    name: str
    type: str
    replaces: bool


@dataclass(frozen=True)
class Proposal:
    """A change set. Without changes it can only be withdrawn."""

    id: str
    makes_stack: bool
    changes: list[Change]


class Stack:
    """A stack by its name."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def state(self) -> State | None:
        """None where there is no such stack."""
        with told(f"reading the stack {self.name}"):
            try:
                found = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
            except self._client.exceptions.ClientError as fault:
                if code_of(fault) == "ValidationError" and "does not exist" in str(fault):
                    return None
                raise
        outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in found.get("Outputs", [])}
        return State(found["StackStatus"], outputs)

    def propose(self, label: str, body: str, parameters: Mapping[str, str], role: str = "") -> Proposal:
        """Make a change set, which changes nothing; it would be carried out as `role`, or else as ourselves.

        Raises UserError where CloudFormation refuses the template.
        """
        state = self.state()
        makes_stack = state is None or state.status == ONLY_NAMED
        with told(f"asking CloudFormation what would change in {self.name}"):
            made = self._client.create_change_set(
                StackName=self.name,
                ChangeSetName=label,
                ChangeSetType="CREATE" if makes_stack else "UPDATE",
                TemplateBody=body,
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
                Capabilities=CAPABILITIES,
                Tags=[{"Key": "project", "Value": "lastbit"}, {"Key": "stage", "Value": parameters.get("Stage", "")}],
                **({"RoleARN": role} if role else {}),
            )
            proposal = Proposal(made["Id"], makes_stack, [])
            for _ in _patiently():
                pages = list(
                    self._client.get_paginator("describe_change_set").paginate(
                        StackName=self.name, ChangeSetName=proposal.id
                    )
                )
                if pages[0]["Status"] in ("CREATE_COMPLETE", "FAILED"):
                    break
        if pages[0]["Status"] == "FAILED":
            reason = pages[0].get("StatusReason", "")
            if "didn't contain changes" in reason or "No updates are to be performed" in reason:
                return proposal
            self.withdraw(proposal)
            raise UserError(f"{self.name}: CloudFormation refuses the change: {reason}")
        entries = [entry["ResourceChange"] for page in pages for entry in page["Changes"]]
        return Proposal(proposal.id, makes_stack, [_change(entry) for entry in entries])

    def withdraw(self, proposal: Proposal) -> None:
        """Delete a change set, and the stack if only the change set created it."""
        with told(f"withdrawing the change set of {self.name}"):
            self._client.delete_change_set(StackName=self.name, ChangeSetName=proposal.id)
            if proposal.makes_stack:
                self._client.delete_stack(StackName=self.name)

    def carry_out(self, proposal: Proposal, token: str, show: Callable[[str], None]) -> State:
        """Execute the change set and wait; `show` is called with each event.

        Raises UserError with the first thing that failed, and how CloudFormation left the stack.
        """
        with told(f"changing the stack {self.name}"):
            self._client.execute_change_set(
                StackName=self.name,
                ChangeSetName=proposal.id,
                ClientRequestToken=token,
                DisableRollback=False,
                # What this change made goes with it if it fails. Else the version of a canary that was turned back
                # stays, and the same release could never be tried again: Lambda has a version of it already.
                RetainExceptOnCreate=True,
            )
            seen: set[str] = set()
            failures: list[str] = []
            for _ in _patiently():
                state = self.state()
                for event in self._events(token, seen):
                    reason = event.get("ResourceStatusReason", "")
                    told_of = f"{event['LogicalResourceId']} {event['ResourceStatus']}" + (
                        f": {reason}" if reason else ""
                    )
                    show(told_of.replace("[", r"\["))
                    if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason:
                        failures.append(f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}")
                if state is not None and not state.is_moving and state.status != ONLY_NAMED:
                    break
        assert state is not None
        if "ROLLBACK" in state.status or state.status.endswith("_FAILED"):
            why = failures[0] if failures else "CloudFormation gives no reason"
            raise UserError(f"{self.name}: {why}; the stack is {state.status}")
        return state

    def protect(self) -> None:
        """Protect the stack: nobody can delete it before removing the protection."""
        with told(f"protecting the stack {self.name} from deletion"):
            self._client.update_termination_protection(StackName=self.name, EnableTerminationProtection=True)

    def _events(self, token: str, seen: set[str]) -> list[dict[str, Any]]:
        """Events since the last call, oldest first."""
        fresh: list[dict[str, Any]] = []
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=self.name):
            ours = [event for event in page["StackEvents"] if event.get("ClientRequestToken") == token]
            unseen = [event for event in ours if event["EventId"] not in seen]
            fresh += unseen
            if len(unseen) < len(page["StackEvents"]):  # newest first: what follows is older, or another deployment's
                break
        seen.update(event["EventId"] for event in fresh)
        return fresh[::-1]


def _change(entry: Mapping[str, Any]) -> Change:
    return Change(
        entry["Action"],
        entry["LogicalResourceId"],
        entry["ResourceType"],
        entry.get("Replacement", "False") != "False",
    )


def _patiently() -> Iterator[None]:
    """Again and again, at growing intervals."""
    wait = FIRST_WAIT
    while True:
        yield
        time.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)
