"""A deployed estate, and one over which the night has passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from driftguard.sandbox import Sandbox
from driftguard.sandbox.core import Context
from driftguard.sandbox.estate import deploy, play
from driftguard.sandbox.estate.plan import estate
from driftguard.sandbox.identity import user
from driftguard.sandbox.types.base import Adapter, adapter_for, load_adapters

MANAGED_BY_THE_ENGINE = "AWS::CloudFormation::Stack"

# Made by AWS itself, or a part of something else that is declared: nobody declares these on their own.
# Default groups, lists and tables come with a network, rules with their security group (inline rules are
# rules too), a target-tracking policy makes its alarms, an Auto Scaling group its instances and their disks.
PARTS = {
    "AWS::EC2::SecurityGroup": lambda shown: shown.get("GroupName") == "default",
    "AWS::EC2::NetworkAcl": lambda shown: "Tags" not in shown,
    "AWS::EC2::RouteTable": lambda shown: "Tags" not in shown,
    "AWS::EC2::SecurityGroupIngress": lambda shown: True,
    "AWS::EC2::SecurityGroupEgress": lambda shown: True,
    "AWS::EC2::Instance": lambda shown: True,
    "AWS::EC2::Volume": lambda shown: True,
    "AWS::CloudWatch::Alarm": lambda shown: shown["AlarmName"].startswith("TargetTracking-"),
    # The recorder is switched on by an API call, as most organizations do it.
    "AWS::Config::ConfigurationRecorder": lambda shown: True,
}


@dataclass
class Pictures:
    """What CloudFormation and the adapters said before and after the night, in one sandbox."""

    sandbox: Sandbox
    before: Mapping[tuple[str, str, str, str], Mapping[str, Any]]
    after: Mapping[tuple[str, str, str, str], Mapping[str, Any]]
    unmanaged_before: set[tuple[str, str]]
    live_before: Mapping[str, Any]
    live_after: Mapping[str, Any]


@pytest.fixture(
    scope="module"
)  # moto's state is one for the process: other modules make sandboxes of their own
def pictures() -> Iterator[Pictures]:
    with Sandbox() as sandbox:
        deploy(sandbox)
        before, live_before = native_drifts(sandbox), undeclared_places(sandbox)
        strangers = unmanaged(sandbox)
        play(sandbox)
        # The closed region is a matter of its own test; here all is looked at.
        denials = list(sandbox.faults.rules)
        sandbox.faults.rules.clear()
        after, live_after = native_drifts(sandbox), undeclared_places(sandbox)
        sandbox.faults.rules.extend(denials)
        yield Pictures(sandbox, before, after, strangers, live_before, live_after)


def native_drifts(sandbox: Sandbox) -> dict[tuple[str, str, str, str], Mapping[str, Any]]:
    """CloudFormation's own verdict on every resource: (account, region, stack path, logical id)."""
    found = {}
    for account in estate().accounts.values():
        for region in estate().regions:
            client = sandbox.session(account=account, region=region).client("cloudformation")
            stacks = {s["StackId"]: s for s in client.describe_stacks()["Stacks"]}
            for stack in stacks.values():
                started = client.detect_stack_drift(StackName=stack["StackName"])
                done = client.describe_stack_drift_detection_status(**started_id(started))
                assert done["DetectionStatus"] == "DETECTION_COMPLETE", done
                answer = client.describe_stack_resource_drifts(StackName=stack["StackName"], MaxResults=100)
                path = stack_path(client, stack, stacks)
                for drift in answer["StackResourceDrifts"]:
                    found[(account, region, path, drift["LogicalResourceId"])] = drift
    return found


def started_id(started: Mapping[str, Any]) -> dict[str, str]:
    return {"StackDriftDetectionId": started["StackDriftDetectionId"]}


def stack_path(client: Any, stack: Mapping[str, Any], stacks: Mapping[str, Mapping[str, Any]]) -> str:
    """``root/Nested`` for a nested stack, the name for any other; stack set instances without their number."""
    parent = stacks.get(stack.get("ParentId", ""))
    if parent is None:
        name = str(stack["StackName"])
        return "StackSet-security-baseline-*" if name.startswith("StackSet-security-baseline-") else name
    resources = client.describe_stack_resources(StackName=parent["StackName"])["StackResources"]
    logical = next(
        r["LogicalResourceId"] for r in resources if r.get("PhysicalResourceId") == stack["StackId"]
    )
    return f"{stack_path(client, parent, stacks)}/{logical}"


def inside(sandbox: Sandbox, account: str, region: str) -> Context:
    return Context(
        world=sandbox.world,
        account=account,
        region=region,
        service="cloudformation",
        operation="DetectStackDrift",
        principal=user(account, "tester"),
    )


def undeclared_places(sandbox: Sandbox) -> dict[str, Any]:
    """The live values of what the night changes without any template declaring it."""
    here = inside(sandbox, estate().account("production"), "ap-northeast-2")
    bucket = adapter_for("AWS::S3::Bucket", here)
    database = adapter_for("AWS::RDS::DBInstance", here)
    assert bucket is not None and database is not None
    shown = bucket.read(f"shop-prod-artifacts-{here.account}")
    instance = database.read("shop-prod")
    assert shown is not None and instance is not None
    return {
        "/AccelerateConfiguration": shown.get("AccelerateConfiguration"),
        "/CopyTagsToSnapshot": instance.get("CopyTagsToSnapshot"),
    }


def unmanaged(sandbox: Sandbox) -> set[tuple[str, str]]:
    """(type, id) of all that lives and no stack declares, without what AWS itself makes."""
    found = set()
    for account in estate().accounts.values():
        for region in estate().regions:
            context = inside(sandbox, account, region)
            client = sandbox.session(account=account, region=region).client("cloudformation")
            declared = set()
            for stack in client.describe_stacks()["Stacks"]:
                for resource in client.describe_stack_resources(StackName=stack["StackName"])[
                    "StackResources"
                ]:
                    declared.add((resource["ResourceType"], resource.get("PhysicalResourceId")))
            for type_name in load_adapters():
                adapter = adapter_for(type_name, context)
                if adapter is None or type_name == MANAGED_BY_THE_ENGINE:
                    continue
                if type_name.startswith("AWS::IAM::") and region != estate().regions[0]:
                    continue
                for id in adapter.list_ids():
                    if (type_name, id) not in declared and not _is_part(adapter, id):
                        found.add((type_name, id))
    return found


def _is_part(adapter: Adapter, id: str) -> bool:
    part = PARTS.get(adapter.type_name)
    return part is not None and bool(part(adapter.read(id) or {}))
