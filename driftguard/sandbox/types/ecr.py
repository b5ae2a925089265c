"""ECR: repositories."""

from __future__ import annotations

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    as_text,
    changed,
    document,
    lower_first,
    pick,
    tag_changes,
    tag_list,
    unless,
    upper_first,
)


class Repository(Adapter):
    type_name = "AWS::ECR::Repository"
    service = "ecr"
    name_property = "RepositoryName"
    name_limit = 256
    lower_case_name = True

    def create(self, name: str, properties: Properties) -> str:
        call = {
            "imageTagMutability": properties.get("ImageTagMutability", "MUTABLE"),
            "imageScanningConfiguration": lower_first(
                properties.get("ImageScanningConfiguration", {"ScanOnPush": False})
            ),
            "tags": properties.get("Tags", []),
        }
        if "EncryptionConfiguration" in properties:
            call["encryptionConfiguration"] = lower_first(properties["EncryptionConfiguration"])
        self.client.create_repository(repositoryName=name, **call)
        self._policies(name, {}, properties)
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_repositories(repositoryNames=[id])["repositories"][0]
        arn = found["repositoryArn"]
        shown = {
            "RepositoryName": id,
            "Arn": arn,
            "RepositoryUri": found["repositoryUri"],
            "ImageTagMutability": found["imageTagMutability"],
            "ImageScanningConfiguration": upper_first(found["imageScanningConfiguration"]),
            "EncryptionConfiguration": upper_first(found.get("encryptionConfiguration")),
            "Tags": tag_list(self.client.list_tags_for_resource(resourceArn=arn)["tags"]),
        }
        missing = "RepositoryPolicyNotFoundException", "LifecyclePolicyNotFoundException"
        policy = unless(lambda: self.client.get_repository_policy(repositoryName=id), *missing)
        if policy:
            shown["RepositoryPolicyText"] = document(policy["policyText"])
        lifecycle = unless(lambda: self.client.get_lifecycle_policy(repositoryName=id), *missing)
        if lifecycle:
            shown["LifecyclePolicy"] = {"LifecyclePolicyText": lifecycle["lifecyclePolicyText"]}
        return pick(shown, *shown)

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "ImageTagMutability"):
            mutability = new.get("ImageTagMutability", "MUTABLE")
            self.client.put_image_tag_mutability(repositoryName=id, imageTagMutability=mutability)
        if changed(old, new, "ImageScanningConfiguration"):
            scanning = lower_first(new.get("ImageScanningConfiguration", {"ScanOnPush": False}))
            self.client.put_image_scanning_configuration(
                repositoryName=id, imageScanningConfiguration=scanning
            )
        self._policies(id, old, new)
        added, removed = tag_changes(old, new)
        arn = self.arn(id)
        if added:
            self.client.tag_resource(resourceArn=arn, tags=tag_list(added))
        if removed:
            self.client.untag_resource(resourceArn=arn, tagKeys=removed)

    def delete(self, id: str) -> None:
        self.client.delete_repository(repositoryName=id, force=True)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_repositories").paginate()
        return [r["repositoryName"] for page in pages for r in page["repositories"]]

    def arn(self, id: str) -> str | None:
        found = self.client.describe_repositories(repositoryNames=[id])["repositories"]
        return str(found[0]["repositoryArn"]) if found else None

    def _policies(self, name: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "RepositoryPolicyText") and "RepositoryPolicyText" in new:
            text = as_text(new["RepositoryPolicyText"])
            self.client.set_repository_policy(repositoryName=name, policyText=text)
        text = new.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
        if changed(old, new, "LifecyclePolicy") and text:
            self.client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
