"""AWS Config of the sandbox by plain boto3: recording, discovery, history, queries, delivery, aggregators.

The shapes of items are held to the key lists that AWS publishes (aws-config-resource-schema), where they are there.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.sandbox_services.conftest import HERE, REGION, start_recorder
from tests.shared_data import shared

BUCKET = "AWS::S3::Bucket"

ALLOW_LIST = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Bucket": {
            "Type": BUCKET,
            "Properties": {
                "VersioningConfiguration": {"Status": "Enabled"},
                "Tags": [{"Key": "env", "Value": "prod"}],
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
                    ],
                }
            },
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": "web",
                "SecurityGroupIngress": [
                    {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
                ],
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
                "Policies": [
                    {
                        "PolicyName": "inline",
                        "PolicyDocument": {"Version": "2012-10-17", "Statement": [ALLOW_LIST]},
                    }
                ],
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            },
        },
    }
}
# What the published lists leave out of items that AWS itself has recorded (documents, newer members, tags).
NOT_LISTED = {
    "assumeRolePolicyDocument",
    "policyDocument",
    "maxSessionDuration",
    "tags",
    "securityGroupArn",
    "deletionProtectionEnabled",
    "warmThroughput",
    "readUnitsPerSecond",
    "writeUnitsPerSecond",
    "owner",
    "displayName",
    "id",
    "status",
    "Policy",
    "EffectiveDeliveryPolicy",
    "currentKeyMaterialId",
    "KeyMaterialId",
}


def _key(config: Any, kind: str, id: str) -> dict[str, Any]:
    found = config.batch_get_resource_config(resourceKeys=[{"resourceType": kind, "resourceId": id}])
    return dict(found["baseConfigurationItems"][0])


def test_a_change_and_a_deletion_are_remembered(sandbox: Any, config: Any) -> None:
    s3 = sandbox.session().client("s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=HERE)
    assert _key(config, BUCKET, "data")["configurationItemStatus"] == "ResourceDiscovered"
    sandbox.clock.advance(3600)
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    item = _key(config, BUCKET, "data")
    assert item["configurationItemStatus"] == "OK"
    versioning = json.loads(item["supplementaryConfiguration"]["BucketVersioningConfiguration"])
    assert versioning == {"status": "Enabled", "isMfaDeleteEnabled": None}
    assert "tags" not in item
    sandbox.clock.advance(3600)
    s3.delete_bucket(Bucket="data")
    history = config.get_resource_config_history(resourceType=BUCKET, resourceId="data")
    statuses = [found["configurationItemStatus"] for found in history["configurationItems"]]
    assert statuses == ["ResourceDeleted", "OK", "ResourceDiscovered"]
    assert "configuration" not in history["configurationItems"][0]
    listed = config.list_discovered_resources(resourceType=BUCKET)["resourceIdentifiers"]
    assert "data" not in {found["resourceId"] for found in listed}
    gone = config.list_discovered_resources(
        resourceType=BUCKET, includeDeletedResources=True, resourceIds=["data"]
    )
    assert gone["resourceIdentifiers"][0]["resourceDeletionTime"]


def test_looking_again_writes_nothing(sandbox: Any, config: Any) -> None:
    sandbox.session().client("s3").create_bucket(Bucket="data", CreateBucketConfiguration=HERE)
    for _ in range(3):
        sandbox.clock.advance(60)
        history = config.get_resource_config_history(resourceType=BUCKET, resourceId="data")
    assert len(history["configurationItems"]) == 1


def test_history_has_empty_pages_between_far_items(sandbox: Any, config: Any) -> None:
    s3 = sandbox.session().client("s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=HERE)
    _key(config, BUCKET, "data")
    sandbox.clock.advance(30 * 86400)
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    pages = list(
        config.get_paginator("get_resource_config_history").paginate(resourceType=BUCKET, resourceId="data")
    )
    sizes = [len(page["configurationItems"]) for page in pages]
    assert sum(sizes) == 2
    assert 0 in sizes, sizes


def test_an_unrecorded_type_is_not_there(sandbox: Any) -> None:
    group = {"allSupported": False, "resourceTypes": ["AWS::SQS::Queue"]}
    config = start_recorder(sandbox.session(), group)
    sandbox.session().client("sqs").create_queue(QueueName="q")
    assert config.list_discovered_resources(resourceType=BUCKET)["resourceIdentifiers"] == []
    counts = config.get_discovered_resource_counts()
    assert counts["resourceCounts"] == [{"resourceType": "AWS::SQS::Queue", "count": 1}]


def test_a_stopped_recorder_sees_nothing_new(sandbox: Any, config: Any) -> None:
    config.stop_configuration_recorder(ConfigurationRecorderName="default")
    sandbox.session().client("sqs").create_queue(QueueName="late")
    assert config.list_discovered_resources(resourceType="AWS::SQS::Queue")["resourceIdentifiers"] == []


def test_without_a_recorder_reads_are_refused(sandbox: Any) -> None:
    config = sandbox.session().client("config")
    with pytest.raises(config.exceptions.NoAvailableConfigurationRecorderException):
        config.list_discovered_resources(resourceType=BUCKET)
    assert config.select_resource_config(Expression="SELECT resourceId")["Results"] == []


def test_item_keys_are_those_that_aws_publishes(sandbox: Any, config: Any) -> None:
    folder = shared(
        "data", "config-items", "aws-config-resource-schema", "config", "properties", "resource-types"
    )
    _deploy(sandbox)
    wrong: dict[str, set[str]] = {}
    seen = 0
    for resource in TEMPLATE["Resources"].values():
        kind = resource["Type"]
        known = json.loads((folder / f"{kind}.properties.json").read_text("utf-8"))
        parts = {part for path in known for part in path.split(".")}
        query = f"SELECT configuration, supplementaryConfiguration WHERE resourceType = '{kind}'"
        for text in config.select_resource_config(Expression=query)["Results"]:
            seen += 1
            extra = _keys(json.loads(text)["configuration"]) - parts - NOT_LISTED
            if extra:
                wrong[kind] = extra
    assert seen >= len(TEMPLATE["Resources"])
    assert not wrong


def _deploy(sandbox: Any) -> None:
    client = sandbox.session().client("cloudformation")
    client.create_stack(StackName="app", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"])
    (stack,) = client.describe_stacks(StackName="app")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", client.describe_stack_events(StackName="app")


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in _keys(inner)}
    return {key for inner in value for key in _keys(inner)} if isinstance(value, list) else set()


def test_old_dialect_of_a_role_and_a_group(sandbox: Any, config: Any) -> None:
    _deploy(sandbox)
    role = _one(config, "AWS::IAM::Role", "AND resourceName LIKE 'app-Role%'")
    assert role["resourceId"].startswith("AROA")
    assert role["awsRegion"] == "global"
    assert role["configuration"]["rolePolicyList"][0]["policyDocument"].startswith(
        "%7B%22Version%22%3A%222012"
    )
    groups = config.select_resource_config(
        Expression="SELECT configuration WHERE resourceType = 'AWS::EC2::SecurityGroup' "
        "AND configuration.ipPermissions.ipRanges = '0.0.0.0/0'"
    )["Results"]
    (permission,) = json.loads(groups[0])["configuration"]["ipPermissions"]
    assert permission["ipRanges"] == ["0.0.0.0/0"]
    assert permission["ipv4Ranges"] == [{"cidrIp": "0.0.0.0/0"}]
    key = _one(config, "AWS::KMS::Key")["configuration"]
    assert key["awsaccountId"] == "111111111111"
    assert isinstance(key["creationDate"], int)


def _one(config: Any, kind: str, also: str = "") -> dict[str, Any]:
    query = f"SELECT resourceId, awsRegion, configuration WHERE resourceType = '{kind}' {also}"
    return dict(json.loads(config.select_resource_config(Expression=query)["Results"][0]))


def test_a_wrong_query_is_an_error(config: Any) -> None:
    for expression in ("SELECT a FROM b", "SELEKT a", "SELECT a WHERE b IS NULL"):
        with pytest.raises(config.exceptions.InvalidExpressionException):
            config.select_resource_config(Expression=expression)
    with pytest.raises(ClientError, match="InvalidLimitException"):
        config.select_resource_config(Expression="SELECT resourceId", Limit=101)


def test_a_snapshot_lies_at_aws_s_key(sandbox: Any, config: Any) -> None:
    s3 = sandbox.session().client("s3")
    id = config.deliver_config_snapshot(deliveryChannelName="default")["configSnapshotId"]
    bucket = "config-logs-111111111111"
    now = sandbox.clock.now()
    (found,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    folder = f"p/AWSLogs/111111111111/Config/{REGION}/{now.year}/{now.month}/{now.day}/ConfigSnapshot/"
    assert found["Key"].startswith(f"{folder}111111111111_Config_{REGION}_ConfigSnapshot_")
    assert found["Key"].endswith(f"_{id}.json.gz")
    body = json.loads(gzip.decompress(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()))
    assert body["configSnapshotId"] == id
    item = next(one for one in body["configurationItems"] if one["resourceType"] == BUCKET)
    assert item["ARN"] == f"arn:aws:s3:::{bucket}"
    assert isinstance(item["configuration"], dict)
    assert isinstance(item["configurationStateId"], int)
    assert item["awsAccountId"] == "111111111111"


def test_history_files_come_every_six_hours(sandbox: Any, config: Any) -> None:
    s3 = sandbox.session().client("s3")
    for hours in (0, 1, 6):
        sandbox.clock.advance(hours * 3600)
        s3.put_bucket_versioning(
            Bucket="config-logs-111111111111",
            VersioningConfiguration={"Status": "Enabled" if hours == 6 else "Suspended"},
        )
        config.describe_delivery_channel_status()
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="config-logs-111111111111")["Contents"]]
    files = [key for key in keys if "_ConfigHistory_AWS::S3::Bucket_" in key]
    assert len(files) == 2


def test_an_aggregator_sees_the_other_accounts(sandbox: Any) -> None:
    first, second = sandbox.accounts[:2]
    config = start_recorder(sandbox.session(account=first))
    start_recorder(sandbox.session(account=second))
    config.put_configuration_aggregator(
        ConfigurationAggregatorName="all",
        OrganizationAggregationSource={"RoleArn": f"arn:aws:iam::{first}:role/r", "AllAwsRegions": True},
    )
    query = "SELECT accountId, COUNT(*) WHERE resourceType = 'AWS::S3::Bucket' GROUP BY accountId"
    found = config.select_aggregate_resource_config(Expression=query, ConfigurationAggregatorName="all")
    assert {json.loads(text)["accountId"] for text in found["Results"]} == {first, second}
    listed = config.list_aggregate_discovered_resources(
        ConfigurationAggregatorName="all", ResourceType=BUCKET, Filters={"AccountId": second}
    )["ResourceIdentifiers"]
    assert [one["SourceAccountId"] for one in listed] == [second]
    item = config.get_aggregate_resource_config(
        ConfigurationAggregatorName="all", ResourceIdentifier=listed[0]
    )["ConfigurationItem"]
    assert item["accountId"] == second
    batch = config.batch_get_aggregate_resource_config(
        ConfigurationAggregatorName="all",
        ResourceIdentifiers=[listed[0], {**listed[0], "ResourceId": "nope"}],
    )
    assert len(batch["BaseConfigurationItems"]) == len(batch["UnprocessedResourceIdentifiers"]) == 1


def test_an_account_that_did_not_agree_is_not_collected(sandbox: Any) -> None:
    first, second = sandbox.accounts[:2]
    config = start_recorder(sandbox.session(account=first))
    other = start_recorder(sandbox.session(account=second))
    config.put_configuration_aggregator(
        ConfigurationAggregatorName="two",
        AccountAggregationSources=[{"AccountIds": [first, second], "AwsRegions": [REGION]}],
    )
    query = {
        "Expression": "SELECT accountId, COUNT(*) GROUP BY accountId",
        "ConfigurationAggregatorName": "two",
    }
    assert len(config.select_aggregate_resource_config(**query)["Results"]) == 1
    other.put_aggregation_authorization(AuthorizedAccountId=first, AuthorizedAwsRegion=REGION)
    assert len(config.select_aggregate_resource_config(**query)["Results"]) == 2


def test_unprocessed_keys_can_be_asked_for(sandbox: Any, config: Any) -> None:
    sandbox.session().client("sqs").create_queue(QueueName="q")
    sandbox.timing["config_unprocessed"] = 1
    keys = [
        {"resourceType": BUCKET, "resourceId": "config-logs-111111111111"},
        {"resourceType": "AWS::SQS::Queue", "resourceId": "q"},
    ]
    found = config.batch_get_resource_config(resourceKeys=keys)
    assert len(found["baseConfigurationItems"]) == 1
    assert found["unprocessedResourceKeys"] == keys[1:]
