"""Root causes: findings that one act explains, as one row across the fleet.

A cause is looked for in this order, and needs two findings at least: the same principal's session, the same
parameter of one template, the same place of one template (one line, or the same property of the same logical
id with the same values, in as many stacks as the template was deployed to), the same stack, the same policy.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from driftguard.history.codec import text
from driftguard.history.severity import worst
from driftguard.model import Cause, ChangedBy, Finding, FindingKind
from driftguard.model.resource import DEPLOYED

_ACTS_SECONDS = 3600
_SESSION_SECONDS = 12 * 3600
"""How long a session of a role lasts at most; its name may come back for ever (IAM Identity Center: a person's).

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use.html
"""
# What CloudFormation appends: to the names of nested stacks, and of the stacks of a stack set.
_SUFFIX = re.compile(r"-(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{12,13}$|-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_VALUES = ("type", "expected", "actual", "value", "was")


def group(findings: Iterable[Finding]) -> tuple[Cause, ...]:
    """The causes of open ``findings``, the most urgent first: severity, blast radius, age.

    A finding belongs to one cause at most.
    """
    opened = [finding for finding in findings if finding.open]
    candidates: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    titles: dict[tuple[str, str], str] = {}
    own: dict[str, list[tuple[str, str]]] = defaultdict(list)
    began = _sessions(opened)
    for finding in opened:
        for kind, key, title in _keys(finding, began):
            candidates[(kind, key)].append(finding)
            titles.setdefault((kind, key), title)
            own[finding.fingerprint].append((kind, key))
    chosen: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in opened:
        shared = next((name for name in own[finding.fingerprint] if len(candidates[name]) > 1), None)
        if shared is not None:
            chosen[shared].append(finding)
    causes = [_cause(name, titles[name], listed) for name, listed in chosen.items() if len(listed) > 1]
    return tuple(sorted(causes, key=lambda c: (c.severity.rank, -c.blast_radius, c.first_seen, c.id)))


def assign(findings: Iterable[Finding], causes: Iterable[Cause]) -> tuple[Finding, ...]:
    """``findings`` with the id of their cause."""
    of = {name: cause.id for cause in causes for name in cause.fingerprints}
    return tuple(replace(finding, cause=of.get(finding.fingerprint)) for finding in findings)


def template_of(stack: str) -> str:
    """The name that the stacks of one template share: without what CloudFormation appends."""
    return _SUFFIX.sub("", stack)


def _sessions(findings: Iterable[Finding]) -> dict[tuple[str, str, datetime], int]:
    """When the session of each act began, by principal, name and time: acts too far apart are of two sessions."""
    acts = {(by.principal, by.session, by.time) for one in findings if (by := one.changed_by) and by.session}
    began: dict[tuple[str, str, datetime], int] = {}
    owner, first = ("", ""), 0.0
    for principal, session, at in sorted(acts):
        if owner != (principal, session) or at.timestamp() - first > _SESSION_SECONDS:
            owner, first = (principal, session), at.timestamp()
        began[principal, session, at] = int(first) // _SESSION_SECONDS
    return began


def _keys(finding: Finding, began: Mapping[tuple[str, str, datetime], int]) -> Iterator[tuple[str, str, str]]:
    """(kind, key, title) of each cause that ``finding`` could have, the most telling first."""
    by = finding.changed_by
    if by is not None:
        start = began.get((by.principal, by.session, by.time), int(by.time.timestamp()) // _ACTS_SECONDS)
        session = f"{by.session}\x1f{start}" if by.session else f"{start}"
        title = f"{by.principal} by {by.source}, {by.time:%Y-%m-%d %H:%M} UTC"
        yield "SESSION", f"{by.principal}\x1f{session}", title
    if finding.stack:
        yield from _in_template(finding)
    if finding.kind is FindingKind.COMPLIANCE:
        yield "POLICY", finding.subject, finding.title
    elif finding.stack:
        stack = f"{finding.key.account}\x1f{finding.key.region}\x1f{finding.stack}"
        yield "STACK", stack, f"{finding.stack} ({finding.key.account}, {finding.key.region})"


def _in_template(finding: Finding) -> Iterator[tuple[str, str, str]]:
    template, parts = template_of(finding.stack), _declared(finding)
    parameters = {part.get("parameter") for part in parts}
    if len(parameters) == 1 and (parameter := parameters.pop()):
        yield "PARAMETER", f"{template}\x1f{parameter}", f"{parameter} of {template}"
    if not finding.logical_id or not finding.subject:
        return
    line = next((part["line"] for part in parts if part.get("line")), 0)
    file = next((str(part["file"]) for part in parts if part.get("line") and part.get("file")), "")
    values = text([{name: part[name] for name in _VALUES if name in part} for part in parts])
    subject = finding.subject
    if finding.kind is FindingKind.COMPLIANCE:
        path = str(parts[0].get("path", "")) if parts else ""
        subject = f"{path} ({finding.title})"
    place = f"{template}, line {line}" if line else template
    yield (
        "TEMPLATE",
        "\x1f".join((finding.key.type, finding.logical_id, _origin(file, line), finding.subject, values)),
        f"{place}: {finding.logical_id}{subject}",
    )


def _origin(file: str, line: int) -> str:
    """A place that the stacks of one template share; the same line of another file is another place.

    A template that was only read as deployed bears the name of its stack, which tells stacks apart, not templates.
    """
    return f"{file}:{line}" if file and line and not file.endswith(DEPLOYED) else str(line)


def _declared(finding: Finding) -> list[dict[str, Any]]:
    """What the finding's detail says of each place in the template."""
    try:
        detail = orjson.loads(finding.detail or "{}")
    except orjson.JSONDecodeError:
        return []
    if finding.kind is FindingKind.COMPLIANCE:
        return [detail]
    return [*detail.get("differences", ()), *detail.get("undeclared", ())]


def _cause(name: tuple[str, str], title: str, findings: list[Finding]) -> Cause:
    return Cause(
        id=hashlib.sha256("\x1f".join(name).encode()).hexdigest()[:16],
        kind=name[0],
        title=title,
        fingerprints=tuple(sorted(finding.fingerprint for finding in findings)),
        resources=len({finding.key for finding in findings}),
        accounts=len({finding.key.account for finding in findings}),
        severity=worst(finding.severity for finding in findings),
        first_seen=min(finding.first_seen for finding in findings),
        changed_by=_actor(findings),
    )


def _actor(findings: list[Finding]) -> ChangedBy | None:
    """Who did it: the first act of the one principal whom all findings name."""
    acts = [finding.changed_by for finding in findings]
    named = [by for by in acts if by is not None]
    if not named or len(named) < len(acts) or len({by.principal for by in named}) > 1:
        return None
    return min(named, key=lambda by: by.time)
