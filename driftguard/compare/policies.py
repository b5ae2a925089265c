"""IAM policy documents: equal documents get an equal form.

What IAM treats alike is taken from
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html : one value or a list of one,
the order of lists and statements, the case of actions and condition operators, an account id and its root ARN.
Wildcards are not expanded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from driftguard.compare.context import CompareContext
from driftguard.compare.forms import has_hole, key, scalar
from driftguard.model import Json

_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")
_OAI = re.compile(r"arn:aws[a-z-]*:iam::cloudfront:user/CloudFront Origin Access Identity (?P<id>[A-Z0-9]+)")
_DELIVERY_SERVICE = "delivery.logs.amazonaws.com"
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-service-specific.html
_DELIVERY_ACTIONS = frozenset(
    {
        "s3:putobject",
        "s3:getbucketacl",
        "logs:createlogstream",
        "logs:putlogevents",
        "firehose:putrecord",
        "firehose:putrecordbatch",
    }
)


def is_policy(value: Json) -> bool:
    """Whether ``value`` is a policy document: a ``Statement`` whose every member has an ``Effect``."""
    if not isinstance(value, Mapping) or "Statement" not in value:
        return False
    found = statements(value)
    return bool(found) and all(isinstance(one, Mapping) and "Effect" in one for one in found)


def statements(document: Mapping[str, Json]) -> list[Json]:
    """The statements as a list."""
    found = document["Statement"]
    return list(found) if isinstance(found, list | tuple) else [found]


def statement_key(statement: Mapping[str, Json], context: CompareContext) -> Any:
    """A hashable that statements of equal meaning share."""
    parts: list[tuple[str, Any]] = []
    for name, value in statement.items():
        if name in ("Action", "NotAction"):
            parts.append((name, frozenset(scalar(action).lower() for action in _listed(value))))
        elif name in ("Resource", "NotResource"):
            parts.append((name, frozenset(_resource(item, context) for item in _listed(value))))
        elif name in ("Principal", "NotPrincipal"):
            parts.append((name, _principals(value, context)))
        elif name == "Condition":
            parts.append((name, _conditions(value)))
        elif name == "Sid":
            # Services number statements that have no name; an empty name is none.
            if value and not str(value).isdigit():
                parts.append((name, key(value)))
        else:
            parts.append((name, key(value)))
    return frozenset(part for part in parts if part != ("Condition", frozenset()))


def is_log_delivery(statement: Mapping[str, Json]) -> bool:
    """Whether AWS log delivery wrote this statement into the policy by itself.

    The whole statement must be of that kind; a name alone proves nothing, anybody can write one.
    """
    principal = statement.get("Principal")
    services = principal.get("Service") if isinstance(principal, Mapping) and len(principal) == 1 else None
    actions = {scalar(action).lower() for action in _listed(statement.get("Action"))}
    return (
        statement.get("Effect") == "Allow"
        and _listed(services) == [_DELIVERY_SERVICE]
        and bool(actions)
        and actions <= _DELIVERY_ACTIONS
    )


def unverifiable_principal(statement: Json) -> bool:
    """Whether a principal stands as a unique id (``AROA...``), and so cannot be told from a deleted one."""
    principal = statement.get("Principal") if isinstance(statement, Mapping) else None
    values = _listed(principal.get("AWS")) if isinstance(principal, Mapping) else []
    return any(isinstance(value, str) and re.fullmatch(r"A(ROA|IDA)[A-Z0-9]{8,}", value) for value in values)


def _resource(value: Json, context: CompareContext) -> str:
    text = scalar(value)
    # API Gateway expands the short form with the account, region and API of its own.
    found = re.fullmatch(r"arn:aws[a-z-]*:execute-api:[^:]*:[^:]*:[^/]+/(.*)", text)
    return f"execute-api:/{found.group(1)}" if found else text


def _principals(value: Json, context: CompareContext) -> Any:
    if value == "*" or (
        isinstance(value, Mapping) and len(value) == 1 and _listed(value.get("AWS")) == ["*"]
    ):
        return "*"
    if not isinstance(value, Mapping):
        return key(value)
    found: dict[str, set[str]] = {}
    for kind, members in value.items():
        for member in _listed(members):
            plain_kind, name = _principal(kind, scalar(member), context)
            found.setdefault(plain_kind, set()).add(name)
    return frozenset((kind, frozenset(names)) for kind, names in found.items())


def _principal(kind: str, name: str, context: CompareContext) -> tuple[str, str]:
    if kind == "AWS":
        identity = _OAI.fullmatch(name)
        if identity and identity.group("id") in context.oai_ids:
            return "CanonicalUser", context.oai_ids[identity.group("id")]
        return kind, context.role_ids.get(name, _ROOT.sub(r"\1", name))
    return kind, name


def _conditions(value: Json) -> Any:
    if not isinstance(value, Mapping):
        return key(value)
    return frozenset(
        (
            operator.lower(),
            frozenset(
                (name.lower(), frozenset(scalar(item) for item in _listed(items)))
                for name, items in tests.items()
            )
            if isinstance(tests, Mapping)
            else key(tests),
        )
        for operator, tests in value.items()
    )


def _listed(value: Json) -> list[Json]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def known(statement: Json) -> bool:
    """Whether nothing in the statement is left open."""
    return not has_hole(statement)
