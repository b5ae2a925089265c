"""RDS: databases, clusters, subnet and parameter groups."""

from __future__ import annotations

from typing import Any, ClassVar

from driftguard.sandbox.types.base import Adapter, Properties, changed, pick, tag_changes, tag_list

# CloudFormation's name first, then that of DescribeDBInstances and CreateDBInstance where it is the same.
_INSTANCE = (
    "Engine",
    "EngineVersion",
    "DBInstanceClass",
    "StorageType",
    "StorageEncrypted",
    "KmsKeyId",
    "MultiAZ",
    "PubliclyAccessible",
    "DeletionProtection",
    "BackupRetentionPeriod",
    "AutoMinorVersionUpgrade",
    "CopyTagsToSnapshot",
    "DBName",
    "AvailabilityZone",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "Iops",
    "LicenseModel",
    "DBClusterIdentifier",
    "MonitoringInterval",
    "MonitoringRoleArn",
)
_MODIFIABLE = (
    "DBInstanceClass",
    "MultiAZ",
    "PubliclyAccessible",
    "DeletionProtection",
    "BackupRetentionPeriod",
    "AutoMinorVersionUpgrade",
    "CopyTagsToSnapshot",
    "EngineVersion",
    "EnableIAMDatabaseAuthentication",
    "MonitoringInterval",
    "MonitoringRoleArn",
)


class _Rds(Adapter):
    service = "rds"
    lower_case_name = True
    name_limit = 63
    list_call: ClassVar[tuple[str, str, str]] = ("", "", "")

    def retag(self, arn: str, old: Properties, new: Properties) -> None:
        added, removed = tag_changes(old, new)
        if added:
            self.client.add_tags_to_resource(ResourceName=arn, Tags=tag_list(added))
        if removed:
            self.client.remove_tags_from_resource(ResourceName=arn, TagKeys=removed)

    def tags(self, arn: str) -> Properties:
        tags = tag_list(self.client.list_tags_for_resource(ResourceName=arn)["TagList"])
        return {"Tags": tags} if tags else {}

    def list_ids(self) -> list[str]:
        method, answer, key = self.list_call
        pages = self.client.get_paginator(method).paginate()
        return [item[key] for page in pages for item in page[answer]]


class DbInstance(_Rds):
    type_name = "AWS::RDS::DBInstance"
    name_property = "DBInstanceIdentifier"
    unordered = ("Tags", "VPCSecurityGroups")
    list_call = ("describe_db_instances", "DBInstances", "DBInstanceIdentifier")

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties,
            *_INSTANCE,
            "MasterUsername",
            "MasterUserPassword",
            "DBSubnetGroupName",
            "DBParameterGroupName",
            "Tags",
        )
        call |= pick(properties, "EnableIAMDatabaseAuthentication", "EnableCloudwatchLogsExports")
        if "AllocatedStorage" in properties:
            call["AllocatedStorage"] = int(properties["AllocatedStorage"])
        if "VPCSecurityGroups" in properties:
            call["VpcSecurityGroupIds"] = properties["VPCSecurityGroups"]
        made = self.client.create_db_instance(DBInstanceIdentifier=name, **call)
        return str(made["DBInstance"]["DBInstanceIdentifier"])

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_db_instances(DBInstanceIdentifier=id)["DBInstances"][0]
        shown = {
            "DBInstanceIdentifier": id,
            **pick(found, "DBInstanceArn", "MasterUsername", "DbiResourceId", "DBInstanceStatus", *_INSTANCE),
            "AllocatedStorage": str(found["AllocatedStorage"]),
        }
        groups = [group["VpcSecurityGroupId"] for group in found.get("VpcSecurityGroups", [])]
        parameters = [group["DBParameterGroupName"] for group in found.get("DBParameterGroups", [])]
        more = {
            "VPCSecurityGroups": groups,
            "DBParameterGroupName": parameters[0] if parameters else None,
            "DBSubnetGroupName": found.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
            "EnableCloudwatchLogsExports": found.get("EnabledCloudwatchLogsExports"),
            # What is not switched on is not shown, as the registry handler shows only what was set.
            "EnableIAMDatabaseAuthentication": found.get("IAMDatabaseAuthenticationEnabled") or None,
        }
        if not found.get("MonitoringInterval"):
            shown.pop("MonitoringInterval", None)
        shown.update(pick(more, *more))
        if endpoint := found.get("Endpoint"):
            shown["Endpoint"] = {"Address": endpoint["Address"], "Port": str(endpoint["Port"])}
        return {**shown, **self.tags(found["DBInstanceArn"])}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        call = {n: new[n] for n in _MODIFIABLE if n in new and new[n] != old.get(n)}
        if changed(old, new, "AllocatedStorage"):
            call["AllocatedStorage"] = int(new["AllocatedStorage"])
        if changed(old, new, "VPCSecurityGroups"):
            call["VpcSecurityGroupIds"] = new["VPCSecurityGroups"]
        if changed(old, new, "DBParameterGroupName"):
            call["DBParameterGroupName"] = new["DBParameterGroupName"]
        if changed(old, new, "MasterUserPassword"):
            call["MasterUserPassword"] = new["MasterUserPassword"]
        if changed(old, new, "EnableCloudwatchLogsExports"):
            before, after = (set(one.get("EnableCloudwatchLogsExports") or []) for one in (old, new))
            call["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": sorted(after - before),
                "DisableLogTypes": sorted(before - after),
            }
        if call:
            self.client.modify_db_instance(DBInstanceIdentifier=id, ApplyImmediately=True, **call)
        self.retag(str(self.arn(id)), old, new)

    def delete(self, id: str) -> None:
        if (self.read(id) or {}).get("DeletionProtection"):
            self.client.modify_db_instance(
                DBInstanceIdentifier=id, DeletionProtection=False, ApplyImmediately=True
            )
        self.client.delete_db_instance(DBInstanceIdentifier=id, SkipFinalSnapshot=True)

    def arn(self, id: str) -> str | None:
        found = self.read_or_none(id)
        return found["DBInstanceArn"] if found else None


class DbCluster(_Rds):
    type_name = "AWS::RDS::DBCluster"
    name_property = "DBClusterIdentifier"
    unordered = ("Tags", "VpcSecurityGroupIds")
    list_call = ("describe_db_clusters", "DBClusters", "DBClusterIdentifier")

    _NAMES: ClassVar[tuple[str, ...]] = (
        "Engine",
        "EngineVersion",
        "StorageEncrypted",
        "KmsKeyId",
        "DeletionProtection",
        "BackupRetentionPeriod",
        "DatabaseName",
        "Port",
        "MasterUsername",
        "EngineMode",
        "CopyTagsToSnapshot",
    )

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties,
            *self._NAMES,
            "MasterUserPassword",
            "DBSubnetGroupName",
            "DBClusterParameterGroupName",
            "VpcSecurityGroupIds",
            "Tags",
        )
        return str(
            self.client.create_db_cluster(DBClusterIdentifier=name, **call)["DBCluster"][
                "DBClusterIdentifier"
            ]
        )

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_db_clusters(DBClusterIdentifier=id)["DBClusters"][0]
        groups = [group["VpcSecurityGroupId"] for group in found.get("VpcSecurityGroups", [])]
        more = {
            "VpcSecurityGroupIds": groups,
            "DBSubnetGroupName": found.get("DBSubnetGroup"),
            "Endpoint": {"Address": found.get("Endpoint", ""), "Port": str(found.get("Port", ""))},
            "ReadEndpoint": {"Address": found.get("ReaderEndpoint", "")},
        }
        return {
            "DBClusterIdentifier": id,
            **pick(found, "DBClusterArn", *self._NAMES),
            **pick(more, *more),
            **self.tags(found["DBClusterArn"]),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        names = ("DeletionProtection", "BackupRetentionPeriod", "EngineVersion", "MasterUserPassword")
        call = {n: new[n] for n in names if n in new and new[n] != old.get(n)}
        if call:
            self.client.modify_db_cluster(DBClusterIdentifier=id, ApplyImmediately=True, **call)
        self.retag(str(self.arn(id)), old, new)

    def delete(self, id: str) -> None:
        if (self.read(id) or {}).get("DeletionProtection"):
            self.client.modify_db_cluster(
                DBClusterIdentifier=id, DeletionProtection=False, ApplyImmediately=True
            )
        self.client.delete_db_cluster(DBClusterIdentifier=id, SkipFinalSnapshot=True)

    def arn(self, id: str) -> str | None:
        found = self.read_or_none(id)
        return found["DBClusterArn"] if found else None


class DbSubnetGroup(_Rds):
    type_name = "AWS::RDS::DBSubnetGroup"
    name_property = "DBSubnetGroupName"
    name_limit = 255
    unordered = ("Tags", "SubnetIds")
    list_call = ("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName")

    def create(self, name: str, properties: Properties) -> str:
        made = self.client.create_db_subnet_group(
            DBSubnetGroupName=name, **pick(properties, "DBSubnetGroupDescription", "SubnetIds", "Tags")
        )
        return str(made["DBSubnetGroup"]["DBSubnetGroupName"])

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_db_subnet_groups(DBSubnetGroupName=id)["DBSubnetGroups"][0]
        return {
            "DBSubnetGroupName": id,
            "DBSubnetGroupDescription": found["DBSubnetGroupDescription"],
            "SubnetIds": [subnet["SubnetIdentifier"] for subnet in found["Subnets"]],
            **self.tags(str(self.arn(id))),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "SubnetIds", "DBSubnetGroupDescription"):
            call = pick(new, "DBSubnetGroupDescription", "SubnetIds")
            self.client.modify_db_subnet_group(DBSubnetGroupName=id, **call)
        self.retag(str(self.arn(id)), old, new)

    def delete(self, id: str) -> None:
        self.client.delete_db_subnet_group(DBSubnetGroupName=id)

    def arn(self, id: str) -> str | None:
        where = self.context
        return f"arn:{where.partition}:rds:{where.region}:{where.account}:subgrp:{id}"


class DbParameterGroup(_Rds):
    """Only the parameters that somebody set are shown, as the registry handler does."""

    type_name = "AWS::RDS::DBParameterGroup"
    name_property = "DBParameterGroupName"
    name_limit = 255
    list_call = ("describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName")

    def create(self, name: str, properties: Properties) -> str:
        self.client.create_db_parameter_group(
            DBParameterGroupName=name,
            DBParameterGroupFamily=properties["Family"],
            **pick(properties, "Description", "Tags"),
        )
        self._set(name, properties.get("Parameters", {}))
        return name

    def read(self, id: str) -> Properties | None:
        groups = self.client.describe_db_parameter_groups(DBParameterGroupName=id)["DBParameterGroups"]
        if not groups:
            return None
        group = groups[0]
        parameters = self.client.describe_db_parameters(DBParameterGroupName=id, Source="user")["Parameters"]
        values = {p["ParameterName"]: p["ParameterValue"] for p in parameters if "ParameterValue" in p}
        return {
            "DBParameterGroupName": id,
            "Family": group["DBParameterGroupFamily"],
            "Description": group["Description"],
            **({"Parameters": values} if values else {}),
            **self.tags(str(self.arn(id))),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        wanted: dict[str, Any] = new.get("Parameters", {})
        self._set(id, {k: v for k, v in wanted.items() if old.get("Parameters", {}).get(k) != v})
        self.retag(str(self.arn(id)), old, new)

    def delete(self, id: str) -> None:
        self.client.delete_db_parameter_group(DBParameterGroupName=id)

    def arn(self, id: str) -> str | None:
        where = self.context
        return f"arn:{where.partition}:rds:{where.region}:{where.account}:pg:{id}"

    def _set(self, name: str, values: dict[str, Any]) -> None:
        parameters = [
            {"ParameterName": key, "ParameterValue": str(value), "ApplyMethod": "pending-reboot"}
            for key, value in values.items()
        ]
        if parameters:
            self.client.modify_db_parameter_group(DBParameterGroupName=name, Parameters=parameters)
