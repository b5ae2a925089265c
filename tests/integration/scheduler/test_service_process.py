"""`driftguard worker` as a process of its own: an event out of SQS becomes a finding with a name and an SNS message."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import yaml

from driftguard.history import open_store
from driftguard.history.port import Query
from driftguard.model import FindingStatus
from driftguard.sandbox import Sandbox
from tests.integration.scheduler.test_event_to_finding import TEMPLATE
from tests.scanning import REGION, run, start, variables

_FOUND_SECONDS, _TOLD_SECONDS = 60, 90


def test_an_event_is_a_finding_and_a_message(sandbox_http: Sandbox, tmp_path: Path) -> None:
    session = sandbox_http.session(region=REGION)
    client = lambda name: session.client(name, region_name=REGION)  # noqa: E731
    client("cloudformation").create_stack(StackName="shop", TemplateBody=json.dumps(TEMPLATE))
    group = client("cloudformation").describe_stack_resource(StackName="shop", LogicalResourceId="Door")
    topic = client("sns").create_topic(Name="drift")["TopicArn"]
    events, inbox = (client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("events", "inbox"))
    arn = client("sqs").get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    settings = {
        "scope": {"regions": [REGION]},
        "scan": {"native_drift": False, "unmanaged": False},
        "store": {"url": f"sqlite:///{tmp_path}/s.db"},
        "service": {
            "schedules": [{"id": "night", "cron": "0 2 * * *"}],
            "events": {"queue_url": events, "region": REGION, "settle_seconds": 1, "wait_seconds": 1},
            "lease": {"reconcile_seconds": 1},
        },
        "notify": {
            "channels": [{"name": "ops", "kind": "sns", "target": topic}],
            "routes": [{"channels": ["ops"], "kinds": ["DRIFT"]}],
        },
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    environment, config = variables(sandbox_http), ("--config", "config.yaml")
    code, _, err = run(tmp_path, environment, *config, "scan", "--output", "json")
    assert code in (0, 1), err  # 1: policies find something in the network of the template
    store = open_store(settings["store"]["url"])  # type: ignore[index]
    with start(tmp_path, environment, *config, "worker") as process:
        try:
            kim = sandbox_http.session(region=REGION, principal="kim").client("ec2", region_name=REGION)
            opened = {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
            kim.authorize_security_group_ingress(
                GroupId=group["StackResourceDetail"]["PhysicalResourceId"], IpPermissions=[opened]
            )
            client("sqs").send_message(
                QueueUrl=events, MessageBody=json.dumps(event_of(client("cloudtrail")))
            )
            began = time.monotonic()
            drift = Query(kinds=("DRIFT",), statuses=("OPEN",))
            while not (found := store.findings(drift).items):
                assert time.monotonic() - began < _FOUND_SECONDS, process.poll()
                time.sleep(0.2)
            assert found[0].logical_id == "Door"
            assert found[0].changed_by is not None and found[0].changed_by.principal.endswith("user/kim")
            while not (messages := client("sqs").receive_message(QueueUrl=inbox).get("Messages")):
                assert time.monotonic() - began < _TOLD_SECONDS, store.deliveries()
                time.sleep(0.2)
            text = json.loads(messages[0]["Body"])["Message"]
            assert "Door" in text and "user/kim" in text
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    assert process.returncode == 0
    (told,) = store.findings(drift).items
    assert told.status is FindingStatus.NOTIFIED
    store.close()


def event_of(trail: Any) -> dict[str, Any]:
    """The newest call of kim, as EventBridge puts it into the queue."""
    record = next(
        json.loads(one["CloudTrailEvent"])
        for one in trail.lookup_events()["Events"]
        if one["Username"] == "kim"
    )
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "account": record["recipientAccountId"],
        "region": record["awsRegion"],
        "detail": record,
    }
