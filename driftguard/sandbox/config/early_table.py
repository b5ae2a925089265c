"""Types of the early dialect that one Describe call shows completely."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.sandbox.config.dialect import Casing
from driftguard.sandbox.config.early import READERS, Reading, answer
from driftguard.sandbox.core import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple:
    """A type that one Describe call shows completely."""

    service: str
    operation: str
    path: tuple[str | int, ...]
    argument: str
    listed: bool = True
    id_key: str = ""
    name_key: str = ""
    arn_key: str = ""
    casing: Casing = "first"

    def __call__(self, context: Context, id: str) -> Reading:
        given = {self.argument: [id] if self.listed else id}
        found = answer(context.client(self.service), self.operation, *self.path, casing=self.casing, **given)
        return Reading(
            configuration=found,
            resource_id=found.get(self.id_key),
            resource_name=found.get(self.name_key),
            arn=found.get(self.arn_key),
            zone=found.get("availabilityZone"),
        )


def _ec2(operation: str, result: str, argument: str) -> Simple:
    return Simple(service="ec2", operation=operation, path=(result, 0), argument=argument)


def _volume(context: Context, id: str) -> Reading:
    """DescribeVolumes, with DeleteOnTermination, which moto keeps at the instance only.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VolumeAttachment.html
    """
    reading = _ec2("DescribeVolumes", "Volumes", "VolumeIds")(context, id)
    for attachment in reading.configuration.get("attachments") or ():
        found = answer(
            context.client("ec2"),
            "DescribeInstances",
            "Reservations",
            0,
            "Instances",
            0,
            InstanceIds=[attachment["instanceId"]],
        )
        for mapping in found.get("blockDeviceMappings") or ():
            if mapping.get("ebs", {}).get("volumeId") == id:
                attachment["deleteOnTermination"] = mapping["ebs"].get("deleteOnTermination", False)
    return reading


READERS.update(
    {
        "AWS::EC2::VPC": _ec2("DescribeVpcs", "Vpcs", "VpcIds"),
        "AWS::EC2::Subnet": _ec2("DescribeSubnets", "Subnets", "SubnetIds"),
        "AWS::EC2::RouteTable": _ec2("DescribeRouteTables", "RouteTables", "RouteTableIds"),
        "AWS::EC2::InternetGateway": _ec2(
            "DescribeInternetGateways", "InternetGateways", "InternetGatewayIds"
        ),
        "AWS::EC2::NatGateway": _ec2("DescribeNatGateways", "NatGateways", "NatGatewayIds"),
        "AWS::EC2::Volume": _volume,
        "AWS::EC2::NetworkInterface": _ec2(
            "DescribeNetworkInterfaces", "NetworkInterfaces", "NetworkInterfaceIds"
        ),
        "AWS::EC2::NetworkAcl": _ec2("DescribeNetworkAcls", "NetworkAcls", "NetworkAclIds"),
        "AWS::EC2::VPCEndpoint": _ec2("DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointIds"),
        "AWS::RDS::DBInstance": Simple(
            service="rds",
            operation="DescribeDBInstances",
            path=("DBInstances", 0),
            argument="DBInstanceIdentifier",
            listed=False,
            id_key="dbiResourceId",
            name_key="dBInstanceIdentifier",
            arn_key="dBInstanceArn",
        ),
        "AWS::RDS::DBCluster": Simple(
            service="rds",
            operation="DescribeDBClusters",
            path=("DBClusters", 0),
            argument="DBClusterIdentifier",
            listed=False,
            id_key="dbClusterResourceId",
            name_key="dBClusterIdentifier",
            arn_key="dBClusterArn",
        ),
        "AWS::RDS::DBSubnetGroup": Simple(
            service="rds",
            operation="DescribeDBSubnetGroups",
            path=("DBSubnetGroups", 0),
            argument="DBSubnetGroupName",
            listed=False,
            id_key="dBSubnetGroupName",
            name_key="dBSubnetGroupName",
            arn_key="dBSubnetGroupArn",
        ),
        "AWS::CloudWatch::Alarm": Simple(
            service="cloudwatch",
            operation="DescribeAlarms",
            path=("MetricAlarms", 0),
            argument="AlarmNames",
            name_key="alarmName",
            arn_key="alarmArn",
        ),
        "AWS::AutoScaling::LaunchConfiguration": Simple(
            service="autoscaling",
            operation="DescribeLaunchConfigurations",
            path=("LaunchConfigurations", 0),
            argument="LaunchConfigurationNames",
            id_key="launchConfigurationARN",
            name_key="launchConfigurationName",
            arn_key="launchConfigurationARN",
        ),
        "AWS::CodeBuild::Project": Simple(
            service="codebuild",
            operation="BatchGetProjects",
            path=("projects", 0),
            argument="names",
            id_key="arn",
            name_key="name",
            arn_key="arn",
            casing="run",
        ),
        "AWS::CodeDeploy::Application": Simple(
            service="codedeploy",
            operation="GetApplication",
            path=("application",),
            argument="applicationName",
            listed=False,
            id_key="applicationId",
            name_key="applicationName",
            casing="run",
        ),
        "AWS::CodeDeploy::DeploymentConfig": Simple(
            service="codedeploy",
            operation="GetDeploymentConfig",
            path=("deploymentConfigInfo",),
            argument="deploymentConfigName",
            listed=False,
            id_key="deploymentConfigId",
            name_key="deploymentConfigName",
            casing="run",
        ),
    }
)
