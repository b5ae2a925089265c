"""Operations of Automation: start, look, stop, signal.

Texts marked in `starting`; the others of this module are after the exceptions' descriptions in the API reference.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from driftguard.sandbox.core import ApiError, Context, Principal, Request, Response, operation, paginate
from driftguard.sandbox.ssm.documents import BAD_TOKEN
from driftguard.sandbox.ssm.execution import ENDED, Execution, Signal, Step
from driftguard.sandbox.ssm.rate_control import Spread, jobs
from driftguard.sandbox.ssm.runbook import check_parameters
from driftguard.sandbox.ssm.starting import (
    assume,
    begin,
    check_quota,
    definition,
    equal_request,
    executions,
)
from driftguard.sandbox.ssm.values import UnresolvedError, substitute


@operation("ssm", "StartAutomationExecution")
def start(context: Context, request: Request) -> Response:
    """Start a runbook, on targets if asked; the same ClientToken starts it once."""
    token = request.get("ClientToken")
    known = context.store("ssm.tokens")
    asked = equal_request(request)
    if token and token in known:
        if known[token][0] != asked:
            raise ApiError("IdempotentParameterMismatch", "Client token was used with other parameters.")
        return {"AutomationExecutionId": known[token][1]}
    if any(request.get(key) for key in ("Targets", "TargetMaps", "TargetLocations")):
        execution: Execution = _spread(context, request)
    else:
        execution = begin(
            context,
            request["DocumentName"],
            request.get("Parameters") or {},
            version=request.get("DocumentVersion"),
            mode=request.get("Mode") or "Auto",
            extra={
                "AlarmConfiguration": request.get("AlarmConfiguration"),
                "Tags": request.get("Tags") or [],
            },
        )
    if token:
        known[token] = (asked, execution.id)
    return {"AutomationExecutionId": execution.id}


def _spread(context: Context, request: Request) -> Spread:
    document, number, runbook = definition(context, request["DocumentName"], request.get("DocumentVersion"))
    name = request.get("TargetParameterName")
    if request.get("Targets") and not name:
        raise ApiError(
            "InvalidAutomationExecutionParametersException",
            "TargetParameterName is required when Targets are given.",
        )
    if name and name not in runbook.parameters:
        raise ApiError(
            "InvalidAutomationExecutionParametersException",
            f"The target parameter {name} is not defined in the document.",
        )
    check_quota(context)
    work = jobs(context, request)
    checked = check_parameters(runbook, work[0].parameters)
    for job in work[1:]:
        check_parameters(runbook, job.parameters)
    execution = Spread(
        context,
        work=work,
        request=request,
        runbook=runbook,
        document=document,
        version=number,
        parameters={key: value for key, value in checked.items() if key in (request.get("Parameters") or {})},
        extra={"AlarmConfiguration": request.get("AlarmConfiguration"), "Tags": request.get("Tags") or []},
    )
    if not request.get("TargetLocations"):
        assume(context, runbook, checked, execution.id)
    executions(context)[execution.id] = execution
    execution.start()
    return execution


def find(context: Context, id: str) -> Execution:
    """An execution by id; raises AutomationExecutionNotFoundException."""
    found = executions(context).get(id)
    if not found:
        raise ApiError(
            "AutomationExecutionNotFoundException", f"Couldn't find automation execution with id : {id}"
        )
    return found


def step_view(step: Step) -> dict[str, Any]:
    """A step as StepExecution."""
    declared = step.declared
    out: dict[str, Any] = {
        "StepName": step.name,
        "Action": declared["action"],
        "TimeoutSeconds": step.timeout,
        "OnFailure": str(declared.get("onFailure") or "Abort"),
        "MaxAttempts": int(declared.get("maxAttempts") or 1),
        "StepStatus": step.status,
        "Inputs": dict(step.inputs),
        "Outputs": dict(step.outputs),
        "StepExecutionId": step.id,
        "IsEnd": str(declared.get("isEnd", False)).lower() == "true",
        "IsCritical": step.critical,
        "ValidNextSteps": [],
        "OverriddenParameters": {},
    }
    for key, value in (
        ("ExecutionStartTime", step.started),
        ("ExecutionEndTime", step.ended),
        ("FailureMessage", step.failure),
        ("FailureDetails", step.failure_details),
        ("NextStep", declared.get("nextStep")),
    ):
        if value:
            out[key] = value
    if step.status == "Success":
        out["ResponseCode"] = "0"
    return out


def _common(execution: Execution) -> dict[str, Any]:
    request = execution.request if isinstance(execution, Spread) else {}
    out: dict[str, Any] = {
        "AutomationExecutionId": execution.id,
        "DocumentName": execution.document,
        "DocumentVersion": execution.version,
        "AutomationExecutionStatus": execution.status,
        "ExecutionStartTime": execution.started,
        "ExecutedBy": execution.principal.arn,
        "Mode": execution.mode,
        "Outputs": dict(execution.outputs),
        "Targets": request.get("Targets") or [],
        "TargetMaps": request.get("TargetMaps") or [],
        "ResolvedTargets": {
            "ParameterValues": [job.target for job in execution.work]
            if isinstance(execution, Spread)
            else [],
            "Truncated": False,
        },
    }
    current = execution.current if execution.ended is None else None
    for key, value in (
        ("ExecutionEndTime", execution.ended),
        ("FailureMessage", execution.failure),
        ("ParentAutomationExecutionId", execution.parent),
        ("Target", execution.target),
        ("CurrentStepName", current.name if current else None),
        ("CurrentAction", current.declared["action"] if current else None),
        ("TargetParameterName", request.get("TargetParameterName")),
        ("MaxConcurrency", request.get("MaxConcurrency")),
        ("MaxErrors", request.get("MaxErrors")),
        ("AlarmConfiguration", execution.extra.get("AlarmConfiguration")),
        ("TriggeredAlarms", execution.extra.get("TriggeredAlarms")),
    ):
        if value:
            out[key] = value
    return out


@operation("ssm", "GetAutomationExecution")
def get(context: Context, request: Request) -> Response:
    """One execution with its steps."""
    execution = find(context, request["AutomationExecutionId"])
    out = _common(execution)
    out.update(
        Parameters=dict(execution.parameters),
        StepExecutions=[step_view(step) for step in execution.steps],
        StepExecutionsTruncated=False,
        Variables={
            key.removeprefix("variable:"): [str(value)]
            for key, value in execution.values.items()
            if key.startswith("variable:")
        },
    )
    if isinstance(execution, Spread):
        statuses = [step.status for step in execution.steps]
        out["TargetLocations"] = execution.request.get("TargetLocations") or []
        out["ProgressCounters"] = {
            "TotalSteps": len(execution.work),
            "SuccessSteps": statuses.count("Success"),
            "FailedSteps": statuses.count("Failed"),
            "CancelledSteps": statuses.count("Cancelled"),
            "TimedOutSteps": statuses.count("TimedOut"),
        }
    return {"AutomationExecution": out}


@operation("ssm", "DescribeAutomationExecutions")
def describe(context: Context, request: Request) -> Response:
    """Executions, the newest first, filtered."""
    found = list(executions(context).values())
    for entry in request.get("Filters") or []:
        found = [execution for execution in found if _chosen(execution, entry["Key"], entry["Values"])]
    rows = [
        {**_common(execution), "AutomationType": _type(execution)}
        for execution in sorted(found, key=lambda execution: execution.started, reverse=True)
    ]
    for row in rows:
        row.pop("Variables", None)
    page, more = paginate(rows, request, limit="MaxResults", default=50, invalid=BAD_TOKEN)
    return {"AutomationExecutionMetadataList": page, **more}


def _type(execution: Execution) -> str:
    crossing = isinstance(execution, Spread) and execution.request.get("TargetLocations")
    return "CrossAccount" if crossing else "Local"


def _chosen(execution: Execution, key: str, values: list[str]) -> bool:
    simple = {
        "ExecutionStatus": execution.status,
        "ExecutionId": execution.id,
        "ParentExecutionId": execution.parent,
        "CurrentAction": execution.current.declared["action"] if execution.current else "",
        "AutomationType": _type(execution),
    }
    if key in simple:
        return simple[key] in values
    if key == "DocumentNamePrefix":
        return any(execution.document.startswith(value) for value in values)
    if key in {"StartTimeBefore", "StartTimeAfter"}:
        edge = _moment(values[0])
        return execution.started <= edge if key == "StartTimeBefore" else execution.started >= edge
    if key == "TagKey":
        return any(tag["Key"] in values for tag in execution.extra.get("Tags") or [])
    raise ApiError("InvalidFilterKey", f"The specified filter key {key} isn't valid.")


def _moment(text: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise ApiError("InvalidFilterValue", "The filter value isn't valid.") from error
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


@operation("ssm", "DescribeAutomationStepExecutions")
def describe_steps(context: Context, request: Request) -> Response:
    """The steps of one execution, filtered."""
    rows = [step_view(step) for step in find(context, request["AutomationExecutionId"]).steps]
    members = {
        "StepExecutionStatus": "StepStatus",
        "StepExecutionId": "StepExecutionId",
        "StepName": "StepName",
        "Action": "Action",
    }
    for entry in request.get("Filters") or []:
        if entry["Key"] not in members:
            raise ApiError("InvalidFilterKey", f"The specified filter key {entry['Key']} isn't valid.")
        rows = [row for row in rows if row[members[entry["Key"]]] in entry["Values"]]
    if request.get("ReverseOrder"):
        rows.reverse()
    page, more = paginate(rows, request, limit="MaxResults", default=50, invalid=BAD_TOKEN)
    return {"StepExecutions": page, **more}


@operation("ssm", "StopAutomationExecution")
def stop(context: Context, request: Request) -> Response:
    """Stop an execution and its children: the step at hand is given up (Cancel) or, with Complete, ended too."""
    execution = find(context, request["AutomationExecutionId"])
    if execution.status in ENDED:
        raise ApiError(
            "InvalidAutomationStatusUpdateException",
            f"Automation execution {execution.id} has already ended with status {execution.status}.",
        )
    _stop(execution, request.get("Type") or "Cancel")
    return {}


def _stop(execution: Execution, kind: str) -> None:
    for child in execution.children:
        if child.ended is None:
            _stop(child, kind)
    execution.stopping = kind


@operation("ssm", "SendAutomationSignal")
def send_signal(context: Context, request: Request) -> Response:
    """Approve, reject, resume, start or stop a step."""
    execution = find(context, request["AutomationExecutionId"])
    kind = request["SignalType"]
    waiting = execution.status == "Waiting"
    if execution.status in ENDED or (kind != "StopStep" and not waiting):
        raise ApiError(
            "InvalidAutomationSignalException",
            f"The signal {kind} isn't valid for the current Automation execution in status {execution.status}.",
        )
    if kind == "StopStep":
        _stop(execution, "Cancel")
        return {}
    if kind in {"Approve", "Reject", "Revoke"}:
        _check_approver(execution, context.principal)
    with execution.wake:
        execution.signals.append(
            Signal(kind=kind, payload=request.get("Payload") or {}, principal=context.principal)
        )
    return {}


def _check_approver(execution: Execution, who: Principal) -> None:
    step = execution.current
    declared = (step.declared.get("inputs") or {}).get("Approvers") if step else None
    if declared is None:
        raise ApiError("InvalidAutomationSignalException", "The current step does not wait for an approval.")
    try:
        approvers = substitute(declared, execution.lookup)
    except UnresolvedError as error:
        raise ApiError("InvalidAutomationSignalException", str(error)) from error
    names = {who.arn, who.name, who.role_arn, re.sub(r"/[^/]+$", "/*", who.arn)}
    if not names & set(approvers if isinstance(approvers, list) else [approvers]):
        raise ApiError(
            "InvalidAutomationSignalException", f"{who.arn} is not one of the approvers of this step."
        )
