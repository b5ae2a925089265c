"""Functions on policy documents (IAM identity policies and resource policies).

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from driftguard.model import Partial, Unknown
from driftguard.rules.text import json_of
from driftguard.rules.values import HOLES, Maybe, Reference, every, negate, reason, same, some

# Conditions that tie "everybody" to somebody: the caller's account, organization, source or network.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
_NARROWING = frozenset(
    {
        "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn",
        "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner",
        "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "aws:username", "aws:sourceip", "aws:calledvia",
        "aws:viaawsservice", "aws:principalisawsservice", "kms:calleraccount", "kms:viaservice",
        "s3:dataaccesspointaccount", "s3:dataaccesspointarn", "lambda:eventsourcetoken",
        "elasticfilesystem:accesspointarn", "sns:endpoint",
    }
)  # fmt: skip


def statements(document: Any) -> Any:
    """The statements of ``document`` in one shape.

    Each is ``{Effect, Sid, Action, NotAction, Resource, NotResource, Principal, NotPrincipal, Condition}``
    with lists for everything but Effect, Sid and Condition; actions in lower case, principals as plain
    texts (``*`` for everybody).  A document that cannot be known gives an `Unknown`.
    """
    if document.__class__ in HOLES:
        return Unknown(reason(document))
    document = json_of(document)
    if document.__class__ is list:
        found: list[Any] = []
        for one in document:
            below = statements(one)
            if below.__class__ is not list:
                return below
            found.extend(below)
        return found
    if document.__class__ is not dict:
        return []
    given = document.get("Statement", document.get("statement"))
    if given.__class__ in HOLES:
        return Unknown(reason(given))
    return [_statement(one) for one in _listed(given)]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if value.__class__ is list else [value]


def _statement(given: Any) -> Any:
    if given.__class__ is not dict:
        return Unknown(reason(given)) if given.__class__ in HOLES else {}
    return {
        "Effect": given.get("Effect"),
        "Sid": given.get("Sid"),
        "Action": [_lower(action) for action in _listed(given.get("Action"))],
        "NotAction": [_lower(action) for action in _listed(given.get("NotAction"))],
        "Resource": _listed(given.get("Resource")),
        "NotResource": _listed(given.get("NotResource")),
        "Principal": _principals(given.get("Principal")),
        "NotPrincipal": _principals(given.get("NotPrincipal")),
        "Condition": given.get("Condition"),
    }


def _lower(value: Any) -> Any:
    return value.lower() if value.__class__ is str else value


def _principals(value: Any) -> list[Any]:
    if value.__class__ is dict:
        return [one for kind in value.values() for one in _listed(kind)]
    return _listed(value)


def allows_public(document: Any) -> Any:
    """Whether some statement allows everybody something, and no condition narrows it down."""
    found = statements(document)
    if found.__class__ is not list:
        return found
    return some(_public(one) for one in found)


def _public(statement: Any) -> Any:
    if statement.__class__ is not dict:
        return statement
    everybody = some(same(one, "*") for one in statement.get("Principal", ()))
    if statement.get("NotPrincipal"):
        everybody = True
    narrowed = _narrows(statement.get("Condition"))
    return every(
        (
            same(statement.get("Effect"), "Allow"),
            everybody,
            not narrowed if narrowed in (True, False) else narrowed,
        )
    )


def _narrows(condition: Any) -> Any:
    if condition.__class__ in HOLES:
        return Unknown(reason(condition))
    if condition.__class__ is not dict:
        return False
    return some(_narrowing(operator, tests) for operator, tests in condition.items())


def _narrowing(operator: str, tests: Any) -> Any:
    if tests.__class__ in HOLES:
        return Unknown(reason(tests))
    if tests.__class__ is not dict or operator.lower().endswith("ifexists") or "not" in operator.lower():
        return False
    return some(
        every(negated_world(one) for one in _listed(values)) if _listed(values) else False
        for name, values in tests.items()
        if name.lower() in _NARROWING
    )


def negated_world(value: Any) -> Any:
    """Whether a condition value leaves somebody out: not ``*`` and not the whole internet."""
    if value.__class__ is Reference:
        return True
    if value.__class__ is Partial:
        return any(isinstance(part, str) and part.strip("*") for part in value.parts) or Unknown(value.reason)
    if value.__class__ is Unknown:
        return value
    return str(value) not in ("*", "0.0.0.0/0", "::/0", "::0/0")


def denies_insecure_transport(document: Any) -> Any:
    """Whether a statement denies everybody every action unless ``aws:SecureTransport`` is true."""
    found = statements(document)
    if found.__class__ is not list:
        return found
    return some(_denies_plain(one) for one in found)


def _denies_plain(statement: Any) -> Any:
    if statement.__class__ is not dict:
        return statement
    if same(statement.get("Effect"), "Deny") is not True:
        return same(statement.get("Effect"), "Deny")
    everybody = some(same(one, "*") for one in statement.get("Principal", ()))
    actions = some(one.__class__ is str and one.endswith("*") for one in statement.get("Action", ()))
    condition = statement.get("Condition")
    if condition.__class__ in HOLES:
        return Unknown(reason(condition))
    return every((everybody, actions, _asks_transport(condition)))


def _asks_transport(condition: Any) -> Any:
    if condition.__class__ is not dict:
        return False
    return some(
        some(same(_text(one), "false") for one in _listed(value))
        for operator, tests in condition.items()
        if operator.lower() in ("bool", "boolifexists") and tests.__class__ is dict
        for name, value in tests.items()
        if name.lower() == "aws:securetransport"
    )


def _text(value: Any) -> Any:
    if value.__class__ is bool:
        return "true" if value else "false"
    return value.lower() if value.__class__ is str else value


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, re.IGNORECASE | re.DOTALL)


def covers_action(patterns: Any, action: str) -> Any:
    """Whether one of the action patterns (``s3:*``, ``*``) covers ``action``; a hole decides nothing."""
    return some(_covers(one, action) for one in _listed(patterns))


def _covers(pattern: Any, action: str) -> Any:
    if pattern.__class__ is str:
        return _glob(pattern).fullmatch(action) is not None
    if pattern.__class__ in HOLES:
        return False if pattern.__class__ is Reference else Unknown(reason(pattern))
    return False


def statements_allowing(document: Any, patterns: Any) -> Any:
    """The Allow statements with an action that ``patterns`` cover, or whose own wildcards cover a pattern."""
    found = statements(document)
    if found.__class__ is not list:
        return found
    wanted = [pattern for pattern in _listed(patterns) if pattern.__class__ is str]
    out: list[Any] = []
    for one in found:
        answer = _allows(one, wanted)
        if answer is True:
            out.append(one)
        elif answer is not False:
            out.append(Maybe(one, answer))
    return out


def _allows(statement: Any, patterns: list[str]) -> Any:
    if statement.__class__ is not dict:
        return statement
    actions, without = statement.get("Action", ()), statement.get("NotAction", ())
    if without:
        asked = some(negate(covers_action(without, pattern)) for pattern in patterns)
    else:
        asked = some(
            some((covers_action(actions, pattern), some(_covers(pattern, one) for one in actions)))
            if all(one.__class__ is str for one in actions)
            else covers_action(actions, pattern)
            for pattern in patterns
        )
    return every((same(statement.get("Effect"), "Allow"), asked))


def grants_admin(document: Any) -> Any:
    """Whether some statement allows ``*`` on ``*``."""
    found = statements(document)
    if found.__class__ is not list:
        return found
    return some(_admin(one) for one in found)


def _admin(statement: Any) -> Any:
    if statement.__class__ is not dict:
        return statement
    return every(
        (
            same(statement.get("Effect"), "Allow"),
            some(same(one, name) for one in statement.get("Action", ()) for name in ("*", "*:*")),
            some(same(one, "*") for one in statement.get("Resource", ())),
        )
    )
