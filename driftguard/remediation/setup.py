"""The stack that an account needs before anything can be applied: our documents, and two roles."""

from __future__ import annotations

from typing import Any

import yaml

from driftguard.remediation.remedies import Remedies
from driftguard.schema import registry
from driftguard.settings.remediation import RemediationSettings

_STARTER = (
    "ssm:StartAutomationExecution",
    "ssm:StopAutomationExecution",
    "ssm:GetAutomationExecution",
    "ssm:DescribeAutomationExecutions",
    "ssm:DescribeDocument",
    "ssm:GetDocument",
    "ssm:GetCalendarState",
    "ssm:AddTagsToResource",
    "cloudwatch:DescribeAlarms",
    "cloudformation:CreateChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:DescribeStacks",
)


def template(remedies: Remedies, settings: RemediationSettings) -> str:
    """A CloudFormation template, for every account and region that shall be remediated.

    The automation role gets exactly what the update handlers of the types with a remedy call.
    """
    resources: dict[str, Any] = {}
    for name, document in sorted(remedies.documents.items()):
        resources[name] = {
            "Type": "AWS::SSM::Document",
            "Properties": {
                "Name": name,
                "DocumentType": "Automation",
                "DocumentFormat": "YAML",
                "UpdateMethod": "NewVersion",
                "Content": yaml.safe_load(document.text),
            },
        }
    resources["AutomationRole"] = _role(
        settings.automation_role_name, {"Service": "ssm.amazonaws.com"}, list(automation_actions(remedies))
    )
    resources["StarterRole"] = _role(
        settings.role_name, {"AWS": {"Ref": "DriftguardPrincipal"}}, sorted(_STARTER), pass_role=True
    )
    body = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What driftguard needs in an account before it may apply a remediation plan.",
        "Parameters": {
            "DriftguardPrincipal": {"Type": "String", "Description": "The ARN that driftguard runs as."}
        },
        "Resources": resources,
    }
    return yaml.safe_dump(body, sort_keys=False, width=110, allow_unicode=True)


def automation_actions(remedies: Remedies) -> tuple[str, ...]:
    """The IAM actions of the automation role, sorted."""
    wanted = {
        "cloudformation:UpdateResource",
        "cloudformation:GetResource",
        "cloudformation:GetResourceRequestStatus",
    }
    for remedy in remedies.remedies:
        for type_name in remedy.types:
            schema = registry().get(type_name)
            if schema is not None:
                wanted |= {*schema.handlers.get("update", ()), *schema.handlers.get("read", ())}
    return tuple(sorted(wanted))


def _role(
    name: str, principal: dict[str, Any], actions: list[str], *, pass_role: bool = False
) -> dict[str, Any]:
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": actions, "Resource": "*"}]
    if pass_role:
        statements.append(
            {
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": {"Fn::GetAtt": ["AutomationRole", "Arn"]},
                "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
            }
        )
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
            },
            "Policies": [
                {
                    "PolicyName": "driftguard",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                }
            ],
        },
    }
