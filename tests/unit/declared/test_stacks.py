"""Deployed stacks: read once, declared twice, honest about what could not be told."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from driftguard.declared.deployment import Deployment, read
from driftguard.declared.stacks import declare, declare_source, live_attribute, stack_set_parameters
from driftguard.declared.template import load_template
from driftguard.errors import AccessDeniedError, AwsError, GoneError, ThrottledError
from driftguard.model import GapReason, Partial, Resource, Source, Unknown

ACCOUNT, REGION = "123456789012", "eu-west-1"
ARN = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack"

TEMPLATE = """\
Parameters:
  Secret: {Type: String, NoEcho: true}
  Image: {Type: "AWS::SSM::Parameter::Value<String>"}
Conditions:
  Loud: !Equals [!Ref Secret, x]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Metadata: {"driftguard:": {ignore: [/Tags]}, "aws:cdk:path": App/Bucket}
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: "?? of ${x} - what?"
      KmsMasterKeyId: !GetAtt Key.Arn
      TopicName: !Ref Image
      Zone: !Select [0, !GetAZs ""]
      Import: !ImportValue shared
      Plain: "{{resolve:ssm:/plain:3}}"
      Child: !GetAtt Nested.Outputs.Url
      Secret: !Ref Secret
  Key: {Type: AWS::KMS::Key}
  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: "https://x"}}
  Role: {Type: AWS::IAM::Role, Condition: Loud}
  Quiet: {Type: AWS::IAM::Role, Condition: Loud2}
  Lost: {Type: AWS::SQS::Queue}
"""


def _stack(name: str, status: str = "UPDATE_COMPLETE", **more: Any) -> dict[str, Any]:
    return {"StackId": f"{ARN}/{name}/1", "StackName": name, "StackStatus": status, **more}


def _listed(**ids: str) -> list[dict[str, Any]]:
    return [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": value,
            "ResourceType": "T",
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for name, value in ids.items()
    ]


class FakeAws:
    """CloudFormation, EC2 and SSM as far as a deployment is read from them."""

    def __init__(self) -> None:
        child = _stack(
            "child",
            ParentId=f"{ARN}/app/1",
            RootId=f"{ARN}/app/1",
            Outputs=[{"OutputKey": "Url", "OutputValue": "u"}],
        )
        parent = _stack(
            "app",
            Parameters=[
                {"ParameterKey": "Secret", "ParameterValue": "****"},
                {"ParameterKey": "Image", "ParameterValue": "/image", "ResolvedValue": "ami-1"},
            ],
            Tags=[{"Key": "team", "Value": "a"}],
            NotificationARNs=[],
        )
        self.described = [
            child,
            parent,
            _stack("moving", "UPDATE_IN_PROGRESS"),
            _stack("stuck", "UPDATE_ROLLBACK_FAILED"),
            _stack("gone", "ROLLBACK_COMPLETE"),
        ]
        self.listed: dict[str, list[dict[str, Any]]] = {
            f"{ARN}/app/1": _listed(
                Bucket="b-1",
                Topic="arn:aws:sns:x",
                Key="k-1",
                Nested=f"{ARN}/child/1",
                Role="r-1",
                Ghost="g-1",
            ),
            f"{ARN}/child/1": [],
            f"{ARN}/moving/1": _listed(Topic="arn:aws:sns:moving"),
            f"{ARN}/stuck/1": [],
        }
        self.templates: dict[str, Any] = {f"{ARN}/app/1": TEMPLATE, f"{ARN}/child/1": {"Resources": {}}}
        self.fails: dict[str, Exception] = {}

    def _check(self, name: str) -> None:
        if name in self.fails:
            raise self.fails[name]

    def stacks(self, name: str | None = None) -> Iterator[dict[str, Any]]:
        self._check("stacks")
        yield from self.described

    def resources(self, stack_id: str) -> Iterator[dict[str, Any]]:
        self._check("resources")
        yield from self.listed[stack_id]

    def template(self, stack_id: str, stage: str = "Processed") -> Any:
        self._check("template")
        assert stage == "Processed"
        return self.templates[stack_id]

    def exports(self) -> Iterator[dict[str, Any]]:
        self._check("exports")
        yield {"Name": "shared", "Value": "vpc-1"}

    def availability_zones(self) -> tuple[str, ...]:
        self._check("availability_zones")
        return ("eu-west-1a", "eu-west-1b")

    def parameter(self, name: str, version: int | None = None) -> str | None:
        self._check("parameter")
        return "plain" if (name, version) == ("/plain", 3) else None


def _read(aws: FakeAws, names: Sequence[str] = ()) -> Deployment:
    return read(aws, account=ACCOUNT, region=REGION, names=names, zones=aws, parameters=aws)


def test_a_deployed_stack_is_resolved_with_all_that_aws_says_of_it() -> None:
    declared = declare(_read(FakeAws()))
    found = {item.logical_id: item for item in declared.resources}
    topic = found["Topic"].properties
    assert topic["TopicName"] == "ami-1"
    assert topic["Zone"] == "eu-west-1a"
    assert topic["Import"] == "vpc-1"
    assert topic["Plain"] == "plain"
    assert topic["Child"] == "u"
    assert topic["Secret"] == Unknown("the parameter Secret is NoEcho")
    assert isinstance(topic["KmsMasterKeyId"], Unknown)
    assert found["Topic"].stack_tags == {"team": "a"}
    assert (found["Bucket"].identifier, found["Bucket"].physical_id) == ("b-1", "b-1")
    assert found["Bucket"].construct_path == "App/Bucket"
    assert found["Bucket"].metadata["driftguard:"] == {"ignore": ["/Tags"]}
    assert found["Role"].key is not None
    assert found["Role"].key.region == "global"


def test_what_was_masked_is_a_hole_of_characters_outside_ascii() -> None:
    found = {item.logical_id: item for item in declare(_read(FakeAws())).resources}
    name = found["Topic"].properties["DisplayName"]
    assert isinstance(name, Partial)
    assert name.matches("한글 of ${x} - what?")
    assert name.matches("?? of ${x} - what?")
    assert not name.matches("ab of ${x} - what?"), "a change to plain letters is a change"
    assert not name.matches("한글 of ${x} - why?")


def test_the_source_recovers_what_was_masked() -> None:
    source = load_template(TEMPLATE.replace("?? of", "한글 of"))
    found = {item.logical_id: item for item in declare(_read(FakeAws()), sources={"app": source}).resources}
    name = found["Topic"].properties["DisplayName"]
    assert isinstance(name, Partial), "the question mark at the end may be a real one"
    assert name.matches("한글 of ${x} - what?")
    assert not name.matches("없음 of ${x} - what?")


def test_attributes_come_from_live_state_on_the_second_pass() -> None:
    deployment = _read(FakeAws())
    first = declare(deployment).resources
    key = next(item.key for item in first if item.logical_id == "Key")
    assert key is not None
    live = {
        key: Resource(
            key=key, properties={"Arn": "arn:aws:kms:k-1", "Deep": {"Er": 1}}, source=Source.CLOUD_CONTROL
        )
    }
    attribute = live_attribute(first, live)
    second = {item.logical_id: item for item in declare(deployment, attribute=attribute).resources}
    assert second["Topic"].properties["KmsMasterKeyId"] == "arn:aws:kms:k-1"
    assert attribute(f"{ARN}/app/1", "Key", "Deep.Er") == 1
    assert isinstance(attribute(f"{ARN}/app/1", "Key", "Nope"), Unknown)
    assert isinstance(attribute(f"{ARN}/app/1", "Topic", "Arn"), Unknown)


def test_nothing_is_silently_left_out() -> None:
    declared = declare(_read(FakeAws()))
    assert {(gap.stack, gap.reason) for gap in declared.gaps} == {
        ("moving", GapReason.IN_PROGRESS),
        ("stuck", GapReason.UNRESOLVED),
        ("app", GapReason.UNRESOLVED),
    }
    details = {gap.detail for gap in declared.gaps if gap.stack == "app"}
    assert details == {
        "Ghost: the template does not show how it is declared",
        "Lost: CloudFormation does not list it",
    }
    assert {state.name: state.status for state in declared.stacks} == {
        "app": "UPDATE_COMPLETE", "child": "UPDATE_COMPLETE", "moving": "UPDATE_IN_PROGRESS", "stuck": "UPDATE_ROLLBACK_FAILED",
    }  # fmt: skip
    assert next(state for state in declared.stacks if state.name == "child").parent_id == f"{ARN}/app/1"


def test_what_stacks_hold_is_known_in_any_state() -> None:
    declared = declare(_read(FakeAws()))
    assert {"b-1", "arn:aws:sns:moving"} <= {physical_id for _, physical_id in declared.held}
    assert not declared.unlisted
    aws = FakeAws()
    aws.fails["template"] = ThrottledError("slow")
    held = declare(_read(aws))
    assert held.held == declared.held and not held.unlisted
    aws.fails["resources"] = ThrottledError("slow")
    assert declare(_read(aws)).unlisted


def test_naming_a_stack_takes_its_nested_ones_along() -> None:
    assert [stack.name for stack in _read(FakeAws(), ["app"]).stacks] == ["app", "child"]
    assert [stack.name for stack in _read(FakeAws(), ["m*"]).stacks] == ["moving"]


@pytest.mark.parametrize(
    ("call", "error", "reason", "action"),
    [
        (
            "stacks",
            AccessDeniedError("no", action="cloudformation:DescribeStacks"),
            GapReason.ACCESS_DENIED,
            "cloudformation:DescribeStacks",
        ),
        (
            "template",
            ThrottledError("slow", action="cloudformation:GetTemplate"),
            GapReason.THROTTLED,
            None,
        ),
        ("resources", GoneError("gone"), GapReason.IN_PROGRESS, None),
        (
            "exports",
            AwsError("odd", action="cloudformation:ListExports"),
            GapReason.UNREADABLE,
            None,
        ),
        ("availability_zones", AccessDeniedError("no", action="ec2:X"), GapReason.ACCESS_DENIED, "ec2:X"),
        (
            "parameter",
            AccessDeniedError("no", action="ssm:GetParameter"),
            GapReason.ACCESS_DENIED,
            "ssm:GetParameter",
        ),
    ],
)
def test_what_aws_refuses_is_a_gap_and_the_rest_goes_on(
    call: str, error: Exception, reason: GapReason, action: str | None
) -> None:
    aws = FakeAws()
    aws.fails[call] = error
    deployment = _read(aws)
    assert (reason, action) in {(gap.reason, gap.action) for gap in deployment.gaps}
    declared = declare(deployment)
    assert all(gap in declared.gaps for gap in deployment.gaps)
    if call in ("exports", "availability_zones", "parameter"):
        topic = next(item for item in declared.resources if item.logical_id == "Topic")
        assert any(isinstance(value, Unknown) for value in topic.properties.values())


def test_a_template_that_cannot_be_resolved_is_a_gap() -> None:
    aws = FakeAws()
    aws.templates[f"{ARN}/app/1"] = "Resources: [1]\n"
    declared = declare(_read(aws))
    assert any(
        "its template cannot be resolved" in gap.detail and gap.stack == "app" for gap in declared.gaps
    )


def test_the_overrides_of_a_stack_set_instance_win() -> None:
    given = {
        "Parameters": [
            {"ParameterKey": "A", "ParameterValue": "1"},
            {"ParameterKey": "B", "ParameterValue": "2"},
        ]
    }
    override = {"ParameterOverrides": [{"ParameterKey": "B", "ParameterValue": "3"}]}
    assert stack_set_parameters(given, override) == {"A": "1", "B": "3"}
    assert stack_set_parameters(given) == {"A": "1", "B": "2"}


def test_a_repository_template_is_resolved_in_the_place_of_the_stack() -> None:
    source = load_template(
        TEMPLATE.replace("TopicName: !Ref Image", "TopicName: changed").replace("?? of", "한글 of")
    )
    found = {item.logical_id: item for item in declare_source(_read(FakeAws()), "app", source)}
    topic = found["Topic"]
    assert topic.properties["TopicName"] == "changed"
    assert topic.properties["DisplayName"] == "한글 of ${x} - what?"
    assert topic.properties["Import"] == "vpc-1"
    assert topic.physical_id == "arn:aws:sns:x"
    assert found["Lost"].physical_id is None
    assert declare_source(_read(FakeAws()), "nobody", source) == ()


def test_a_deployed_value_is_not_checked_against_the_parameters_rules() -> None:
    aws = FakeAws()
    rule = 'Image: {Type: String, AllowedPattern: "[가-힣]+"}'
    aws.templates[f"{ARN}/app/1"] = TEMPLATE.replace(
        'Image: {Type: "AWS::SSM::Parameter::Value<String>"}', rule
    )
    topic = next(item for item in declare(_read(aws)).resources if item.logical_id == "Topic")
    assert topic.properties["TopicName"] == "/image"


def test_a_processed_template_that_still_names_its_macros_is_not_run_again() -> None:
    aws = FakeAws()
    aws.templates[f"{ARN}/app/1"] = "Transform: [Mine, AWS::Serverless-2016-10-31]\n" + TEMPLATE
    found = {item.logical_id: item for item in declare(_read(aws)).resources}
    assert found["Topic"].properties["TopicName"] == "ami-1"


def test_what_is_encoded_or_compared_is_not_told_by_its_mask() -> None:
    aws = FakeAws()
    aws.templates[f"{ARN}/app/1"] = """\
Parameters: {Name: {Type: String}}
Conditions: {Same: !Equals [!Ref Name, "??"], Other: !Equals [!Ref Name, "ab?"]}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: !If [Same, 1, 2]
      TopicName: !If [Other, 1, 2]
      UserData: !Base64 "#!/bin/sh -- ?? --"
      Plain: !Base64 plain
"""
    aws.described[1]["Parameters"] = [{"ParameterKey": "Name", "ParameterValue": "??"}]
    topic = next(item for item in declare(_read(aws)).resources if item.logical_id == "Topic").properties
    assert isinstance(topic["DisplayName"], Unknown), "two masked texts may be different ones"
    assert topic["TopicName"] == 2
    assert topic["Plain"] == "cGxhaW4="
    data = topic["UserData"]
    assert isinstance(data, Partial)
    assert data.matches(base64.b64encode("#!/bin/sh -- 한글 --".encode()).decode())
    assert not data.matches(base64.b64encode(b"#!/bin/bash -- ?? --").decode())


def test_the_holes_of_a_document_in_a_text_do_not_hang_on_its_whitespace() -> None:
    aws = FakeAws()
    body = {
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"D": '{"a": "b?", "c": [1]}', "E": "[?]"}}
        }
    }
    aws.templates[f"{ARN}/app/1"] = body
    topic = next(item for item in declare(_read(aws)).resources if item.logical_id == "Topic").properties
    assert topic["D"]["c"] == [1]
    assert topic["D"]["a"].matches("b한")
    assert isinstance(topic["E"], Partial), "no document, just text"
