"""The actions of Automation that the sandbox runs, each as the user guide's action reference describes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore import xform_name

from driftguard.sandbox.config.dialect import plain
from driftguard.sandbox.ssm.execution import Execution, Step, StepError, StoppedError
from driftguard.sandbox.ssm.runbook import as_text
from driftguard.sandbox.ssm.values import holds, same, select, substitute

Action = Callable[[Execution, Step, dict[str, Any]], Mapping[str, Any] | None]
ACTIONS: dict[str, Action] = {}

# Names of services in documents that are not boto3's.
_SERVICES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "elasticloadbalancingv2": "elbv2",
    "cwl": "logs",
}
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$")


def action(name: str) -> Callable[[Action], Action]:
    """Register an action."""

    def register(function: Action) -> Action:
        ACTIONS[name] = function
        return function

    return register


def call(run: Execution, inputs: Mapping[str, Any]) -> Any:
    """The answer of the API call that `Service`, `Api` and the other inputs describe."""
    arguments = {key: value for key, value in inputs.items() if key not in {"Service", "Api"}}
    service = str(inputs["Service"]).lower()
    client = run.context.client(_SERVICES.get(service, service))
    method = getattr(client, xform_name(str(inputs["Api"])), None)
    if method is None:
        raise StepError(f"{inputs['Service']} has no API {inputs['Api']}")
    answer = method(**arguments)
    answer.pop("ResponseMetadata", None)
    for key, value in answer.items():
        if hasattr(value, "read"):
            answer[key] = value.read().decode("utf-8", "replace")
    return plain(answer)


def chosen_outputs(step: Step, answer: Any) -> dict[str, Any]:
    """The outputs that a step declares, selected from an answer."""
    out = {}
    for declared in step.declared.get("outputs") or []:
        out[declared["Name"]] = _typed(
            select(answer, declared["Selector"]), str(declared.get("Type") or "String")
        )
    return out


def _typed(value: Any, kind: str) -> Any:
    if value is None:
        return [] if kind.endswith("List") else ""
    if kind == "String" and not isinstance(value, str):
        return as_text(value)
    if kind == "Boolean" and isinstance(value, str):
        return value.lower() == "true"
    if kind == "Integer" and isinstance(value, str):
        return int(value)
    return [value] if kind.endswith("List") and not isinstance(value, list) else value


@action("aws:executeAwsApi")
def _execute_api(run: Execution, step: Step, inputs: dict[str, Any]) -> Mapping[str, Any]:
    return chosen_outputs(step, call(run, inputs))


def _property(run: Execution, inputs: dict[str, Any]) -> tuple[Any, bool]:
    given = dict(inputs)
    selector, desired = given.pop("PropertySelector"), given.pop("DesiredValues")
    found = select(call(run, given), selector)
    return found, any(same(found, wanted) for wanted in desired)


@action("aws:assertAwsResourceProperty")
def _assert_property(run: Execution, step: Step, inputs: dict[str, Any]) -> None:
    found, right = _property(run, inputs)
    if not right:
        wanted = ", ".join(as_text(value) for value in inputs["DesiredValues"])
        raise StepError(
            f"Property value from the API output is not in the desired values. Property value: {as_text(found)}, "
            f"desired values: [{wanted}]"
        )


@action("aws:waitForAwsResourceProperty")
def _wait_for_property(run: Execution, step: Step, inputs: dict[str, Any]) -> None:
    due = run.context.clock.timestamp() + step.timeout
    while True:
        if _property(run, inputs)[1]:
            return
        if run.context.clock.timestamp() >= due:
            raise TimeoutError
        run.pause(run.context.world.timing.get("automation_poll", 0.05))


@action("aws:sleep")
def _sleep(run: Execution, step: Step, inputs: dict[str, Any]) -> None:
    """`Duration` (ISO 8601) of the clock's time, scaled by `automation_sleep_scale` of the world's timing."""
    if "Timestamp" in inputs and "Duration" not in inputs:
        raise StepError("aws:sleep with a Timestamp is not simulated by the sandbox.")
    match = _DURATION.match(str(inputs["Duration"]))
    if not match:
        raise StepError(f"{inputs['Duration']} is not an ISO 8601 duration")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    run.pause(total * run.context.world.timing.get("automation_sleep_scale", 1.0))


@action("aws:branch")
def _branch(run: Execution, step: Step, inputs: dict[str, Any]) -> Mapping[str, Any]:
    for choice in inputs["Choices"]:
        if holds(substitute(choice, run.lookup)):
            step.goto = choice["NextStep"]
            break
    else:
        step.goto = inputs.get("Default")
    return {"Output": step.goto} if step.goto else {}


@action("aws:updateVariable")
def _update_variable(run: Execution, step: Step, inputs: dict[str, Any]) -> None:
    name = str(inputs["Name"])
    name = name if name.startswith("variable:") else f"variable:{name}"
    if name.removeprefix("variable:") not in run.runbook.variables:
        raise StepError(f"The variable {name} is not declared")
    run.values[name] = inputs["Value"]


@action("aws:pause")
def _pause(run: Execution, step: Step, inputs: dict[str, Any]) -> None:
    step.status = run.status = "Waiting"
    while not run.take("Resume"):
        run.pause(0.02)
    run.status = "InProgress"


@action("aws:approve")
def _approve(run: Execution, step: Step, inputs: dict[str, Any]) -> Mapping[str, Any]:
    needed = int(inputs.get("MinRequiredApprovals") or 1)
    due = run.context.clock.timestamp() + step.timeout
    _ask(run, inputs)
    step.status = run.status = "Waiting"
    decisions: dict[str, dict[str, str]] = {}
    while True:
        for signal in run.take("Approve", "Reject", "Revoke"):
            who = signal.principal.arn
            comment = (signal.payload.get("Comment") or [""])[0]
            if signal.kind == "Revoke":
                decisions.pop(who, None)
                continue
            decisions[who] = {
                "status": f"{signal.kind}d".replace("Rejectd", "Rejected"),
                "approver": who,
                "comment": comment,
            }
            step.outputs["ApproverDecisions"] = [json.dumps(found) for found in decisions.values()]
            if signal.kind == "Reject":
                step.outputs["ApprovalStatus"] = ["Rejected"]
                step.status = "Rejected"
                raise StoppedError("Rejected", f"The step {step.name} was rejected by {who}.")
        if len(decisions) >= needed:
            run.status = "InProgress"
            return {"ApprovalStatus": "Approved", "ApproverDecisions": list(decisions.values())}
        if run.context.clock.timestamp() >= due:
            run.status = "InProgress"
            raise TimeoutError
        run.pause(0.02)


def _ask(run: Execution, inputs: Mapping[str, Any]) -> None:
    if topic := inputs.get("NotificationArn"):
        message = {"AutomationExecutionId": run.id, "Message": inputs.get("Message", "")}
        run.context.client("sns").publish(
            TopicArn=topic, Subject="Automation approval request", Message=json.dumps(message)
        )


@action("aws:executeScript")
def _execute_script(run: Execution, step: Step, inputs: dict[str, Any]) -> Mapping[str, Any]:
    from driftguard.sandbox.ssm.script import run_script

    payload = run_script(
        run,
        runtime=str(inputs["Runtime"]),
        script=str(inputs["Script"]),
        handler=str(inputs["Handler"]),
        given=inputs.get("InputPayload") or {},
        timeout=min(step.timeout, 600),
    )
    answer = {"Payload": payload}
    return {"OutputPayload": answer, **chosen_outputs(step, answer)}


@action("aws:executeAutomation")
def _execute_automation(run: Execution, step: Step, inputs: dict[str, Any]) -> Mapping[str, Any]:
    from driftguard.sandbox.ssm.starting import start_child

    child = start_child(
        run,
        str(inputs["DocumentName"]),
        inputs.get("RuntimeParameters") or {},
        version=inputs.get("DocumentVersion"),
    )
    due = run.context.clock.timestamp() + step.timeout
    while child.ended is None:
        if run.context.clock.timestamp() >= due:
            child.stopping = "Cancel"
            raise TimeoutError
        run.pause(0.02)
    if child.status != "Success":
        raise StepError(f"Child automation execution {child.id} ended with {child.status}. {child.failure}")
    return {"ExecutionId": child.id, "Status": child.status, "Output": child.outputs}


@action("aws:createTags")
def _create_tags(run: Execution, step: Step, inputs: dict[str, Any]) -> None:
    kind, ids, tags = inputs.get("ResourceType") or "EC2", inputs["ResourceIds"], inputs["Tags"]
    if kind == "EC2":
        run.context.client("ec2").create_tags(Resources=ids, Tags=tags)
    else:
        for id in ids:
            run.context.client("ssm").add_tags_to_resource(ResourceType=kind, ResourceId=id, Tags=tags)


@action("aws:changeInstanceState")
def _change_instance_state(run: Execution, step: Step, inputs: dict[str, Any]) -> Mapping[str, Any]:
    client = run.context.client("ec2")
    ids = inputs["InstanceIds"] if isinstance(inputs["InstanceIds"], list) else [inputs["InstanceIds"]]
    wanted = str(inputs["DesiredState"])
    if str(inputs.get("CheckStateOnly", False)).lower() != "true":
        {
            "running": client.start_instances,
            "stopped": client.stop_instances,
            "terminated": client.terminate_instances,
        }[wanted](InstanceIds=ids)
    due = run.context.clock.timestamp() + step.timeout
    while True:
        found = client.describe_instances(InstanceIds=ids)["Reservations"]
        states = {instance["State"]["Name"] for group in found for instance in group["Instances"]}
        if states == {wanted}:
            return {"InstanceStates": sorted(states)}
        if run.context.clock.timestamp() >= due:
            raise TimeoutError
        run.pause(run.context.world.timing.get("automation_poll", 0.05))
