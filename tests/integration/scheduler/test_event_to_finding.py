"""A security group is opened in the sandbox: an event later it is a finding, and somebody was told."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from driftguard.model.notice import DeliveryState
from driftguard.model.schedule import EVENTS, Slot, SlotState
from driftguard.notify import Tools
from driftguard.notify.http import Answer
from driftguard.sandbox import Sandbox
from driftguard.service.scheduler import run_slot
from driftguard.service.scheduler.events import Listener
from driftguard.service.scheduler.work import Scanner
from driftguard.service.scheduler.worker import Worker
from driftguard.settings import Settings
from driftguard.wiring import Wiring

REGION = "us-east-1"
TEMPLATE = {
    "Resources": {
        "Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Door": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": "door",
                "VpcId": {"Ref": "Net"},
                "SecurityGroupIngress": [
                    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
                ],
            },
        },
    }
}


class Wire:
    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []

    def post(self, url: str, body: bytes, headers: dict[str, str], *, allow_private: bool = False) -> Answer:
        self.posts.append(json.loads(body))
        return Answer(status=200, headers={})


def test_an_opened_security_group_is_told_within_a_minute(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = sandbox.session(region=REGION)
    cloudformation, sqs = (session.client(name, region_name=REGION) for name in ("cloudformation", "sqs"))
    cloudformation.create_stack(StackName="shop", TemplateBody=json.dumps(TEMPLATE))
    group = cloudformation.describe_stack_resource(StackName="shop", LogicalResourceId="Door")
    group_id = group["StackResourceDetail"]["PhysicalResourceId"]
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    account = session.client("sts", region_name=REGION).get_caller_identity()["Account"]
    settings = Settings.model_validate(
        {
            "scope": {"regions": [REGION]},
            "store": {"url": f"sqlite:///{tmp_path}/s.db"},
            "scan": {"native_drift": False, "unmanaged": False},
            "service": {
                "schedules": [{"id": "night", "cron": "0 2 * * *", "units": "place"}],
                "events": {"queue_url": queue, "region": REGION, "settle_seconds": 0, "wait_seconds": 0},
            },
            "notify": {
                "channels": [{"name": "ops", "kind": "webhook", "url_env": "URL", "secret_env": "KEY"}],
                "routes": [{"channels": ["ops"], "kinds": ["DRIFT"]}],
            },
        }
    )
    wire = Wire()
    with Wiring(
        settings, session_factory=lambda: sandbox.session(region=REGION), clock=sandbox.clock.now
    ) as wiring:
        wiring.__dict__["tools"] = Tools(http=wire, environ={"URL": "https://x.example", "KEY": "k"})  # type: ignore[arg-type]
        slot = Slot(schedule="night", key="first", due_at=sandbox.clock.now())
        units = run_slot(wiring, slot, lambda: False)
        assert [(u.state, u.account, u.region, u.error) for u in units] == [
            ("DONE", "", "", ""),
            ("DONE", account, REGION, ""),
        ]
        assert wiring.store.slots("night")[0].state is SlotState.DONE
        assert wire.posts == []

        kim = sandbox.session(region=REGION, principal="kim").client("ec2", region_name=REGION)
        kim.authorize_security_group_ingress(
            GroupId=group_id,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            ],
        )
        trail = session.client("cloudtrail", region_name=REGION)
        record = next(
            json.loads(one["CloudTrailEvent"])
            for one in trail.lookup_events()["Events"]
            if one["EventName"] == "AuthorizeSecurityGroupIngress" and one["Username"] == "kim"
        )
        event = {
            "detail-type": "AWS API Call via CloudTrail",
            "account": account,
            "region": REGION,
            "detail": record,
        }
        # As in AWS, where LookupEvents shows an event minutes after the queue has told of it.
        monkeypatch.setitem(sandbox.timing, "trail_lag", 900.0)
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event))
        began = time.monotonic()
        listener = Listener(wiring, lambda: None)
        assert listener.turn() == 1
        scanner = Scanner(wiring, listener.heard)
        worker = Worker(wiring.store, "w", scanner, settings.service.lease, wiring.clock)
        assert worker.turn()
        assert time.monotonic() - began < 60
        (done,) = wiring.store.slots(EVENTS)
        assert done.state is SlotState.DONE, wiring.store.units(EVENTS, done.key)
        told = [finding for post in wire.posts for finding in post["findings"]]
        assert [(row["transition"], row["logical_id"]) for row in told] == [("new", "Door")]
        assert told[0]["changed_by"].endswith("user/kim")
        assert [one.state for one in wiring.store.deliveries()] == [DeliveryState.SENT]
        # Told once: the same event again says nothing new.
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event))
        listener.turn()
        worker.turn()
        assert len(wire.posts) == 1
