"""KMS: keys and aliases."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    as_text,
    changed,
    document,
    pick,
    tag_changes,
)


class Key(Adapter):
    type_name = "AWS::KMS::Key"
    service = "kms"

    def create(self, name: str, properties: Properties) -> str:
        # moto leaves unsaid what AWS fills in.
        call = {"KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT", "MultiRegion": False}
        call.update(pick(properties, "Description", "KeySpec", "KeyUsage", "MultiRegion", "Origin"))
        if "KeyPolicy" in properties:
            call["Policy"] = as_text(properties["KeyPolicy"])
        call["Tags"] = _tags({t["Key"]: t["Value"] for t in properties.get("Tags", [])})
        key = str(self.client.create_key(**call)["KeyMetadata"]["KeyId"])
        if properties.get("EnableKeyRotation"):
            self.client.enable_key_rotation(KeyId=key)
        if properties.get("Enabled") is False:
            self.client.disable_key(KeyId=key)
        return key

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_key(KeyId=id)["KeyMetadata"]
        if found["KeyState"] == "PendingDeletion":
            return None
        rotates = found["KeySpec"] == "SYMMETRIC_DEFAULT" and found["KeyManager"] == "CUSTOMER"
        tags = self.client.list_resource_tags(KeyId=id)["Tags"]
        policy = self.client.get_key_policy(KeyId=id, PolicyName="default")["Policy"]
        shown = {
            "KeyId": id,
            **pick(found, "Arn", "Description", "Enabled", "KeySpec", "KeyUsage", "MultiRegion", "Origin"),
            "KeyPolicy": document(policy),
            "Tags": [{"Key": t["TagKey"], "Value": t["TagValue"]} for t in tags if t["TagKey"][:4] != "aws:"],
        }
        if rotates:
            rotation = self.client.get_key_rotation_status(KeyId=id)
            shown["EnableKeyRotation"] = rotation["KeyRotationEnabled"]
        return pick(shown, *shown)

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "KeyPolicy"):
            policy = as_text(new["KeyPolicy"])
            self.client.put_key_policy(KeyId=id, PolicyName="default", Policy=policy)
        if changed(old, new, "Description"):
            self.client.update_key_description(KeyId=id, Description=new.get("Description", ""))
        if changed(old, new, "EnableKeyRotation"):
            rotate = new.get("EnableKeyRotation", False)
            (self.client.enable_key_rotation if rotate else self.client.disable_key_rotation)(KeyId=id)
        if changed(old, new, "Enabled"):
            enable = new.get("Enabled", True)
            (self.client.enable_key if enable else self.client.disable_key)(KeyId=id)
        added, removed = tag_changes(old, new)
        if added:
            self.client.tag_resource(KeyId=id, Tags=_tags(added))
        if removed:
            self.client.untag_resource(KeyId=id, TagKeys=removed)

    def delete(self, id: str) -> None:
        self.client.schedule_key_deletion(KeyId=id, PendingWindowInDays=30)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_keys").paginate()
        keys = [key["KeyId"] for page in pages for key in page["Keys"]]
        states = {key: self.client.describe_key(KeyId=key)["KeyMetadata"] for key in keys}
        return [k for k, m in states.items() if m["KeyState"] != "PendingDeletion" and not _of_aws(m)]

    def arn(self, id: str) -> str | None:
        found = self.read_or_none(id)
        return found["Arn"] if found else None


class Alias(Adapter):
    type_name = "AWS::KMS::Alias"
    service = "kms"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        self.client.create_alias(AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"])
        return str(properties["AliasName"])

    def read(self, id: str) -> Properties | None:
        for alias in self._aliases():
            if alias["AliasName"] == id:
                return {"AliasName": id, **pick(alias, "TargetKeyId")}
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.client.update_alias(AliasName=id, TargetKeyId=new["TargetKeyId"])

    def delete(self, id: str) -> None:
        self.client.delete_alias(AliasName=id)

    def list_ids(self) -> list[str]:
        return [a["AliasName"] for a in self._aliases() if not a["AliasName"].startswith("alias/aws/")]

    def _aliases(self) -> list[dict[str, str]]:
        pages = self.client.get_paginator("list_aliases").paginate()
        return [alias for page in pages for alias in page["Aliases"]]


def _of_aws(key: dict[str, Any]) -> bool:
    """Whether a service made the key for itself; nobody declares those.

    moto calls such keys the customer's, but describes them in AWS's words.
    """
    described = str(key.get("Description", "")).startswith("Default master key that protects my ")
    return key["KeyManager"] == "AWS" or described


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
