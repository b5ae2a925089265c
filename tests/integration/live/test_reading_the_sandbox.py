"""The readers against the local AWS: the same calls, pages and refusals as AWS's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from driftguard.aws import Aws, Place
from driftguard.errors import CredentialsError
from driftguard.live import Deletion, ReadOptions, Seen, read_account, read_place
from driftguard.live import history as config_history
from driftguard.live.account import FACTS
from driftguard.model import DeclaredResource, Gap, GapReason, Resource, Source
from driftguard.settings import Settings

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox

REGION = "us-east-1"
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": "live-bucket", "VersioningConfiguration": {"Status": "Enabled"}},
        },
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": "live-queue", "VisibilityTimeout": 33},
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "live-role",
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
            },
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": "d",
                "SecurityGroupIngress": [
                    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
                ],
            },
        },
    }
}


@pytest.fixture
def deployed(sandbox: Sandbox) -> Sandbox:
    session = sandbox.session(region=REGION)
    session.client("s3").create_bucket(Bucket="config-delivery")
    config = session.client("config")
    config.put_configuration_recorder(
        ConfigurationRecorder={
            "name": "default",
            "roleARN": f"arn:aws:iam::{sandbox.accounts[0]}:role/config",
            "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
        }
    )
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config-delivery"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    session.client("cloudformation").create_stack(
        StackName="live", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    return sandbox


def aws_of(sandbox: Sandbox, **settings: Any) -> Aws:
    tuned = {"retry_mode": "standard", "max_attempts": 2, "calls_per_second": 500, **settings.pop("aws", {})}
    made = Settings.model_validate({"aws": tuned, **settings})
    return Aws(made.aws, made.scope, session_factory=lambda: sandbox.session(region=REGION))


def place_of(sandbox: Sandbox) -> Place:
    return aws_of(sandbox).place(sandbox.accounts[0], REGION)


def wanted(place: Place) -> list[DeclaredResource]:
    return [
        DeclaredResource(
            type=row["ResourceType"],
            logical_id=row["LogicalResourceId"],
            physical_id=row["PhysicalResourceId"],
            identifier=row["PhysicalResourceId"],
            properties=TEMPLATE["Resources"][row["LogicalResourceId"]]["Properties"],
            account=place.account,
            region=place.region,
            stack_name="live",
        )
        for row in place.cloudformation.resources("live")
    ]


def by_type(seen: list[Seen], kind: str) -> list[Seen]:
    return [one for one in seen if (one.type if isinstance(one, Resource | Gap) else one.key.type) == kind]


def test_every_declared_resource_is_seen_and_the_rest_is_inventory(deployed: Sandbox) -> None:
    place = place_of(deployed)
    seen = list(read_place(place, wanted(place)))
    assert not [one for one in seen if not isinstance(one, Resource)]
    found = {one.key.identifier: one for one in seen if isinstance(one, Resource)}
    assert found["live-bucket"].source is Source.CLOUD_CONTROL
    assert found["live-bucket"].properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert found["live-role"].key.region == "global"
    assert found["config-delivery"].source is Source.CONFIG, "nobody declares the delivery bucket"
    assert len(found) == len(seen), "nothing is seen twice"


def test_the_two_sources_give_the_same_values_for_what_both_cover(deployed: Sandbox) -> None:
    place = place_of(deployed)
    models = {one.key: one for one in read_place(place, wanted(place)) if isinstance(one, Resource)}
    items = {one.key: one for one in read_place(place, []) if isinstance(one, Resource)}
    compared = 0
    for key, model in models.items():
        if model.source is not Source.CLOUD_CONTROL:
            continue
        for name in items[key].properties:
            if name in TEMPLATE["Resources"].get(_logical(key.type), {}).get("Properties", {}):
                compared += 1
                assert items[key].properties[name] == model.properties[name], (key, name)
    assert compared >= 3


def _logical(kind: str) -> str:
    return {"AWS::S3::Bucket": "Bucket", "AWS::IAM::Role": "Role", "AWS::EC2::SecurityGroup": "Group"}.get(
        kind, ""
    )


def test_a_deleted_resource_is_a_deletion_from_either_source(deployed: Sandbox) -> None:
    place = place_of(deployed)
    declared = wanted(place)
    list(read_place(place, declared))
    session = deployed.session(region=REGION)
    url = session.client("sqs").get_queue_url(QueueName="live-queue")["QueueUrl"]
    session.client("sqs").delete_queue(QueueUrl=url)
    for options in (ReadOptions(), ReadOptions(cloud_control=False)):
        seen = list(read_place(place, declared, options=options))
        (gone,) = by_type(seen, "AWS::SQS::Queue")
        assert isinstance(gone, Deletion), options
        assert gone.declared is not None
        assert gone.declared.logical_id == "Queue"


def test_history_has_the_change_and_its_time(deployed: Sandbox) -> None:
    place = place_of(deployed)
    list(read_place(place, []))
    client = deployed.session(region=REGION).client("s3")
    client.put_bucket_versioning(Bucket="live-bucket", VersioningConfiguration={"Status": "Suspended"})
    list(read_place(place, []))
    items = list(config_history.items(place, "AWS::S3::Bucket", "live-bucket"))
    states = [item.supplementary["BucketVersioningConfiguration"]["status"] for item in items]
    assert states == ["Suspended", "Enabled"]
    assert all(item.captured_at is not None for item in items)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("deny", GapReason.ACCESS_DENIED), ("throttle", GapReason.THROTTLED), ("reset", GapReason.UNREADABLE)],
)
def test_a_refused_model_is_a_gap_and_the_rest_goes_on(
    deployed: Sandbox, fault: str, reason: GapReason
) -> None:
    place = place_of(deployed)
    declared = wanted(place)
    deployed.faults.add(fault, service="cloudcontrol", operation="GetResource", resource="live-role")
    seen = list(read_place(place, declared))
    role = by_type(seen, "AWS::IAM::Role")
    gaps = [one for one in role if isinstance(one, Gap)]
    assert [gap.reason for gap in gaps] == [reason]
    assert gaps[0].identifier == "live-role"
    if reason is GapReason.ACCESS_DENIED:
        assert gaps[0].action
    assert any(isinstance(one, Resource) and one.source is Source.CONFIG for one in role)
    assert by_type(seen, "AWS::S3::Bucket")


def test_a_denied_inventory_still_checks_what_is_declared(deployed: Sandbox) -> None:
    place = place_of(deployed)
    declared = wanted(place)
    deployed.faults.add("deny", service="config")
    seen = list(read_place(place, declared))
    assert {one.key.type for one in seen if isinstance(one, Resource)} == {one.type for one in declared}
    assert any(isinstance(one, Gap) and one.reason is GapReason.ACCESS_DENIED for one in seen)


@pytest.mark.parametrize("fault", ["repeated_pages", "empty_pages"])
def test_strange_pages_neither_hang_nor_hide_anything(deployed: Sandbox, fault: str) -> None:
    place = place_of(deployed)
    declared = wanted(place)
    before = {one.key for one in read_place(place, declared) if isinstance(one, Resource)}
    deployed.faults.add(fault, service="config", operation="SelectResourceConfig")
    seen = list(read_place(place, declared))
    after = {one.key for one in seen if isinstance(one, Resource)}
    assert after == before or any(isinstance(one, Gap) for one in seen)
    assert {one.identifier for one in declared} <= {key.identifier for key in after}


def test_credentials_that_expire_on_the_way_end_the_reading(deployed: Sandbox) -> None:
    place = place_of(deployed)
    declared = wanted(place)
    deployed.faults.add("expired", service="cloudcontrol")
    with pytest.raises(CredentialsError, match="expired"):
        list(read_place(place, declared))


def test_another_account_is_entered_with_its_role_and_external_id(deployed: Sandbox) -> None:
    other = deployed.accounts[1]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{deployed.accounts[0]}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "right"}},
            }
        ],
    }
    session = deployed.session(account=other, region=REGION)
    session.client("iam").create_role(RoleName="driftguard-read", AssumeRolePolicyDocument=json.dumps(trust))
    session.client("sqs").create_queue(QueueName="theirs")
    scope = {"accounts": [{"id": other}], "regions": [REGION]}
    entered = aws_of(deployed, scope=scope, aws={"external_id": "right"})
    place = entered.enter(entered.targets()[0])
    assert isinstance(place, Place)
    assert place.cloud_control.get("AWS::SQS::Queue", f"https://sqs.{REGION}.amazonaws.com/{other}/theirs")
    refused = aws_of(deployed, scope=scope, aws={"external_id": "wrong"})
    gap = refused.enter(refused.targets()[0])
    assert isinstance(gap, Gap)
    assert gap.action == "sts:AssumeRole"


def test_delivered_files_give_what_the_query_gave(deployed: Sandbox) -> None:
    from driftguard.live import ConfigurationItem, latest_snapshot, read_delivered, resource_of

    place = place_of(deployed)
    asked = {one.key: one for one in read_place(place, []) if isinstance(one, Resource)}
    config = deployed.session(region=REGION).client("config")
    config.deliver_config_snapshot(deliveryChannelName="default")
    found = latest_snapshot(place)
    assert found is not None
    items = list(read_delivered(place, *found))
    delivered = {
        resource.key: resource
        for resource in (
            resource_of(item, Source.CONFIG_FILE) for item in items if isinstance(item, ConfigurationItem)
        )
    }
    assert set(asked) <= set(delivered)
    for key, resource in asked.items():
        if key.type not in ("AWS::S3::Bucket", "AWS::CloudFormation::Stack"):
            assert delivered[key].state_hash == resource.state_hash, key


def test_an_inline_policy_is_read_from_its_role(deployed: Sandbox) -> None:
    place = place_of(deployed)
    iam = deployed.session(region=REGION).client("iam")
    text = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="live-role", PolicyName="p", PolicyDocument=json.dumps(text))
    policy = DeclaredResource(
        type="AWS::IAM::Policy",
        logical_id="P",
        properties={"PolicyName": "p", "PolicyDocument": text, "Roles": ["live-role"]},
        account=place.account,
        region=REGION,
        physical_id="P-1",
        identifier="P-1",
    )
    options = ReadOptions(unmanaged=False)
    (found,) = read_place(place, [policy], options=options)
    assert isinstance(found, Resource)
    assert found.source is Source.SERVICE
    assert found.properties == {"PolicyName": "p", "PolicyDocument": text, "Roles": ["live-role"]}
    assert found.key.region == "global"
    iam.delete_role_policy(RoleName="live-role", PolicyName="p")
    (gone,) = read_place(place, [policy], options=options)
    assert isinstance(gone, Deletion)


def test_an_aggregator_shows_what_the_place_shows(deployed: Sandbox) -> None:
    from driftguard.live import read_aggregate

    place = place_of(deployed)
    deployed.session(region=REGION).client("config").put_configuration_aggregator(
        ConfigurationAggregatorName="all",
        AccountAggregationSources=[{"AccountIds": [place.account], "AllAwsRegions": True}],
    )
    local = {one.key for one in read_place(place, []) if isinstance(one, Resource)}
    aggregated = list(read_aggregate(place, "all"))
    assert local <= {one.key for one in aggregated if isinstance(one, Resource)}
    missing = list(read_aggregate(place, "none"))
    assert missing
    assert all(isinstance(one, Gap) for one in missing)


def test_every_fact_of_an_account_can_be_read(sandbox: Sandbox) -> None:
    place = place_of(sandbox)
    refused = {one.identifier: one.detail for one in read_account(place, FACTS) if isinstance(one, Gap)}
    assert refused == {}
    assert sandbox.unknown == []
