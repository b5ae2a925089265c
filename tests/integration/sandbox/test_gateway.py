"""The door: both transports, accounts and roles, faults, the trail, what is not simulated."""

from __future__ import annotations

import datetime as dt
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.sandbox_fixtures import http_session

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox

ONCE = Config(retries={"total_max_attempts": 1})
QUEUE = "Resources: {Q: {Type: 'AWS::SQS::Queue'}}"


def code(caught: Any) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("codebuild", "list_fleets", {}),
        ("cloudformation", "list_generated_templates", {}),
        ("ec2", "describe_capacity_block_offerings", {"CapacityDurationHours": 24}),
        ("s3", "list_bucket_metrics_configurations", {"Bucket": "b"}),
        ("lambda", "list_code_signing_configs", {}),
        ("appflow", "list_flows", {}),
    ],
)
def test_what_is_not_simulated_answers_501_by_name(
    sandbox: Sandbox, service: str, call: str, arguments: dict[str, Any]
) -> None:
    client = sandbox.session().client(service, config=ONCE)
    with pytest.raises(ClientError) as caught:
        getattr(client, call)(**arguments)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    operation = client.meta.method_to_api_mapping[call]
    assert f"{service}:{operation}" in sandbox.unknown


def trust(principal: str, external_id: str | None = None) -> str:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
    }
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_role_lets_in_whom_its_policy_names(sandbox: Sandbox) -> None:
    sts = sandbox.session(principal="kim").client("sts")
    iam = sandbox.session(account="222222222222").client("iam")
    iam.create_role(
        RoleName="reader", AssumeRolePolicyDocument=trust("arn:aws:iam::111111111111:root", "sesame")
    )
    iam.create_role(RoleName="closed", AssumeRolePolicyDocument=trust("arn:aws:iam::999999999999:root"))
    arn = "arn:aws:iam::222222222222:role/"
    name = {"RoleSessionName": "driftguard"}
    for role, more in (
        ("reader", {}),
        ("reader", {"ExternalId": "wrong"}),
        ("closed", {}),
        ("missing", {}),
    ):
        with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole on resource"):
            sts.assume_role(RoleArn=arn + role, **name, **more)
    answer = sts.assume_role(RoleArn=f"{arn}reader", ExternalId="sesame", **name)
    sandbox.serve(0)
    try:
        keys = answer["Credentials"]
        inside = boto3.client(
            "sts",
            endpoint_url=sandbox.environment()["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        who = inside.get_caller_identity()
        assert who["Arn"] == "arn:aws:sts::222222222222:assumed-role/reader/driftguard"
        sandbox.clock.advance(3601)
        with pytest.raises(ClientError) as caught:
            inside.get_caller_identity()
        assert code(caught) == "ExpiredToken"
    finally:
        sandbox.close()


def test_the_organization_has_the_accounts(sandbox: Sandbox) -> None:
    organizations = sandbox.session(region="us-east-1").client("organizations")
    assert [a["Id"] for a in organizations.list_accounts()["Accounts"]] == list(sandbox.accounts)


@pytest.mark.parametrize(
    ("service", "call", "expected", "status"),
    [
        ("cloudformation", "describe_stacks", "Throttling", 400),
        ("ec2", "describe_vpcs", "RequestLimitExceeded", 503),
        ("s3", "list_buckets", "SlowDown", 503),
        ("lambda", "list_functions", "TooManyRequestsException", 429),
        ("ssm", "describe_parameters", "ThrottlingException", 400),
        ("cloudcontrol", "list_resource_requests", "ThrottlingException", 400),
    ],
)
def test_throttling_looks_as_each_service_throttles(
    sandbox: Sandbox, service: str, call: str, expected: str, status: int
) -> None:
    sandbox.faults.add("throttle", service=service, times=1)
    client = sandbox.session().client(service, config=ONCE)
    with pytest.raises(ClientError) as caught:
        getattr(client, call)()
    assert code(caught) == expected
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    getattr(client, call)()


def test_a_retrying_client_gets_through_throttling(sandbox: Sandbox) -> None:
    sandbox.faults.add("throttle", service="cloudformation", operation="DescribeStacks", times=2)
    config = Config(retries={"total_max_attempts": 4, "mode": "standard"})
    answer = sandbox.session().client("cloudformation", config=config).describe_stacks()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2


def test_denial_by_account_region_and_operation(sandbox: Sandbox) -> None:
    sandbox.faults.add("deny", service="sqs", account="222222222222", region="us-east-1", operation="List*")
    sandbox.session(region="us-east-1").client("sqs").list_queues()
    sandbox.session(account="222222222222").client("sqs").list_queues()
    denied = sandbox.session(account="222222222222", region="us-east-1").client("sqs", config=ONCE)
    with pytest.raises(ClientError, match="is not authorized to perform: sqs:ListQueues") as caught:
        denied.list_queues()
    assert code(caught) == "AccessDeniedException"


@pytest.mark.parametrize("way", ["in process", "over HTTP"])
def test_broken_connections(sandbox_http: Sandbox, way: str) -> None:
    config = Config(retries={"total_max_attempts": 1}, read_timeout=1)
    if way == "in process":
        sqs = sandbox_http.session().client("sqs", config=config)
    else:
        url = sandbox_http.environment()["AWS_ENDPOINT_URL"]
        sqs = http_session(sandbox_http).client("sqs", config=config, endpoint_url=url)
    sandbox_http.faults.add("timeout", service="sqs", times=1, seconds=2)
    with pytest.raises(ReadTimeoutError):
        sqs.list_queues()
    sandbox_http.faults.add("reset", service="sqs", times=1)
    with pytest.raises((ConnectionClosedError, ConnectionError)):
        sqs.list_queues()
    sandbox_http.faults.add("http", service="sqs", times=1, status=503)
    with pytest.raises(ClientError) as caught:
        sqs.list_queues()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_empty_and_repeated_pages(sandbox: Sandbox) -> None:
    cfn = sandbox.session().client("cloudformation")
    cfn.create_stack(StackName="s", TemplateBody=QUEUE)
    sandbox.faults.add("empty_pages", operation="DescribeStackEvents", times=2)
    first = cfn.describe_stack_events(StackName="s")
    assert first["StackEvents"] == []
    second = cfn.describe_stack_events(StackName="s", NextToken=first["NextToken"])
    third = cfn.describe_stack_events(StackName="s", NextToken=second["NextToken"])
    assert len(third["StackEvents"]) == 5
    assert "NextToken" not in third
    sandbox.faults.add("repeated_pages", operation="DescribeStackEvents")
    tokens = {
        cfn.describe_stack_events(StackName="s", **more)["NextToken"]
        for more in ({}, {"NextToken": "repeated-page"})
    }
    assert tokens == {"repeated-page"}


def test_the_trail_knows_who_and_through_what(sandbox: Sandbox) -> None:
    sandbox.clock.freeze(dt.datetime(2026, 5, 4, 3, 2, 1, tzinfo=dt.UTC))
    session = sandbox.session(principal="arn:aws:sts::111111111111:assumed-role/Admin/kim")
    session.client("cloudformation").create_stack(StackName="s", TemplateBody=QUEUE)
    sqs = session.client("sqs")
    (url,) = sqs.list_queues()["QueueUrls"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "1"})
    trail = session.client("cloudtrail")
    events = trail.lookup_events(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": url}])
    by_hand, by_stack = (json.loads(e["CloudTrailEvent"]) for e in events["Events"])
    assert (by_hand["eventName"], by_stack["eventName"]) == ("SetQueueAttributes", "CreateQueue")
    assert "invokedBy" not in by_hand["userIdentity"]
    assert by_stack["userIdentity"]["invokedBy"] == "cloudformation.amazonaws.com"
    assert by_stack["sourceIPAddress"] == "cloudformation.amazonaws.com"
    assert by_hand["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "Admin"
    assert by_hand["eventTime"] == "2026-05-04T03:02:01Z"
    assert {e["Username"] for e in events["Events"]} == {"kim"}
    assert not [e for e in trail.lookup_events()["Events"] if e["EventName"].startswith(("List", "Describe"))]


def test_the_trail_has_fifty_a_page_and_one_attribute(sandbox: Sandbox) -> None:
    session = sandbox.session(account="333333333333")
    sqs, trail = session.client("sqs"), session.client("cloudtrail")
    for number in range(60):
        sqs.create_queue(QueueName=f"q{number}")
    names = [{"AttributeKey": "EventName", "AttributeValue": "CreateQueue"}]
    first = trail.lookup_events(LookupAttributes=names)
    assert len(first["Events"]) == 50
    rest = trail.lookup_events(LookupAttributes=names, NextToken=first["NextToken"])
    assert len(rest["Events"]) == 10
    with pytest.raises(ClientError) as caught:
        trail.lookup_events(LookupAttributes=names * 2)
    assert code(caught) == "InvalidLookupAttributesException"


def test_secrets_are_hidden_in_the_trail(sandbox: Sandbox) -> None:
    session = sandbox.session()
    session.client("secretsmanager").create_secret(Name="s", SecretString="very-secret")
    events = session.client("cloudtrail").lookup_events()["Events"]
    assert not [e for e in events if "very-secret" in e["CloudTrailEvent"]]


def test_the_control_endpoint(sandbox_http: Sandbox) -> None:
    base = sandbox_http.environment()["AWS_ENDPOINT_URL"] + "/_sandbox"

    def call(name: str, content: dict[str, Any] | None = None, method: str = "POST") -> Any:
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{base}/{name}", data=data, method=method if data else "GET")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    assert call("help")["accounts"] == list(sandbox_http.accounts)
    (rule,) = call("faults", {"kind": "deny", "service": "sqs"})
    assert call("faults", {"id": rule["id"]}, "DELETE") == []
    before = dt.datetime.fromisoformat(call("clock")["now"])
    after = dt.datetime.fromisoformat(call("clock", {"freeze": True, "advance": 3600})["now"])
    assert after - before > dt.timedelta(minutes=59)
    sandbox_http.session().client("sqs").create_queue(QueueName="q")
    assert [e["EventName"] for e in call("trail") if e["EventName"] == "CreateQueue"] == ["CreateQueue"]
    assert call("reset", {}) == {"reset": True}
    assert not [e for e in call("trail") if e["EventName"] == "CreateQueue"]


def test_nobody_outside_can_pass_for_the_sandbox_itself(sandbox_http: Sandbox) -> None:
    url = sandbox_http.environment()["AWS_ENDPOINT_URL"]
    sts = http_session(sandbox_http).client("sts", endpoint_url=url)
    sts.meta.events.register(
        "before-sign",
        lambda request, **_: request.headers.add_header("x-moto-account-id", "222222222222"),
    )
    assert sts.get_caller_identity()["Account"] == "111111111111"
    sqs = http_session(sandbox_http).client("sqs", endpoint_url=url)
    sqs.meta.events.register(
        "before-sign",
        lambda request, **_: request.headers.add_header("x-moto-account-id", "222222222222"),
    )
    assert (
        ":111111111111:"
        in sqs.get_queue_attributes(
            QueueUrl=sqs.create_queue(QueueName="q")["QueueUrl"], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
    )


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "GET"])
@pytest.mark.parametrize("path", ["/", "/_sandbox/reset"])
def test_a_web_page_gets_nothing(sandbox_http: Sandbox, method: str, path: str) -> None:
    address = sandbox_http.environment()["AWS_ENDPOINT_URL"] + path
    request = urllib.request.Request(address, method=method, headers={"Origin": "https://evil.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 403
    assert "Access-Control-Allow-Origin" not in refused.value.headers
