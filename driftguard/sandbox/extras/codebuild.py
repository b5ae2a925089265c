"""CodeBuild UpdateProject, which moto lacks: members given replace, members not given stay (API reference)."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation


@operation("codebuild", "UpdateProject")
def update_project(context: Context, request: Request) -> Response:
    """Change a project."""
    from moto.codebuild.models import codebuild_backends

    name = request["name"]
    found = codebuild_backends[context.account][context.region].codebuild_projects.get(name)
    if found is None:
        arn = f"arn:{context.partition}:codebuild:{context.region}:{context.account}:project/{name}"
        raise ApiError("ResourceNotFoundException", f"Project cannot be found: {arn}")
    kept: dict[str, Any] = found.project_metadata
    for key, value in request.items():
        if key == "badgeEnabled":
            kept["badge"] = {"badgeEnabled": value}
        elif key != "name":
            kept[key] = value
    if "tags" in request:
        found.tags = request["tags"]
    kept["lastModifiedDate"] = context.clock.timestamp()
    # moto keeps instants as numbers; the answer's shape wants an instant.
    created = {key: value for key, value in kept.items() if key not in {"created", "lastModifiedDate"}}
    return {"project": {**created, "lastModified": context.clock.now()}}
