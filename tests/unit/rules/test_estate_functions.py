"""Backup selections, schedules, tags, blocked actions and approvals: what policies cannot say in JMESPath alone."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.model import Resource, ResourceKey, Source, Unknown
from driftguard.rules.backups import backup_plans, days, longest_gap_days
from driftguard.rules.documents import statements_allowing
from driftguard.rules.pipelines import unapproved_changes
from driftguard.rules.relations import JudgeContext, Judged, Neighbours
from driftguard.rules.tags import tagged, tags
from driftguard.rules.values import Maybe, Unseen

VOLUME = "AWS::EC2::Volume"
ARN = "arn:aws:ec2:eu-west-1:111111111111:volume/vol-1"


def resource(
    type_name: str, identifier: str, properties: dict[str, Any] | None = None, **more: Any
) -> Resource:
    key = ResourceKey(account="111111111111", region="eu-west-1", type=type_name, identifier=identifier)
    return Resource(key=key, properties=properties or {}, source=Source.SERVICE, **more)


def selected(selection: dict[str, Any], **volume: Any) -> Any:
    subject = resource(VOLUME, "vol-1", **volume)
    others = [
        resource("AWS::Backup::BackupSelection", "s", {"BackupPlanId": "p", "BackupSelection": selection}),
        resource("AWS::Backup::BackupPlan", "p", {"BackupPlan": {"BackupPlanName": "nightly"}}),
    ]
    return backup_plans(Judged(subject, JudgeContext(neighbours=Neighbours([subject, *others]))))


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"Resources": ["*"]}, True),
        ({"Resources": ["arn:aws:ec2:*:*:volume/*"]}, True),
        ({"Resources": ["arn:aws:rds:*:*:db:*"]}, False),
        ({"Resources": ["*"], "NotResources": [ARN]}, False),
        ({"ListOfTags": [{"ConditionKey": "backup", "ConditionValue": "yes", "ConditionType": "STRINGEQUALS"}]}, True),
        ({"ListOfTags": [{"ConditionKey": "backup", "ConditionValue": "no", "ConditionType": "STRINGEQUALS"}]}, False),
        ({"Resources": ["*"], "Conditions": {"StringEquals": [{"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "yes"}]}}, True),
        ({"Resources": ["*"], "Conditions": {"StringNotLike": [{"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "y*"}]}}, False),
        ({}, False),
    ],
)  # fmt: skip
def test_a_selection_holds_what_aws_says_it_holds(selection: dict[str, Any], expected: bool) -> None:
    found = selected(selection, arn=ARN, tags={"backup": "yes"})
    assert found == ([{"BackupPlan": {"BackupPlanName": "nightly"}}] if expected else [])


def test_a_selection_by_arn_is_not_decided_without_the_arn() -> None:
    (found,) = selected({"Resources": [ARN]})
    assert isinstance(found, Maybe)


def test_plans_that_were_not_read_are_not_taken_for_none() -> None:
    subject = resource(VOLUME, "vol-1", arn=ARN)
    context = JudgeContext(neighbours=Neighbours([subject], complete=lambda kind, _: kind == VOLUME))
    (found,) = backup_plans(Judged(subject, context))
    assert isinstance(found, Maybe)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("cron(0 5 ? * * *)", 1.0),
        ("cron(0 */6 ? * * *)", 0.25),
        ("cron(0 8,20 * * ? *)", 0.5),
        ("cron(0 8,10 * * ? *)", 22 / 24),
        ("cron(0 5 ? * SUN *)", 7.0),
        ("cron(0 5 ? * MON-FRI *)", 3.0),
        ("cron(0 5 1 * ? *)", 31.0),
        ("cron(0 5 1,15 * ? *)", 17.0),
        ("cron(0 5 1 JAN ? *)", 366.0),
        ("rate(12 hours)", 0.5),
        ("nightly", None),
        (None, None),
    ],
)
def test_the_longest_gap_of_a_schedule(schedule: str | None, expected: float | None) -> None:
    assert longest_gap_days(schedule) == expected


def test_a_number_of_hours_in_days() -> None:
    assert days(6, "hours") == 0.25
    assert days(None, "days") is None


def test_tags_of_aws_are_not_the_owners() -> None:
    judged = Judged(
        resource(VOLUME, "v", tags={"aws:cloudformation:stack-name": "s", "env": "prod"}), JudgeContext()
    )
    assert tags(judged) == {"env": "prod"}
    assert tagged(judged, {"env": "prod"}) is True
    assert tagged(judged, {"env": "dev"}) is False
    assert tagged(judged, None) is True


def test_tags_that_the_source_does_not_show_are_not_taken_for_none() -> None:
    judged = Judged(resource(VOLUME, "v", coverage=frozenset({"Size"})), JudgeContext())
    assert isinstance(tags(judged), Unseen)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Effect": "Allow", "Action": "kms:*"}, True),
        ({"Effect": "Allow", "Action": "kms:ReEncryptFrom"}, True),
        ({"Effect": "Allow", "Action": ["s3:*", "KMS:Decrypt"]}, True),
        ({"Effect": "Allow", "NotAction": "s3:*"}, True),
        ({"Effect": "Allow", "NotAction": "kms:*"}, False),
        ({"Effect": "Allow", "Action": "s3:*"}, False),
        ({"Effect": "Deny", "Action": "*"}, False),
    ],
)
def test_statements_that_allow_a_blocked_action(statement: dict[str, Any], expected: bool) -> None:
    found = statements_allowing({"Statement": statement}, ["kms:Decrypt", "kms:ReEncrypt*"])
    assert bool(found) is expected


def test_an_action_that_is_not_known_decides_nothing() -> None:
    (found,) = statements_allowing(
        {"Statement": {"Effect": "Allow", "Action": [Unknown("later")]}}, ["kms:Decrypt"]
    )
    assert isinstance(found, Maybe)


def test_a_mode_that_is_not_known_decides_nothing() -> None:
    action = {
        "Name": "a",
        "ActionTypeId": {"Provider": "CloudFormation"},
        "Configuration": {"ActionMode": Unknown("later")},
    }
    assert isinstance(unapproved_changes([{"Name": "Prod", "Actions": [action]}], "prod"), Unknown)


def test_only_the_stages_of_production_count() -> None:
    def stage(name: str) -> dict[str, Any]:
        kind = {"Category": "Deploy", "Provider": "CloudFormation"}
        return {
            "Name": name,
            "Actions": [
                {"Name": "Do", "ActionTypeId": kind, "Configuration": {"ActionMode": "CREATE_UPDATE"}}
            ],
        }

    assert unapproved_changes([stage("Dev"), stage("Prod")], "(?i)prod") == ["Prod/Do"]
    assert unapproved_changes([stage("Dev"), stage("Test")], "(?i)prod") == ["Dev/Do", "Test/Do"]
