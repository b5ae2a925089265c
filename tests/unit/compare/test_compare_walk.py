"""What a comparison says beyond equality: gaps, ownership, order, replacement, witness, explanation, patch."""

from __future__ import annotations

import time
from typing import Any

import pytest

from driftguard.compare import (
    CompareContext,
    Comparison,
    apply_patch,
    compare,
    compare_with_witness,
    describe,
    explain,
    to_patch,
)
from driftguard.model import DifferenceType, DriftStatus, Partial, Unknown
from driftguard.model.resource import Tolerance
from driftguard.schema import registry


def run(name: str, declared: dict[str, Any], live: dict[str, Any], **context: Any) -> Comparison:
    return compare(declared, live, registry().get(name), CompareContext(**context), resource_type=name)


def rule(port: int, cidr: str = "10.0.0.0/8") -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": cidr}


def test_unknown_values_are_never_guessed() -> None:
    declared = {
        "QueueName": Unknown("NoEcho"),
        "KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
        "VisibilityTimeout": 30,
        "DelaySeconds": "{{resolve:ssm:delay}}",
    }
    live = {"QueueName": "q", "KmsMasterKeyId": "k", "VisibilityTimeout": 30, "DelaySeconds": 5}
    found = run("AWS::SQS::Queue", declared, live)
    assert found.status is DriftStatus.IN_SYNC
    assert {gap.path for gap in found.not_checked} == {"/QueueName", "/KmsMasterKeyId", "/DelaySeconds"}
    assert {gap.reason for gap in found.not_checked} == {"UNRESOLVED"}


def test_a_partly_known_value_is_a_pattern() -> None:
    partial = Partial(("prod-", Unknown("export"), "-queue"))
    assert run("AWS::SQS::Queue", {"QueueName": partial}, {"QueueName": "prod-x-queue"}).not_checked
    found = run("AWS::SQS::Queue", {"QueueName": partial}, {"QueueName": "dev-x-queue"})
    assert [one.actual for one in found.differences] == ["dev-x-queue"]
    dynamic = run("AWS::SSM::Parameter", {"Value": "db://{{resolve:ssm:host}}/x"}, {"Value": "db://h/y"})
    assert [one.path for one in dynamic.differences] == ["/Value"]


def test_nothing_comparable_is_not_in_sync() -> None:
    found = run("AWS::RDS::DBInstance", {"MasterUserPassword": "x"}, {})
    assert found.status is DriftStatus.NOT_CHECKED
    assert [(gap.path, gap.reason) for gap in found.not_checked] == [("/MasterUserPassword", "WRITE_ONLY")]


def test_what_the_source_cannot_show_is_never_removed() -> None:
    declared = {"BucketName": "b", "VersioningConfiguration": {"Status": "Enabled"}}
    covered = run("AWS::S3::Bucket", declared, {"BucketName": "b"}, coverage=frozenset({"BucketName"}))
    assert covered.differences == ()
    assert [(gap.path, gap.reason) for gap in covered.not_checked] == [
        ("/VersioningConfiguration", "NOT_IN_SOURCE")
    ]
    seen = run("AWS::S3::Bucket", declared, {"BucketName": "b"})
    assert [one.type for one in seen.differences] == [DifferenceType.REMOVE]


@pytest.mark.parametrize(
    ("tolerance", "live", "drifts"),
    [
        (Tolerance(path="/DesiredCount", owner="Application Auto Scaling", minimum=1, maximum=4), 4, False),
        (Tolerance(path="/DesiredCount", owner="Application Auto Scaling", minimum=1, maximum=4), 5, True),
        (Tolerance(path="/DesiredCount", owner="a person", allowed=(2, 3)), 3, False),
        (Tolerance(path="/DesiredCount", owner="a person", allowed=(2, 3)), 4, True),
        (Tolerance(path="/DesiredCount", owner="AWS"), 99, False),
    ],
)
def test_an_owner_may_move_a_value_inside_its_range(tolerance: Tolerance, live: int, drifts: bool) -> None:
    found = run("AWS::ECS::Service", {"DesiredCount": 2}, {"DesiredCount": live}, tolerated=(tolerance,))
    assert bool(found.differences) is drifts
    assert drifts or found.folded[0].rule == f"owned:{tolerance.owner}"


def test_order_alone_is_a_note_where_the_schema_does_not_say_set() -> None:
    origins = [{"Id": "a", "DomainName": "a.example"}, {"Id": "b", "DomainName": "b.example"}]
    found = run(
        "AWS::CloudFront::Distribution",
        {"DistributionConfig": {"Aliases": ["a.example", "b.example"], "Origins": origins}},
        {"DistributionConfig": {"Aliases": ["b.example", "a.example"], "Origins": origins[::-1]}},
    )
    assert found.status is DriftStatus.IN_SYNC
    assert "/DistributionConfig/Aliases" in found.reordered or found.folded


def test_create_only_differences_say_that_a_revert_replaces() -> None:
    found = run("AWS::SQS::Queue", {"FifoQueue": True}, {"FifoQueue": False})
    assert found.differences[0].requires_replacement
    found = run("AWS::SQS::Queue", {"DelaySeconds": 1}, {"DelaySeconds": 2})
    assert not found.differences[0].requires_replacement


def test_an_identified_member_is_compared_inside() -> None:
    found = run(
        "AWS::IAM::Role",
        {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]},
        {"Tags": [{"Key": "b", "Value": "3"}, {"Key": "a", "Value": "1"}]},
    )
    assert [(one.path, one.expected, one.actual) for one in found.differences] == [
        ("/Tags/1/Value", "2", "3")
    ]


def test_out_of_band_children_are_drift_of_their_parent() -> None:
    found = run(
        "AWS::EC2::SecurityGroup",
        {"SecurityGroupIngress": [rule(443)]},
        {"SecurityGroupIngress": [rule(22, "0.0.0.0/0"), rule(443)]},
    )
    assert [(one.path, one.type) for one in found.differences] == [
        ("/SecurityGroupIngress/0", DifferenceType.ADD)
    ]


@pytest.mark.parametrize(
    ("name", "declared", "path"),
    [
        ("AWS::Lambda::Function", {"Environment": {"Variables": {"A": "1"}}}, "/Environment"),
        ("AWS::Logs::LogGroup", {"RetentionInDays": 7}, "/RetentionInDays"),
        ("AWS::SNS::Topic", {"KmsMasterKeyId": "alias/app"}, "/KmsMasterKeyId"),
        ("AWS::IAM::Role", {"PermissionsBoundary": "arn:aws:iam::aws:policy/X"}, "/PermissionsBoundary"),
        (
            "AWS::S3::Bucket",
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
            "/PublicAccessBlockConfiguration",
        ),
    ],
)
def test_what_a_person_can_remove_is_reported_removed(name: str, declared: dict[str, Any], path: str) -> None:
    found = run(name, declared, {"Description": "still here"})
    assert [(one.path, one.type) for one in found.differences] == [(path, DifferenceType.REMOVE)]


def test_a_deleted_setting_is_reported_even_where_new_resources_start_with_it() -> None:
    block = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    found = run(
        "AWS::S3::Bucket", {"BucketName": "b", "PublicAccessBlockConfiguration": block}, {"BucketName": "b"}
    )
    assert [one.path for one in found.differences] == ["/PublicAccessBlockConfiguration"]


def test_live_only_values_are_undeclared_and_defaults_are_not_mentioned() -> None:
    live = {
        "FunctionName": "f",
        "Arn": "arn:aws:lambda:us-east-1:1:function:f",
        "MemorySize": 128,
        "Timeout": 3,
        "Description": "",
        "ReservedConcurrentExecutions": 0,
        "Layers": ["arn:aws:lambda:us-east-1:1:layer:x:1"],
    }
    found = run("AWS::Lambda::Function", {"Handler": "i.h"}, {**live, "Handler": "i.h"}, physical_id="f")
    assert {one.path for one in found.undeclared} == {"/Layers", "/ReservedConcurrentExecutions"}
    assert not any(one.confirmed for one in found.undeclared)
    assert found.status is DriftStatus.IN_SYNC


def test_a_value_that_matters_when_off_is_mentioned() -> None:
    found = run("AWS::KMS::Key", {"Description": "k"}, {"Description": "k", "Enabled": False})
    assert [one.path for one in found.undeclared] == ["/Enabled"]
    found = run("AWS::KMS::Key", {"Description": "k"}, {"Description": "k", "Enabled": True})
    assert found.undeclared == ()


def test_a_type_without_schema_is_compared_all_the_same() -> None:
    found = compare({"A": [1, 2], "B": "x"}, {"A": [2, 1], "B": "y"}, None, resource_type="Custom::Thing")
    assert [one.path for one in found.differences] == ["/B"]
    assert found.reordered == ("/A",)


def test_an_alias_nobody_can_look_up_is_not_checked() -> None:
    key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    found = run("AWS::SNS::Topic", {"KmsMasterKeyId": "alias/app"}, {"KmsMasterKeyId": key})
    assert found.differences == ()
    assert [gap.reason for gap in found.not_checked] == ["UNRESOLVED"]


def test_a_principal_by_unique_id_is_not_checked_when_its_role_is_unknown() -> None:
    statement = {
        "Effect": "Allow",
        "Action": "s3:*",
        "Resource": "*",
        "Principal": {"AWS": "arn:aws:iam::111122223333:role/r"},
    }
    gone = {**statement, "Principal": {"AWS": "AROAEXAMPLEROLEID00"}}
    found = run(
        "AWS::S3::BucketPolicy",
        {"PolicyDocument": {"Statement": [statement]}},
        {"PolicyDocument": {"Statement": [gone]}},
    )
    assert found.differences == ()
    assert [gap.reason for gap in found.not_checked] == ["UNVERIFIABLE"]
    wider = run(
        "AWS::S3::BucketPolicy",
        {"PolicyDocument": {"Statement": [statement]}},
        {"PolicyDocument": {"Statement": [{**gone, "Action": "*"}]}},
    )
    assert wider.differences


WITNESS = {
    "Arn": "a",
    "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
    "Tags": [{"Key": "team", "Value": "sre"}],
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"Arn": "b"}, []),
        ({"PublicAccessBlockConfiguration": {"BlockPublicAcls": False}}, [("/PublicAccessBlockConfiguration/BlockPublicAcls", True, False)]),
        ({"PublicAccessBlockConfiguration": None}, [("/PublicAccessBlockConfiguration", {"BlockPublicAcls": True}, None)]),
        ({"AccelerateConfiguration": {"AccelerationStatus": "Enabled"}}, [("/AccelerateConfiguration", None, {"AccelerationStatus": "Enabled"})]),
        ({"Tags": [{"Key": "team", "Value": "sre"}, {"Key": "aws:x", "Value": "y"}]}, []),
        ({"Tags": [{"Key": "team", "Value": "dev"}]}, [("/Tags/0/Value", "sre", "dev")]),
        ({"BucketName": "declared-elsewhere"}, []),
    ],
)  # fmt: skip
def test_a_witness_tells_what_changed(change: dict[str, Any], expected: list[tuple[str, Any, Any]]) -> None:
    live = {name: value for name, value in {**WITNESS, **change}.items() if value is not None}
    found = compare_with_witness(
        live, WITNESS, registry().get("AWS::S3::Bucket"), declared={"BucketName": "b"}
    )
    assert [(one.path, one.was, one.value) for one in found] == expected
    assert all(one.confirmed for one in found)


def test_explain_says_something_of_every_declared_property() -> None:
    declared = {
        "QueueName": "q",
        "DelaySeconds": "5",
        "VisibilityTimeout": 30,
        "KmsMasterKeyId": Unknown("export"),
    }
    live = {"QueueName": "q", "DelaySeconds": 5, "VisibilityTimeout": 60, "KmsMasterKeyId": "k"}
    rows = explain(run("AWS::SQS::Queue", declared, live), declared, live)
    assert {(row.path, row.verdict, row.rule) for row in rows} == {
        ("/QueueName", "EQUAL", "same value"),
        ("/DelaySeconds", "EQUAL", "scalar-type"),
        ("/VisibilityTimeout", "DIFFERENT", "not equal by any rule"),
        ("/KmsMasterKeyId", "NOT_CHECKED", "UNRESOLVED: export"),
    }


def test_explain_looks_inside_what_differs() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": "*"}
    declared = {"PolicyDocument": {"Statement": [statement]}}
    live = {
        "PolicyDocument": {
            "Statement": [{**statement, "Action": ["s3:*"], "Condition": {"Bool": {"a": "true"}}}]
        }
    }
    [row] = explain(run("AWS::S3::BucketPolicy", declared, live), declared, live)
    assert row.detail == (
        '/Action/0: "s3:GetObject" -> "s3:*"',
        '/Condition: added {"Bool": {"a": "true"}}',
    )
    assert describe("a\nb\n", "a\nc\n")[-2:] == ("-b", "+c")
    assert describe(1, [1]) == ("1 -> [1]",)


def test_a_patch_puts_whole_lists_back() -> None:
    declared = {"SecurityGroupIngress": [rule(443), rule(80)], "GroupDescription": "g"}
    live = {"SecurityGroupIngress": [rule(22), rule(80)], "GroupDescription": "g", "GroupId": "sg-1"}
    found = run("AWS::EC2::SecurityGroup", declared, live)
    patch = to_patch(found.differences, declared, live)
    assert [(one["op"], one["path"]) for one in patch] == [("replace", "/SecurityGroupIngress")]
    after = run("AWS::EC2::SecurityGroup", declared, apply_patch(patch, live))
    assert after.status is DriftStatus.IN_SYNC


def test_a_state_machine_is_compared_after_its_substitutions() -> None:
    declared = {
        "DefinitionString": '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${Fn}"}}}',
        "DefinitionSubstitutions": {"Fn": "arn:aws:lambda:us-east-1:111122223333:function:f"},
    }
    text = '{"States":{"A":{"Resource":"arn:aws:lambda:us-east-1:111122223333:function:%s","Type":"Task"}},"StartAt":"A"}'
    same = run("AWS::StepFunctions::StateMachine", declared, {"DefinitionString": text % "f"})
    assert same.differences == ()
    other = run("AWS::StepFunctions::StateMachine", declared, {"DefinitionString": text % "g"})
    assert [one.path for one in other.differences] == ["/DefinitionString/States/A/Resource"]


def test_a_property_that_is_answered_under_another_name_is_not_removed() -> None:
    found = run(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        {"SubnetMappings": [{"SubnetId": "subnet-1", "AllocationId": "eipalloc-1"}]},
        {"Subnets": ["subnet-1"]},
    )
    assert found.differences == ()
    assert [gap.reason for gap in found.not_checked] == ["NOT_RETURNED"]


def test_long_lists_stay_near_linear_whatever_changed() -> None:
    def seconds(count: int) -> float:
        declared = [{**rule(1), "CidrIp": f"10.{n // 250}.{n % 250}.0/24"} for n in range(count)]
        live = [{**one, "ToPort": 2} for one in reversed(declared)]
        start = time.process_time()
        found = run(
            "AWS::EC2::SecurityGroup", {"SecurityGroupIngress": declared}, {"SecurityGroupIngress": live}
        )
        assert len(found.differences) == count
        return time.process_time() - start

    seconds(50)
    assert seconds(2000) < 30 * seconds(200)
