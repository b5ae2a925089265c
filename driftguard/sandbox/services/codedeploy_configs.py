"""CodeDeploy's deployment configurations, which moto does not have.

Shapes: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentConfigInfo.html ; texts invented.
"""

from __future__ import annotations

import uuid

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate

_STORE = "codedeploy.configs"

# Those that every account has: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
_DEFAULT = {
    "Server": ("AllAtOnce", "HalfAtATime", "OneAtATime"),
    "ECS": (
        "ECSAllAtOnce",
        "ECSLinear10PercentEvery1Minutes",
        "ECSLinear10PercentEvery3Minutes",
        "ECSCanary10Percent5Minutes",
        "ECSCanary10Percent15Minutes",
    ),
    "Lambda": ("LambdaAllAtOnce", "LambdaCanary10Percent5Minutes", "LambdaLinear10PercentEvery1Minute"),
}


@operation("codedeploy", "CreateDeploymentConfig")
def create(context: Context, request: Request) -> Response:
    """A new configuration; nothing of it can be changed later."""
    name = request["deploymentConfigName"]
    if name in context.store(_STORE):
        raise ApiError(
            "DeploymentConfigAlreadyExistsException", f"Deployment configuration {name} already exists"
        )
    id = str(uuid.uuid4())
    kept = {k: request[k] for k in ("minimumHealthyHosts", "trafficRoutingConfig") if k in request}
    context.store(_STORE)[name] = {
        "deploymentConfigId": id,
        "deploymentConfigName": name,
        "computePlatform": request.get("computePlatform", "Server"),
        "createTime": context.clock.now(),
        **kept,
    }
    return {"deploymentConfigId": id}


@operation("codedeploy", "GetDeploymentConfig")
def get(context: Context, request: Request) -> Response:
    """One configuration; of the predefined ones only name and platform are known here."""
    name = request["deploymentConfigName"]
    for platform, names in _DEFAULT.items():
        if name.removeprefix("CodeDeployDefault.") in names:
            return {"deploymentConfigInfo": {"deploymentConfigName": name, "computePlatform": platform}}
    found = context.store(_STORE).get(name)
    if found is None:
        raise ApiError(
            "DeploymentConfigDoesNotExistException", f"No deployment configuration found for name: {name}"
        )
    return {"deploymentConfigInfo": found}


@operation("codedeploy", "ListDeploymentConfigs")
def list_configs(context: Context, request: Request) -> Response:
    """All names, the predefined ones included."""
    predefined = [f"CodeDeployDefault.{name}" for names in _DEFAULT.values() for name in names]
    names = [*predefined, *sorted(context.store(_STORE))]
    page, token = paginate(names, request, token="nextToken")
    return {"deploymentConfigsList": page, **token}


@operation("codedeploy", "DeleteDeploymentConfig")
def delete(context: Context, request: Request) -> Response:
    """Deleting what does not exist is no error."""
    context.store(_STORE).pop(request["deploymentConfigName"], None)
    return {}
