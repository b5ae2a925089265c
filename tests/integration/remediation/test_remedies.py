"""Every remedy that the sandbox can run is run, in one plan: its policy turns COMPLIANT."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.model import (
    Finding,
    FindingKind,
    FindingStatus,
    ResourceKey,
    Severity,
    fingerprint,
    key_region,
)
from driftguard.model.remediation import ActionKind, Cure, Execution, Plan, Step
from driftguard.remediation import Remedies
from driftguard.remediation.away import UNMANAGED
from driftguard.remediation.render import outcome
from driftguard.sandbox import Sandbox
from driftguard.scan.again import Again
from driftguard.wiring import Wiring
from tests.remediation_world import ACCOUNT, REGION, World, approve, wishes

CASES: list[dict[str, Any]] = [
    case
    for path in sorted((Path(__file__).parents[2] / "cases/remediation").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    if case["policy"] != UNMANAGED  # in test_answers.py: it is no policy that turns COMPLIANT
]


@dataclass
class Ran:
    plan: Plan
    remedies: Remedies
    keys: dict[str, ResourceKey]
    before: dict[str, tuple[bool | None, str]]
    executions: dict[str, Execution]
    text: str

    def step(self, case: dict[str, Any]) -> Step:
        key = self.keys[case["remedy"]]
        policy = case["policy"]
        found = [one for one in self.plan.steps if one.key == key and policy in (one.policy, *one.also)]
        assert found, [why for _, why in self.plan.refused if key.identifier in why or case["policy"] in why]
        return found[0]


def put(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: names[match[1]], value)
    if isinstance(value, dict):
        return {key: put(item, names) for key, item in value.items()}
    return [put(item, names) for item in value] if isinstance(value, list) else value


def surroundings(world: World) -> dict[str, str]:
    """What cases refer to."""
    here = {"LocationConstraint": REGION}
    for bucket in ("access-logs", "flow-logs", "trail-files", "lb-logs"):
        world.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
    logging = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::access-logs/*",
            }
        ],
    }
    world.client("s3").put_bucket_policy(Bucket="access-logs", Policy=json.dumps(logging))
    vpc = world.make("AWS::EC2::VPC", {"CidrBlock": "10.77.0.0/16"})
    subnets = [
        world.make(
            "AWS::EC2::Subnet",
            {"VpcId": vpc, "CidrBlock": f"10.77.{number}.0/24", "AvailabilityZone": f"{REGION}{zone}"},
        )
        for number, zone in enumerate("ac")
    ]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    world.make("AWS::IAM::Role", {"RoleName": "worker", "AssumeRolePolicyDocument": trust})
    world.make("AWS::CodeDeploy::Application", {"ApplicationName": "case"})
    balancer = world.make("AWS::ElasticLoadBalancingV2::LoadBalancer", {"Name": "front", "Subnets": subnets})
    targets = world.make(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        {"Name": "behind", "VpcId": vpc, "Protocol": "HTTP", "Port": 80},
    )
    groups = world.client("ec2").describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    world.make("AWS::SNS::Topic", {"TopicName": "alarms"})
    world.make("AWS::SQS::Queue", {"QueueName": "failed"})
    world.make("AWS::Logs::LogGroup", {"LogGroupName": "trail"})
    key = world.client("kms").create_key(Description="for everything")["KeyMetadata"]["Arn"]
    return {
        "key": key,
        "vpc": vpc,
        "subnet": subnets[0],
        "subnet2": subnets[1],
        "role": f"arn:aws:iam::{ACCOUNT}:role/worker",
        "balancer": balancer,
        "targets": targets,
        "default_group": groups[0]["GroupId"],
    }


def inputs(names: dict[str, str]) -> dict[str, str]:
    keys = (
        "BucketKmsKey",
        "TrailKmsKey",
        "TableKmsKey",
        "TopicKmsKey",
        "QueueKmsKey",
        "LogKmsKey",
        "SecretKmsKey",
    )
    return {
        **dict.fromkeys((*keys, "BuildKmsKey"), names["key"]),
        "AccessLogBucket": "access-logs",
        "FlowLogBucket": "flow-logs",
        "LoadBalancerLogBucket": "lb-logs",
        "TrailLogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail:*",
        "TrailLogRole": names["role"],
        "RdsMonitoringRole": names["role"],
        "LambdaDeadLetterArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:failed",
        "LambdaReservedConcurrency": "5",
        "AlarmTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    limits = {"max_per_run": 500, "max_per_account": 500, "max_per_type": 500, "max_percent_of_type": 100}
    with Sandbox() as sandbox:
        folder = tmp_path_factory.mktemp("remedies")
        world = World(sandbox, folder)
        names = surroundings(world)
        world = World(
            sandbox,
            folder,
            policies=tuple(sorted({case["policy"] for case in CASES})),
            **limits,
            allow_deletes=True,
            max_errors=500,
            concurrency=40,
            inputs=inputs(names),
        )
        world.set_up()
        world.record()
        keys = {case["remedy"]: key(world, case, names) for case in CASES}
        world.sleep(60)
        with world.wiring() as wiring:
            again = Again(wiring.job(trigger="test"), {ACCOUNT})
            before = {
                case["remedy"]: again.judge(
                    step_of(keys[case["remedy"]], case["policy"]), again.read(keys[case["remedy"]])
                )
                for case in CASES
            }
            findings = [
                fault(wiring, keys[case["remedy"]], case)
                for case in CASES
                if before[case["remedy"]][0] is False
            ]
            plan = approve(wiring, wiring.plan(findings, wishes(rollout="AllAtOnce")))
            result = world.runner(wiring, plan).run()
            executions = {one.step: one for one in result.executions}
            yield Ran(plan, wiring.remedies, keys, before, executions, outcome(plan, result.executions))


def fault(wiring: Wiring, key: ResourceKey, case: dict[str, Any]) -> Finding:
    """The finding of a case."""
    now = wiring.clock()
    return Finding(
        fingerprint=fingerprint(FindingKind.COMPLIANCE, key, case["policy"]),
        kind=FindingKind.COMPLIANCE,
        key=key,
        subject=case["policy"],
        severity=Severity.MEDIUM,
        title=case["policy"],
        status=FindingStatus.NEW,
        first_seen=now,
        last_seen=now,
    )


def step_of(key: ResourceKey, policy: str) -> Step:
    return Step(
        id="", finding="", title="", key=key, severity=Severity.LOW, cure=Cure.FIX,
        action=ActionKind.SSM_AUTOMATION, target="", policy=policy,
    )  # fmt: skip


def key(world: World, case: dict[str, Any], names: dict[str, str]) -> ResourceKey:
    """Make what a case is about, and do to it what somebody did by hand."""
    kind, here = case["type"], dict(names)
    for name, need in case.get("needs", {}).items():
        here[name] = world.make(need["type"], put(need["properties"], here))
    if kind == "AWS::::Account":
        identifier = ACCOUNT
    elif "existing" in case:
        identifier = put(case["existing"], here)
    else:
        identifier = world.make(kind, put(case["properties"], here))
    for call in case.get("calls", ()):
        service, operation = call["call"].split(":")
        getattr(world.client(service), operation)(**put(call["with"], {**here, "id": identifier}))
    region = case.get("region") or key_region(kind, REGION)
    return ResourceKey(account=ACCOUNT, region=region, type=kind, identifier=identifier)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["remedy"])
def test_the_policy_turns_compliant(ran: Ran, case: dict[str, Any]) -> None:
    fixed, said = ran.before[case["remedy"]]
    assert fixed is False, f"it is not at fault before: {said}"
    remedy = next(one for one in ran.remedies.remedies if one.id == case["remedy"])
    step = ran.step(case)
    assert step.target == remedy.document
    execution = ran.executions[step.id]
    assert execution.status == "VERIFIED", execution.detail
    gone = "The resource does not exist any more, as planned."
    assert f"{case['policy']} is COMPLIANT" in execution.detail or (step.deletes and execution.detail == gone)


def test_nothing_is_unaccounted_for(ran: Ran) -> None:
    assert set(ran.executions) == {step.id for step in ran.plan.steps}, ran.text
