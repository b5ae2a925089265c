from __future__ import annotations

import json

from driftguard.aws import permissions
from driftguard.cli.root import run

# What a read-only policy must never hold: https://docs.aws.amazon.com/service-authorization/
_CHANGES = ("Create", "Delete", "Put", "Update", "Start", "Stop", "Send", "Execute", "Modify", "Publish")


def test_the_read_policy_changes_nothing() -> None:
    for action in permissions.read_actions():
        operation = action.split(":")[1]
        assert not operation.startswith(_CHANGES), action


def test_the_two_policies_do_not_overlap() -> None:
    assert not set(permissions.read_actions()) & set(permissions.remediation_actions())
    assert "ssm:StartAutomationExecution" in permissions.remediation_actions()


def test_the_command_prints_a_policy(capsys) -> None:  # type: ignore[no-untyped-def]  # pytest's fixture
    assert run(["iam-policy"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert [statement["Sid"] for statement in read["Statement"]] == ["DriftguardRead"]
    assert "config:SelectResourceConfig" in read["Statement"][0]["Action"]
    assert run(["iam-policy", "--remediate"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert len(both["Statement"]) == 2


def test_a_policy_for_types_holds_the_reads_of_their_services(capsys) -> None:  # type: ignore[no-untyped-def]
    assert run(["iam-policy", "--type", "AWS::S3::Bucket"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert "s3:GetEncryptionConfiguration" in document["Statement"][1]["Action"]
    assert run(["iam-policy", "--type", "AWS::S3::Buckets"]) == 2


def test_the_reference_page_names_every_action() -> None:
    page = permissions.reference_page()
    for action in (*permissions.read_actions(), *permissions.remediation_actions()):
        assert f"`{action}`" in page
