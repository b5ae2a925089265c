"""CodePipeline's state, approvals and stage transitions.

moto takes a started execution for done at once. Here it walks through the stages until it meets a disabled transition
or an approval nobody has decided; members as GetPipelineState's reference describes them.
"""

from __future__ import annotations

import uuid
from typing import Any

from botocore.exceptions import ClientError

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation
from driftguard.sandbox.extras.events import emit


def _pipeline(context: Context, name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = context.client("codepipeline").get_pipeline(name=name)["pipeline"]
    except ClientError as error:
        raise ApiError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
    return found


def _kept(context: Context, name: str) -> dict[str, Any]:
    kept = context.store("codepipeline.state").setdefault(name, {})
    kept.setdefault("transitions", {})
    kept.setdefault("decisions", {})
    kept.setdefault("tokens", {})
    return kept  # type: ignore[no-any-return]  # the store is untyped


def _latest(context: Context, name: str) -> str | None:
    found = context.client("codepipeline").list_pipeline_executions(pipelineName=name, maxResults=1)
    summaries = found["pipelineExecutionSummaries"]
    return summaries[0]["pipelineExecutionId"] if summaries else None


@operation("codepipeline", "GetPipelineState")
def pipeline_state(context: Context, request: Request) -> Response:
    """Where the latest execution stands, stage by stage."""
    name = request["name"]
    pipeline, kept, execution = _pipeline(context, name), _kept(context, name), _latest(context, name)
    stages: list[dict[str, Any]] = []
    moving = execution is not None
    for position, stage in enumerate(pipeline["stages"]):
        transition = kept["transitions"].get(stage["name"], {"enabled": True})
        moving = moving and (transition["enabled"] or position == 0)
        state: dict[str, Any] = {"stageName": stage["name"], "inboundTransitionState": transition}
        state["actionStates"], status = _actions(context, kept, execution, stage, moving=moving)
        if moving:
            state["latestExecution"] = {"pipelineExecutionId": execution, "status": status}
        moving = moving and status == "Succeeded"
        stages.append(state)
    now = context.clock.now()
    return {
        "pipelineName": name,
        "pipelineVersion": pipeline.get("version", 1),
        "stageStates": stages,
        "created": now,
        "updated": now,
    }


def _actions(
    context: Context, kept: dict[str, Any], execution: str | None, stage: dict[str, Any], *, moving: bool
) -> tuple[list[dict[str, Any]], str]:
    out = []
    status = "Succeeded"
    for action in stage["actions"]:
        state: dict[str, Any] = {"actionName": action["name"]}
        if moving and status == "Succeeded":
            latest: dict[str, Any] = {"status": "Succeeded", "lastStatusChange": context.clock.now()}
            if action["actionTypeId"]["category"] == "Approval":
                latest = _approval(context, kept, (str(execution), stage["name"], action["name"]))
            state["latestExecution"] = latest
            status = str(latest["status"])
        out.append(state)
    return out, status


def _approval(context: Context, kept: dict[str, Any], key: tuple[str, str, str]) -> dict[str, Any]:
    decision = kept["decisions"].get(key)
    if decision:
        return dict(decision)
    token = kept["tokens"].setdefault(key, str(uuid.uuid4()))
    return {"status": "InProgress", "token": token, "lastStatusChange": context.clock.now()}


@operation("codepipeline", "PutApprovalResult")
def put_approval(context: Context, request: Request) -> Response:
    """Approve or reject what waits."""
    name = request["pipelineName"]
    pipeline, kept, execution = _pipeline(context, name), _kept(context, name), _latest(context, name)
    stage = next((found for found in pipeline["stages"] if found["name"] == request["stageName"]), None)
    if stage is None:
        raise ApiError("StageNotFoundException", f"Stage not found: {request['stageName']}")
    if request["actionName"] not in [action["name"] for action in stage["actions"]]:
        raise ApiError("ActionNotFoundException", f"Action not found: {request['actionName']}")
    key = (str(execution), stage["name"], request["actionName"])
    if key in kept["decisions"]:
        raise ApiError(
            "ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected."
        )
    if kept["tokens"].get(key) != request["token"]:
        raise ApiError(
            "InvalidApprovalTokenException",
            "The approval request already received a response or has expired.",
        )
    now = context.clock.now()
    approved = request["result"]["status"] == "Approved"
    kept["decisions"][key] = {
        "status": "Succeeded" if approved else "Failed",
        "summary": request["result"]["summary"],
        "lastStatusChange": now,
        "lastUpdatedBy": context.principal.arn,
        "token": request["token"],
    }
    import json

    detail = {
        "pipeline": name,
        "execution-id": execution,
        "stage": stage["name"],
        "action": request["actionName"],
        "state": "SUCCEEDED" if approved else "FAILED",
    }
    emit(
        context,
        {
            "Source": "aws.codepipeline",
            "DetailType": "CodePipeline Action Execution State Change",
            "Detail": json.dumps(detail),
        },
    )
    return {"approvedAt": now}


def _transition(context: Context, request: Request, **state: Any) -> None:
    pipeline = _pipeline(context, request["pipelineName"])
    if request["stageName"] not in [stage["name"] for stage in pipeline["stages"]]:
        raise ApiError("StageNotFoundException", f"Stage not found: {request['stageName']}")
    kept = _kept(context, request["pipelineName"])
    kept["transitions"][request["stageName"]] = state


@operation("codepipeline", "DisableStageTransition")
def disable_transition(context: Context, request: Request) -> Response:
    """Let nothing into a stage."""
    _transition(
        context,
        request,
        enabled=False,
        disabledReason=request["reason"],
        lastChangedAt=context.clock.now(),
        lastChangedBy=context.principal.arn,
    )
    return {}


@operation("codepipeline", "EnableStageTransition")
def enable_transition(context: Context, request: Request) -> Response:
    """Let executions into a stage again."""
    _transition(context, request, enabled=True)
    return {}
