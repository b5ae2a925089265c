"""Each way in which AWS or the network says no is one sentence with a fix."""

from __future__ import annotations

import botocore.exceptions as boto
import pytest
from botocore.exceptions import ClientError

from driftguard.aws.refusals import Call, missing_action, translate
from driftguard.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    EndpointError,
    GoneError,
    InputError,
    ThrottledError,
)

CALL = Call("config", "SelectResourceConfig", "config:SelectResourceConfig", "111111111111", "eu-west-1")


def refused(code: str, message: str = "no", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Op"
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused("AccessDenied"), AccessDeniedError),
        (refused("AccessDeniedException"), AccessDeniedError),
        (refused("UnauthorizedOperation"), AccessDeniedError),
        (refused("AuthorizationError"), AccessDeniedError),
        (refused("403", "Forbidden", 403), AccessDeniedError),
        (refused("Throttling"), ThrottledError),
        (refused("ThrottlingException"), ThrottledError),
        (refused("TooManyRequestsException"), ThrottledError),
        (refused("RequestLimitExceeded"), ThrottledError),
        (refused("GeneralServiceException", "Rate exceeded"), ThrottledError),
        (refused("ExpiredToken"), CredentialsError),
        (refused("ExpiredTokenException"), CredentialsError),
        (refused("InvalidClientTokenId"), CredentialsError),
        (refused("SignatureDoesNotMatch"), CredentialsError),
        (refused("OptInRequired"), EndpointError),
        (refused("ResourceNotFoundException"), GoneError),
        (refused("NoSuchBucket"), GoneError),
        (refused("NoSuchEntity"), GoneError),
        (refused("ResourceNotDiscoveredException"), GoneError),
        (refused("InvalidVpcID.NotFound"), GoneError),
        (refused("404", "Not Found", 404), GoneError),
        (refused("ValidationError", "Stack with id x does not exist"), GoneError),
        (boto.NoCredentialsError(), CredentialsError),
        (boto.ProfileNotFound(profile="x"), CredentialsError),
        (boto.UnauthorizedSSOTokenError(), CredentialsError),
        (boto.TokenRetrievalError(provider="sso", error_msg="x"), CredentialsError),
        (boto.NoRegionError(), EndpointError),
        (boto.EndpointConnectionError(endpoint_url="https://x"), EndpointError),
        (boto.ConnectTimeoutError(endpoint_url="https://x"), EndpointError),
        (boto.ReadTimeoutError(endpoint_url="https://x"), EndpointError),
        (boto.SSLError(endpoint_url="https://x", error="x"), EndpointError),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value)[:60],
)
def test_every_refusal_has_its_kind_and_a_readable_sentence(error: Exception, kind: type[AwsError]) -> None:
    found = translate(error, CALL)
    assert type(found) is kind
    assert found.message.endswith(".")
    assert "\n" not in str(found)
    assert found.fix or kind is GoneError


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("TypeNotFoundException", "The type 'AWS::X::Y' cannot be found"),
        ("UnsupportedActionException", "Resource type AWS::X::Y does not support READ action"),
        ("ValidationError", "1 validation error detected"),
        ("HandlerInternalFailureException", "internal"),
        ("InternalFailure", "it is broken"),
    ],
)
def test_only_a_missing_resource_is_gone(code: str, message: str) -> None:
    """A wrong "gone" would be reported as a deletion."""
    assert type(translate(refused(code, message), CALL)) is AwsError


def test_a_denial_names_the_action_that_aws_names() -> None:
    message = "User: arn:aws:iam::1:role/r is not authorized to perform: s3:GetBucketTagging on resource: x"
    found = translate(refused("GeneralServiceException", message), CALL)
    assert isinstance(found, AccessDeniedError)
    assert found.action == "s3:GetBucketTagging"
    assert "s3:GetBucketTagging" in str(found)


def test_a_denial_without_words_names_the_action_of_the_call() -> None:
    assert translate(refused("AccessDenied", ""), CALL).action == "config:SelectResourceConfig"  # type: ignore[attr-defined]  # AwsError
    assert missing_action("You are not allowed") == ""


def test_our_own_errors_pass_unchanged() -> None:
    ours = InputError("x")
    assert translate(ours, CALL) is ours
