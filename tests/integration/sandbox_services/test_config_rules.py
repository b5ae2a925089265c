"""Rules, compliance, conformance packs and remediation of the sandbox by plain boto3."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.sandbox_services.conftest import HERE

VERSIONING = {
    "ConfigRuleName": "versioning",
    "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"},
}
LOGS = "config-logs-111111111111"

PACK = """
Parameters:
  Tag: {Type: String, Default: owner}
Resources:
  Tags:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: tags
      InputParameters: {tag1Key: !Ref Tag}
      Scope: {ComplianceResourceTypes: ["AWS::S3::Bucket"]}
      Source: {Owner: AWS, SourceIdentifier: REQUIRED_TAGS}
  Versioning:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: versioning
      Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_VERSIONING_ENABLED}
"""


def _verdicts(config: Any, rule: str) -> dict[str, str]:
    found = config.get_compliance_details_by_config_rule(ConfigRuleName=rule)["EvaluationResults"]
    return {
        one["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"]: one["ComplianceType"]
        for one in found
    }


def test_a_managed_rule_follows_its_resources(sandbox: Any, config: Any) -> None:
    s3 = sandbox.session().client("s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=HERE)
    config.put_config_rule(ConfigRule=VERSIONING)
    assert _verdicts(config, "versioning") == {"data": "NON_COMPLIANT", LOGS: "NON_COMPLIANT"}
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    assert _verdicts(config, "versioning")["data"] == "COMPLIANT"
    (rule,) = config.describe_compliance_by_config_rule()["ComplianceByConfigRules"]
    assert rule["Compliance"] == {
        "ComplianceType": "NON_COMPLIANT",
        "ComplianceContributorCount": {"CappedCount": 1, "CapExceeded": False},
    }
    (resource,) = config.describe_compliance_by_resource(ComplianceTypes=["NON_COMPLIANT"])[
        "ComplianceByResources"
    ]
    assert resource["ResourceId"] == LOGS
    summary = config.get_compliance_summary_by_resource_type()["ComplianceSummariesByResourceType"][0]
    assert summary["ComplianceSummary"]["NonCompliantResourceCount"]["CappedCount"] == 1
    s3.delete_bucket(Bucket="data")
    assert "data" not in _verdicts(config, "versioning")


def test_an_open_group_and_a_closed_one(sandbox: Any, config: Any) -> None:
    ec2 = sandbox.session().client("ec2")
    ids = {}
    for name, block in (("open", "0.0.0.0/0"), ("closed", "10.0.0.0/8")):
        ids[name] = ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=ids[name], IpProtocol="tcp", FromPort=20, ToPort=25, CidrIp=block
        )
    config.put_config_rule(
        ConfigRule={
            "ConfigRuleName": "ssh",
            "Source": {"Owner": "AWS", "SourceIdentifier": "INCOMING_SSH_DISABLED"},
        }
    )
    verdicts = _verdicts(config, "ssh")
    assert verdicts[ids["open"]] == "NON_COMPLIANT"
    assert verdicts[ids["closed"]] == "COMPLIANT"


def test_evaluations_of_a_custom_rule_are_kept(config: Any) -> None:
    config.put_config_rule(
        ConfigRule={
            "ConfigRuleName": "own",
            "Source": {
                "Owner": "CUSTOM_LAMBDA",
                "SourceIdentifier": "arn:aws:lambda:ap-northeast-2:111111111111:function:f",
            },
        }
    )
    status = config.describe_compliance_by_config_rule(ConfigRuleNames=["own"])["ComplianceByConfigRules"]
    assert status[0]["Compliance"]["ComplianceType"] == "INSUFFICIENT_DATA"
    evaluation = {
        "ComplianceResourceType": "AWS::S3::Bucket",
        "ComplianceResourceId": "b",
        "ComplianceType": "NON_COMPLIANT",
        "Annotation": "why",
        "OrderingTimestamp": dt.datetime.now(dt.UTC),
    }
    config.put_evaluations(ResultToken="own", Evaluations=[evaluation])
    assert _verdicts(config, "own") == {"b": "NON_COMPLIANT"}
    config.put_external_evaluation(
        ConfigRuleName="own", ExternalEvaluation={**evaluation, "ComplianceType": "COMPLIANT"}
    )
    assert _verdicts(config, "own") == {"b": "COMPLIANT"}
    with pytest.raises(config.exceptions.InvalidResultTokenException):
        config.put_evaluations(ResultToken="foreign", Evaluations=[evaluation])


def test_an_unknown_rule_is_an_error(config: Any) -> None:
    with pytest.raises(config.exceptions.NoSuchConfigRuleException):
        config.get_compliance_details_by_config_rule(ConfigRuleName="nope")


def test_a_conformance_pack_brings_its_rules_and_takes_them_away(config: Any) -> None:
    config.put_conformance_pack(ConformancePackName="base", TemplateBody=PACK)
    names = [rule["ConfigRuleName"] for rule in config.describe_config_rules()["ConfigRules"]]
    assert len(names) == 2
    assert all("-conformance-pack-" in name for name in names)
    summary = config.get_conformance_pack_compliance_summary(ConformancePackNames=["base"])
    assert (
        summary["ConformancePackComplianceSummaryList"][0]["ConformancePackComplianceStatus"]
        == "NON_COMPLIANT"
    )
    details = config.get_conformance_pack_compliance_details(ConformancePackName="base")
    assert len(details["ConformancePackRuleEvaluationResults"]) == 2
    config.delete_conformance_pack(ConformancePackName="base")
    assert config.describe_config_rules()["ConfigRules"] == []


def test_a_remediation_makes_the_rule_hold(
    sandbox: Any, config: Any, finished: Callable[..., dict[str, Any]]
) -> None:
    config.put_config_rule(ConfigRule=VERSIONING)
    assert _verdicts(config, "versioning") == {LOGS: "NON_COMPLIANT"}
    config.put_remediation_configurations(
        RemediationConfigurations=[
            {
                "ConfigRuleName": "versioning",
                "TargetType": "SSM_DOCUMENT",
                "TargetId": "AWS-ConfigureS3BucketVersioning",
                "Parameters": {
                    "BucketName": {"ResourceValue": {"Value": "RESOURCE_ID"}},
                    "VersioningState": {"StaticValue": {"Values": ["Enabled"]}},
                },
            }
        ]
    )
    key = {"resourceType": "AWS::S3::Bucket", "resourceId": LOGS}
    started = config.start_remediation_execution(ConfigRuleName="versioning", ResourceKeys=[key])
    assert started["FailedItems"] == []
    due = time.monotonic() + 10
    while True:
        (status,) = config.describe_remediation_execution_status(ConfigRuleName="versioning")[
            "RemediationExecutionStatuses"
        ]
        if status["State"] == "SUCCEEDED":
            break
        assert time.monotonic() < due, status
        time.sleep(0.02)
    assert _verdicts(config, "versioning") == {LOGS: "COMPLIANT"}


def test_exceptions_expire(sandbox: Any, config: Any) -> None:
    config.put_config_rule(ConfigRule=VERSIONING)
    config.put_remediation_configurations(
        RemediationConfigurations=[
            {
                "ConfigRuleName": "versioning",
                "TargetType": "SSM_DOCUMENT",
                "TargetId": "AWS-ConfigureS3BucketVersioning",
            }
        ]
    )
    config.put_remediation_exceptions(
        ConfigRuleName="versioning",
        ResourceKeys=[{"ResourceType": "AWS::S3::Bucket", "ResourceId": LOGS}],
        Message="known",
        ExpirationTime=sandbox.clock.now() + dt.timedelta(days=1),
    )
    asked = {"ConfigRuleName": "versioning"}
    assert len(config.describe_remediation_exceptions(**asked)["RemediationExceptions"]) == 1
    sandbox.clock.advance(2 * 86400)
    assert config.describe_remediation_exceptions(**asked)["RemediationExceptions"] == []


def test_a_change_reaches_a_queue_behind_a_rule(sandbox: Any, config: Any) -> None:
    session = sandbox.session()
    sqs, events, s3 = (session.client(name) for name in ("sqs", "events", "s3"))
    url = sqs.create_queue(QueueName="changes")["QueueUrl"]
    events.put_rule(
        Name="changes",
        EventPattern=json.dumps(
            {
                "source": ["aws.config", "aws.s3", "aws.cloudformation"],
                "detail-type": [
                    "Config Configuration Item Change",
                    "AWS API Call via CloudTrail",
                    "CloudFormation Stack Status Change",
                ],
            }
        ),
    )
    arn = "arn:aws:sqs:ap-northeast-2:111111111111:changes"
    events.put_targets(Rule="changes", Targets=[{"Id": "1", "Arn": arn}])
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=HERE)
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    session.client("cloudformation").create_stack(StackName="s", TemplateBody=json.dumps(template))
    config.list_discovered_resources(resourceType="AWS::S3::Bucket")
    bodies = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    names = {body["detail"].get("eventName") for body in bodies}
    assert "CreateBucket" in names
    items = [
        body["detail"]["configurationItem"]
        for body in bodies
        if body["source"] == "aws.config" and "configurationItem" in body["detail"]
    ]
    assert "data" in {item["resourceId"] for item in items}
    stacks = [
        body["detail"]["status-details"]["status"] for body in bodies if "status-details" in body["detail"]
    ]
    assert stacks == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
