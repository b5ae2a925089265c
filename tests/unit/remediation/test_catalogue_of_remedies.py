"""The shipped remedies as data: where they stand, that each is run for real, and what AWS says of its documents."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import pytest
import yaml

from driftguard.remediation import Remedies, load_remedies
from driftguard.remediation.remedies import Remedy
from driftguard.remediation.setup import automation_actions, template
from driftguard.rules.packaged import packaged_policies
from driftguard.settings.remediation import RemediationSettings
from tests.shared_data import shared

CASES = Path(__file__).parents[2] / "cases/remediation"
MOST_USED = 200
"""The rules that make up 95 % of all uses in AWS's sample packs, rounded."""


@cache
def remedies() -> Remedies:
    return load_remedies([packaged_policies() / "remediations"])


def rows(name: str) -> list[dict[str, str]]:
    with shared("data", "reference", name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def service(type_name: str) -> str:
    return "account" if type_name == "AWS::::Account" else type_name.split("::")[1].lower()


def test_a_remedy_stands_in_the_file_of_its_service_and_so_does_its_case() -> None:
    for remedy in remedies().remedies:
        assert {service(kind) for kind in remedy.types} == {Path(remedy.file).stem}, remedy.id
    for path in CASES.glob("*.yaml"):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            assert service(case["type"]) == path.stem, case["remedy"]


def test_every_remedy_is_run_for_real() -> None:
    run = {
        case["remedy"]
        for path in CASES.glob("*.yaml")
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    }
    assert run == {remedy.id for remedy in remedies().remedies}


def test_every_shipped_document_is_used() -> None:
    # Reverting and making again answer drift, which is not named in a remedy.
    used = {remedy.document for remedy in remedies().remedies}
    assert set(remedies().documents) - used == {"DriftguardRevertResource", "DriftguardMakeResource"}


def test_sixty_of_the_most_used_policies_have_a_remedy() -> None:
    ranked = sorted(rows("managed_rule_frequency.csv"), key=lambda row: -int(row["pack_count"]))
    most_used = {row["identifier"] for row in ranked[:MOST_USED]}
    assert len(most_used & remedies().answered()) >= 60


@pytest.mark.parametrize(
    "remedy",
    [one for one in remedies().remedies if not one.document.startswith("Driftguard")],
    ids=lambda one: one.id,
)
def test_a_document_of_aws_gets_the_parameters_that_aws_documents(remedy: Remedy) -> None:
    # The row of the present name, or the one that says that it was renamed to it.
    [known] = [
        row
        for row in rows("ssm_runbooks_detail.csv")
        if (row["renamed_to"] or row["name"]) == remedy.document
    ]
    required = {name for name in known["required_params"].split(";") if name}
    optional = {name for name in known["optional_params"].split(";") if name}
    given = {*remedy.parameters, "AutomationAssumeRole"}
    assert required <= given
    assert given <= required | optional | {"AutomationAssumeRole"}


def test_what_writes_beside_its_type_names_the_permissions() -> None:
    """An account has no update handler to compute them from, and the automation role would lack them."""
    for remedy in remedies().remedies:
        if service(remedy.types[0]) == "account" or not (remedy.set or remedy.remove or remedy.touches):
            assert remedy.permissions, remedy.id


def test_the_roles_fit_into_the_limits_of_iam() -> None:
    body = yaml.safe_load(template(remedies(), RemediationSettings(), all_types()))
    policies = [one for one in body["Resources"].values() if one["Type"] == "AWS::IAM::ManagedPolicy"]
    assert 0 < len(policies) <= 10
    for one in policies:
        assert len(json.dumps(one["Properties"]["PolicyDocument"], separators=(",", ":"))) <= 6144
    granted = {
        action for one in policies for action in one["Properties"]["PolicyDocument"]["Statement"][0]["Action"]
    }
    assert granted == set(automation_actions(remedies(), all_types()))
    assert {"guardduty:CreateDetector", "s3:PutBucketVersioning", "sqs:SetQueueAttributes"} <= granted


def all_types() -> list[str]:
    """The types of the demo estate, more than a remedy is known for."""
    return ["AWS::SQS::Queue", "AWS::ECS::Service", "AWS::StepFunctions::StateMachine", "AWS::Events::Rule"]
