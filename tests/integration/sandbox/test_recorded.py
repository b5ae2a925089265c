"""Drift answers recorded on AWS, replayed: the same differences, path and type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from driftguard.sandbox import schemas
from driftguard.sandbox.cfn.differences import compare
from driftguard.sandbox.core import Context
from driftguard.sandbox.identity import user
from driftguard.sandbox.types.base import ADAPTERS, adapter_for, load_adapters
from tests.shared_data import SHARED, shared

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox


def recorded() -> list[tuple[str, dict[str, Any]]]:
    """Every recorded StackResourceDrift with both property sets, wherever it stands in the shared data."""
    folder = SHARED / "data" / "cfn-drift"
    found = []
    for path in sorted(folder.rglob("*.json")) if folder.exists() else ():
        for number, drift in enumerate(_drifts(json.loads(path.read_text(encoding="utf-8")))):
            found.append((f"{path.stem}-{number}", drift))
    return found


def _drifts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "ExpectedProperties" in value and "ActualProperties" in value and "ResourceType" in value:
            yield value
        for item in value.values():
            yield from _drifts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _drifts(item)


RECORDED = recorded()


def as_data(value: Any) -> dict[str, Any]:
    data = json.loads(value) if isinstance(value, str) else value
    assert isinstance(data, dict)
    return data


def key(difference: dict[str, str]) -> tuple[str, str]:
    return difference["PropertyPath"], difference["DifferenceType"]


def whole(difference: dict[str, str]) -> tuple[str, str, str, str]:
    return (*key(difference), difference["ExpectedValue"], difference["ActualValue"])


def test_the_recordings_are_here() -> None:
    shared("data", "cfn-drift")
    assert RECORDED


@pytest.mark.parametrize(("name", "drift"), RECORDED, ids=[name for name, _ in RECORDED])
def test_differences_are_those_that_aws_found(name: str, drift: dict[str, Any]) -> None:
    type_name = drift["ResourceType"]
    load_adapters()
    adapter, schema = ADAPTERS.get(type_name), schemas.schema_of(type_name)
    found = compare(
        as_data(drift["ExpectedProperties"]),
        as_data(drift["ActualProperties"]),
        schema.root if schema else None,
        adapter.unordered if adapter else ("Tags",),
    )
    # In one recording a removal stands before a change; what rules AWS's order is not known.
    assert sorted(map(whole, found)) == sorted(map(whole, drift.get("PropertyDifferences", [])))


LIVE = [(name, d) for name, d in RECORDED if d["ResourceType"] in load_adapters()]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
MORE = {"AWS::Lambda::Function": {"Code": {"ZipFile": "def handler(event, context): pass"}}}
"""What a type needs to be created and CloudFormation never shows: write-only properties."""


@pytest.mark.parametrize(("name", "drift"), LIVE, ids=[name for name, _ in LIVE])
def test_a_recorded_change_made_again_is_found_again(
    sandbox: Sandbox, name: str, drift: dict[str, Any]
) -> None:
    # The account that the recording names becomes one of ours, with every ARN.
    foreign = drift["StackId"].split(":")[4]
    drift = json.loads(json.dumps(drift).replace(foreign, sandbox.accounts[0]))
    type_name, region = drift["ResourceType"], drift["StackId"].split(":")[3]
    expected, actual = as_data(drift["ExpectedProperties"]), as_data(drift["ActualProperties"])
    more = MORE.get(type_name, {})
    body = {"Resources": {"R": {"Type": type_name, "Properties": {**expected, **more}}}}
    cfn = sandbox.session(region=region).client("cloudformation")
    for role in set(re.findall(r":role/([\w-]+)", json.dumps(expected))):
        sandbox.session(region=region).client("iam").create_role(
            RoleName=role, AssumeRolePolicyDocument=TRUST
        )
    capabilities = ["CAPABILITY_NAMED_IAM"]
    cfn.create_stack(StackName="s", TemplateBody=json.dumps(body), Capabilities=capabilities)
    resource = cfn.describe_stack_resource(StackName="s", LogicalResourceId="R")["StackResourceDetail"]
    context = Context(
        world=sandbox.world,
        account=sandbox.accounts[0],
        region=region,
        service="test",
        operation="",
        principal=user(sandbox.accounts[0], "somebody"),
    )
    adapter = adapter_for(type_name, context)
    assert adapter is not None
    adapter.update(resource["PhysicalResourceId"], {**expected, **more}, {**actual, **more})
    found = cfn.detect_stack_resource_drift(StackName="s", LogicalResourceId="R")["StackResourceDrift"]
    assert found["StackResourceDriftStatus"] == drift["StackResourceDriftStatus"]
    assert sorted(map(key, found["PropertyDifferences"])) == sorted(map(key, drift["PropertyDifferences"]))
    assert set(as_data(found["ExpectedProperties"])) == set(expected)


def test_the_words_of_recorded_errors_are_ours(sandbox: Sandbox) -> None:
    """Every "does not exist" message in LocalStack's recordings is one that the sandbox can say."""
    folder = shared("data", "cfn-drift", "localstack")
    texts = set()
    for path in folder.rglob("*.snapshot.json"):
        texts |= {m for m in _messages(json.loads(path.read_text(encoding="utf-8"))) if "stack-name" in m}
    assert texts
    cfn = sandbox.session().client("cloudformation")
    cfn.create_stack(StackName="there", TemplateBody="Resources: {Q: {Type: 'AWS::SQS::Queue'}}")
    said = set()
    calls: list[tuple[str, dict[str, str]]] = [
        ("describe_stacks", {"StackName": "NAME"}),
        ("describe_stack_events", {"StackName": "NAME"}),
    ]
    for call, arguments in calls:
        try:
            getattr(cfn, call)(**arguments)
        except cfn.exceptions.ClientError as error:
            said.add(error.response["Error"]["Message"])
    missing = {t.replace("<stack-name:1>", "NAME").replace("<stack-name>", "NAME") for t in texts}
    assert said <= missing


def _messages(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("Message"), str):
            yield value["Message"]
        for item in value.values():
            yield from _messages(item)
    elif isinstance(value, list):
        for item in value:
            yield from _messages(item)
