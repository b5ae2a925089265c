"""AWS::Redshift::Cluster: what DescribeClusters answers, with groups flattened to names."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names
from driftguard.model import Json

COVERAGE = names(
    """
    AllowVersionUpgrade AutomatedSnapshotRetentionPeriod AvailabilityZone ClusterParameterGroupName
    ClusterSecurityGroups ClusterSubnetGroupName ClusterType ClusterVersion DBName Encrypted
    EnhancedVpcRouting IamRoles KmsKeyId LoggingProperties MaintenanceTrackName
    ManualSnapshotRetentionPeriod MasterUsername NodeType NumberOfNodes Port PreferredMaintenanceWindow
    PubliclyAccessible VpcSecurityGroupIds
    """
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    nodes = properties.get("NumberOfNodes")
    properties["ClusterType"] = "multi-node" if isinstance(nodes, int) and nodes > 1 else "single-node"
    logging = get(item.supplementary, "LoggingStatus")
    if get(logging, "loggingEnabled"):
        properties["LoggingProperties"] = {
            "BucketName": get(logging, "bucketName"),
            "S3KeyPrefix": get(logging, "s3KeyPrefix"),
            "LogDestinationType": get(logging, "logDestinationType"),
            "LogExports": get(logging, "logExports"),
        }


SHAPE = Shape(
    type="AWS::Redshift::Cluster",
    coverage=COVERAGE,
    rename={
        "ClusterParameterGroupName": "clusterParameterGroups[0].parameterGroupName",
        "ClusterSecurityGroups": "clusterSecurityGroups[].clusterSecurityGroupName",
        "IamRoles": "iamRoles[].iamRoleArn",
        "Port": "endpoint.port",
        "VpcSecurityGroupIds": "vpcSecurityGroups[].vpcSecurityGroupId",
    },
    finish=_finish,
)
