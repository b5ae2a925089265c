"""Redshift: clusters."""

from __future__ import annotations

from driftguard.sandbox.types.base import Adapter, Properties, pick, tag_changes, tag_list

_NAMES = (
    "NodeType",
    "MasterUsername",
    "DBName",
    "ClusterSubnetGroupName",
    "AutomatedSnapshotRetentionPeriod",
    "PreferredMaintenanceWindow",
    "AllowVersionUpgrade",
    "PubliclyAccessible",
    "Encrypted",
    "EnhancedVpcRouting",
    "NumberOfNodes",
)
_MODIFIABLE = ("NodeType", "AutomatedSnapshotRetentionPeriod", "PubliclyAccessible", "EnhancedVpcRouting")


class Cluster(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-redshift-cluster.html"""

    type_name = "AWS::Redshift::Cluster"
    service = "redshift"
    name_property = "ClusterIdentifier"
    lower_case_name = True
    name_limit = 63

    def create(self, name: str, properties: Properties) -> str:
        call = pick(properties, *_NAMES, "MasterUserPassword", "ClusterType", "Tags")
        self.client.create_cluster(ClusterIdentifier=name, **call)
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_clusters(ClusterIdentifier=id)["Clusters"][0]
        # NumberOfNodes is shown of multi-node clusters alone, ClusterType follows from it.
        nodes = int(found.get("NumberOfNodes") or 1)
        shown = pick({**found, "NumberOfNodes": nodes if nodes > 1 else None}, *_NAMES)
        tags = tag_list(found.get("Tags"))
        return {
            "ClusterIdentifier": id,
            "ClusterType": "multi-node" if nodes > 1 else "single-node",
            **shown,
            **({"Tags": tags} if tags else {}),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        call = {name: new[name] for name in _MODIFIABLE if name in new and new[name] != old.get(name)}
        if call:
            self.client.modify_cluster(ClusterIdentifier=id, **call)
        added, removed = tag_changes(old, new)
        if added:
            self.client.create_tags(ResourceName=self.arn(id), Tags=tag_list(added))
        if removed:
            self.client.delete_tags(ResourceName=self.arn(id), TagKeys=removed)

    def delete(self, id: str) -> None:
        self.client.delete_cluster(ClusterIdentifier=id, SkipFinalClusterSnapshot=True)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_clusters").paginate()
        return [cluster["ClusterIdentifier"] for page in pages for cluster in page["Clusters"]]

    def arn(self, id: str) -> str:
        where = self.context
        return f"arn:{where.partition}:redshift:{where.region}:{where.account}:cluster:{id}"
