"""Drift is found exactly where it was caused, and detection behaves as on AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox

CASES = Path(__file__).parents[2] / "cases" / "sandbox"
TEN = (CASES / "ten_types.yaml").read_text(encoding="utf-8")
DRIFTS = yaml.safe_load((CASES / "drifts.yaml").read_text(encoding="utf-8"))


def deploy(sandbox: Sandbox) -> tuple[Any, Any, dict[str, str]]:
    session = sandbox.session()
    cfn = session.client("cloudformation")
    tags = [{"Key": "team", "Value": "sre"}]
    cfn.create_stack(StackName="ten", TemplateBody=TEN, Capabilities=["CAPABILITY_IAM"], Tags=tags)
    rows = cfn.describe_stack_resources(StackName="ten")["StackResources"]
    return session, cfn, {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in rows}


def detect(cfn: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    identity = cfn.detect_stack_drift(StackName="ten")["StackDriftDetectionId"]
    assert len(identity) == 36
    outcome = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=identity)
    return outcome, cfn.describe_stack_resource_drifts(StackName="ten")["StackResourceDrifts"]


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {k: filled(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v, names) for v in value]
    if isinstance(value, str) and value.startswith("{") and value[1:-1] in names:
        return names[value[1:-1]]
    return value


@pytest.mark.parametrize("case", DRIFTS, ids=lambda c: c["does"])
def test_drift_appears_where_it_is_caused_and_nowhere_else(sandbox: Sandbox, case: dict[str, Any]) -> None:
    session, cfn, names = deploy(sandbox)
    outcome, _ = detect(cfn)
    assert outcome["StackDriftStatus"] == "IN_SYNC"
    for call in case["calls"]:
        getattr(session.client(call["service"]), call["call"])(**filled(call["with"], names))
    outcome, drifts = detect(cfn)
    expected = case["expect"]
    assert outcome["DriftedStackResourceCount"] == len(expected)
    assert outcome["StackDriftStatus"] == ("DRIFTED" if expected else "IN_SYNC")
    for drift in drifts:
        wanted = expected.get(drift["LogicalResourceId"], [])
        if wanted == "DELETED":
            assert drift["StackResourceDriftStatus"] == "DELETED"
            continue
        found = [
            [d["PropertyPath"], d["DifferenceType"], d["ExpectedValue"], d["ActualValue"]]
            for d in drift.get("PropertyDifferences", [])
        ]
        assert [f[: len(w)] for f, w in zip(found, wanted, strict=True)] == wanted, drift["LogicalResourceId"]


def test_write_only_properties_are_not_compared_or_shown(sandbox: Sandbox) -> None:
    _, cfn, _ = deploy(sandbox)
    _, drifts = detect(cfn)
    (function,) = [d for d in drifts if d["LogicalResourceId"] == "Function"]
    assert "Code" not in json.loads(function["ExpectedProperties"])
    assert set(json.loads(function["ActualProperties"])) == set(json.loads(function["ExpectedProperties"]))


def test_detection_takes_its_time_and_one_runs_at_once(sandbox: Sandbox) -> None:
    session, cfn, names = deploy(sandbox)
    sandbox.clock.freeze()
    sandbox.timing["drift"] = 90
    identity = cfn.detect_stack_drift(StackName="ten")["StackDriftDetectionId"]
    running = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=identity)
    assert running["DetectionStatus"] == "DETECTION_IN_PROGRESS"
    assert "DriftedStackResourceCount" not in running
    with pytest.raises(ClientError):
        cfn.detect_stack_drift(StackName="ten")
    session.client("sqs").delete_queue(QueueUrl=names["Queue"])
    sandbox.clock.advance(91)
    done = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=identity)
    assert (done["DetectionStatus"], done["DriftedStackResourceCount"]) == ("DETECTION_COMPLETE", 1)


def test_a_partial_failure_tells_in_json_what_failed(sandbox: Sandbox) -> None:
    _, cfn, _ = deploy(sandbox)
    sandbox.faults.add("failed_detection", resources=["Queue", "Topic"])
    outcome, drifts = detect(cfn)
    assert outcome["DetectionStatus"] == "DETECTION_FAILED"
    reason = json.loads(outcome["DetectionStatusReason"])
    assert {f["Resource"]: f["FailureReason"] for f in reason["Failures"]} == {
        "Queue": "Rate exceeded",
        "Topic": "Rate exceeded",
    }
    assert not {"Queue", "Topic"} & {d["LogicalResourceId"] for d in drifts}


def test_a_stuck_detection_stays_in_progress(sandbox: Sandbox) -> None:
    _, cfn, _ = deploy(sandbox)
    sandbox.faults.add("stuck_detection", times=1)
    identity = cfn.detect_stack_drift(StackName="ten")["StackDriftDetectionId"]
    sandbox.clock.advance(86400)
    outcome = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=identity)
    assert outcome["DetectionStatus"] == "DETECTION_IN_PROGRESS"


def test_a_resource_that_cannot_be_read_is_unknown(sandbox: Sandbox) -> None:
    _, cfn, _ = deploy(sandbox)
    sandbox.faults.add("unreadable", service="sns", code="AuthorizationError", message="not allowed")
    outcome, drifts = detect(cfn)
    (topic,) = [d for d in drifts if d["LogicalResourceId"] == "Topic"]
    assert topic["StackResourceDriftStatus"] == "UNKNOWN"
    assert outcome["DetectionStatus"] == "DETECTION_FAILED"


def test_a_revert_drift_change_set_shows_and_undoes_the_drift(sandbox: Sandbox) -> None:
    session, cfn, names = deploy(sandbox)
    session.client("sqs").set_queue_attributes(
        QueueUrl=names["Queue"], Attributes={"VisibilityTimeout": "99"}
    )
    session.client("logs").delete_log_group(logGroupName=names["LogGroup"])
    arguments = {"StackName": "ten", "ChangeSetName": "back"}
    cfn.create_change_set(
        **arguments, UsePreviousTemplate=True, Capabilities=["CAPABILITY_IAM"], DeploymentMode="REVERT_DRIFT"
    )
    plan = cfn.describe_change_set(**arguments, IncludePropertyValues=True)
    assert (plan["StackDriftStatus"], plan["DeploymentMode"]) == ("DRIFTED", "REVERT_DRIFT")
    changes = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"] for c in plan["Changes"]}
    assert set(changes) == {"Queue", "LogGroup"}
    target = changes["Queue"]["Details"][0]["Target"]
    assert (target["BeforeValue"], target["AfterValue"]) == ("99", "60")
    assert (target["BeforeValueFrom"], target["AfterValueFrom"]) == ("ACTUAL_STATE", "TEMPLATE")
    assert (target["Drift"]["PreviousValue"], target["Drift"]["ActualValue"]) == ("60", "99")
    cfn.execute_change_set(**arguments)
    outcome, _ = detect(cfn)
    assert outcome["StackDriftStatus"] == "IN_SYNC"


def test_an_ordinary_change_set_tells_cause_and_replacement(sandbox: Sandbox) -> None:
    _, cfn, _ = deploy(sandbox)
    arguments = {"StackName": "ten", "ChangeSetName": "plan", "Capabilities": ["CAPABILITY_IAM"]}
    tags = [{"Key": "team", "Value": "sre"}]
    moved = TEN.replace("10.0.0.0/16", "10.9.0.0/16")
    dev = [{"ParameterKey": "Stage", "ParameterValue": "dev"}]
    cfn.create_change_set(**arguments, TemplateBody=moved, Parameters=dev, Tags=tags)
    plan = cfn.describe_change_set(StackName="ten", ChangeSetName="plan")
    changes = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"] for c in plan["Changes"]}
    assert changes["Vpc"]["Replacement"] == "True"
    assert changes["Subnet"]["Replacement"] == "Conditional"
    detail = changes["LogGroup"]["Details"][0]
    assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ParameterReference", "Stage")
    cfn.create_change_set(
        StackName="ten",
        ChangeSetName="none",
        UsePreviousTemplate=True,
        Tags=tags,
        Capabilities=["CAPABILITY_IAM"],
    )
    nothing = cfn.describe_change_set(StackName="ten", ChangeSetName="none")
    assert nothing["Status"] == "FAILED"
    assert nothing["StatusReason"].startswith("The submitted information didn't contain changes.")
