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


_MADE: Mapping[str, Made] = {
    # https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
    "AWS::EC2::VPC": _flag("isDefault"),
    "AWS::EC2::Subnet": _flag("defaultForAz"),
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
    made = _MADE.get(type_name)
    return made is not None and made(item)
