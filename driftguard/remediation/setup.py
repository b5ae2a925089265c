"""The stack that an account needs before anything can be applied: our documents, and two roles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from driftguard.errors import InputError
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


_POLICY_CHARACTERS = 6_000
"""A managed policy may have 6,144 characters, white space aside; an inline policy of a role is no way out, as
all of them together may have 10,240 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""
_MOST_POLICIES = 10
"""Managed policies that a role may have until the quota is raised (the same page)."""

_PARAMETERS = {
    "DriftguardPrincipal": {"Type": "String", "Description": "The ARN that driftguard runs as."},
    "RoleRegion": {
        "Type": "String",
        "Default": "",
        "Description": "The one region in which this stack makes the account's roles; empty: this one.",
    },
}
_CONDITIONS = {
    "MakesRoles": {
        "Fn::Or": [
            {"Fn::Equals": [{"Ref": "RoleRegion"}, ""]},
            {"Fn::Equals": [{"Ref": "RoleRegion"}, {"Ref": "AWS::Region"}]},
        ]
    }
}


def template(remedies: Remedies, settings: RemediationSettings, types: Iterable[str] = ()) -> str:
    """A CloudFormation template, for every account and region that shall be remediated.

    The automation role gets exactly what the handlers call that make and update ``types``, and update the types with
    a remedy.
    Documents belong to a region, roles to the account: the parameter ``RoleRegion`` names where they are made.
    Raises `InputError` when the actions do not fit into the policies of one role.
    """
    policies = _policies(automation_actions(remedies, types))
    resources = {
        **_documents(remedies),
        **policies,
        "AutomationRole": _role(
            settings.automation_role_name,
            {"Service": "ssm.amazonaws.com"},
            ManagedPolicyArns=[{"Ref": name} for name in policies],
        ),
        "StarterRole": _role(
            settings.role_name,
            {"AWS": {"Ref": "DriftguardPrincipal"}},
            Policies=[{"PolicyName": "driftguard", "PolicyDocument": _document(_starting())}],
        ),
    }
    body = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What driftguard needs in an account before it may apply a remediation plan.",
        "Parameters": _PARAMETERS,
        "Conditions": _CONDITIONS,
        "Resources": resources,
    }
    return yaml.safe_dump(body, sort_keys=False, width=110, allow_unicode=True)


def _documents(remedies: Remedies) -> dict[str, Any]:
    return {
        name: {
            "Type": "AWS::SSM::Document",
            "Properties": {
                "Name": name,
                "DocumentType": "Automation",
                "DocumentFormat": "YAML",
                "UpdateMethod": "NewVersion",
                "Content": yaml.safe_load(document.text),
            },
        }
        for name, document in sorted(remedies.documents.items())
    }


def _starting() -> list[dict[str, Any]]:
    return [
        {"Effect": "Allow", "Action": sorted(_STARTER), "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": {"Fn::GetAtt": ["AutomationRole", "Arn"]},
            "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
        },
    ]


def automation_actions(remedies: Remedies, types: Iterable[str] = ()) -> tuple[str, ...]:
    """The IAM actions of the automation role, sorted."""
    wanted = {
        "cloudformation:CreateResource",
        "cloudformation:UpdateResource",
        "cloudformation:GetResource",
        "cloudformation:GetResourceRequestStatus",
    }
    wanted |= {action for remedy in remedies.remedies for action in remedy.permissions}
    types = frozenset(types)
    for type_name in {*types, *(kind for remedy in remedies.remedies for kind in remedy.types)}:
        schema = registry().get(type_name)
        if schema is not None:
            verbs = ("update", "read", "create") if type_name in types else ("update", "read")
            wanted |= {action for verb in verbs for action in schema.handlers.get(verb, ())}
    return tuple(sorted(wanted))


def _policies(actions: Sequence[str]) -> dict[str, Any]:
    """Managed policies that hold all actions, each within IAM's limit."""
    parts: list[list[str]] = [[]]
    for action in actions:
        if len(json.dumps([*parts[-1], action], separators=(",", ":"))) > _POLICY_CHARACTERS - 100:
            parts.append([])
        parts[-1].append(action)
    if len(parts) > _MOST_POLICIES:
        raise InputError(
            f"{len(actions)} actions need {len(parts)} managed policies, and a role may have {_MOST_POLICIES}.",
            fix="Narrow the types with `remediate setup --type`.",
        )
    return {
        f"AutomationPolicy{number}": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Condition": "MakesRoles",
            "Properties": {
                "Description": "What SSM Automation may do when driftguard starts it.",
                "PolicyDocument": _document([{"Effect": "Allow", "Action": part, "Resource": "*"}]),
            },
        }
        for number, part in enumerate(parts, 1)
    }


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _role(name: str, principal: dict[str, Any], **properties: Any) -> dict[str, Any]:
    trust = [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]
    return {
        "Type": "AWS::IAM::Role",
        "Condition": "MakesRoles",
        "Properties": {"RoleName": name, "AssumeRolePolicyDocument": _document(trust), **properties},
    }
