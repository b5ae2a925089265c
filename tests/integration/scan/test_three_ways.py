"""A stack, its template in a repository, and hands on the console: what a scan and `explain` say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from driftguard.cli.root import run
from driftguard.model import Drift, DriftStatus, Report
from driftguard.scan import scan
from driftguard.settings import Settings
from driftguard.wiring import Wiring

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox

REGION = "us-east-1"
RESOURCES: dict[str, Any] = {
    "Plain": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "plain"}},
    "Guarded": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "guarded"}},
    "Policy": {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "Guarded"},
            "PolicyDocument": {
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": "arn:aws:s3:::guarded/*",
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ]
            },
        },
    },
    "Slow": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "slow", "VisibilityTimeout": 60}},
    "Adopted": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "adopted", "DelaySeconds": 5}},
    "Behind": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "behind", "DelaySeconds": 5}},
}


@pytest.fixture
def deployed(sandbox: Sandbox) -> Sandbox:
    session = sandbox.session(region=REGION)
    session.client("cloudformation").create_stack(
        StackName="app", TemplateBody=json.dumps({"Resources": RESOURCES})
    )
    return sandbox


def by_hand(sandbox: Sandbox) -> None:
    session = sandbox.session(region=REGION)
    queues = session.client("sqs")
    for name, attributes in (("slow", {"VisibilityTimeout": "30"}), ("adopted", {"DelaySeconds": "9"})):
        url = queues.get_queue_url(QueueName=name)["QueueUrl"]
        queues.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    document = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::plain/*",
            }
        ]
    }
    session.client("s3").put_bucket_policy(Bucket="plain", Policy=json.dumps(document))


def repository(folder: Path) -> Path:
    changed = json.loads(json.dumps(RESOURCES))
    changed["Adopted"]["Properties"]["DelaySeconds"] = 9
    changed["Behind"]["Properties"]["DelaySeconds"] = 7
    changed["New"] = {"Type": "AWS::SNS::Topic"}
    (folder / "iac").mkdir()
    (folder / "iac" / "app.yaml").write_text(yaml.safe_dump({"Resources": changed}))
    (folder / "iac" / "lost.yaml").write_text(yaml.safe_dump({"Resources": RESOURCES}))
    (folder / "iac" / "broken.yaml").write_text("Resources:\n  A: {Type: 'AWS::SNS::Topic'\n")
    return folder / "iac"


def settings(folder: Path, **scanning: Any) -> dict[str, Any]:
    return {
        "aws": {"retry_mode": "standard", "max_attempts": 2, "calls_per_second": 500},
        "scope": {"regions": [REGION], "complete": True},
        "scan": {"native_drift": False, **scanning},
        "store": {"url": f"sqlite:///{folder / 'store.db'}"},
    }


def scanned(sandbox: Sandbox, given: Mapping[str, Any]) -> Report:
    with Wiring(
        Settings.model_validate(given),
        session_factory=lambda: sandbox.session(region=REGION),
        clock=sandbox.clock.now,
    ) as wiring:
        return scan(wiring.job(trigger="test"))


def drifts(report: Report) -> dict[str, Drift]:
    return {drift.logical_id: drift for drift in report.drifts if drift.stack == "app"}


def test_a_folder_of_templates_says_which_two_differ(deployed: Sandbox, tmp_path: Path) -> None:
    folder = repository(tmp_path)
    by_hand(deployed)
    report = scanned(deployed, settings(tmp_path, declared=str(folder)))
    assert {row.logical_id: row.verdict.value for row in report.three_way} == {
        "Plain": "DRIFTED",
        "Slow": "DRIFTED",
        "Adopted": "ADOPTED",
        "Behind": "NOT_DEPLOYED",
        "New": "ONLY_IN_REPOSITORY",
    }
    behind = next(row for row in report.three_way if row.logical_id == "Behind")
    assert [(one.path, one.expected, one.actual) for one in behind.undeployed] == [("/DelaySeconds", 7, 5)]
    assert [Path(file).name for file in report.unmatched_templates] == ["lost.yaml"]
    assert any("broken.yaml" in gap.detail for gap in report.gaps)


def test_a_policy_put_on_a_bucket_by_hand_is_drift_of_the_bucket(deployed: Sandbox, tmp_path: Path) -> None:
    before = drifts(scanned(deployed, settings(tmp_path)))
    assert {name: drift.status for name, drift in before.items()} == dict.fromkeys(
        RESOURCES, DriftStatus.IN_SYNC
    )
    by_hand(deployed)
    report = scanned(deployed, settings(tmp_path))
    plain = drifts(report)["Plain"]
    assert [(one.path, one.type.value) for one in plain.differences] == [("/(AWS::S3::BucketPolicy)", "ADD")]
    assert plain.drifted
    assert drifts(report)["Guarded"].status is DriftStatus.IN_SYNC
    assert not [drift for drift in report.drifts if drift.status is DriftStatus.UNMANAGED]


def test_children_are_not_judged_where_not_all_was_read(deployed: Sandbox, tmp_path: Path) -> None:
    by_hand(deployed)
    given = settings(tmp_path)
    given["scope"]["complete"] = False
    assert drifts(scanned(deployed, given))["Plain"].status is DriftStatus.IN_SYNC


def test_explain_reads_again_and_names_the_rules(
    sandbox_http: Sandbox,
    deployed: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = settings(tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(given))
    for name, value in sandbox_http.environment(region=REGION).items():
        monkeypatch.setenv(name, value)
    by_hand(deployed)
    scanned(deployed, given)

    def explained(name: str) -> dict[str, Any]:
        assert run(["--config", str(file), "explain", name, "--all", "--output", "json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    slow = explained("Slow")
    rows = {row["path"]: row for row in slow["properties"]}
    assert slow["status"] == slow["status_at_last_scan"] == "MODIFIED"
    timeout = rows["/VisibilityTimeout"]
    assert (timeout["verdict"], timeout["expected"], timeout["actual"]) == ("DIFFERENT", 60, 30)
    assert rows["/QueueName"]["verdict"] == "EQUAL"

    sandbox_http.session(region=REGION).client("sqs").delete_queue(
        QueueUrl=sandbox_http.session(region=REGION)
        .client("sqs")
        .get_queue_url(QueueName="behind")["QueueUrl"]
    )
    gone = explained("Behind")
    assert (gone["status"], gone["status_at_last_scan"]) == ("DELETED", "IN_SYNC")
    assert "gone" in gone["message"]

    assert run(["--config", str(file), "explain", "Nobody"]) == 2
    assert "no resource is known" in capsys.readouterr().err
    assert run(["--config", str(file), "explain", "Slow"]) == 0
    assert "VisibilityTimeout" in capsys.readouterr().out


def test_explain_says_what_could_not_be_read(
    sandbox_http: Sandbox,
    deployed: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A failure to read is no fact about the template."""
    given = settings(tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(given))
    for name, value in sandbox_http.environment(region=REGION).items():
        monkeypatch.setenv(name, value)
    scanned(deployed, given)

    def explained() -> dict[str, Any]:
        assert run(["--config", str(file), "explain", "Slow", "--output", "json"]) == 2
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert (found["status"], found["status_at_last_scan"]) == ("NOT_CHECKED", "IN_SYNC")
        return found

    sandbox_http.faults.add("deny", service="cloudformation")
    assert "cloudformation:" in explained()["message"]
    assert run(["--config", str(file), "explain", "Slow"]) == 2
    told = capsys.readouterr().out
    assert "NOT_CHECKED" in told and "The last scan said IN_SYNC." in told
    sandbox_http.faults.clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert run(["--config", str(file), "explain", "Slow"]) == 2
    told += capsys.readouterr().out
    assert "does not declare" not in told
