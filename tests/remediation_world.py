"""A small world for remediation: an account of the sandbox with our documents and roles, and driftguard on it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from driftguard.model import Finding, FindingKind, ResourceKey
from driftguard.model.remediation import Approval, Plan
from driftguard.remediation import Wishes
from driftguard.remediation.runner import Runner
from driftguard.remediation.setup import template
from driftguard.sandbox import Sandbox
from driftguard.scan import scan
from driftguard.settings import Settings
from driftguard.wiring import Wiring

ACCOUNT, REGION = "111111111111", "ap-northeast-2"


class World:
    """One sandbox and one store."""

    def __init__(
        self, sandbox: Sandbox, folder: Path, *, policies: tuple[str, ...] = (), **remediation: Any
    ) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.settings = Settings.model_validate(
            {
                "scope": {"regions": [REGION]},
                "store": {"url": f"sqlite:///{folder / 'driftguard.db'}"},
                "scan": {"native_drift": False},
                "policies": {"include": list(policies)} if policies else {"frameworks": ["*"]},
                "aws": {"calls_per_second": 500, "max_attempts": 1},
                "remediation": {"starts_per_second": 10, **remediation},
            }
        )

    def client(self, service: str) -> Any:
        return self.sandbox.session(account=ACCOUNT, region=REGION, principal="admin").client(service)

    def set_up(self) -> None:
        """Deploy the stack that `remediate setup` prints, and switch AWS Config on."""
        with self.wiring() as wiring:
            body = template(wiring.remedies, self.settings.remediation)
        self.client("cloudformation").create_stack(
            StackName="driftguard-remediation",
            TemplateBody=body,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": "DriftguardPrincipal", "ParameterValue": f"arn:aws:iam::{ACCOUNT}:root"}
            ],
        )

    def record(self) -> None:
        """Switch AWS Config on, so that what no stack declares is seen."""
        self.client("s3").create_bucket(
            Bucket="config-delivery", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        config = self.client("config")
        group = {"allSupported": True, "includeGlobalResourceTypes": True}
        role = f"arn:aws:iam::{ACCOUNT}:role/config"
        config.put_configuration_recorder(
            ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": group}
        )
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config-delivery"})
        config.start_configuration_recorder(ConfigurationRecorderName="default")

    def make(self, type_name: str, properties: dict[str, Any]) -> str:
        """Make a resource with Cloud Control; answers its identifier."""
        client = self.client("cloudcontrol")
        event = client.create_resource(TypeName=type_name, DesiredState=json.dumps(properties))[
            "ProgressEvent"
        ]
        while event["OperationStatus"] in ("PENDING", "IN_PROGRESS"):
            self.sleep(1)
            event = client.get_resource_request_status(RequestToken=event["RequestToken"])["ProgressEvent"]
        assert event["OperationStatus"] == "SUCCESS", (type_name, event.get("StatusMessage"))
        return str(event["Identifier"])

    def wiring(self) -> Wiring:
        return Wiring(
            self.settings,
            session_factory=lambda: self.sandbox.session(
                account=ACCOUNT, region=REGION, principal="driftguard"
            ),
            clock=self.sandbox.clock.now,
        )

    def sleep(self, seconds: float) -> None:
        """Time passes in the sandbox, and a moment of ours, in which its automations work."""
        self.sandbox.clock.advance(seconds)
        time.sleep(0.02)

    def findings(self, wiring: Wiring, *policies: str) -> list[Finding]:
        report = scan(wiring.job(trigger="test"))
        return [
            one
            for one in report.findings
            if one.open and (one.subject in policies if policies else one.kind is not FindingKind.COMPLIANCE)
        ]

    def runner(self, wiring: Wiring, plan: Plan) -> Runner:
        return wiring.runner(plan, patches=self.folder / "patches", sleep=self.sleep)


def approve(wiring: Wiring, plan: Plan, who: str = "kim") -> Plan:
    """Store and approve a plan."""
    wiring.store.put_plan(plan)
    wiring.store.approve_plan(
        plan.id, Approval(approver=who, at=wiring.clock(), reason="agreed in the review", digest=plan.digest)
    )
    found = wiring.store.plan(plan.id)
    assert found is not None
    return found


@contextmanager
def world(sandbox: Sandbox, folder: Path, **remediation: Any) -> Iterator[World]:
    """A world that is ready."""
    made = World(sandbox, folder, **remediation)
    made.set_up()
    yield made


def wishes(**given: Any) -> Wishes:
    return Wishes(author="lee", **given)


def key_of(type_name: str, identifier: str) -> ResourceKey:
    return ResourceKey(account=ACCOUNT, region=REGION, type=type_name, identifier=identifier)
