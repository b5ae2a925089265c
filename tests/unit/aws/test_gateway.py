"""Pages end, retries end, and what is asked is what the decorators say."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from botocore.exceptions import ConnectionClosedError

import driftguard.aws
from driftguard.aws import Place
from driftguard.errors import AccessDeniedError, AwsError, EndpointError, ThrottledError
from tests.fake_aws import FakeAws

ROOM = Path(driftguard.aws.__file__).parent


def test_pages_are_followed_and_rows_decoded(fake: FakeAws, place: Place) -> None:
    fake.on(
        "SelectResourceConfig",
        {"Results": ['{"resourceId": "a"}'], "NextToken": "1"},
        {"Results": [], "NextToken": "2"},
        {"Results": ['{"resourceId": "b"}', '{"resourceId": "c"}']},
    )
    pages = list(place.config.select("SELECT resourceId"))
    assert [[row["resourceId"] for row in page] for page in pages] == [["a"], ["b", "c"]]
    assert [call.get("NextToken") for name, call in fake.calls if name == "SelectResourceConfig"] == [
        None,
        "1",
        "2",
    ]


def test_a_repeated_token_ends_the_list_with_an_error(fake: FakeAws, place: Place) -> None:
    fake.on("SelectResourceConfig", {"Results": ['{"resourceId": "a"}'], "NextToken": "same"})
    pages = place.config.select("SELECT resourceId")
    assert next(pages)
    with pytest.raises(AwsError, match="does not end"):
        list(pages)
    assert fake.count("SelectResourceConfig") == 2


def test_endless_empty_pages_end_with_an_error(
    fake: FakeAws, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftguard.aws.gateway.MAX_EMPTY_PAGES", 5)
    numbers = iter(range(1000))
    fake.on("GetResourceConfigHistory", lambda _: {"configurationItems": [], "nextToken": str(next(numbers))})
    with pytest.raises(AwsError, match="only empty pages"):
        list(place.config.history("AWS::S3::Bucket", "b"))
    assert fake.count("GetResourceConfigHistory") == 6


def test_throttling_is_retried_within_the_budget(fake: FakeAws, place: Place) -> None:
    fake.on(
        "ListDiscoveredResources", (400, "ThrottlingException", "Rate exceeded"), {"resourceIdentifiers": []}
    )
    assert list(place.config.discovered("AWS::S3::Bucket")) == []
    assert fake.count("ListDiscoveredResources") == 2


def test_throttling_beyond_the_budget_says_so(fake: FakeAws, place: Place) -> None:
    fake.on("ListDiscoveredResources", (400, "ThrottlingException", "Rate exceeded"))
    with pytest.raises(ThrottledError, match="after all attempts"):
        list(place.config.discovered("AWS::S3::Bucket"))
    assert fake.count("ListDiscoveredResources") == 2


def test_a_denial_is_not_retried(fake: FakeAws, place: Place) -> None:
    fake.on("DescribeConfigurationRecorders", (400, "AccessDeniedException", "no"))
    with pytest.raises(AccessDeniedError) as caught:
        place.config.recorder_status()
    assert caught.value.action == "config:DescribeConfigurationRecorders"
    assert fake.count("DescribeConfigurationRecorders") == 1


def test_a_cut_connection_is_retried_and_then_an_endpoint_error(fake: FakeAws, place: Place) -> None:
    fake.on("GetResource", ConnectionClosedError(endpoint_url="https://x"))
    with pytest.raises(EndpointError, match="does not answer"):
        place.cloud_control.get("AWS::S3::Bucket", "b")
    assert fake.count("GetResource") == 2


def test_batch_get_asks_again_for_what_was_not_processed(fake: FakeAws, place: Place) -> None:
    key = {"resourceType": "AWS::S3::Bucket", "resourceId": "b"}
    fake.on("BatchGetResourceConfig", {"baseConfigurationItems": [], "unprocessedResourceKeys": [key]})
    found = list(place.config.batch_get([("AWS::S3::Bucket", "b")]))
    assert found == [((), (("AWS::S3::Bucket", "b"),))]
    assert fake.count("BatchGetResourceConfig") == 3


def test_a_recorder_that_excludes_types_does_not_record_them(fake: FakeAws, place: Place) -> None:
    group = {"allSupported": False, "exclusionByResourceTypes": {"resourceTypes": ["AWS::IAM::Role"]}}
    fake.on(
        "DescribeConfigurationRecorders", {"ConfigurationRecorders": [{"name": "d", "recordingGroup": group}]}
    )
    fake.on(
        "DescribeConfigurationRecorderStatus",
        {"ConfigurationRecordersStatus": [{"name": "d", "recording": True}]},
    )
    fake.on("DescribeDeliveryChannels", {"DeliveryChannels": []})
    recorder = place.config.recorder_status()
    assert recorder.records("AWS::S3::Bucket")
    assert not recorder.records("AWS::IAM::Role")


def _methods() -> list[tuple[str, str, ast.FunctionDef]]:
    found = []
    for path in sorted(ROOM.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                prefix = next(
                    (
                        line.value.value
                        for line in node.body
                        if isinstance(line, ast.Assign)
                        and getattr(line.targets[0], "id", "") == "PREFIX"
                        and isinstance(line.value, ast.Constant)
                    ),
                    None,
                )
                found += [
                    (f"{path.stem}.{node.name}.{part.name}", str(prefix), part)
                    for part in node.body
                    if prefix and isinstance(part, ast.FunctionDef)
                ]
    return found


# IAM's name differs from the operation's for these:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_OTHER_NAMES = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    # Amazon SQS permits the batch with the action of the single call.
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
}


@pytest.mark.parametrize(
    ("name", "prefix", "method"), _methods(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_gateway_method_names_the_actions_of_its_calls(
    name: str, prefix: str, method: ast.FunctionDef
) -> None:
    named = {
        argument.value
        for decorator in method.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") in ("reads", "writes")
        for argument in decorator.args
        if isinstance(argument, ast.Constant)
    }
    called = {
        f"{prefix}:{node.args[0].value}"
        for node in ast.walk(method)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("call", "items", "pages")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "self"
        and isinstance(node.args[0], ast.Constant)
    }
    assert named, f"{name} names no IAM action"
    assert {_OTHER_NAMES.get(action, action) for action in called} <= named
