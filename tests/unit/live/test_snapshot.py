"""Every declared resource ends as one resource, one deletion, or a gap that says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from driftguard.aws import Aws, Place
from driftguard.errors import CredentialsError
from driftguard.live import Deletion, ReadOptions, Seen, read_account, read_place
from driftguard.model import DeclaredResource, Gap, GapReason, Resource, Source, Unknown
from driftguard.settings import Settings
from tests.fake_aws import ACCOUNT, FakeAws

REGION = "us-east-1"
GONE = (400, "ResourceNotFoundException", "Resource of type 'AWS::SQS::Queue' was not found.")
DENIED = (
    400,
    "AccessDeniedException",
    "User x is not authorized to perform: sqs:GetQueueAttributes on resource",
)
THROTTLED = (400, "ThrottlingException", "Rate exceeded")


@pytest.fixture
def fake() -> FakeAws:
    return recording(FakeAws())


@pytest.fixture
def place(fake: FakeAws) -> Place:
    made = Settings.model_validate(
        {"aws": {"retry_mode": "standard", "max_attempts": 1, "calls_per_second": 500}}
    )
    return Aws(made.aws, made.scope, session_factory=fake.session).place(ACCOUNT, REGION)


def recording(fake: FakeAws, *, on: bool = True, group: dict[str, Any] | None = None) -> FakeAws:
    for name in (
        "DescribeConfigurationRecorders",
        "DescribeConfigurationRecorderStatus",
        "DescribeDeliveryChannels",
    ):
        fake.answers.pop(name, None)
    recorder = {"name": "default", "recordingGroup": group or {"allSupported": True}}
    fake.on("DescribeConfigurationRecorders", {"ConfigurationRecorders": [recorder]})
    fake.on(
        "DescribeConfigurationRecorderStatus",
        {"ConfigurationRecordersStatus": [{"name": "default", "recording": on}]},
    )
    return fake.on("DescribeDeliveryChannels", {"DeliveryChannels": []})


def row(kind: str, name: str, configuration: dict[str, Any], **more: Any) -> str:
    return json.dumps(
        {
            "resourceType": kind,
            "resourceId": name,
            "awsRegion": REGION,
            "accountId": ACCOUNT,
            "configurationItemStatus": "OK",
            "configuration": configuration,
            "tags": [],
            **more,
        }
    )


def model(kind: str, identifier: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "TypeName": kind,
        "ResourceDescription": {"Identifier": identifier, "Properties": json.dumps(properties)},
    }


def declared(kind: str, identifier: str | None, properties: dict[str, Any] | None = None) -> DeclaredResource:
    return DeclaredResource(
        type=kind,
        logical_id="L",
        properties=properties or {},
        account=ACCOUNT,
        region=REGION,
        identifier=identifier,
        physical_id=identifier,
        stack_name="s",
    )


def group(name: str = "sg-1") -> str:
    return row("AWS::EC2::SecurityGroup", name, {"groupId": name, "groupName": "g", "description": "d"})


def kinds(seen: list[Seen]) -> list[str]:
    return [type(one).__name__ for one in seen]


def test_what_no_stack_declares_comes_from_the_inventory_alone(fake: FakeAws, place: Place) -> None:
    fake.on(
        "SelectResourceConfig",
        {
            "Results": [group(), row("AWS::SQS::Queue", "https://q", {"QueueUrl": "https://q"})],
            "NextToken": "2",
        },
        {"Results": [group("sg-2")]},
    )
    seen = list(read_place(place, []))
    assert kinds(seen) == ["Resource"] * 3
    assert {one.source for one in seen if isinstance(one, Resource)} == {Source.CONFIG}
    assert fake.count("GetResource") == 0


def test_records_about_records_are_no_resources(fake: FakeAws, place: Place) -> None:
    fake.on(
        "SelectResourceConfig", {"Results": [row("AWS::Config::ResourceCompliance", "x", {"a": 1}), group()]}
    )
    assert kinds(list(read_place(place, []))) == ["Resource"]


def test_a_declared_resource_in_the_old_dialect_is_read_with_cloud_control(
    fake: FakeAws, place: Place
) -> None:
    fake.on("SelectResourceConfig", {"Results": [group()]})
    full = {"Id": "sg-1", "GroupDescription": "d", "SecurityGroupIngress": []}
    fake.on("GetResource", model("AWS::EC2::SecurityGroup", "sg-1", full))
    (found,) = read_place(place, [declared("AWS::EC2::SecurityGroup", "sg-1")])
    assert isinstance(found, Resource)
    assert found.source is Source.CLOUD_CONTROL
    assert found.coverage is None
    assert found.properties == full


def test_a_native_item_that_shows_all_that_is_declared_costs_no_call(fake: FakeAws, place: Place) -> None:
    shown = {"QueueUrl": "https://q", "VisibilityTimeout": 30.0}
    fake.on("SelectResourceConfig", {"Results": [row("AWS::SQS::Queue", "https://q", shown)]})
    (found,) = read_place(place, [declared("AWS::SQS::Queue", "https://q", {"VisibilityTimeout": 30})])
    assert isinstance(found, Resource)
    assert found.source is Source.CONFIG
    assert found.properties["VisibilityTimeout"] == 30


def test_what_seems_to_differ_is_read_again_because_items_lag(fake: FakeAws, place: Place) -> None:
    shown = {"QueueUrl": "https://q", "VisibilityTimeout": 30}
    fake.on("SelectResourceConfig", {"Results": [row("AWS::SQS::Queue", "https://q", shown)]})
    fake.on("GetResource", model("AWS::SQS::Queue", "https://q", {**shown, "VisibilityTimeout": 60}))
    (found,) = read_place(place, [declared("AWS::SQS::Queue", "https://q", {"VisibilityTimeout": 60})])
    assert isinstance(found, Resource)
    assert found.properties["VisibilityTimeout"] == 60


def test_tags_beyond_the_declared_ones_are_no_reason_to_ask(fake: FakeAws, place: Place) -> None:
    tags = [{"key": "team", "value": "sre"}, {"key": "aws:cloudformation:stack-name", "value": "s"}]
    item = row("AWS::SQS::Queue", "https://q", {"QueueUrl": "https://q"}, tags=tags)
    fake.on("SelectResourceConfig", {"Results": [item]})
    properties = {"Tags": [{"Key": "team", "Value": "sre"}]}
    (found,) = read_place(place, [declared("AWS::SQS::Queue", "https://q", properties)])
    assert isinstance(found, Resource)
    assert found.source is Source.CONFIG


def test_absence_from_a_native_item_is_asked_of_cloud_control(fake: FakeAws, place: Place) -> None:
    fake.on(
        "SelectResourceConfig", {"Results": [row("AWS::SQS::Queue", "https://q", {"QueueUrl": "https://q"})]}
    )
    fake.on(
        "GetResource", model("AWS::SQS::Queue", "https://q", {"QueueUrl": "https://q", "DelaySeconds": 5})
    )
    (found,) = read_place(place, [declared("AWS::SQS::Queue", "https://q", {"DelaySeconds": 5})])
    assert isinstance(found, Resource)
    assert found.properties["DelaySeconds"] == 5


def test_an_item_under_another_name_is_the_declared_resource(fake: FakeAws, place: Place) -> None:
    """Otherwise one resource would be both missing and unmanaged."""
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
    fake.on("SelectResourceConfig", {"Results": [row("AWS::SNS::Topic", "t", {"TopicName": "t"}, arn=arn)]})
    fake.on("GetResource", model("AWS::SNS::Topic", arn, {"TopicArn": arn}))
    seen = list(read_place(place, [declared("AWS::SNS::Topic", arn)]))
    assert kinds(seen) == ["Resource"]
    assert seen[0].key.identifier == arn  # type: ignore[union-attr]  # a Resource


def test_gone_is_a_deletion_only_when_aws_says_so(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": []})
    fake.on("GetResource", GONE)
    (found,) = read_place(place, [declared("AWS::SQS::Queue", "https://q")])
    assert isinstance(found, Deletion)
    assert found.key.identifier == "https://q"


@pytest.mark.parametrize(
    ("answer", "reason", "action"),
    [
        (DENIED, GapReason.ACCESS_DENIED, "sqs:GetQueueAttributes"),
        (THROTTLED, GapReason.THROTTLED, None),
        ((400, "UnsupportedActionException", "no READ"), GapReason.UNSUPPORTED, None),
        ((400, "TypeNotFoundException", "The type cannot be found"), GapReason.UNSUPPORTED, None),
        ((400, "HandlerInternalFailureException", "internal"), GapReason.UNREADABLE, None),
        ((500, "InternalFailure", "internal"), GapReason.UNREADABLE, None),
    ],
)
def test_any_other_answer_is_a_gap(
    fake: FakeAws, place: Place, answer: Any, reason: GapReason, action: str | None
) -> None:
    fake.on("SelectResourceConfig", {"Results": []})
    fake.on("GetResource", answer)
    (gap,) = read_place(place, [declared("AWS::SQS::Queue", "https://q")])
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.action, gap.identifier, gap.stack) == (reason, action, "https://q", "s")


def test_a_denied_model_leaves_what_the_item_shows_and_a_gap(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": [group()]})
    fake.on("GetResource", DENIED)
    seen = list(read_place(place, [declared("AWS::EC2::SecurityGroup", "sg-1")]))
    assert kinds(seen) == ["Resource", "Gap"]
    assert isinstance(seen[0], Resource)
    assert seen[0].source is Source.CONFIG
    assert seen[0].coverage


def test_an_identifier_that_the_two_sources_give_differently_is_tried_both_ways(
    fake: FakeAws, place: Place
) -> None:
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
    item = row("AWS::SNS::Topic", arn, {"TopicArn": arn}, resourceName="t")
    fake.on("SelectResourceConfig", {"Results": [item]})
    answer: Callable[[dict[str, Any]], Any] = lambda asked: (  # noqa: E731
        model("AWS::SNS::Topic", arn, {"TopicArn": arn}) if asked["Identifier"] == arn else GONE
    )
    fake.on("GetResource", answer)
    assert kinds(list(read_place(place, [declared("AWS::SNS::Topic", "t")]))) == ["Resource"]


def test_half_an_identifier_is_not_asked_for(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": []})
    seen = list(
        read_place(place, [declared("AWS::ApiGateway::Stage", "prod"), declared("AWS::SQS::Queue", None)])
    )
    assert [gap.reason for gap in seen if isinstance(gap, Gap)] == [GapReason.UNRESOLVED] * 2
    assert fake.count("GetResource") == 0


def test_without_cloud_control_the_history_of_aws_config_decides(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": []})
    item = {"resourceType": "AWS::SQS::Queue", "configurationItemStatus": "ResourceDeleted"}
    fake.on(
        "GetResourceConfigHistory",
        lambda asked: (
            {"configurationItems": [{**item, "resourceId": "gone"}]}
            if asked["resourceId"] == "gone"
            else (400, "ResourceNotDiscoveredException", "not discovered")
        ),
    )
    options = ReadOptions(cloud_control=False)
    seen = list(
        read_place(
            place,
            [declared("AWS::SQS::Queue", "gone"), declared("AWS::SQS::Queue", "never")],
            options=options,
        )
    )
    assert sorted(kinds(seen)) == ["Deletion", "Gap"]
    assert next(gap.reason for gap in seen if isinstance(gap, Gap)) is GapReason.NOT_RECORDED


def test_a_type_without_a_schema_is_unsupported(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": []})
    (gap,) = read_place(place, [declared("Custom::Thing", "x")])
    assert isinstance(gap, Gap)
    assert gap.reason is GapReason.UNSUPPORTED


def test_a_type_that_neither_source_knows_is_unsupported(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": []})
    fake.on("GetResourceConfigHistory", (400, "ValidationException", "Value at 'resourceType' failed"))
    (gap,) = read_place(place, [declared("AWS::CDK::Metadata", "x")])
    assert isinstance(gap, Gap)
    assert gap.reason is GapReason.UNSUPPORTED


def test_a_policy_whose_targets_are_not_known_is_not_guessed(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": []})
    properties = {"Queues": [Unknown("not known")], "PolicyDocument": {}}
    (gap,) = read_place(place, [declared("AWS::SQS::QueuePolicy", "x", properties)])
    assert isinstance(gap, Gap)
    assert gap.reason is GapReason.UNRESOLVED


def test_a_stopped_recorder_is_a_gap_and_declared_resources_are_read_all_the_same(
    fake: FakeAws, place: Place
) -> None:
    recording(fake, on=False)
    fake.on("GetResource", model("AWS::SQS::Queue", "https://q", {"QueueUrl": "https://q"}))
    seen = list(read_place(place, [declared("AWS::SQS::Queue", "https://q")]))
    assert kinds(seen) == ["Gap", "Resource"]
    assert isinstance(seen[0], Gap)
    assert seen[0].reason is GapReason.NOT_RECORDED
    assert fake.count("SelectResourceConfig") == 0


def test_types_that_are_not_recorded_are_named(fake: FakeAws, place: Place) -> None:
    group_ = {"allSupported": False, "exclusionByResourceTypes": {"resourceTypes": ["AWS::IAM::Policy"]}}
    recording(fake, group=group_)
    fake.on("SelectResourceConfig", {"Results": []})
    (gap,) = read_place(place, [])
    assert isinstance(gap, Gap)
    assert gap.type == "AWS::IAM::ManagedPolicy"


def test_a_denied_inventory_names_the_action(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", (400, "AccessDeniedException", "no"))
    fake.on("GetDiscoveredResourceCounts", {"resourceCounts": []})
    (gap,) = read_place(place, [])
    assert isinstance(gap, Gap)
    assert gap.action == "config:SelectResourceConfig"


def test_a_query_that_breaks_falls_back_to_reading_type_by_type(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", (400, "InvalidExpressionException", "broken"))
    counts = [{"resourceType": kind, "count": 1} for kind in ("AWS::EC2::SecurityGroup", "AWS::SQS::Queue")]
    fake.on("GetDiscoveredResourceCounts", {"resourceCounts": counts})
    fake.on(
        "ListDiscoveredResources",
        lambda asked: (
            (400, "AccessDeniedException", "no")
            if asked["resourceType"] == "AWS::SQS::Queue"
            else {"resourceIdentifiers": [{"resourceType": asked["resourceType"], "resourceId": "sg-1"}]}
        ),
    )
    fake.on("BatchGetResourceConfig", {"baseConfigurationItems": [json.loads(group())]})
    seen = list(read_place(place, []))
    assert kinds(seen) == ["Resource", "Gap"]
    assert isinstance(seen[1], Gap)
    assert seen[1].type == "AWS::SQS::Queue"


def test_an_endless_list_is_not_silence(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": [group()], "NextToken": "same"})
    fake.on("GetDiscoveredResourceCounts", (400, "AccessDeniedException", "no"))
    seen = list(read_place(place, []))
    assert "Gap" in kinds(seen)


def test_types_out_of_scope_are_not_read(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": [group(), row("AWS::SQS::Queue", "q", {"QueueUrl": "q"})]})
    options = ReadOptions(types=("AWS::SQS::*",))
    (found,) = read_place(place, [declared("AWS::EC2::SecurityGroup", "sg-9")], options=options)
    assert isinstance(found, Resource)
    assert found.type == "AWS::SQS::Queue"


def test_named_types_narrow_the_query(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": []})
    list(read_place(place, [], options=ReadOptions(types=("AWS::SQS::Queue", "AWS::IAM::ManagedPolicy"))))
    asked = next(parameters for name, parameters in fake.calls if name == "SelectResourceConfig")
    assert asked["Expression"].endswith("WHERE resourceType IN ('AWS::IAM::Policy', 'AWS::SQS::Queue')")


def test_an_interruption_stops_the_calls_and_is_a_gap(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": [group(f"sg-{n}") for n in range(50)]})
    fake.on("GetResource", lambda asked: model("AWS::EC2::SecurityGroup", asked["Identifier"], {}))
    seen: list[Seen] = []
    wanted = [declared("AWS::EC2::SecurityGroup", f"sg-{n}") for n in range(50)]
    for one in read_place(
        place, wanted, options=ReadOptions(concurrency=1), cancelled=lambda: len(seen) >= 3
    ):
        seen.append(one)
    assert isinstance(seen[-1], Gap)
    assert seen[-1].reason is GapReason.INTERRUPTED
    assert fake.count("GetResource") < 50


def test_expired_credentials_end_the_reading(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": []})
    fake.on("GetResource", (400, "ExpiredTokenException", "expired"))
    with pytest.raises(CredentialsError):
        list(read_place(place, [declared("AWS::SQS::Queue", "https://q")]))


def test_a_reader_that_stops_early_leaves_nothing_running(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": [group(f"sg-{n}") for n in range(20)]})
    stream = read_place(place, [])
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert fake.count("SelectResourceConfig") == 1


def test_a_fact_of_the_account_that_may_not_be_read_is_not_covered(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftguard.errors import AccessDeniedError
    from driftguard.live import account

    def denied(_: Place) -> None:
        raise AccessDeniedError("no.", action="iam:GetAccountSummary")

    facts = {"AccountSummary": denied, "PasswordPolicy": lambda _: None, "Open": lambda _: {"A": 1}}
    monkeypatch.setattr(account, "FACTS", facts)
    found, gap = read_account(place, facts)
    assert isinstance(found, Resource)
    assert found.properties == {"Open": {"A": 1}, "PasswordPolicy": None}
    assert found.coverage == {"PasswordPolicy", "Open"}
    assert isinstance(gap, Gap)
    assert gap.action == "iam:GetAccountSummary"
