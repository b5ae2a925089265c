"""The only part of remediation that changes AWS: SSM Automation and REVERT_DRIFT change sets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import yaml

from driftguard.aws import Place
from driftguard.aws.cloudwatch import CloudWatch
from driftguard.aws.write.cloudformation import CloudFormationWrite
from driftguard.aws.write.ssm import SsmWrite
from driftguard.errors import AwsError, GoneError, PolicyError, RefusedError
from driftguard.model import ResourceKey
from driftguard.model.remediation import ActionKind, Step
from driftguard.remediation.documents import AutomationDocument, parse_document
from driftguard.remediation.seams import Look, State
from driftguard.settings.remediation import RemediationSettings

_ENDED = {"Success", "CompletedWithSuccess"}
_BROKEN = {
    "Failed",
    "TimedOut",
    "Cancelled",
    "CompletedWithFailure",
    "Rejected",
    "ChangeCalendarOverrideRejected",
}
_CHANGE_SET_SECONDS = 300.0


class AwsHands:
    """Acts through ``place_of``, which gives the place of a resource with the role that may change things."""

    def __init__(
        self,
        place_of: Callable[[ResourceKey], Place],
        documents: Mapping[str, AutomationDocument],
        settings: RemediationSettings,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._place_of = place_of
        self._documents = documents
        self._settings = settings
        self._sleep = sleep
        self._checked: dict[tuple[str, str, str], str | AutomationDocument] = {}

    def _stack_place(self, step: Step) -> Place:
        """Where the step's stack is: the stack of a global resource, a role for one, stands in a region."""
        parts = step.stack_id.split(":")
        region = parts[3] if len(parts) > 5 and parts[3] else step.key.region
        return self._place_of(replace(step.key, region=region))

    # -- starting

    def find(self, step: Step, token: str) -> str:
        """What carries this token: an automation by its tag, a change set by its name."""
        place = self._place_of(step.key)
        if step.action is ActionKind.SSM_AUTOMATION:
            found = next(iter(place.ssm.executions({"TagKey": _tag(token)})), None)
            return str(found["AutomationExecutionId"]) if found else ""
        try:
            gateway = self._stack_place(step).gateway(CloudFormationWrite)
            answer = gateway.describe_change_set(_name(token), step.stack_id)
        except GoneError:
            return ""
        return str(answer["ChangeSetId"]) if answer.get("ExecutionStatus", "").startswith("EXECUTE") else ""

    def start(self, step: Step, token: str) -> str:
        if step.action is ActionKind.SSM_AUTOMATION:
            return self._automate(step.key, step.target, step.parameters, token)
        return self._revert(step, token)

    def undo(self, step: Step, token: str, operations: Sequence[Mapping[str, Any]]) -> str:
        rollback = step.rollback
        if rollback is None:
            raise RefusedError("Nothing was saved that could be put back.", guard="no-rollback")
        patch = orjson.dumps([dict(one) for one in operations]).decode()
        parameters = {**rollback["parameters"], "PatchDocument": [patch]}
        return self._automate(step.key, str(rollback["document"]), parameters, token)

    def _automate(self, key: ResourceKey, document: str, parameters: Mapping[str, Any], token: str) -> str:
        return (
            self._place_of(key)
            .gateway(SsmWrite)
            .start(
                document,
                {name: [str(one) for one in values] for name, values in parameters.items()},
                client_token=token,
                tags={_tag(token): "1", "driftguard": "remediation"},
            )
        )

    def _revert(self, step: Step, token: str) -> str:
        """Prepare a REVERT_DRIFT change set, compare it with the plan, and only then run it."""
        gateway = self._stack_place(step).gateway(CloudFormationWrite)
        try:
            change_set = gateway.create_change_set(
                step.stack_id,
                _name(token),
                deployment_mode="REVERT_DRIFT",
                capabilities=("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
                description="driftguard: what an approved plan says",
                client_token=token,
                parameters=self._parameters(step),
            )
        except AwsError as error:
            if error.code != "AlreadyExistsException":
                raise
            change_set = _name(token)
        answer = self._prepared(gateway, change_set, step)
        extra = _beyond(answer, step)
        if extra:
            gateway.delete_change_set(str(answer["ChangeSetId"]))
            raise RefusedError(
                f"The change set would also touch {extra}, which the plan does not name.",
                guard="change-set",
                fix="Make a new plan.",
            )
        gateway.execute_change_set(str(answer["ChangeSetId"]), client_token=token)
        return str(answer["ChangeSetId"])

    def _parameters(self, step: Step) -> list[dict[str, Any]] | None:
        """The deployed parameters stay: a drift is put back, not a deployment made."""
        rows = (
            next(iter(self._stack_place(step).cloudformation.stacks(step.stack_id)), {}).get("Parameters")
            or ()
        )
        return [{"ParameterKey": row["ParameterKey"], "UsePreviousValue": True} for row in rows] or None

    def _prepared(self, gateway: CloudFormationWrite, change_set: str, step: Step) -> Mapping[str, Any]:
        waited, pause = 0.0, 0.5
        while True:
            answer = gateway.describe_change_set(change_set, step.stack_id)
            status = str(answer.get("Status", ""))
            if status == "CREATE_COMPLETE":
                return answer
            if status == "FAILED" or waited > _CHANGE_SET_SECONDS:
                gateway.delete_change_set(change_set)
                why = answer.get("StatusReason") or f"it is still {status}"
                raise RefusedError(
                    f"CloudFormation could not prepare the change set: {why}", guard="change-set"
                )
            self._sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 10.0)

    # -- looking

    def look(self, step: Step, execution_id: str) -> Look:
        place = self._place_of(step.key)
        if execution_id.startswith("arn:") and ":changeSet/" in execution_id:
            return _stack_look(self.stack_status(step), step.stack)
        answer = place.ssm.execution(execution_id)
        status = str(answer["AutomationExecutionStatus"])
        if status in _ENDED:
            return Look(state=State.SUCCEEDED)
        if status in _BROKEN:
            return Look(state=State.FAILED, detail=_failure(answer, status))
        return Look(state=State.RUNNING, detail=f"SSM says {status}.")

    def stop(self, step: Step, execution_id: str) -> None:
        if not execution_id.startswith("arn:"):
            self._place_of(step.key).gateway(SsmWrite).stop(execution_id)

    def stack_status(self, step: Step) -> str:
        if not step.stack_id:
            return ""
        try:
            rows = self._stack_place(step).cloudformation.stacks(step.stack_id)
            return str(next(iter(rows))["StackStatus"])
        except (GoneError, StopIteration):
            return "DELETE_COMPLETE"

    def calendars(self, step: Step) -> Mapping[str, str]:
        found = {}
        for name in self._settings.calendars:
            try:
                found[name] = str(self._place_of(step.key).ssm.calendar_state((name,))["State"])
            except AwsError as error:
                found[name] = str(error)
        return found

    def alarming(self, steps: Sequence[Step], names: Sequence[str]) -> str:
        """An alarm that no account knows is no permission to go on: it counts as raised."""
        places = {(one.key.account, one.key.region): one.key for one in steps}
        known: set[str] = set()
        for key in places.values():
            states = self._place_of(key).gateway(CloudWatch).states(names)
            known |= states.keys()
            raised = next((name for name, state in states.items() if state == "ALARM"), "")
            if raised:
                return raised
        return next((name for name in names if name not in known), "")

    def document_problem(self, step: Step) -> str:
        """The document must be there, be the one that was shipped, and take these parameters."""
        found = self._document(step.key, step.target)
        if isinstance(found, str):
            return found
        return " ".join(found.problems(step.parameters))

    def _document(self, key: ResourceKey, name: str) -> AutomationDocument | str:
        place = (key.account, key.region, name)
        if place not in self._checked:
            self._checked[place] = self._read_document(key, name)
        return self._checked[place]

    def _read_document(self, key: ResourceKey, name: str) -> AutomationDocument | str:
        try:
            text = self._place_of(key).ssm.document(name)
            document = parse_document(name, text)
        except GoneError:
            return (
                f"there is no document {name} in account {key.account}, {key.region}; "
                "`driftguard remediate setup` prints a stack that makes it."
            )
        except PolicyError as error:
            return str(error)
        except AwsError as error:
            if error.code == "InvalidDocument":
                return (
                    f"there is no document {name} in account {key.account}, {key.region}; "
                    "`driftguard remediate setup` prints a stack that makes it."
                )
            raise
        shipped = self._documents.get(name)
        if shipped is not None and _data(shipped.text) != _data(text):
            return f"the document {name} in account {key.account} is not the one that came with driftguard."
        return document


def _data(text: str) -> Any:
    return orjson.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)


def _tag(token: str) -> str:
    return f"driftguard-{token}"


def _name(token: str) -> str:
    return f"driftguard-{token}"


def _beyond(answer: Mapping[str, Any], step: Step) -> str:
    """The first resource that the change set touches and the plan does not name, or would replace."""
    named = set(step.parameters["LogicalResourceIds"])
    for row in answer.get("Changes", ()):
        change = row.get("ResourceChange", {})
        name = str(change.get("LogicalResourceId", ""))
        if name not in named:
            return name
        if change.get("Replacement") == "True":
            return f"{name} by replacing it"
        if change.get("Action") == "Remove":
            return f"{name} by removing it"
    return ""


def _stack_look(status: str, name: str) -> Look:
    if status.endswith("_IN_PROGRESS"):
        return Look(state=State.RUNNING, detail=f"Stack {name} is {status}.")
    if status == "UPDATE_COMPLETE":
        return Look(state=State.SUCCEEDED)
    return Look(state=State.FAILED, detail=f"Stack {name} ended as {status}.")


def _failure(answer: Mapping[str, Any], status: str) -> str:
    said = str(answer.get("FailureMessage") or "")
    failed = next(
        (
            one
            for one in answer.get("StepExecutions", ())
            if one.get("StepStatus") in _BROKEN and one.get("FailureMessage")
        ),
        None,
    )
    text = str(failed["FailureMessage"]) if failed else said
    return f"SSM ended it as {status}: {' '.join(text.split())[:500]}".rstrip(": ")
