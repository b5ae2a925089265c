"""Log groups of Amazon CloudWatch Logs."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import Adapter, Properties, changed, pick, tag_changes, tag_list, tag_map


class LogGroup(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html"""

    type_name = "AWS::Logs::LogGroup"
    service = "logs"
    name_property = "LogGroupName"
    name_limit = 512

    def create(self, name: str, properties: Properties) -> str:
        settings: dict[str, Any] = {}
        if tags := tag_map(properties.get("Tags")):
            settings["tags"] = tags
        if key := properties.get("KmsKeyId"):
            settings["kmsKeyId"] = key
        self.client.create_log_group(logGroupName=name, **settings)
        if days := properties.get("RetentionInDays"):
            self.client.put_retention_policy(logGroupName=name, retentionInDays=days)
        return name

    def read(self, id: str) -> Properties | None:
        groups = self.client.describe_log_groups(logGroupNamePrefix=id)["logGroups"]
        group = next((g for g in groups if g["logGroupName"] == id), None)
        if group is None:
            return None
        tags = self.client.list_tags_log_group(logGroupName=id).get("tags", {})
        return {
            "LogGroupName": id,
            "Arn": group["arn"] if group["arn"].endswith(":*") else f"{group['arn']}:*",
            "LogGroupClass": group.get("logGroupClass", "STANDARD"),
            **pick({"RetentionInDays": group.get("retentionInDays")}, "RetentionInDays"),
            **pick({"KmsKeyId": group.get("kmsKeyId")}, "KmsKeyId"),
            **pick({"Tags": tag_list(tags)}, "Tags"),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "RetentionInDays"):
            if "RetentionInDays" in new:
                self.client.put_retention_policy(logGroupName=id, retentionInDays=new["RetentionInDays"])
            else:
                self.client.delete_retention_policy(logGroupName=id)
        if changed(old, new, "KmsKeyId"):
            if "KmsKeyId" in new:
                self.client.associate_kms_key(logGroupName=id, kmsKeyId=new["KmsKeyId"])
            else:
                self.client.disassociate_kms_key(logGroupName=id)
        set_tags, remove = tag_changes(old, new)
        if set_tags:
            self.client.tag_log_group(logGroupName=id, tags=set_tags)
        if remove:
            self.client.untag_log_group(logGroupName=id, tags=remove)

    def delete(self, id: str) -> None:
        self.client.delete_log_group(logGroupName=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_log_groups").paginate()
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    def arn(self, id: str) -> str:
        context = self.context
        return f"arn:{context.partition}:logs:{context.region}:{context.account}:log-group:{id}:*"
