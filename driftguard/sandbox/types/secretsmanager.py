"""Secrets Manager: secrets."""

from __future__ import annotations

import json

from driftguard.sandbox.types.base import Adapter, Properties, pick, tag_changes, tag_list


class Secret(Adapter):
    """``SecretString`` and ``GenerateSecretString`` are write-only: never read back."""

    type_name = "AWS::SecretsManager::Secret"
    service = "secretsmanager"
    name_property = "Name"
    name_limit = 512

    def create(self, name: str, properties: Properties) -> str:
        call = pick(properties, "Description", "KmsKeyId", "Tags")
        made = self.client.create_secret(Name=name, SecretString=self._value(properties), **call)
        return str(made["ARN"])

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_secret(SecretId=id)
        if found.get("DeletedDate"):
            return None
        tags = tag_list(found.get("Tags"))
        shown = pick(found, "Name", "Description", "KmsKeyId")
        return {"Id": id, **shown, **({"Tags": tags} if tags else {})}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        names = ("Description", "KmsKeyId", "SecretString")
        call = {n: new[n] for n in names if n in new and new[n] != old.get(n)}
        if call:
            self.client.update_secret(SecretId=id, **call)
        added, removed = tag_changes(old, new)
        if added:
            self.client.tag_resource(SecretId=id, Tags=tag_list(added))
        if removed:
            self.client.untag_resource(SecretId=id, TagKeys=removed)

    def delete(self, id: str) -> None:
        self.client.delete_secret(SecretId=id, ForceDeleteWithoutRecovery=True)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_secrets").paginate()
        return [secret["ARN"] for page in pages for secret in page["SecretList"]]

    def arn(self, id: str) -> str | None:
        return id

    def _value(self, properties: Properties) -> str:
        if "SecretString" in properties:
            return str(properties["SecretString"])
        wanted = properties.get("GenerateSecretString", {})
        names = ("PasswordLength", "ExcludePunctuation", "ExcludeCharacters", "IncludeSpace")
        password = str(self.client.get_random_password(**pick(wanted, *names))["RandomPassword"])
        if "GenerateStringKey" not in wanted:
            return password
        template = json.loads(wanted.get("SecretStringTemplate", "{}"))
        return json.dumps({**template, wanted["GenerateStringKey"]: password})
