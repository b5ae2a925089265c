"""Remediation configurations of rules, their exceptions, and their executions through SSM Automation."""

from __future__ import annotations

import uuid
from typing import Any

from driftguard.sandbox.config.evaluation import rule_named
from driftguard.sandbox.config.query_ops import BAD_TOKEN
from driftguard.sandbox.config.recorder import history_of
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate
from driftguard.sandbox.ssm.execution import Execution
from driftguard.sandbox.ssm.starting import begin

# AWS replaces this value with the resource's id (API reference, ResourceValue).
RESOURCE_ID = "RESOURCE_ID"
_STATES = {
    "Success": "SUCCEEDED",
    "Failed": "FAILED",
    "TimedOut": "FAILED",
    "Cancelled": "FAILED",
    "Rejected": "FAILED",
    "InProgress": "IN_PROGRESS",
    "Waiting": "IN_PROGRESS",
}


def _configurations(context: Context) -> dict[str, dict[str, Any]]:
    return context.store("config.remediations")


def _configuration(context: Context, name: str) -> dict[str, Any]:
    found = _configurations(context).get(name)
    if not found:
        raise ApiError(
            "NoSuchRemediationConfigurationException",
            "You specified an AWS Config rule without a remediation configuration.",
        )
    return found


@operation("config", "PutRemediationConfigurations")
def put_configurations(context: Context, request: Request) -> Response:
    """Say which document remedies which rule."""
    for asked in request["RemediationConfigurations"]:
        given = asked
        name = given["ConfigRuleName"]
        rule_named(context, name)
        if given.get("Automatic") and not (
            given.get("MaximumAutomaticAttempts") and given.get("RetryAttemptSeconds")
        ):
            given = {"MaximumAutomaticAttempts": 5, "RetryAttemptSeconds": 60, **given}
        arn = (
            f"arn:{context.partition}:config:{context.region}:{context.account}:"
            f"remediation-configuration/{name}/{uuid.uuid4()}"
        )
        _configurations(context)[name] = {**given, "Arn": arn}
    return {"FailedBatches": []}


@operation("config", "DescribeRemediationConfigurations")
def describe_configurations(context: Context, request: Request) -> Response:
    """The remediation of each named rule that has one."""
    known = _configurations(context)
    return {
        "RemediationConfigurations": [known[name] for name in request["ConfigRuleNames"] if name in known]
    }


@operation("config", "DeleteRemediationConfiguration")
def delete_configuration(context: Context, request: Request) -> Response:
    """Remove a rule's remediation."""
    _configuration(context, request["ConfigRuleName"])
    del _configurations(context)[request["ConfigRuleName"]]
    return {}


def _exceptions(context: Context) -> dict[tuple[str, str, str], dict[str, Any]]:
    return context.store("config.exceptions")  # type: ignore[return-value]  # keyed by rule, type and id


@operation("config", "PutRemediationExceptions")
def put_exceptions(context: Context, request: Request) -> Response:
    """Exempt resources from automatic remediation."""
    name = request["ConfigRuleName"]
    _configuration(context, name)
    for key in request["ResourceKeys"]:
        found = {"ConfigRuleName": name, "ResourceType": key["ResourceType"], "ResourceId": key["ResourceId"]}
        for member in ("Message", "ExpirationTime"):
            if request.get(member):
                found[member] = request[member]
        _exceptions(context)[(name, key["ResourceType"], key["ResourceId"])] = found
    return {"FailedBatches": []}


@operation("config", "DescribeRemediationExceptions")
def describe_exceptions(context: Context, request: Request) -> Response:
    """The exemptions of a rule that have not expired."""
    now = context.clock.now()
    keys = request.get("ResourceKeys") or []
    wanted = {(key["ResourceType"], key["ResourceId"]) for key in keys}
    rows = [
        found
        for (name, kind, id), found in _exceptions(context).items()
        if name == request["ConfigRuleName"]
        and (not wanted or (kind, id) in wanted)
        and found.get("ExpirationTime", now) >= now
    ]
    page, more = paginate(rows, request, limit="Limit", default=25, invalid=BAD_TOKEN)
    return {"RemediationExceptions": page, **more}


@operation("config", "DeleteRemediationExceptions")
def delete_exceptions(context: Context, request: Request) -> Response:
    """End exemptions."""
    failed = []
    for key in request["ResourceKeys"]:
        known = (request["ConfigRuleName"], key["ResourceType"], key["ResourceId"])
        if not _exceptions(context).pop(known, None):
            failed.append(key)
    if len(failed) == len(request["ResourceKeys"]):
        raise ApiError(
            "NoSuchRemediationExceptionException",
            "You tried to delete a remediation exception that does not exist.",
        )
    return {
        "FailedBatches": [{"FailureMessage": "No such exception", "FailedItems": failed}] if failed else []
    }


def _executions(context: Context) -> dict[tuple[str, str, str], Execution]:
    return context.store("config.remedying")  # type: ignore[return-value]  # keyed by rule, type and id


@operation("config", "StartRemediationExecution")
def start_execution(context: Context, request: Request) -> Response:
    """Start the rule's document for each resource."""
    name = request["ConfigRuleName"]
    configuration = _configuration(context, name)
    failed, message = [], ""
    for key in request["ResourceKeys"]:
        try:
            if (key["resourceType"], key["resourceId"]) not in history_of(context):
                raise ApiError("ResourceNotDiscoveredException", "The resource has not been discovered.")
            execution = begin(
                context,
                configuration["TargetId"],
                _parameters(configuration, key["resourceId"]),
                version=configuration.get("TargetVersion") or None,
            )
            _executions(context)[(name, key["resourceType"], key["resourceId"])] = execution
        except ApiError as error:
            failed.append(key)
            message = f"{error.code}: {error.message}"
    return {"FailedItems": failed, **({"FailureMessage": message} if failed else {})}


def _parameters(configuration: dict[str, Any], resource_id: str) -> dict[str, list[str]]:
    out = {}
    for name, value in (configuration.get("Parameters") or {}).items():
        if (value.get("ResourceValue") or {}).get("Value") == RESOURCE_ID:
            out[name] = [resource_id]
        else:
            out[name] = list((value.get("StaticValue") or {}).get("Values") or [])
    return out


@operation("config", "DescribeRemediationExecutionStatus")
def execution_status(context: Context, request: Request) -> Response:
    """How the last execution for each resource goes."""
    name = request["ConfigRuleName"]
    _configuration(context, name)
    wanted = {(key["resourceType"], key["resourceId"]) for key in request.get("ResourceKeys") or []}
    rows = []
    for (rule, kind, id), execution in _executions(context).items():
        if rule != name or (wanted and (kind, id) not in wanted):
            continue
        row: dict[str, Any] = {
            "ResourceKey": {"resourceType": kind, "resourceId": id},
            "State": _STATES.get(execution.status, "QUEUED"),
            "InvocationTime": execution.started,
            "LastUpdatedTime": execution.ended or context.clock.now(),
            "StepDetails": [
                {
                    "Name": step.name,
                    "State": {"Success": "SUCCEEDED", "Failed": "FAILED", "TimedOut": "FAILED"}.get(
                        step.status, "PENDING"
                    ),
                    **({"ErrorMessage": step.failure} if step.failure else {}),
                }
                for step in execution.steps
            ],
        }
        rows.append(row)
    page, more = paginate(rows, request, limit="Limit", default=100, invalid=BAD_TOKEN)
    return {"RemediationExecutionStatuses": page, **more}
