"""What AWS refused, as a `Gap`."""

from __future__ import annotations

from driftguard.errors import AccessDeniedError, AwsError, CredentialsError, ThrottledError
from driftguard.model import Gap, GapReason

_UNSUPPORTED = frozenset({"UnsupportedActionException", "TypeNotFoundException"})


def gap_of(
    error: AwsError,
    account: str,
    region: str,
    *,
    type_name: str | None = None,
    identifier: str | None = None,
    stack: str | None = None,
    saying: str = "",
) -> Gap:
    """The gap that ``error`` leaves, with the missing IAM action where that is the cause.

    ``saying`` is put before AWS's own words.  Credentials that are no good (any more) are no gap: nothing
    else can be read either, so that `CredentialsError` is raised on.
    """
    if isinstance(error, CredentialsError):
        raise error
    if isinstance(error, AccessDeniedError):
        reason = GapReason.ACCESS_DENIED
    elif isinstance(error, ThrottledError):
        reason = GapReason.THROTTLED
    elif error.code in _UNSUPPORTED:
        reason = GapReason.UNSUPPORTED
    else:
        reason = GapReason.UNREADABLE
    return Gap(
        reason=reason,
        account=account,
        region=region,
        detail=f"{saying}: {error}" if saying else str(error),
        type=type_name,
        identifier=identifier,
        stack=stack,
        action=error.action or None if reason is GapReason.ACCESS_DENIED else None,
    )
