"""Stacks by plain boto3: life, errors as AWS words them, rollback, nesting, transforms, exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.sandbox_fixtures import http_session

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox

CASES = Path(__file__).parents[2] / "cases" / "sandbox"
TEN = (CASES / "ten_types.yaml").read_text(encoding="utf-8")
ERRORS = yaml.safe_load((CASES / "errors.yaml").read_text(encoding="utf-8"))
QUEUE = "Resources: {Q: {Type: 'AWS::SQS::Queue'}}"
AUTO = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


def status(cfn: Any, name: str) -> str:
    return str(cfn.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


@pytest.mark.parametrize("way", ["in process", "over HTTP"])
def test_a_stack_lives_and_dies(sandbox_http: Sandbox, way: str) -> None:
    if way == "in process":
        cfn = sandbox_http.session().client("cloudformation")
    else:
        url = sandbox_http.environment()["AWS_ENDPOINT_URL"]
        cfn = http_session(sandbox_http).client("cloudformation", endpoint_url=url)
    cfn.create_stack(StackName="ten", TemplateBody=TEN, Capabilities=["CAPABILITY_IAM"])
    cfn.get_waiter("stack_create_complete").wait(StackName="ten", WaiterConfig={"Delay": 1})
    stack = cfn.describe_stacks(StackName="ten")["Stacks"][0]
    assert {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]} == {
        "Stage": "prod",
        "Secret": "****",
    }
    assert {o["OutputKey"] for o in stack["Outputs"]} == {"QueueUrl", "VpcId"}
    assert stack["DriftInformation"] == {"StackDriftStatus": "NOT_CHECKED"}
    parameters = [{"ParameterKey": "Stage", "ParameterValue": "dev"}]
    cfn.update_stack(
        StackName="ten", UsePreviousTemplate=True, Parameters=parameters, Capabilities=["CAPABILITY_IAM"]
    )
    assert status(cfn, "ten") == "UPDATE_COMPLETE"
    cfn.delete_stack(StackName="ten")
    assert status(cfn, stack["StackId"]) == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="Stack with id ten does not exist"):
        cfn.describe_stacks(StackName="ten")


@pytest.mark.parametrize("case", ERRORS, ids=lambda c: f"{c['call']}: {c['text'][:50]}")
def test_errors_are_worded_as_aws_words_them(sandbox: Sandbox, case: dict[str, Any]) -> None:
    cfn = sandbox.session().client("cloudformation")
    cfn.create_stack(StackName="there", TemplateBody=QUEUE)
    with pytest.raises(ClientError) as caught:
        getattr(cfn, case["call"])(**case["with"])
    assert caught.value.response["Error"]["Code"] == case["code"]
    assert caught.value.response["Error"]["Message"] == case["text"]


def test_a_type_without_adapter_fails_loudly_and_the_stack_rolls_back(sandbox: Sandbox) -> None:
    session = sandbox.session()
    cfn = session.client("cloudformation")
    body = "Resources: {A: {Type: 'AWS::SQS::Queue'}, B: {Type: 'Custom::Thing', DependsOn: A}}"
    cfn.create_stack(StackName="bad", TemplateBody=body)
    assert status(cfn, "bad") == "ROLLBACK_COMPLETE"
    events = cfn.describe_stack_events(StackName="bad")["StackEvents"]
    failed = next(e for e in events if e["ResourceStatus"] == "CREATE_FAILED")
    assert failed["LogicalResourceId"] == "B"
    assert "Custom::Thing" in failed["ResourceStatusReason"]
    assert "QueueUrls" not in session.client("sqs").list_queues()


def test_a_failed_update_puts_everything_back(sandbox: Sandbox) -> None:
    session = sandbox.session()
    cfn, sqs = session.client("cloudformation"), session.client("sqs")
    cfn.create_stack(StackName="s", TemplateBody=QUEUE)
    body = """
    Resources:
      Q: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5}}
      New: {Type: AWS::SQS::Queue, DependsOn: Q}
      Bad: {Type: Custom::Thing, DependsOn: New}
    """
    cfn.update_stack(StackName="s", TemplateBody=body)
    assert status(cfn, "s") == "UPDATE_ROLLBACK_COMPLETE"
    (url,) = sqs.list_queues()["QueueUrls"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"]
    assert attributes == {"DelaySeconds": "0"}


def test_replacement_creates_before_it_deletes(sandbox: Sandbox) -> None:
    session = sandbox.session()
    cfn, sqs = session.client("cloudformation"), session.client("sqs")
    named = "Resources: {Q: {Type: 'AWS::SQS::Queue', Properties: {QueueName: %s}}}"
    cfn.create_stack(StackName="s", TemplateBody=named % "one")
    cfn.update_stack(StackName="s", TemplateBody=named % "two")
    assert [url.rsplit("/", 1)[1] for url in sqs.list_queues()["QueueUrls"]] == ["two"]


def test_nested_stacks_know_their_parent_and_give_outputs(sandbox: Sandbox) -> None:
    session = sandbox.session()
    cfn, s3 = session.client("cloudformation"), session.client("s3")
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    child = "Resources: {Q: {Type: 'AWS::SQS::Queue'}}\nOutputs: {Url: {Value: !Ref Q}}"
    s3.put_object(Bucket="templates", Key="child.yaml", Body=child.encode())
    body = """
    Resources:
      Child:
        Type: AWS::CloudFormation::Stack
        Properties: {TemplateURL: "https://templates.s3.ap-northeast-2.amazonaws.com/child.yaml"}
      P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !GetAtt Child.Outputs.Url}}
    """
    root = cfn.create_stack(StackName="root", TemplateBody=body)["StackId"]
    (inner,) = [s for s in cfn.describe_stacks()["Stacks"] if s.get("ParentId")]
    assert (inner["ParentId"], inner["RootId"], inner["StackStatus"]) == (root, root, "CREATE_COMPLETE")
    cfn.delete_stack(StackName="root")
    assert cfn.describe_stacks()["Stacks"] == []


def test_transforms_are_processed(sandbox: Sandbox) -> None:
    cfn = sandbox.session().client("cloudformation")
    body = """
    Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
    Resources:
      Fn::ForEach::Queues:
        - Name
        - [a, b]
        - Queue${Name}:
            Type: AWS::SQS::Queue
            Properties: {DelaySeconds: !Length [1, 2]}
      Fn:
        Type: AWS::Serverless::Function
        Properties: {Runtime: python3.12, Handler: index.handler, InlineCode: "def handler(e, c): pass"}
    """
    cfn.create_stack(StackName="sam", TemplateBody=body, Capabilities=AUTO)
    assert status(cfn, "sam") == "CREATE_COMPLETE"
    resources = cfn.describe_stack_resources(StackName="sam")["StackResources"]
    assert {r["LogicalResourceId"] for r in resources} == {"Queuea", "Queueb", "Fn", "FnRole"}
    processed = cfn.get_template(StackName="sam", TemplateStage="Processed")["TemplateBody"]
    assert set(processed["Resources"]) == {"Queuea", "Queueb", "Fn", "FnRole"}


def test_an_export_in_use_is_guarded(sandbox: Sandbox) -> None:
    cfn = sandbox.session().client("cloudformation")
    cfn.create_stack(
        StackName="a", TemplateBody=QUEUE + "\nOutputs: {U: {Value: !Ref Q, Export: {Name: url}}}"
    )
    user = (
        "Resources: {P: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Value: !ImportValue url}}}"
    )
    cfn.create_stack(StackName="b", TemplateBody=user)
    assert cfn.list_imports(ExportName="url")["Imports"] == ["b"]
    with pytest.raises(ClientError, match="Export url cannot be deleted as it is in use by b"):
        cfn.delete_stack(StackName="a")
    cfn.delete_stack(StackName="b")
    cfn.delete_stack(StackName="a")


def test_templates_come_back_in_ascii_and_protection_holds(sandbox: Sandbox) -> None:
    cfn = sandbox.session().client("cloudformation")
    body = f"Description: 배포\n{QUEUE}"
    cfn.create_stack(StackName="k", TemplateBody=body, EnableTerminationProtection=True)
    assert cfn.get_template(StackName="k")["TemplateBody"] == f"Description: ??\n{QUEUE}"
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        cfn.delete_stack(StackName="k")
    cfn.update_termination_protection(StackName="k", EnableTerminationProtection=False)
    cfn.delete_stack(StackName="k")


def test_accounts_and_regions_are_separate(sandbox: Sandbox) -> None:
    for account, region in (("111111111111", "us-east-1"), ("222222222222", "ap-northeast-2")):
        cfn = sandbox.session(account=account, region=region).client("cloudformation")
        assert cfn.describe_stacks()["Stacks"] == []
        cfn.create_stack(StackName="same", TemplateBody=QUEUE)
        assert f":{account}:stack/same/" in cfn.describe_stacks()["Stacks"][0]["StackId"]
