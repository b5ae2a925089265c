"""Readers for the resource types whose configuration items are in the early dialect.

Each reader asks the type's own service through boto3 and returns a `Reading`. Which type has which keys, which
resource id and which supplementary parts follows awslabs/aws-config-resource-schema and recorded items.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from driftguard.sandbox.config.dialect import Casing, lowered, plain, url_encoded
from driftguard.sandbox.core import Context
from driftguard.sandbox.types.base import unless


@dataclass(slots=True, kw_only=True)
class Reading:
    """What one look at a resource found; `resource_id` and the rest override what the adapter would say."""

    configuration: dict[str, Any]
    supplementary: dict[str, str] = field(default_factory=dict)
    resource_id: str | None = None
    resource_name: str | None = None
    arn: str | None = None
    zone: str | None = None


Reader = Callable[[Context, str], Reading]
READERS: dict[str, Reader] = {}


def reader(resource_type: str) -> Callable[[Reader], Reader]:
    """Register the reader of a type (its CloudFormation name)."""

    def register(function: Reader) -> Reader:
        READERS[resource_type] = function
        return function

    return register


def answer(
    client: Any, operation: str, *path: str | int, casing: Casing = "first", **arguments: Any
) -> dict[str, Any]:
    """The part of an answer at `path`, in the early dialect."""
    result = getattr(client, xform_name(operation))(**arguments)
    shape: Any = client.meta.service_model.operation_model(operation).output_shape
    for step in path:
        result = result[step]
        shape = shape.member if isinstance(step, int) else shape.members[step]
    found: dict[str, Any] = lowered(result, shape, casing)
    return found


def text(value: Any) -> str:
    """A supplementary part: JSON text."""
    return json.dumps(plain(value))


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


READERS.update(
    {
        "AWS::EC2::VPC": _ec2("DescribeVpcs", "Vpcs", "VpcIds"),
        "AWS::EC2::Subnet": _ec2("DescribeSubnets", "Subnets", "SubnetIds"),
        "AWS::EC2::RouteTable": _ec2("DescribeRouteTables", "RouteTables", "RouteTableIds"),
        "AWS::EC2::InternetGateway": _ec2(
            "DescribeInternetGateways", "InternetGateways", "InternetGatewayIds"
        ),
        "AWS::EC2::NatGateway": _ec2("DescribeNatGateways", "NatGateways", "NatGatewayIds"),
        "AWS::EC2::Volume": _ec2("DescribeVolumes", "Volumes", "VolumeIds"),
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


@reader("AWS::EC2::Instance")
def _instance(context: Context, id: str) -> Reading:
    client = context.client("ec2")
    found = answer(client, "DescribeInstances", "Reservations", 0, "Instances", 0, InstanceIds=[id])
    zone = found.get("placement", {}).get("availabilityZone")
    return Reading(configuration=found, zone=zone)


@reader("AWS::EC2::SecurityGroup")
def _security_group(context: Context, id: str) -> Reading:
    found = answer(context.client("ec2"), "DescribeSecurityGroups", "SecurityGroups", 0, GroupIds=[id])
    found.pop("securityGroupArn", None)
    for direction in ("ipPermissions", "ipPermissionsEgress"):
        for permission in found.get(direction, []):
            # The Java SDK kept the old plain list beside the described one.
            permission["ipv4Ranges"] = permission.get("ipRanges", [])
            permission["ipRanges"] = [block["cidrIp"] for block in permission["ipv4Ranges"]]
    return Reading(configuration=found, resource_name=found.get("groupName"))


@reader("AWS::IAM::Role")
def _role(context: Context, id: str) -> Reading:
    client = context.client("iam")
    role = client.get_role(RoleName=id)["Role"]
    role.pop("Tags", None)
    names = client.list_role_policies(RoleName=id)["PolicyNames"]
    profiles = client.list_instance_profiles_for_role(RoleName=id)["InstanceProfiles"]
    found = _iam(role)
    found.update(
        assumeRolePolicyDocument=url_encoded(role["AssumeRolePolicyDocument"]),
        instanceProfileList=[_iam(profile) for profile in profiles],
        rolePolicyList=[
            {
                "policyName": name,
                "policyDocument": url_encoded(
                    client.get_role_policy(RoleName=id, PolicyName=name)["PolicyDocument"]
                ),
            }
            for name in names
        ],
        attachedManagedPolicies=_iam(client.list_attached_role_policies(RoleName=id)["AttachedPolicies"]),
    )
    return Reading(
        configuration=found, resource_id=role["RoleId"], resource_name=role["RoleName"], arn=role["Arn"]
    )


def _iam(value: Any) -> Any:
    return lowered(value, None, "first")


@reader("AWS::IAM::User")
def _user(context: Context, id: str) -> Reading:
    client = context.client("iam")
    user = client.get_user(UserName=id)["User"]
    user.pop("Tags", None)
    found = _iam(user)
    names = client.list_user_policies(UserName=id)["PolicyNames"]
    found.update(
        userPolicyList=[
            {
                "policyName": name,
                "policyDocument": url_encoded(
                    client.get_user_policy(UserName=id, PolicyName=name)["PolicyDocument"]
                ),
            }
            for name in names
        ],
        groupList=[group["GroupName"] for group in client.list_groups_for_user(UserName=id)["Groups"]],
        attachedManagedPolicies=_iam(client.list_attached_user_policies(UserName=id)["AttachedPolicies"]),
    )
    return Reading(
        configuration=found, resource_id=user["UserId"], resource_name=user["UserName"], arn=user["Arn"]
    )


@reader("AWS::IAM::Group")
def _group(context: Context, id: str) -> Reading:
    client = context.client("iam")
    group = client.get_group(GroupName=id)["Group"]
    found = _iam(group)
    names = client.list_group_policies(GroupName=id)["PolicyNames"]
    found.update(
        groupPolicyList=[
            {
                "policyName": name,
                "policyDocument": url_encoded(
                    client.get_group_policy(GroupName=id, PolicyName=name)["PolicyDocument"]
                ),
            }
            for name in names
        ],
        attachedManagedPolicies=_iam(client.list_attached_group_policies(GroupName=id)["AttachedPolicies"]),
    )
    return Reading(
        configuration=found, resource_id=group["GroupId"], resource_name=group["GroupName"], arn=group["Arn"]
    )


@reader("AWS::IAM::ManagedPolicy")
def _managed_policy(context: Context, id: str) -> Reading:
    client = context.client("iam")
    policy = client.get_policy(PolicyArn=id)["Policy"]
    policy.pop("Tags", None)
    found = _iam(policy)
    found["policyVersionList"] = [
        {
            **_iam({key: value for key, value in version.items() if key != "Document"}),
            "document": url_encoded(
                client.get_policy_version(PolicyArn=id, VersionId=version["VersionId"])["PolicyVersion"][
                    "Document"
                ]
            ),
        }
        for version in client.list_policy_versions(PolicyArn=id)["Versions"]
    ]
    return Reading(
        configuration=found, resource_id=policy["PolicyId"], resource_name=policy["PolicyName"], arn=id
    )


@reader("AWS::Lambda::Function")
def _function(context: Context, id: str) -> Reading:
    client = context.client("lambda")
    found = answer(client, "GetFunctionConfiguration", casing="run", FunctionName=id)
    found.pop("responseMetadata", None)
    # Enumerations and wrapped members of the newer serialiser come as {"value": ...}.
    for key in ("state", "stateReason"):
        if isinstance(found.get(key), str):
            found[key] = {"value": found[key]}
    supplementary = {"Tags": text(client.get_function(FunctionName=id).get("Tags") or {})}
    policy = unless(lambda: client.get_policy(FunctionName=id)["Policy"], "ResourceNotFoundException")
    if policy:
        supplementary["Policy"] = text(policy)
    reserved = client.get_function_concurrency(FunctionName=id).get("ReservedConcurrentExecutions")
    if reserved is not None:
        supplementary["Concurrency"] = text({"reservedConcurrentExecutions": reserved})
    return Reading(
        configuration=found,
        supplementary=supplementary,
        resource_name=found.get("functionName"),
        arn=found.get("functionArn"),
    )


@reader("AWS::DynamoDB::Table")
def _table(context: Context, id: str) -> Reading:
    client = context.client("dynamodb")
    found = answer(client, "DescribeTable", "Table", casing="run", TableName=id)
    backups = answer(
        client, "DescribeContinuousBackups", "ContinuousBackupsDescription", casing="run", TableName=id
    )
    return Reading(
        configuration=found,
        supplementary={"ContinuousBackupsDescription": text(backups)},
        resource_name=found.get("tableName"),
        arn=found.get("tableArn"),
    )


@reader("AWS::KMS::Key")
def _key(context: Context, id: str) -> Reading:
    client = context.client("kms")
    found = answer(client, "DescribeKey", "KeyMetadata", casing="run", KeyId=id)
    supplementary = {"Policy": text(client.get_key_policy(KeyId=id, PolicyName="default")["Policy"])}
    rotation = unless(
        lambda: client.get_key_rotation_status(KeyId=id)["KeyRotationEnabled"],
        "UnsupportedOperationException",
        "KMSInvalidStateException",
    )
    if rotation is not None:
        supplementary["KeyRotationStatus"] = text(rotation)
    return Reading(configuration=found, supplementary=supplementary, resource_name=id, arn=found.get("arn"))


@reader("AWS::ElasticLoadBalancingV2::LoadBalancer")
def _load_balancer(context: Context, id: str) -> Reading:
    client = context.client("elbv2")
    found = answer(client, "DescribeLoadBalancers", "LoadBalancers", 0, LoadBalancerArns=[id])
    attributes = client.describe_load_balancer_attributes(LoadBalancerArn=id)["Attributes"]
    return Reading(
        configuration=found,
        supplementary={"LoadBalancerAttributes": text(_iam(attributes))},
        resource_id=id,
        resource_name=found.get("loadBalancerName"),
        arn=id,
        zone="Multiple Availability Zones",
    )


@reader("AWS::AutoScaling::AutoScalingGroup")
def _auto_scaling_group(context: Context, id: str) -> Reading:
    found = answer(
        context.client("autoscaling"),
        "DescribeAutoScalingGroups",
        "AutoScalingGroups",
        0,
        AutoScalingGroupNames=[id],
    )
    return Reading(
        configuration=found,
        resource_id=found.get("autoScalingGroupARN"),
        resource_name=found.get("autoScalingGroupName"),
        arn=found.get("autoScalingGroupARN"),
        zone="Multiple Availability Zones",
    )


@reader("AWS::CloudTrail::Trail")
def _trail(context: Context, id: str) -> Reading:
    client = context.client("cloudtrail")
    found = answer(client, "DescribeTrails", "trailList", 0, trailNameList=[id])
    return Reading(
        configuration=found,
        resource_id=found.get("name"),
        resource_name=found.get("name"),
        arn=found.get("trailARN"),
    )


@reader("AWS::CodePipeline::Pipeline")
def _pipeline(context: Context, id: str) -> Reading:
    client = context.client("codepipeline")
    found = answer(client, "GetPipeline", casing="run", name=id)
    found.pop("responseMetadata", None)
    return Reading(configuration=found, resource_id=id, resource_name=id)


@reader("AWS::CodeDeploy::DeploymentGroup")
def _deployment_group(context: Context, id: str) -> Reading:
    client = context.client("codedeploy")
    for application in client.list_applications()["applications"]:
        groups = client.list_deployment_groups(applicationName=application)["deploymentGroups"]
        if id in groups:
            found = answer(
                client,
                "GetDeploymentGroup",
                "deploymentGroupInfo",
                casing="run",
                applicationName=application,
                deploymentGroupName=id,
            )
            return Reading(configuration=found, resource_id=found.get("deploymentGroupId"), resource_name=id)
    raise LookupError(f"There is no deployment group {id}")


@reader("AWS::SNS::Topic")
def _topic(context: Context, id: str) -> Reading:
    attributes = dict(context.client("sns").get_topic_attributes(TopicArn=id)["Attributes"])
    for volatile in ("SubscriptionsConfirmed", "SubscriptionsPending", "SubscriptionsDeleted"):
        attributes.pop(volatile, None)
    return Reading(configuration=attributes, resource_id=id, resource_name=id.rsplit(":", 1)[-1], arn=id)


@reader("AWS::SQS::Queue")
def _queue(context: Context, id: str) -> Reading:
    client = context.client("sqs")
    attributes: dict[str, Any] = dict(
        client.get_queue_attributes(QueueUrl=id, AttributeNames=["All"])["Attributes"]
    )
    kept = {name: value for name, value in attributes.items() if not name.startswith("Approximate")}
    name = id.rsplit("/", 1)[-1]
    return Reading(
        configuration={**_numbers(kept), "QueueUrl": id, "QueueName": name},
        resource_id=id,
        resource_name=name,
        arn=attributes.get("QueueArn"),
    )


def _numbers(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: int(value) if isinstance(value, str) and value.isdigit() else value
        for key, value in attributes.items()
    }


@reader("AWS::CloudFormation::Stack")
def _stack(context: Context, id: str) -> Reading:
    found = answer(context.client("cloudformation"), "DescribeStacks", "Stacks", 0, StackName=id)
    return Reading(
        configuration=found,
        resource_id=found.get("stackId"),
        resource_name=found.get("stackName"),
        arn=found.get("stackId"),
    )
