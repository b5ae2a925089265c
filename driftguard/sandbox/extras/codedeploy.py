"""CodeDeploy operations that moto lacks: updates, deletions, batch reads."""

from __future__ import annotations

from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation


def _backend(context: Context) -> Any:
    from moto.codedeploy.models import codedeploy_backends

    return codedeploy_backends[context.account][context.region]


def _group(context: Context, application: str, name: str) -> Any:
    groups = _backend(context).deployment_groups.get(application, {})
    if application not in _backend(context).applications:
        raise ApiError("ApplicationDoesNotExistException", f"No application found for name: {application}")
    if name not in groups:
        raise ApiError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
    return groups[name]


@operation("codedeploy", "UpdateApplication")
def update_application(context: Context, request: Request) -> Response:
    """Rename an application."""
    backend = _backend(context)
    old, new = request["applicationName"], request["newApplicationName"]
    if old not in backend.applications:
        raise ApiError("ApplicationDoesNotExistException", f"No application found for name: {old}")
    if new in backend.applications:
        raise ApiError("ApplicationAlreadyExistsException", f"Application already exists: {new}")
    application = backend.applications.pop(old)
    application.application_name = new
    backend.applications[new] = application
    if old in backend.deployment_groups:
        backend.deployment_groups[new] = backend.deployment_groups.pop(old)
    return {}


@operation("codedeploy", "DeleteApplication")
def delete_application(context: Context, request: Request) -> Response:
    """Remove an application with its groups."""
    backend = _backend(context)
    backend.applications.pop(request["applicationName"], None)
    backend.deployment_groups.pop(request["applicationName"], None)
    return {}


@operation("codedeploy", "UpdateDeploymentGroup")
def update_group(context: Context, request: Request) -> Response:
    """Change a group: members given replace, members not given stay."""
    application, name = request["applicationName"], request["currentDeploymentGroupName"]
    found = _group(context, application, name)
    for key, value in request.items():
        if key not in {"applicationName", "currentDeploymentGroupName", "newDeploymentGroupName"}:
            setattr(found, xform_name(key), value)
    new = request.get("newDeploymentGroupName")
    if new:
        groups = _backend(context).deployment_groups[application]
        found.deployment_group_name = new
        groups[new] = groups.pop(name)
    return {"hooksNotCleanedUp": []}


@operation("codedeploy", "DeleteDeploymentGroup")
def delete_group(context: Context, request: Request) -> Response:
    """Remove a group."""
    groups = _backend(context).deployment_groups.get(request["applicationName"], {})
    groups.pop(request["deploymentGroupName"], None)
    return {"hooksNotCleanedUp": []}


@operation("codedeploy", "BatchGetDeploymentGroups")
def batch_get_groups(context: Context, request: Request) -> Response:
    """Several groups of one application; names without a group are named in the error message."""
    client = context.client("codedeploy")
    found, missing = [], []
    for name in request["deploymentGroupNames"]:
        try:
            answer = client.get_deployment_group(
                applicationName=request["applicationName"], deploymentGroupName=name
            )
            found.append(answer["deploymentGroupInfo"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "DeploymentGroupDoesNotExistException":
                raise ApiError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
            missing.append(name)
    out: Response = {"deploymentGroupsInfo": found}
    if missing:
        out["errorMessage"] = f"No Deployment Group found for name: {', '.join(missing)}"
    return out


@operation("codedeploy", "StopDeployment")
def stop_deployment(context: Context, request: Request) -> Response:
    """Stop a deployment."""
    found = _backend(context).deployments.get(request["deploymentId"])
    if found is None:
        raise ApiError("DeploymentDoesNotExistException", f"Deployment not found: {request['deploymentId']}")
    if found.status in {"Succeeded", "Failed", "Stopped"}:
        raise ApiError("DeploymentAlreadyCompletedException", "The deployment is already complete.")
    found.status = "Stopped"
    return {"status": "Succeeded", "statusMessage": "No more deployments will be scheduled"}
