"""The estate stands as its templates say, from the first minute."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from driftguard.sandbox.estate import config_text
from driftguard.sandbox.estate.plan import estate
from driftguard.settings import load_settings
from tests.integration.estate.conftest import Pictures

# CloudFormation's own false alarm: it compares a state machine's definition before substitution with the one
# after it (cloudformation-coverage-roadmap issue 2562).
LIES = {("AWS::StepFunctions::StateMachine", "Fulfilment")}


def test_everything_is_in_sync_at_once(pictures: Pictures) -> None:
    drifted = {
        (drift["ResourceType"], place[3])
        for place, drift in pictures.before.items()
        if drift["StackResourceDriftStatus"] not in ("IN_SYNC", "NOT_CHECKED")
    }
    assert drifted == LIES
    assert len(pictures.before) > 150


def test_every_kind_of_declaration_is_there(pictures: Pictures) -> None:
    paths = {place[2] for place in pictures.before}
    assert {"shop-prod/Network", "shop-prod/Data", "shop-prod/Service", "shop-prod/Delivery"} <= paths
    assert {"orders-prod", "notify", "StackSet-security-baseline-*"} <= paths
    assert {place[0] for place in pictures.before} == set(estate().accounts.values())
    assert {place[1] for place in pictures.before} == set(estate().regions)


def test_overrides_of_the_stack_set_reach_each_account(pictures: Pictures) -> None:
    retention = {}
    for name, region in (
        ("management", "us-east-1"),
        ("production", "ap-northeast-2"),
        ("development", "ap-northeast-2"),
    ):
        logs = pictures.sandbox.session(account=estate().account(name), region=region).client("logs")
        groups = logs.describe_log_groups(logGroupNamePrefix="/baseline/audit")["logGroups"]
        retention[name] = groups[0].get("retentionInDays")
    assert retention == {"management": 731, "production": 365, "development": 30}


@pytest.mark.parametrize("name", ["production", "development"])
def test_members_are_entered_with_the_external_id_only(pictures: Pictures, name: str) -> None:
    sts = pictures.sandbox.session(account=estate().account("management")).client("sts")
    role = f"arn:aws:iam::{estate().account(name)}:role/driftguard-read"
    entered = sts.assume_role(RoleArn=role, RoleSessionName="scan", ExternalId=estate().external_id)
    assert entered["AssumedRoleUser"]["Arn"].startswith(f"arn:aws:sts::{estate().account(name)}:")
    for wrong in ({}, {"ExternalId": "guess"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(RoleArn=role, RoleSessionName="scan", **wrong)


def test_one_region_and_one_type_are_not_recorded(pictures: Pictures) -> None:
    def recorders(name: str, region: str) -> list[dict[str, object]]:
        session = pictures.sandbox.session(account=estate().account(name), region=region)
        found = session.client("config").describe_configuration_recorders()["ConfigurationRecorders"]
        return list(found)

    rules = pictures.sandbox.faults.rules[:]
    pictures.sandbox.faults.rules.clear()
    try:
        assert recorders("development", "us-east-1") == []
        excluded = recorders("production", "ap-northeast-2")[0]["recordingGroup"]["exclusionByResourceTypes"]  # type: ignore[index]
        assert excluded == {"resourceTypes": ["AWS::Events::Rule"]}
    finally:
        pictures.sandbox.faults.rules.extend(rules)


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(config_text(), "utf-8")
    settings = load_settings(str(file), {})
    assert {account.id for account in settings.scope.accounts} == set(estate().accounts.values())
    assert settings.scope.regions == estate().regions
