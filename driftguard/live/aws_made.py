"""What AWS itself puts into an account: nobody declares it, so that nobody declares it is no finding.

Judged by what the configuration item says, never by a name that a person could choose too, except where
AWS reserves the name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from driftguard.live.config_items import ConfigurationItem
from driftguard.model import Json

Made = Callable[[ConfigurationItem], bool]


def _flag(name: str) -> Made:
    return lambda item: item.configuration.get(name) in (True, "true")


def _any(name: str, flag: str) -> Made:
    """Whether a member of the list ``name`` has ``flag`` set."""

    def made(item: ConfigurationItem) -> bool:
        members: Json = item.configuration.get(name) or ()
        return any(isinstance(member, Mapping) and member.get(flag) in (True, "true") for member in members)

    return made


def _prefix(*prefixes: str) -> Made:
    return lambda item: (item.name or item.id or "").startswith(prefixes)


def _path(*prefixes: str) -> Made:
    return lambda item: str(item.configuration.get("path", "")).startswith(prefixes)


_OWNERS_TAGS = (
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
    "aws:autoscaling:groupName",
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/tag-ec2-fleet.html
    "aws:ec2:fleet-id",
    "aws:ec2spot:fleet-request-id",
    # https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-plan-tags.html
    "aws:elasticmapreduce:job-flow-id",
    # https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html
    "aws:eks:cluster-name",
)
"""Tags that only AWS can set, by the service that made and keeps the resource."""


def _kept_by_service(item: ConfigurationItem) -> bool:
    """Whether a service tagged it as its own; the tags stand in the item, or in what Describe answered."""
    listed: Json = item.configuration.get("tags") or item.configuration.get("Tags") or ()
    described = {str(tag.get("key") or tag.get("Key")) for tag in listed if isinstance(tag, Mapping)}
    return any(tag in (item.tags or {}) or tag in described for tag in _OWNERS_TAGS)


def _target_tracking(item: ConfigurationItem) -> bool:
    """An alarm that a target-tracking policy made for itself: its only use is to call that policy.

    https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
    """
    actions: Json = item.configuration.get("alarmActions") or item.configuration.get("AlarmActions") or ()
    name = item.name or item.id
    return name.startswith("TargetTracking-") and all(":scalingPolicy:" in str(action) for action in actions)


_MADE: Mapping[str, Made] = {
    # https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
    "AWS::EC2::VPC": _flag("isDefault"),
    "AWS::EC2::Subnet": _flag("defaultForAz"),
    # A volume or interface that goes when its instance goes is a part of that instance.
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-root-volume-delete-on-termination.html
    "AWS::EC2::Volume": _any("attachments", "deleteOnTermination"),
    "AWS::EC2::NetworkInterface": lambda item: (
        item.configuration.get("requesterManaged") in (True, "true")
        or (item.configuration.get("attachment") or {}).get("deleteOnTermination") in (True, "true")
    ),
    "AWS::CloudWatch::Alarm": _target_tracking,
    # Every VPC comes with these three; they cannot be deleted.
    # https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    "AWS::EC2::NetworkAcl": _flag("isDefault"),
    "AWS::EC2::RouteTable": _any("associations", "main"),
    "AWS::EC2::SecurityGroup": lambda item: item.configuration.get("groupName") == "default",
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html and, for the roles of
    # IAM Identity Center, https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    "AWS::IAM::Role": _path("/aws-service-role/", "/aws-reserved/"),
    # https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
    "AWS::KMS::Key": lambda item: item.configuration.get("keyManager") == "AWS",
    "AWS::KMS::Alias": _prefix("alias/aws/"),
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/parameter-groups-overview.html
    "AWS::RDS::DBSecurityGroup": _prefix("default"),
    "AWS::RDS::DBParameterGroup": _prefix("default."),
    "AWS::RDS::DBClusterParameterGroup": _prefix("default."),
    "AWS::RDS::OptionGroup": _prefix("default:"),
    "AWS::ElastiCache::ParameterGroup": _prefix("default."),
    "AWS::Redshift::ClusterParameterGroup": _prefix("default."),
    # https://docs.aws.amazon.com/athena/latest/ug/workgroups-benefits.html
    "AWS::Athena::WorkGroup": _prefix("primary"),
    "AWS::Events::EventBus": lambda item: item.name == "default",
    # https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
    "AWS::CodeDeploy::DeploymentConfig": _prefix("CodeDeployDefault."),
    "AWS::Config::ResourceCompliance": lambda item: True,
    # A stack is what declares; it is not itself to be declared.
    "AWS::CloudFormation::Stack": lambda item: True,
}


def made_by_aws(item: ConfigurationItem, type_name: str) -> bool:
    """Whether AWS made the resource that ``item`` records, and not a person or a program of theirs."""
    if _kept_by_service(item):
        return True
    made = _MADE.get(type_name)
    return made is not None and made(item)
