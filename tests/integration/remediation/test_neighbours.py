"""What AWS's own services learn of a plan, and what is taken over from them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.model.remediation import Cure
from driftguard.remediation import load_remedies
from driftguard.report import render
from driftguard.sandbox import Sandbox
from driftguard.scan import scan
from tests.remediation_shop import Shop
from tests.remediation_world import ACCOUNT, REGION, World, approve, wishes

PRODUCT = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    world = World(
        sandbox,
        tmp_path,
        policies=("SNS_ENCRYPTED_KMS",),
        security_hub=True,
        ops_items=True,
        verify_minutes=0,
    )
    world.set_up()
    yield Shop(world, monkeypatch)


def workflow(shop: Shop, fingerprint: str) -> dict[str, Any]:
    found = shop.world.client("securityhub").get_findings()["Findings"]
    [mine] = [one for one in found if one["Id"].endswith(fingerprint)]
    return dict(mine)


def test_security_hub_and_ops_center_follow_a_step_from_failure_to_success(shop: Shop) -> None:
    """A step that fails opens one OpsItem; the one that helps resolves it, and the finding in Security Hub."""
    import json

    finding = shop.findings["Alarm"]
    hub, ssm = shop.world.client("securityhub"), shop.world.client("ssm")
    hub.enable_security_hub()
    with shop.world.wiring() as wiring:
        report = scan(wiring.job(trigger="test"))
        documents = json.loads(render(report, "asff"))
        rows = documents["Findings"] if isinstance(documents, dict) else documents
        assert hub.batch_import_findings(Findings=rows)["FailedCount"] == 0
        shop.world.sandbox.faults.add("deny", service="cloudwatch", operation="PutMetricAlarm", internal=True)
        plans = []
        for _ in range(2):  # a second failure opens no second item
            plans.append(
                made := approve(
                    wiring, wiring.plan([finding], wishes(cures={finding.fingerprint: Cure.REVERT}))
                )
            )
            wiring.apply(made, patches=Path("patches"), sleep=shop.world.sleep)
        [opened] = ssm.describe_ops_items(OpsItemFilters=[])["OpsItemSummaries"]
        assert opened["Status"] == "Open"
        full = ssm.get_ops_item(OpsItemId=opened["OpsItemId"])["OpsItem"]
        assert full["OperationalData"]["driftguard/finding"]["Value"] == finding.fingerprint
        assert plans[0].id in full["Description"] and "FAILED" in full["Description"]
        assert workflow(shop, finding.fingerprint)["Workflow"]["Status"] == "NEW"

        shop.world.sandbox.faults.clear()
        made = approve(wiring, wiring.plan([finding], wishes(cures={finding.fingerprint: Cure.REVERT})))
        assert wiring.apply(made, patches=Path("patches"), sleep=shop.world.sleep).clean
    after = workflow(shop, finding.fingerprint)
    assert after["Workflow"]["Status"] == "RESOLVED"
    assert made.id in after["Note"]["Text"]
    [resolved] = ssm.describe_ops_items(OpsItemFilters=[])["OpsItemSummaries"]
    assert (resolved["OpsItemId"], resolved["Status"]) == (opened["OpsItemId"], "Resolved")


def test_a_hub_that_is_off_does_not_undo_a_success(shop: Shop) -> None:
    finding = shop.findings["Alarm"]
    with shop.world.wiring() as wiring:
        made = approve(wiring, wiring.plan([finding], wishes(cures={finding.fingerprint: Cure.REVERT})))
        assert wiring.apply(made, patches=Path("patches"), sleep=shop.world.sleep).clean
        said = [one for one in wiring.store.audit_entries(0, 1000) if one.action == "plan.told"]
    assert said and said[0].subject == made.id


def test_remediations_and_exceptions_of_aws_config_are_taken_over(shop: Shop, tmp_path: Path) -> None:
    world = shop.world
    world.record()
    config = world.client("config")
    name = "buckets-keep-versions"
    config.put_config_rule(
        ConfigRule={
            "ConfigRuleName": name,
            "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"},
            "Scope": {"ComplianceResourceTypes": ["AWS::S3::Bucket"]},
        }
    )
    config.put_remediation_configurations(
        RemediationConfigurations=[
            {
                "ConfigRuleName": name,
                "TargetType": "SSM_DOCUMENT",
                "TargetId": "AWS-ConfigureS3BucketVersioning",
                "Parameters": {
                    "AutomationAssumeRole": {"StaticValue": {"Values": [f"arn:aws:iam::{ACCOUNT}:role/fix"]}},
                    "BucketName": {"ResourceValue": {"Value": "RESOURCE_ID"}},
                    "VersioningState": {"StaticValue": {"Values": ["Enabled"]}},
                },
            }
        ]
    )
    ends = world.sandbox.clock.now() + timedelta(days=30)
    keys = [{"ResourceType": "AWS::S3::Bucket", "ResourceId": "archive"}]
    config.put_remediation_exceptions(
        ConfigRuleName=name, ResourceKeys=keys, Message="written once", ExpirationTime=ends
    )

    before = shop.mutations()
    printed = shop.run("remediate", "import", "--waivers")
    assert "1 remediations, 1 exceptions." in printed.stderr
    assert shop.mutations() == before

    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "from-config.yaml").write_text(printed.stdout, encoding="utf-8")
    [remedy] = load_remedies([folder]).remedies
    assert (remedy.answers, remedy.types) == (("S3_BUCKET_VERSIONING_ENABLED",), ("AWS::S3::Bucket",))
    assert remedy.document == "AWS-ConfigureS3BucketVersioning"
    assert remedy.parameters == {"BucketName": {"from": "identifier"}, "VersioningState": "Enabled"}
    assert yaml.safe_load(printed.stdout)["remedies"][0]["id"] == f"config-{name}"

    with world.wiring() as wiring:
        [waiver] = wiring.store.waivers()
    assert (waiver.policy, waiver.resource, waiver.reason) == (
        "S3_BUCKET_VERSIONING_ENABLED", "archive", "written once"
    )  # fmt: skip
    assert abs(waiver.expires_at - ends.astimezone(UTC)) < timedelta(seconds=1)
    assert waiver.expires_at.tzinfo is not None and waiver.created_at is not None
    assert waiver.created_at <= datetime.now(UTC) + timedelta(days=1)
