"""CodeCommit, CodeBuild and CodePipeline."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    changed,
    lower_first,
    pick,
    tag_changes,
    tag_list,
    tag_map,
    upper_first,
)


class CodeCommitRepository(Adapter):
    """``Ref`` and the schema's identifier are the repository's id, a UUID."""

    type_name = "AWS::CodeCommit::Repository"
    service = "codecommit"
    name_property = "RepositoryName"
    name_limit = 100

    def create(self, name: str, properties: Properties) -> str:
        about = properties.get("RepositoryDescription")
        made = self.client.create_repository(
            repositoryName=name,
            tags=tag_map(properties.get("Tags")),
            **({"repositoryDescription": about} if about else {}),
        )
        return str(made["repositoryMetadata"]["repositoryId"])

    def read(self, id: str) -> Properties | None:
        found = self._found(id)
        if found is None:
            return None
        shown = {
            "RepositoryId": id,
            "RepositoryName": found["repositoryName"],
            "Name": found["repositoryName"],
            "RepositoryDescription": found.get("repositoryDescription"),
            "Arn": found["Arn"],
            "CloneUrlHttp": found["cloneUrlHttp"],
            "CloneUrlSsh": found["cloneUrlSsh"],
            "Tags": tag_list(self.client.list_tags_for_resource(resourceArn=found["Arn"])["tags"]),
        }
        return pick(shown, *shown)

    def update(self, id: str, old: Properties, new: Properties) -> None:
        arn = str(self.arn(id))
        if changed(old, new, "RepositoryDescription"):
            name, about = arn.rpartition(":")[2], new.get("RepositoryDescription", "")
            self.client.update_repository_description(repositoryName=name, repositoryDescription=about)
        added, removed = tag_changes(old, new)
        if added:
            self.client.tag_resource(resourceArn=arn, tags=added)
        if removed:
            self.client.untag_resource(resourceArn=arn, tagKeys=removed)

    def delete(self, id: str) -> None:
        found = self._found(id)
        if found:
            self.client.delete_repository(repositoryName=found["repositoryName"])

    def list_ids(self) -> list[str]:
        return [r["repositoryId"] for r in self.client.list_repositories()["repositories"]]

    def arn(self, id: str) -> str | None:
        found = self._found(id)
        return str(found["Arn"]) if found else None

    def _found(self, id: str) -> dict[str, Any] | None:
        for repository in self.client.list_repositories()["repositories"]:
            if repository["repositoryId"] == id:
                name = repository["repositoryName"]
                return dict(self.client.get_repository(repositoryName=name)["repositoryMetadata"])
        return None


class Project(Adapter):
    type_name = "AWS::CodeBuild::Project"
    service = "codebuild"
    name_property = "Name"
    name_limit = 255

    _NAMES = (
        "Description",
        "ServiceRole",
        "Source",
        "SecondarySources",
        "Artifacts",
        "Environment",
        "Cache",
        "VpcConfig",
        "EncryptionKey",
        "TimeoutInMinutes",
        "QueuedTimeoutInMinutes",
        "LogsConfig",
        "ConcurrentBuildLimit",
    )

    def create(self, name: str, properties: Properties) -> str:
        tags = {"tags": _tags(properties["Tags"])} if properties.get("Tags") else {}
        self.client.create_project(name=name, **self._arguments(properties), **tags)
        return name

    def read(self, id: str) -> Properties | None:
        projects = self.client.batch_get_projects(names=[id])["projects"]
        if not projects:
            return None
        found = projects[0]
        shown = pick(upper_first(found), "Arn", *self._NAMES)
        for part in ("Source", "Artifacts"):
            # moto wants a location for CODEPIPELINE (AWS has none) and echoes what it was given.
            if shown.get(part, {}).get("Type") in ("CODEPIPELINE", "NO_SOURCE", "NO_ARTIFACTS"):
                shown[part] = {k: v for k, v in shown[part].items() if k not in ("Location", "Auth")}
        for part in ("Source", "Artifacts", "Environment", "LogsConfig"):
            if part in shown:
                shown[part] = _without_empty(shown[part])
        if "Source" in shown and "Buildspec" in shown["Source"]:
            shown["Source"]["BuildSpec"] = shown["Source"].pop("Buildspec")
        for output in ("CloudWatchLogs", "S3Logs"):
            _rename_group(shown.get("LogsConfig", {}).get(output))
        if not shown.get("QueuedTimeoutInMinutes"):
            shown["QueuedTimeoutInMinutes"] = 480  # moto keeps 0; AWS's default is eight hours
        tags = tag_list(found.get("tags"))
        return {"Id": id, "Name": id, **shown, **({"Tags": tags} if tags else {})}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        names = [name for name in self._NAMES if changed(old, new, name)]
        call = self._arguments(pick(new, *names))
        if tag_changes(old, new) != ({}, []):
            call["tags"] = _tags(tag_list(tag_map(new.get("Tags"))))
        if call:
            self.client.update_project(name=id, **call)

    def delete(self, id: str) -> None:
        self.client.delete_project(name=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_projects").paginate()
        return [name for page in pages for name in page["projects"]]

    def arn(self, id: str) -> str | None:
        found = self.read_or_none(id)
        return found["Arn"] if found else None

    def _arguments(self, properties: Properties) -> dict[str, Any]:
        call: dict[str, Any] = lower_first(pick(properties, *self._NAMES))
        for part in ("source", "artifacts"):
            if call.get(part, {}).get("type") in ("CODEPIPELINE", "NO_SOURCE"):
                call[part].setdefault("location", "codepipeline")  # see read()
        if "buildSpec" in call.get("source", {}):
            call["source"]["buildspec"] = call["source"].pop("buildSpec")
        return call


class Pipeline(Adapter):
    type_name = "AWS::CodePipeline::Pipeline"
    service = "codepipeline"
    name_property = "Name"
    name_limit = 100

    _NAMES = ("RoleArn", "ArtifactStore", "ArtifactStores", "Stages", "PipelineType", "ExecutionMode")

    def create(self, name: str, properties: Properties) -> str:
        tags = {"tags": _tags(properties["Tags"])} if properties.get("Tags") else {}
        self.client.create_pipeline(pipeline=self._pipeline(name, properties), **tags)
        return name

    def read(self, id: str) -> Properties | None:
        answer = self.client.get_pipeline(name=id)
        found = answer["pipeline"]
        shown = pick(_raised(found), *self._NAMES)
        shown["Stages"] = [_stage(stage) for stage in shown["Stages"]]
        arn = f"arn:{self.context.partition}:codepipeline:{self.context.region}:{self.context.account}:{id}"
        tags = tag_list(self.client.list_tags_for_resource(resourceArn=arn)["tags"])
        return {
            "Name": id,
            "Arn": arn,
            "Version": str(found.get("version", 1)),
            **shown,
            **({"Tags": tags} if tags else {}),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, *self._NAMES):
            self.client.update_pipeline(pipeline=self._pipeline(id, new))
        added, removed = tag_changes(old, new)
        arn = self.arn(id)
        if added:
            self.client.tag_resource(resourceArn=arn, tags=_tags(tag_list(added)))
        if removed:
            self.client.untag_resource(resourceArn=arn, tagKeys=removed)

    def delete(self, id: str) -> None:
        self.client.delete_pipeline(name=id)

    def list_ids(self) -> list[str]:
        return [pipeline["name"] for pipeline in self.client.list_pipelines()["pipelines"]]

    def arn(self, id: str) -> str | None:
        where = self.context
        return f"arn:{where.partition}:codepipeline:{where.region}:{where.account}:{id}"

    def _pipeline(self, name: str, properties: Properties) -> dict[str, Any]:
        return {"name": name, **_lowered(pick(properties, *self._NAMES))}


def _lowered(value: Any) -> Any:
    """Like lower_first, but an action's Configuration keeps the keys of its provider."""
    if isinstance(value, dict):
        return {k[0].lower() + k[1:]: v if k == "Configuration" else _lowered(v) for k, v in value.items()}
    return [_lowered(v) for v in value] if isinstance(value, list) else value


def _raised(value: Any) -> Any:
    if isinstance(value, dict):
        return {k[0].upper() + k[1:]: v if k == "configuration" else _raised(v) for k, v in value.items()}
    return [_raised(v) for v in value] if isinstance(value, list) else value


def _stage(stage: Properties) -> Properties:
    return {**stage, "Actions": [_without_empty(action) for action in stage["Actions"]]}


def _without_empty(value: Properties) -> Properties:
    return {k: v for k, v in value.items() if v not in ([], {}, None, "")}


def _rename_group(logs: Properties | None) -> None:
    """Log destinations are the same words in both shapes; empty ones are not shown."""
    for key in [k for k, v in (logs or {}).items() if v in ("", None)]:
        assert logs is not None
        del logs[key]


def _tags(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in tags]
