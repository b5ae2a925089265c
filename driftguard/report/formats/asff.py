"""AWS Security Finding Format, for BatchImportFindings (at most 100 of these a call).

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from driftguard.model import Finding, FindingKind, FindingStatus, Report
from driftguard.report.document import moment
from driftguard.report.options import Options
from driftguard.report.plain import described

MEDIA_TYPE = "application/json"
SUFFIX = ".asff.json"
_TYPES = {
    FindingKind.DRIFT: "Software and Configuration Checks/AWS Security Best Practices/Configuration Drift",
    FindingKind.UNDECLARED: "Software and Configuration Checks/AWS Security Best Practices/Configuration Drift",
    FindingKind.UNMANAGED: "Software and Configuration Checks/AWS Security Best Practices/Unmanaged Resource",
    FindingKind.COMPLIANCE: "Software and Configuration Checks/Industry and Regulatory Standards",
}
# The types whose ASFF name is not the CloudFormation name without its colons.
# https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources.html
_NAMES = {
    "AWS::EC2::VPC": "AwsEc2Vpc",
    "AWS::EC2::EIP": "AwsEc2Eip",
    "AWS::EC2::NetworkAcl": "AwsEc2NetworkAcl",
    "AWS::SQS::Queue": "AwsSqsQueue",
    "AWS::SNS::Topic": "AwsSnsTopic",
    "AWS::IAM::Role": "AwsIamRole",
    "AWS::IAM::User": "AwsIamUser",
    "AWS::IAM::Group": "AwsIamGroup",
    "AWS::IAM::ManagedPolicy": "AwsIamPolicy",
    "AWS::KMS::Key": "AwsKmsKey",
    "AWS::RDS::DBInstance": "AwsRdsDbInstance",
    "AWS::RDS::DBCluster": "AwsRdsDbCluster",
    "AWS::ECS::Cluster": "AwsEcsCluster",
    "AWS::ECS::Service": "AwsEcsService",
    "AWS::ECS::TaskDefinition": "AwsEcsTaskDefinition",
    "AWS::ECR::Repository": "AwsEcrRepository",
    "AWS::EKS::Cluster": "AwsEksCluster",
    "AWS::EFS::AccessPoint": "AwsEfsAccessPoint",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "AwsElbv2LoadBalancer",
    "AWS::ElasticLoadBalancing::LoadBalancer": "AwsElbLoadBalancer",
    "AWS::DynamoDB::Table": "AwsDynamoDbTable",
    "AWS::ApiGateway::RestApi": "AwsApiGatewayRestApi",
    "AWS::ApiGateway::Stage": "AwsApiGatewayStage",
    "AWS::ApiGatewayV2::Api": "AwsApiGatewayV2Api",
    "AWS::ApiGatewayV2::Stage": "AwsApiGatewayV2Stage",
    "AWS::CloudFront::Distribution": "AwsCloudFrontDistribution",
    "AWS::CloudTrail::Trail": "AwsCloudTrailTrail",
    "AWS::CloudWatch::Alarm": "AwsCloudWatchAlarm",
    "AWS::CodeBuild::Project": "AwsCodeBuildProject",
    "AWS::OpenSearchService::Domain": "AwsOpenSearchServiceDomain",
    "AWS::SecretsManager::Secret": "AwsSecretsManagerSecret",
    "AWS::SSM::Parameter": "Other",
}
_SAME = (
    "AWS::S3::Bucket",
    "AWS::EC2::Instance",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::NetworkInterface",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::TransitGateway",
    "AWS::EC2::Volume",
    "AWS::Lambda::Function",
    "AWS::Kinesis::Stream",
    "AWS::Redshift::Cluster",
    "AWS::CloudFormation::Stack",
)


def render(report: Report, options: Options) -> str:
    """Every finding as an ASFF document, in a JSON list."""
    findings = [document(finding, report, options.at) for finding in (*report.findings, *report.resolved)]
    return orjson.dumps(findings, option=orjson.OPT_INDENT_2).decode() + "\n"


def document(finding: Finding, report: Report, at: datetime) -> dict[str, Any]:
    """One finding for BatchImportFindings, in the account and region of its resource."""
    key = finding.key
    region = "us-east-1" if key.region == "global" else key.region
    updated = max(finding.last_seen, finding.resolved_at or finding.last_seen)
    policy = report.policies.get(finding.subject) if finding.kind is FindingKind.COMPLIANCE else None
    result: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": f"driftguard/{region}/{key.account}/{finding.fingerprint}",
        "ProductArn": f"arn:{key.partition}:securityhub:{region}:{key.account}:product/{key.account}/default",
        "ProductName": "driftguard",
        "CompanyName": "driftguard",
        "GeneratorId": _cut(f"driftguard/{finding.subject if policy else finding.kind.value.lower()}", 512),
        "AwsAccountId": key.account,
        "Types": [_TYPES[finding.kind]],
        "FirstObservedAt": moment(finding.first_seen),
        "LastObservedAt": moment(finding.last_seen),
        "CreatedAt": moment(finding.first_seen),
        "UpdatedAt": moment(updated),
        "Severity": {"Label": finding.severity.value, "Original": finding.severity.value},
        "Title": _cut(finding.title or finding.subject, 256),
        "Description": _cut(described(finding), 1024),
        "Remediation": {"Recommendation": {"Text": _cut(_advice(finding), 512)}},
        "Resources": [
            {
                "Type": resource_type(key.type),
                "Id": _cut(key.identifier, 512) or "unknown",
                "Partition": key.partition,
                "Region": region,
            }
        ],
        "Workflow": {"Status": finding.status.value},
        "RecordState": "ARCHIVED" if finding.status is FindingStatus.RESOLVED else "ACTIVE",
        "ProductFields": _product_fields(finding, report),
    }
    if finding.kind is FindingKind.COMPLIANCE:
        result["Compliance"] = {"Status": "PASSED" if finding.status is FindingStatus.RESOLVED else "FAILED"}
        if policy and policy.frameworks:
            related = [f"{name} {control}" for name, ids in policy.frameworks.items() for control in ids]
            # At most 32 requirements of at most 64 characters.
            result["Compliance"]["RelatedRequirements"] = [_cut(item, 64) for item in related[:32]]
    return result


def _product_fields(finding: Finding, report: Report) -> dict[str, str]:
    fields = {
        "driftguard/Subject": finding.subject,
        "driftguard/Stack": finding.stack,
        "driftguard/LogicalId": finding.logical_id,
        "driftguard/Run": report.run.id,
        "driftguard/Occurrences": str(finding.occurrences),
        "driftguard/ChangedBy": finding.changed_by.principal if finding.changed_by else "",
    }
    return {name: _cut(value, 2048) for name, value in fields.items() if value}


def resource_type(name: str) -> str:
    """The ASFF name of a CloudFormation type; ``Other`` where Security Hub has none."""
    if name in _SAME:
        return "".join(part.capitalize() if part.isupper() else part for part in name.split("::")).replace(
            "EC2", "Ec2"
        )
    return _NAMES.get(name, "Other")


def _advice(finding: Finding) -> str:
    if finding.remedy:
        return f"Run: driftguard remediate plan {finding.fingerprint}"
    if finding.kind is FindingKind.COMPLIANCE:
        return (
            "Correct the property in the template and deploy, or waive it with an owner and an expiry date."
        )
    return "Revert the change, take it into the template, or accept it with an owner and an expiry date."


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
