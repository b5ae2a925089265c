"""Who calls: access keys, accounts and STS with trust policies and external ids really checked.

Accounts are separate: an access key belongs to one account, and the only way into another is AssumeRole
on a role whose trust policy says so.  What a principal may do *inside* its account is not checked: the
sandbox has no IAM engine, denials are made by fault rules.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from driftguard.sandbox.core import (
    ApiError,
    Context,
    Principal,
    Request,
    Response,
    World,
    operation,
    partition_of,
)

_DIRECTORY = "sts.sessions"
_ANYWHERE = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An access key the sandbox has issued, and whose it is."""

    access_key: str
    secret_key: str
    session_token: str | None
    principal: Principal
    expires: dt.datetime | None = None


class Directory:
    """All access keys of the sandbox."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys: dict[str, Credentials] = {}
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Forget every key."""
        with self._lock:
            self._keys.clear()

    def issue(self, principal: Principal, *, lasts: dt.timedelta | None = None) -> Credentials:
        """New credentials of ``principal``; temporary ones if they are to expire after ``lasts``."""
        prefix = "ASIA" if lasts else "AKIA"
        credentials = Credentials(
            access_key=prefix
            + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16)),
            secret_key=secrets.token_hex(20),
            session_token=secrets.token_urlsafe(48) if lasts else None,
            principal=principal,
            expires=self._world.clock.now() + lasts if lasts else None,
        )
        with self._lock:
            self._keys[credentials.access_key] = credentials
        return credentials

    def principal_of(self, access_key: str) -> Principal:
        """Whose key this is.

        Twelve digits are the administrator of that account; keys that IAM of the sandbox has created are
        that user's; any other key is the developer of the first account, so that whatever stands in a
        person's environment works.  Raises ApiError ExpiredToken.
        """
        issued = self._keys.get(access_key)
        if issued is not None:
            if issued.expires and self._world.clock.now() >= issued.expires:
                # Text: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
                raise ApiError(
                    "ExpiredToken", "The security token included in the request is expired", status=403
                )
            return issued.principal
        if len(access_key) == 12 and access_key.isdigit():
            return user(access_key, "administrator")
        return _iam_user(access_key) or user(self._world.accounts[0], "developer")


def user(account: str, name: str, region: str = "us-east-1") -> Principal:
    """The IAM user ``name`` of ``account``."""
    return Principal(
        arn=f"arn:{partition_of(region)}:iam::{account}:user/{name}",
        account=account,
        kind="IAMUser",
        principal_id="AIDA" + _digest(f"{account}/{name}"),
    )


def principal_from_arn(arn: str, account: str) -> Principal:
    """The principal that an ARN (or a bare user name) stands for."""
    if not arn.startswith("arn:"):
        return user(account, arn)
    if arn.endswith(":root"):
        return Principal(arn=arn, account=account, kind="Root", principal_id=account)
    if ":assumed-role/" in arn:
        role, _, session = arn.rsplit(":assumed-role/", 1)[1].partition("/")
        return assumed_role(f"arn:aws:iam::{account}:role/{role}", session)
    return Principal(arn=arn, account=account, principal_id="AIDA" + _digest(arn))


def assumed_role(role_arn: str, session: str) -> Principal:
    """The principal of a role session."""
    partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
    return Principal(
        arn=f"arn:{partition}:sts::{account}:assumed-role/{role_arn.rsplit('/', 1)[-1]}/{session}",
        account=account,
        kind="AssumedRole",
        principal_id=f"AROA{_digest(role_arn)}:{session}",
        role_arn=role_arn,
    )


def _digest(text: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    number = int.from_bytes(text.encode(), "big") % (2**61 - 1)
    return "".join(alphabet[(number >> (4 * i)) % 32] for i in range(16))


def _iam_user(access_key: str) -> Principal | None:
    """The owner of a key that the sandbox's IAM (moto) has created, or None."""
    from moto.iam.models import iam_backends

    for account, partitions in list(iam_backends.items()):
        for backend in list(partitions.values()):
            for found in list(backend.users.values()):
                if any(key.access_key_id == access_key for key in found.access_keys):
                    return user(account, found.name)
    return None


def directory(context: Context) -> Directory:
    """The directory of the sandbox that ``context`` belongs to."""
    found = context.world.store(_DIRECTORY, *_ANYWHERE)["directory"]
    assert isinstance(found, Directory)
    return found


def install(world: World) -> Directory:
    """Give ``world`` its directory (again, after a reset)."""
    store = world.store(_DIRECTORY, *_ANYWHERE)
    store.setdefault("directory", Directory(world))
    found = store["directory"]
    assert isinstance(found, Directory)
    return found


@operation("sts", "GetCallerIdentity")
def get_caller_identity(context: Context, request: Request) -> Response:
    """Who am I."""
    who = context.principal
    return {"UserId": who.principal_id, "Account": who.account, "Arn": who.arn}


@operation("sts", "AssumeRole")
def assume_role(context: Context, request: Request) -> Response:
    """Enter a role, if it exists and trusts the caller."""
    role_arn = request["RoleArn"]
    parts = role_arn.split(":")
    if len(parts) != 6 or not parts[5].startswith("role/"):
        # Text: taken from botocore issue threads; the service validates the ARN's form first.
        raise ApiError("ValidationError", f"{role_arn} is invalid")
    role = _role(context, role_arn)
    if role is None or not trusts(
        role["AssumeRolePolicyDocument"], context.principal, request.get("ExternalId")
    ):
        # Text: https://repost.aws/knowledge-center/iam-assume-role-error
        raise ApiError(
            "AccessDenied",
            f"User: {context.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            status=403,
        )
    seconds = int(request.get("DurationSeconds") or 3600)
    if seconds > int(role.get("MaxSessionDuration") or 3600):
        # Text: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html
        raise ApiError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    principal = assumed_role(role_arn, request["RoleSessionName"])
    issued = directory(context).issue(principal, lasts=dt.timedelta(seconds=seconds))
    return {
        "Credentials": {
            "AccessKeyId": issued.access_key,
            "SecretAccessKey": issued.secret_key,
            "SessionToken": issued.session_token,
            "Expiration": issued.expires,
        },
        "AssumedRoleUser": {"AssumedRoleId": principal.principal_id, "Arn": principal.arn},
    }


def _role(context: Context, role_arn: str) -> Mapping[str, Any] | None:
    account = role_arn.split(":")[4]
    if account not in context.world.accounts:
        return None
    name = role_arn.rsplit("/", 1)[-1]
    try:
        role = context.client("iam", account=account).get_role(RoleName=name)["Role"]
    except ClientError:
        return None
    return role if role["Arn"] == role_arn else None


def trusts(policy: Any, principal: Principal, external_id: str | None) -> bool:
    """Whether a trust policy lets ``principal`` in: Deny first, then any matching Allow.

    Evaluated are Principal, Action and the condition ``sts:ExternalId`` (StringEquals, StringLike);
    any other condition operator is taken as unmet, since the sandbox has no values for it.
    """
    content = json.loads(unquote(policy)) if isinstance(policy, str) else policy
    statements = content.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    matching = [s for s in statements if _matches(s, principal, external_id)]
    return bool(matching) and all(s["Effect"] == "Allow" for s in matching)


def _matches(statement: Mapping[str, Any], principal: Principal, external_id: str | None) -> bool:
    actions = _as_list(statement.get("Action"))
    if not any(fnmatch.fnmatchcase("sts:assumerole", str(a).lower()) for a in actions):
        return False
    named = statement.get("Principal", {})
    who = ["*"] if named == "*" else _as_list(named.get("AWS")) + _as_list(named.get("Service"))
    root = f"arn:{principal.arn.split(':')[1]}:iam::{principal.account}:root"
    known = {"*", principal.arn, principal.account, root, principal.role_arn, principal.invoked_by}
    if not known & set(who):
        return False
    return all(
        _condition(operator, key, values, principal, external_id)
        for operator, tests in statement.get("Condition", {}).items()
        for key, values in tests.items()
    )


def _condition(operator: str, key: str, values: Any, principal: Principal, external_id: str | None) -> bool:
    have = {"sts:externalid": external_id, "aws:principalarn": principal.role_arn or principal.arn}
    value = have.get(key.lower())
    if key.lower() == "aws:principalaccount":
        value = principal.account
    if value is None:
        return operator.endswith("IfExists")
    wanted = [str(v) for v in _as_list(values)]
    name = operator.removesuffix("IfExists")
    if name in ("StringEquals", "ArnEquals"):
        return value in wanted
    if name in ("StringLike", "ArnLike"):
        return any(fnmatch.fnmatchcase(value, pattern) for pattern in wanted)
    return name == "StringNotEquals" and value not in wanted


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
