"""Baselines and Terraform: declared state that no stack holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from driftguard.cli.root import run
from driftguard.model import Report
from driftguard.scan import scan
from driftguard.settings import Settings
from driftguard.wiring import Wiring

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox

REGION = "us-east-1"


def given(folder: Path, **scanning: Any) -> dict[str, Any]:
    return {
        "aws": {"retry_mode": "standard", "max_attempts": 2, "calls_per_second": 500},
        "scope": {"regions": [REGION]},
        "scan": {"native_drift": False, **scanning},
        "store": {"url": f"sqlite:///{folder / 'store.db'}"},
    }


def scanned(sandbox: Sandbox, settings: dict[str, Any]) -> Report:
    with Wiring(
        Settings.model_validate(settings),
        session_factory=lambda: sandbox.session(region=REGION),
        clock=sandbox.clock.now,
    ) as wiring:
        return scan(wiring.job(trigger="test"))


@pytest.fixture
def estate(sandbox: Sandbox) -> Sandbox:
    """Two queues that nobody declares, seen by AWS Config."""
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
    for name in ("legacy", "other"):
        session.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})
    return sandbox


def command(folder: Path, settings: dict[str, Any], *arguments: str) -> int:
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(settings))
    return run(["--config", str(file), *arguments])


def test_a_recorded_state_is_compared_from_then_on(
    estate: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, file = given(tmp_path), tmp_path / "baselines" / "legacy.yaml"
    scanned(estate, settings)
    why = ("--owner", "team@example.com", "--reason", "before the migration", "--out", str(file))
    assert command(tmp_path, settings, "baseline", "record", "legacy", *why) == 0
    assert "1 resources are recorded" in capsys.readouterr().out
    assert command(tmp_path, settings, "baseline", "record", *why) == 2

    settings = given(tmp_path, baselines=[str(file)])
    quiet = [drift for drift in scanned(estate, settings).drifts if drift.stack == "baseline"]
    assert [(drift.status.value, drift.differences) for drift in quiet] == [("IN_SYNC", ())]

    queues = estate.session(region=REGION).client("sqs")
    url = queues.get_queue_url(QueueName="legacy")["QueueUrl"]
    queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
    (changed,) = [drift for drift in scanned(estate, settings).drifts if drift.stack == "baseline"]
    assert [(one.path, one.expected, one.actual) for one in changed.differences] == [
        ("/VisibilityTimeout", 60, 30)
    ]


def test_a_state_is_sorted_by_what_is_there(
    estate: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = given(tmp_path)
    scanned(estate, settings)
    url = estate.session(region=REGION).client("sqs").get_queue_url(QueueName="legacy")["QueueUrl"]

    def resource(name: str, **attributes: str) -> dict[str, Any]:
        return {
            "mode": "managed",
            "type": "aws_sqs_queue",
            "name": name,
            "provider": "aws",
            "instances": [{"attributes": attributes}],
        }

    state = {
        "version": 4,
        "serial": 1,
        "terraform_version": "1.9.0",
        "resources": [
            resource("legacy", id=url, kms_data_key="k", password="hunter2"),
            resource("never", id="https://sqs.example.com/nowhere"),
            {**resource("odd", id="x"), "type": "random_password"},
        ],
    }
    file = tmp_path / "terraform.tfstate"
    file.write_text(json.dumps(state))
    assert command(tmp_path, settings, "terraform", str(file), "--output", "json") == 0
    printed = capsys.readouterr().out
    found = json.loads(printed)["inventory"]
    assert [one["address"] for one in found["managed"]] == ["aws_sqs_queue.legacy"]
    assert [one["address"] for one in found["not_seen"]] == ["aws_sqs_queue.never"]
    assert [one["address"] for one in found["no_type"]] == ["random_password.odd"]
    assert [key for key in found["unmanaged"] if "AWS::SQS::Queue" in key and "other" in key]
    assert not [key for key in found["unmanaged"] if key.endswith("/legacy")]
    assert "hunter2" not in printed


def test_a_plan_gives_its_drift_and_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arn = f"arn:aws:rds:{REGION}:111111111111:db:orders"
    change = {
        "address": "aws_db_instance.orders",
        "mode": "managed",
        "type": "aws_db_instance",
        "change": {
            "actions": ["update"],
            "before": {"id": "orders", "arn": arn, "backup_retention_period": 7, "password": "old-hunter"},
            "after": {"id": "orders", "arn": arn, "backup_retention_period": 1, "password": "new-hunter"},
            "before_sensitive": {"password": True},
            "after_sensitive": {"password": True},
        },
    }
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"format_version": "1.2", "resource_changes": [], "resource_drift": [change]}))
    settings = given(tmp_path)
    assert command(tmp_path, settings, "terraform", str(file), "--output", "json") == 1
    printed = capsys.readouterr().out
    (drift,) = json.loads(printed)["drifts"]
    paths = {one["PropertyPath"] for one in drift["differences"]}
    assert (drift["account"], drift["status"]) == ("111111111111", "MODIFIED")
    assert "/backup_retention_period" in paths and "hunter" not in printed
    assert command(tmp_path, settings, "terraform", str(file)) == 1
    assert "hunter" not in capsys.readouterr().out
