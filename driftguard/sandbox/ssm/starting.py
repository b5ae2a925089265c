"""Starting executions: document, parameters, role, quota, targets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from driftguard.sandbox.core import ApiError, Context, Principal
from driftguard.sandbox.identity import assumed_role, trusts
from driftguard.sandbox.ssm import documents
from driftguard.sandbox.ssm.execution import ENDED, Execution, StepError
from driftguard.sandbox.ssm.runbook import Runbook, as_text, check_parameters, parse
from driftguard.sandbox.ssm.values import UnresolvedError, substitute

SERVICE = "ssm.amazonaws.com"
# Automation's default quota of concurrently running executions (AWS General Reference).
CONCURRENT = 100


def executions(context: Context) -> dict[str, Execution]:
    """All executions of this account and region by id."""
    return context.store("ssm.executions")


def definition(context: Context, name: str, version: str | None) -> tuple[str, str, Runbook]:
    """Name, version and content of a runbook; raises AutomationDefinitionNotFoundException and its sibling."""
    short = name.rsplit("/", 1)[-1] if name.startswith("arn:") else name
    try:
        document = documents.find(context, name)
    except ApiError as error:
        raise ApiError(
            "AutomationDefinitionNotFoundException", f"Automation Definition Not Found with name {short}"
        ) from error
    if document.kind != "Automation":
        raise ApiError(
            "AutomationDefinitionNotFoundException", f"Automation Definition Not Found with name {short}"
        )
    try:
        found = document.version(version)
    except ApiError as error:
        raise ApiError(
            "AutomationDefinitionVersionNotFoundException",
            f"Automation Definition Version Not Found with name {short} and version {version}",
        ) from error
    return document.name, found.number, parse(found.content)


def running(context: Context) -> int:
    """How many executions have not ended, children included."""
    return sum(found.status not in ENDED for found in executions(context).values())


def check_quota(context: Context) -> None:
    """Refuse one execution too many (`automation_limit` of the world's timing changes the quota)."""
    limit = int(context.world.timing.get("automation_limit", CONCURRENT))
    if running(context) >= limit:
        # Text: description of the exception in the API reference.
        raise ApiError(
            "AutomationExecutionLimitExceededException",
            "The number of simultaneously running Automation executions exceeded the allowable limit.",
        )


def assume(context: Context, runbook: Runbook, parameters: Mapping[str, list[str]], id: str) -> Principal:
    """Who the steps act as: the assume role if the document and the caller give one, else the caller."""

    def lookup(name: str) -> str:
        if name not in parameters:
            raise UnresolvedError(name)
        return parameters[name][0]

    try:
        role = substitute(runbook.assume_role, lookup)
    except UnresolvedError:
        role = ""
    return role_session(context, role, id, service=True) if role else context.principal


def role_session(context: Context, role_arn: str, id: str, *, service: bool) -> Principal:
    """The session of a role that the service (or the caller) may assume; else the error AWS gives."""
    refused = ApiError(
        # Text quoted from AWS in issue threads.
        "InvalidAutomationExecutionParametersException",
        "The defined assume role is unable to be assumed.",
    )
    parts = role_arn.split(":")
    if len(parts) != 6 or parts[4] not in context.world.accounts:
        raise refused
    try:
        name = role_arn.rsplit("/", 1)[-1]
        role = context.client("iam", account=parts[4]).get_role(RoleName=name)["Role"]
    except ClientError as error:
        raise refused from error
    visitor = context.principal
    if service:
        visitor = Principal(arn=f"arn:aws:iam:::{SERVICE}", account="", kind="AWSService", invoked_by=SERVICE)
    if role["Arn"] != role_arn or not trusts(role["AssumeRolePolicyDocument"], visitor, None):
        raise refused
    session = assumed_role(role_arn, f"Automation-{id}")
    return Principal(
        arn=session.arn,
        account=session.account,
        kind=session.kind,
        principal_id=session.principal_id,
        role_arn=role_arn,
        invoked_by=SERVICE,
    )


def begin(
    context: Context,
    name: str,
    given: Mapping[str, Any],
    *,
    version: str | None = None,
    mode: str = "Auto",
    parent: str = "",
    target: str = "",
    extra: Mapping[str, Any] | None = None,
    principal: Principal | None = None,
) -> Execution:
    """Check everything and start one plain execution; raises what StartAutomationExecution raises."""
    document, number, runbook = definition(context, name, version)
    parameters = check_parameters(runbook, given)
    check_quota(context)
    execution = Execution(
        context,
        document=document,
        version=number,
        runbook=runbook,
        parameters=parameters,
        mode=mode,
        parent=parent,
        target=target,
        extra=extra,
    )
    execution.principal = principal or assume(context, runbook, parameters, execution.id)
    executions(context)[execution.id] = execution
    execution.start()
    return execution


def start_child(
    run: Execution, name: str, given: Mapping[str, Any], *, version: str | None = None
) -> Execution:
    """The execution that a step aws:executeAutomation starts; raises StepError."""
    wanted = {
        key: [as_text(part) for part in value] if isinstance(value, list) else [as_text(value)]
        for key, value in given.items()
        if value not in (None, "")
    }
    try:
        with run.context.world.lock:
            child = begin(run.context, name, wanted, version=version, parent=run.id)
    except ApiError as error:
        raise StepError(f"{error.code}: {error.message}") from error
    run.children.append(child)
    return child


def equal_request(request: Mapping[str, Any]) -> str:
    """What makes two requests with one ClientToken the same."""
    return json.dumps(
        {key: value for key, value in request.items() if key != "ClientToken"}, sort_keys=True, default=str
    )
