"""The one place where botocore's exceptions become errors that a person can act on."""

from __future__ import annotations

import re
from dataclasses import dataclass

import botocore.exceptions as boto

from driftguard.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    DriftguardError,
    EndpointError,
    GoneError,
    ThrottledError,
)

# AWS names the same refusal differently per protocol and age of the service.  Sources: the errors that
# botocore's own retry handlers know (botocore.retries.standard.ThrottledRetryableChecker) and
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AccessDeniedError",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Client.UnauthorizedOperation",
        "InsufficientDeliveryPolicyException",
        "NotAuthorized",
        "OrganizationAccessDeniedException",
        "UnauthorizedAccess",
        "UnauthorizedException",
        "UnauthorizedOperation",
    }
)
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_INVALID = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_GONE = re.compile(
    r"(^NoSuch|NotFound(Exception|Fault)?$|\.NotFound$|NotFoundError$|DoesNotExist(Exception)?$|NonExist"
    r"|^404$|NotDiscoveredException$|^NoAvailable)"
)
# These say that the kind of thing is unknown, not that this one is gone.
_NOT_GONE = frozenset({"TypeNotFoundException", "CFNRegistryException", "OperationNotFoundException"})
_GONE_TEXT = re.compile(r"\b(does not exist|doesn't exist|not found|could not be found)\b", re.IGNORECASE)
_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z*]+)")


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, and where: enough to say it in a sentence."""

    service: str
    operation: str
    action: str
    account: str
    region: str

    def __str__(self) -> str:
        place = f" in {self.account or 'the current account'}/{self.region or 'no region'}"
        return f"{self.service} {self.operation}{place}"


def translate(error: Exception, call: Call) -> DriftguardError:
    """The error to raise instead of ``error``.  Our own errors pass unchanged."""
    if isinstance(error, DriftguardError):
        return error
    if isinstance(error, boto.ClientError):
        return _refused(error, call)
    return _unreached(error, call)


def error_of(code: str, message: str, call: Call) -> AwsError:
    """The error for one of AWS's own codes, also where a code stands inside an answer."""
    action = missing_action(message) or call.action
    text = message.strip().rstrip(".")
    if code in EXPIRED:
        return CredentialsError(
            "the AWS credentials have expired.",
            code=code,
            action=action,
            fix="Sign in again (`aws sso login`, or new session keys) and repeat the command.",
        )
    if code in _INVALID:
        return CredentialsError(
            f"AWS does not accept the credentials ({code}).",
            code=code,
            action=action,
            fix="Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN or the profile.",
        )
    if code == "OptInRequired":
        return EndpointError(
            f"the region {call.region} is not enabled for account {call.account}.",
            code=code,
            action=action,
            fix="Enable it in the account settings or take it out of `scope.regions`.",
        )
    if code in _DENIED or missing_action(message):
        return AccessDeniedError(
            f"{call} was denied: {action} is not allowed.",
            code=code,
            action=action,
            fix="Add the action to the role; `driftguard iam-policy` prints the whole policy.",
        )
    if code in _THROTTLED or "Rate exceeded" in message:
        return ThrottledError(
            f"{call} is still throttled after all attempts ({code}).",
            code=code,
            action=action,
            fix="Lower `aws.calls_per_second` or `aws.concurrency`, or raise `aws.max_attempts`.",
        )
    if (code not in _NOT_GONE and _GONE.search(code)) or (
        code in ("ValidationError", "ValidationException") and _GONE_TEXT.search(text)
    ):
        return GoneError(f"{call}: there is no such thing ({text}).", code=code, action=action)
    return AwsError(f"{call} failed with {code}: {text}.", code=code, action=action)


def missing_action(message: str) -> str:
    """The IAM action that AWS names in a denial ("is not authorized to perform: s3:GetBucketTagging")."""
    found = _ACTION.search(message)
    return found.group(1) if found else ""


def _refused(error: boto.ClientError, call: Call) -> AwsError:
    body = error.response.get("Error", {})
    code = str(body.get("Code") or "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code.isdigit() or not code:
        # A HEAD request has no body; the status is all there is.
        code = {403: "AccessDenied", 404: "NotFound", 429: "Throttling", 503: "SlowDown"}.get(
            int(code or status or 0), code or str(status)
        )
    return error_of(code, str(body.get("Message") or ""), call)


def _unreached(error: Exception, call: Call) -> AwsError:
    if isinstance(error, boto.ProfileNotFound):
        return CredentialsError(
            "there is no such AWS profile.", fix="Check `aws.profile` and AWS_PROFILE against ~/.aws/config."
        )
    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError):
        return CredentialsError(
            "there are no AWS credentials.",
            fix="Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is attached.",
        )
    if isinstance(
        error,
        boto.CredentialRetrievalError
        | boto.TokenRetrievalError
        | boto.SSOError
        | boto.LoginError
        | boto.MetadataRetrievalError,
    ):
        return CredentialsError(
            "AWS credentials could not be fetched or have expired.",
            fix="Sign in again (`aws sso login`) or check the credential process of the profile.",
        )
    if isinstance(error, boto.NoRegionError):
        return EndpointError("no AWS region is set.", fix="Set `scope.regions` or AWS_REGION.")
    if isinstance(error, boto.InvalidRegionError | boto.UnknownRegionError | boto.EndpointProviderError):
        return EndpointError(
            f"there is no endpoint for {call.service} in the region {call.region}.",
            fix="Check the spelling in `scope.regions`.",
        )
    if isinstance(error, boto.HTTPClientError | boto.ConnectionError | boto.EndpointConnectionError):
        address = getattr(error, "kwargs", {}).get("endpoint_url") or "the endpoint"
        return EndpointError(
            f"{call}: {address} does not answer ({type(error).__name__}).",
            code=type(error).__name__,
            action=call.action,
            fix="Check the network, proxy, VPC endpoint and `aws.endpoint_url` (AWS_ENDPOINT_URL).",
        )
    return AwsError(f"{call} failed: {type(error).__name__}: {error}.", action=call.action)
