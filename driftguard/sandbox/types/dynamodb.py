"""Amazon DynamoDB tables."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import Adapter, Properties, changed, pick, tag_changes, tag_list

_CREATE = ("AttributeDefinitions", "KeySchema", "BillingMode", "ProvisionedThroughput", "LocalSecondaryIndexes",
           "GlobalSecondaryIndexes", "TableClass", "DeletionProtectionEnabled", "Tags")  # fmt: skip


class Table(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html"""

    type_name = "AWS::DynamoDB::Table"
    service = "dynamodb"
    name_property = "TableName"
    name_limit = 255
    unordered = ("AttributeDefinitions", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "Tags")

    def create(self, name: str, properties: Properties) -> str:
        settings: dict[str, Any] = pick(properties, *_CREATE)
        if sse := properties.get("SSESpecification"):
            settings["SSESpecification"] = _sse(sse)
        if stream := properties.get("StreamSpecification"):
            settings["StreamSpecification"] = {**pick(stream, "StreamViewType"), "StreamEnabled": True}
        self.client.create_table(TableName=name, **settings)
        self._extras(name, {}, properties)
        return name

    def read(self, id: str) -> Properties:
        table = self.client.describe_table(TableName=id)["Table"]
        backups = self.client.describe_continuous_backups(TableName=id)["ContinuousBackupsDescription"]
        recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        lifetime = self.client.describe_time_to_live(TableName=id)["TimeToLiveDescription"]
        mode = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
        tags = tag_list(self.client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"])
        sse = table.get("SSEDescription", {})
        return {
            "TableName": id,
            "Arn": table["TableArn"],
            **pick(table, "AttributeDefinitions", "KeySchema"),
            "BillingMode": mode,
            **({"ProvisionedThroughput": _throughput(table)} if mode == "PROVISIONED" else {}),
            "DeletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": recovery},
            "SSESpecification": {
                "SSEEnabled": sse.get("Status") in ("ENABLED", "UPDATING"),
                **self._own_key(sse),
            },
            **_indexes(table, "GlobalSecondaryIndexes", mode),
            **_indexes(table, "LocalSecondaryIndexes", ""),
            **_stream(table),
            **({"TimeToLiveSpecification": _lifetime(lifetime)} if lifetime.get("AttributeName") else {}),
            **({"Tags": tags} if tags else {}),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        wanted: Properties = {
            name: new[name]
            for name in ("BillingMode", "ProvisionedThroughput", "DeletionProtectionEnabled")
            if name in new and new[name] != old.get(name)
        }
        if changed(old, new, "BillingMode", "ProvisionedThroughput") and "ProvisionedThroughput" in new:
            wanted |= pick(new, "BillingMode", "ProvisionedThroughput")
        if changed(old, new, "SSESpecification"):
            wanted["SSESpecification"] = _sse(new.get("SSESpecification") or {"SSEEnabled": False})
        if changed(old, new, "StreamSpecification"):
            stream = new.get("StreamSpecification")
            wanted["StreamSpecification"] = {
                "StreamEnabled": bool(stream),
                **pick(stream or {}, "StreamViewType"),
            }
        if wanted:
            self.client.update_table(TableName=id, **wanted)
        self._extras(id, old, new)
        set_tags, remove = tag_changes(old, new)
        if set_tags or remove:
            # Moto keeps both values of a key that is set twice; AWS replaces the first.
            self.client.untag_resource(ResourceArn=self.arn(id), TagKeys=[*remove, *set_tags])
        if set_tags:
            self.client.tag_resource(ResourceArn=self.arn(id), Tags=tag_list(set_tags))

    def delete(self, id: str) -> None:
        self.client.delete_table(TableName=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_tables").paginate()
        return [name for page in pages for name in page["TableNames"]]

    def arn(self, id: str) -> str:
        return str(self.client.describe_table(TableName=id)["Table"]["TableArn"])

    def get_attribute(self, id: str, name: str) -> Any:
        if name == "StreamArn":
            return self.client.describe_table(TableName=id)["Table"].get("LatestStreamArn")
        return super().get_attribute(id, name)

    def _own_key(self, description: Properties) -> Properties:
        """The key, where it is the customer's: AWS's own goes without saying."""
        key = description.get("KMSMasterKeyArn")
        if not key:
            return {}
        aliases = self.context.client("kms").list_aliases(KeyId=key)["Aliases"]
        if any(alias["AliasName"].startswith("alias/aws/") for alias in aliases):
            return {}
        return {"SSEType": description.get("SSEType", "KMS"), "KMSMasterKeyId": key}

    def _extras(self, name: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "PointInTimeRecoverySpecification"):
            wanted = pick(new.get("PointInTimeRecoverySpecification") or {}, "PointInTimeRecoveryEnabled")
            self.client.update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification=wanted or {"PointInTimeRecoveryEnabled": False},
            )
        if changed(old, new, "TimeToLiveSpecification") and "TimeToLiveSpecification" in new:
            self.client.update_time_to_live(
                TableName=name, TimeToLiveSpecification=new["TimeToLiveSpecification"]
            )


def _sse(value: Properties) -> Properties:
    return {"Enabled": value["SSEEnabled"], **pick(value, "SSEType", "KMSMasterKeyId")}


def _throughput(table: Properties) -> Properties:
    return pick(table.get("ProvisionedThroughput", {}), "ReadCapacityUnits", "WriteCapacityUnits")


def _indexes(table: Properties, name: str, mode: str) -> Properties:
    found = [
        {
            **pick(index, "IndexName", "KeySchema", "Projection"),
            **({"ProvisionedThroughput": _throughput(index)} if mode == "PROVISIONED" else {}),
        }
        for index in table.get(name) or []
    ]
    return {name: found} if found else {}


def _stream(table: Properties) -> Properties:
    stream = table.get("StreamSpecification") or {}
    if not stream.get("StreamEnabled"):
        return {}
    found = {"StreamSpecification": pick(stream, "StreamViewType")}
    return {**found, "StreamArn": table["LatestStreamArn"]} if table.get("LatestStreamArn") else found


def _lifetime(description: Properties) -> Properties:
    enabled = description.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return {"AttributeName": description["AttributeName"], "Enabled": enabled}
