"""Types of the early dialect that need more than one call, or keys of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftguard.sandbox.config.dialect import lowered, url_encoded
from driftguard.sandbox.config.early import Reading, answer, reader, text
from driftguard.sandbox.core import Context
from driftguard.sandbox.types.base import unless


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
    if not attributes.get("DeliveryPolicy"):
        attributes.pop("DeliveryPolicy", None)  # moto answers it empty; AWS leaves it out
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
    members = answer(
        context.client("cloudformation"), "ListStackResources", "StackResourceSummaries", StackName=id
    )
    return Reading(
        configuration=found,
        supplementary={"StackResourceSummaries": text(members)},
        resource_id=found.get("stackId"),
        resource_name=found.get("stackName"),
        arn=found.get("stackId"),
    )
