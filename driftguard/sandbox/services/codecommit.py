"""CodeCommit repositories: moto can neither list, rename nor tag them, so the sandbox owns the service.

Shapes and error names are those of https://docs.aws.amazon.com/codecommit/latest/APIReference/ ; the ids are
random UUIDs.  Commits and branches are not simulated.
"""

from __future__ import annotations

import uuid
from typing import Any

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate

_STORE = "codecommit.repositories"


def _found(context: Context, name: str) -> dict[str, Any]:
    repository = context.store(_STORE).get(name)
    if repository is None:
        # Text invented; the code is the modelled one.
        raise ApiError("RepositoryDoesNotExistException", f"{name} does not exist")
    return dict(repository)


def _shown(repository: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in repository.items() if k != "tags" and v is not None}


@operation("codecommit", "CreateRepository")
def create_repository(context: Context, request: Request) -> Response:
    """A new, empty repository."""
    name = request["repositoryName"]
    if name in context.store(_STORE):
        # Text invented; the code is the modelled one.
        raise ApiError("RepositoryNameExistsException", f"Repository named {name} already exists")
    where = f"git-codecommit.{context.region}.amazonaws.com/v1/repos/{name}"
    now = context.clock.now()
    repository = {
        "accountId": context.account,
        "repositoryId": str(uuid.uuid4()),
        "repositoryName": name,
        "repositoryDescription": request.get("repositoryDescription"),
        "Arn": f"arn:{context.partition}:codecommit:{context.region}:{context.account}:{name}",
        "cloneUrlHttp": f"https://{where}",
        "cloneUrlSsh": f"ssh://{where}",
        "creationDate": now,
        "lastModifiedDate": now,
        "tags": dict(request.get("tags", {})),
    }
    context.store(_STORE)[name] = repository
    return {"repositoryMetadata": _shown(repository)}


@operation("codecommit", "GetRepository")
def get_repository(context: Context, request: Request) -> Response:
    """One repository by name."""
    return {"repositoryMetadata": _shown(_found(context, request["repositoryName"]))}


@operation("codecommit", "ListRepositories")
def list_repositories(context: Context, request: Request) -> Response:
    """Names and ids of all repositories."""
    names = sorted(context.store(_STORE))
    page, token = paginate(names, request, token="nextToken")
    found = [_found(context, name) for name in page]
    repositories = [{k: r[k] for k in ("repositoryName", "repositoryId")} for r in found]
    return {"repositories": repositories, **token}


@operation("codecommit", "DeleteRepository")
def delete_repository(context: Context, request: Request) -> Response:
    """Gone with all that is in it; deleting what does not exist answers nothing, as in AWS."""
    gone = context.store(_STORE).pop(request["repositoryName"], None)
    return {"repositoryId": gone["repositoryId"]} if gone else {}


@operation("codecommit", "UpdateRepositoryDescription")
def update_description(context: Context, request: Request) -> Response:
    """Another description, or none."""
    repository = _found(context, request["repositoryName"])
    repository["repositoryDescription"] = request.get("repositoryDescription")
    context.store(_STORE)[request["repositoryName"]] = repository
    return {}


@operation("codecommit", "UpdateRepositoryName")
def update_name(context: Context, request: Request) -> Response:
    """Another name; the id stays."""
    repository = _found(context, request["oldName"])
    del context.store(_STORE)[request["oldName"]]
    old, new = request["oldName"], request["newName"]
    renamed = {k: v.replace(old, new) if k.startswith("clone") else v for k, v in repository.items()}
    arn = repository["Arn"].rpartition(":")[0] + f":{new}"
    context.store(_STORE)[new] = {**renamed, "repositoryName": new, "Arn": arn}
    return {}


@operation("codecommit", "TagResource")
def tag(context: Context, request: Request) -> Response:
    """Add tags."""
    _tags(context, request).update(request["tags"])
    return {}


@operation("codecommit", "UntagResource")
def untag(context: Context, request: Request) -> Response:
    """Remove tags."""
    for key in request["tagKeys"]:
        _tags(context, request).pop(key, None)
    return {}


@operation("codecommit", "ListTagsForResource")
def list_tags(context: Context, request: Request) -> Response:
    """All tags of a repository."""
    return {"tags": dict(_tags(context, request))}


def _tags(context: Context, request: Request) -> dict[str, str]:
    name = request["resourceArn"].rpartition(":")[2]
    _found(context, name)
    tags: dict[str, str] = context.store(_STORE)[name]["tags"]
    return tags
