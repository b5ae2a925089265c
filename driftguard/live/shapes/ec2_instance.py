"""AWS::EC2::Instance: what DescribeInstances answers; attributes that need a call of their own are missing."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names
from driftguard.model import Json

COVERAGE = names(
    """
    Affinity AvailabilityZone EbsOptimized HostId IamInstanceProfile ImageId InstanceType KernelId KeyName
    Monitoring PlacementGroupName PrivateIpAddress RamdiskId SecurityGroupIds SourceDestCheck SubnetId Tenancy
    """
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    properties["Monitoring"] = get(item.configuration, "monitoring", "state") in ("enabled", "pending")
    arn = get(item.configuration, "iamInstanceProfile", "arn")
    if isinstance(arn, str):
        # The template names the profile, the item its ARN; the name is the last part of the path.
        properties["IamInstanceProfile"] = arn.rsplit("/", 1)[-1]
    for name in ("PlacementGroupName", "KeyName"):
        if properties.get(name) == "":
            del properties[name]


SHAPE = Shape(
    type="AWS::EC2::Instance",
    coverage=COVERAGE,
    rename={
        "Affinity": "placement.affinity",
        "AvailabilityZone": "placement.availabilityZone",
        "HostId": "placement.hostId",
        "IamInstanceProfile": "iamInstanceProfile.arn",
        "Monitoring": "monitoring.state",
        "PlacementGroupName": "placement.groupName",
        "SecurityGroupIds": "securityGroups[].groupId",
        "Tenancy": "placement.tenancy",
    },
    finish=_finish,
)
