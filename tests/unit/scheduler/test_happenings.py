from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from driftguard.aws import Aws
from driftguard.errors import InputError
from driftguard.history import open_store
from driftguard.model.schedule import EVENTS
from driftguard.service.scheduler.events import Listener, slot_of
from driftguard.service.scheduler.happenings import Happening, parse
from driftguard.settings import Settings
from driftguard.settings.scope import AwsSettings, ScopeSettings
from tests.fake_aws import ACCOUNT, FakeAws

PLACE = {"account": ACCOUNT, "region": "us-east-1"}


def envelope(kind: str, detail: dict[str, Any]) -> str:
    return json.dumps({"version": "0", "detail-type": kind, **PLACE, "detail": detail})


def call(service: str, name: str, **more: Any) -> str:
    return envelope(
        "AWS API Call via CloudTrail",
        {"eventSource": f"{service}.amazonaws.com", "eventName": name, "awsRegion": "us-east-1", **more},
    )


ITEM = {
    "configurationItem": {
        "resourceType": "AWS::S3::Bucket",
        "resourceId": "b",
        "awsAccountId": ACCOUNT,
        "awsRegion": "us-east-1",
    }
}
STACK = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/shop/1"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (envelope("Config Configuration Item Change", ITEM), "AWS::S3::Bucket"),
        (json.dumps({"messageType": "ConfigurationItemChangeNotification", **ITEM}), "AWS::S3::Bucket"),
        (
            json.dumps({"Type": "Notification", "Message": json.dumps({"messageType": "ConfigurationItemChangeNotification", **ITEM})}),
            "AWS::S3::Bucket",
        ),
        (envelope("CloudFormation Stack Status Change", {"stack-id": STACK, "status-details": {"status": "UPDATE_COMPLETE"}}), "shop"),
        (envelope("CloudFormation Stack Status Change", {"stack-id": STACK, "status-details": {"status": "UPDATE_IN_PROGRESS"}}), None),
        (call("ec2", "AuthorizeSecurityGroupIngress"), "AWS::EC2::SecurityGroup"),
        (call("ec2", "DescribeSecurityGroups"), None),
        (call("ec2", "AuthorizeSecurityGroupIngress", errorCode="Client.UnauthorizedOperation"), None),
        (call("s3", "PutBucketPolicy"), "AWS::S3::Bucket"),
        (call("s3", "PutBucketPolicy", readOnly=True), None),
        (call("iam", "AttachRolePolicy"), "AWS::IAM::Role"),
        (call("iam", "CreatePolicyVersion"), "AWS::IAM::ManagedPolicy"),
        (call("nobody", "DoSomething"), None),
        (envelope("Scheduled Event", {}), None),
    ],
)  # fmt: skip
def test_what_a_message_tells(body: str, what: str | None) -> None:
    found = parse(body)
    assert (found and (found.stack or found.type)) == what
    assert found is None or (found.account, found.region) == (ACCOUNT, "us-east-1")


@pytest.mark.parametrize("body", ["", "no json", "[]", "{}", '{"detail-type": "x", "detail": 1}'])
def test_what_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(InputError):
        parse(body)


def test_a_burst_is_one_slot_and_every_event_precedes_it() -> None:
    start = datetime(2026, 11, 21, 2, 0, 0, tzinfo=UTC)
    group = Happening(
        account=ACCOUNT, region="us-east-1", source="cloudtrail", type="AWS::EC2::SecurityGroup"
    )
    moments = [start + timedelta(seconds=n) for n in range(10)]
    slots = [slot_of(group, moment, 10, "m") for moment in moments]
    assert len({slot.key for slot in slots}) == 1
    assert all(slot.due_at > moment for slot, moment in zip(slots, moments, strict=True))
    assert slot_of(group, start + timedelta(seconds=10), 10, "m").key not in {slot.key for slot in slots}


def test_the_queue_becomes_slots_and_unreadable_messages_stay(tmp_path: Any) -> None:
    url = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/events"
    other = envelope(
        "Config Configuration Item Change",
        {"configurationItem": ITEM["configurationItem"] | {"awsAccountId": "999999999999"}},
    )
    bodies = [
        call("ec2", "AuthorizeSecurityGroupIngress"),
        call("ec2", "RevokeSecurityGroupIngress"),
        "junk",
        other,
    ]
    messages = [
        {"MessageId": f"m{n}", "ReceiptHandle": f"h{n}", "Body": body} for n, body in enumerate(bodies)
    ]
    fake = (
        FakeAws()
        .on("ReceiveMessage", {"Messages": messages}, {})
        .on("DeleteMessageBatch", {"Successful": [], "Failed": []})
    )
    settings = Settings.model_validate({"service": {"events": {"queue_url": url, "wait_seconds": 0}}})
    now = datetime(2026, 11, 21, 2, tzinfo=UTC)
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    aws = Aws(AwsSettings(), ScopeSettings(regions=("us-east-1",)), session_factory=fake.session)
    woken: list[bool] = []
    services = SimpleNamespace(settings=settings, store=store, aws=aws, clock=lambda: now)
    listener = Listener(services, lambda: woken.append(True))  # type: ignore[arg-type]  # no scan here
    assert listener.turn() == 1
    assert woken == [True]
    (slot,) = store.slots(EVENTS)
    assert slot.task["type"] == "AWS::EC2::SecurityGroup"
    deleted = next(parameters for name, parameters in fake.calls if name == "DeleteMessageBatch")
    assert [entry["ReceiptHandle"] for entry in deleted["Entries"]] == ["h0", "h1", "h3"]
    assert listener.counts == {"taken": 2, "elsewhere": 1, "nothing": 0, "unreadable": 1}
    assert (slot.due_at - now).total_seconds() <= 60
    store.close()
