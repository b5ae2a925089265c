"""A night in the estate: what happens in it, and what has to be reported of it.  The script is ``night.yaml``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.config import Config

from driftguard.sandbox.estate.lookup import Lookup
from driftguard.sandbox.estate.plan import estate, read_yaml
from driftguard.sandbox.facade import Sandbox

_HOLE = re.compile(r"\$\{([^}]+)\}")
_AGENTS = {
    "console": "AWS Internal",
    "cli": "aws-cli/2.17.40 md/awscrt#0.21.2 ua/2.0 os/macos#23.6.0 lang/python#3.11.9",
}
"""How CloudTrail shows callers; a service calls with its own host name for an agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One thing that a report of the night has to say.

    ``kind`` is DRIFT, UNDECLARED, UNMANAGED or GAP.  ``stack`` is a path of logical ids into nested stacks
    below the name of the root stack, in which ``*`` stands for any text.  ``differences`` are pairs of
    path (``*`` for a list index) and CloudFormation's difference type, without type where only paths count.
    """

    kind: str
    account: str
    region: str
    type: str = ""
    stack: str = ""
    logical_id: str = ""
    identifier: str = ""
    status: str = ""
    differences: tuple[tuple[str, str], ...] = ()
    severity: str = ""
    reason: str = ""
    path: str = ""
    events: tuple[str, ...] = ()
    principal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedReport:
    """All that a correct report of the night says, and what it must be silent about.

    ``silent`` maps the events that are no drift to the reason why.
    """

    drifts: tuple[Expected, ...] = ()
    undeclared: tuple[Expected, ...] = ()
    unmanaged: tuple[Expected, ...] = ()
    gaps: tuple[Expected, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)


@cache
def script() -> Mapping[str, Any]:
    """The content of ``night.yaml``, events in the order of time."""
    data = read_yaml("night.yaml")
    return {**data, "events": sorted(data["events"], key=_offset)}


def play(sandbox: Sandbox, *, length: dt.timedelta | None = None) -> dt.datetime:
    """Let the night pass over a deployed estate; answers the instant in which it began.

    It begins now, and the sandbox's clock moves with it.  With ``length`` the night is squeezed into that
    time, for callers whose own clock does not follow the sandbox's.
    """
    begin = sandbox.clock.now()
    events = script()["events"]
    squeeze = 1.0 if length is None else length / _offset(events[-1])
    for event in events:
        due = begin + _offset(event) * squeeze
        sandbox.clock.advance(max(0.0, (due - sandbox.clock.now()).total_seconds()))
        _happen(sandbox, event)
    return begin


def expected_report() -> ExpectedReport:
    """What a correct report of the night says, derived from its script."""
    found: dict[str, dict[Any, Expected]] = {"drift": {}, "undeclared": {}, "unmanaged": {}, "gap": {}}
    silent: dict[str, str] = {}
    for event in script()["events"]:
        for kind, about in event["expect"].items():
            if kind == "nothing":
                silent[event["id"]] = about
                continue
            one = _expected(kind, about, event)
            key = (one.account, one.region, one.stack, one.logical_id, one.identifier, one.reason)
            found[kind][key] = _joined(found[kind].get(key), one)
    lists = {kind: tuple(items.values()) for kind, items in found.items()}
    return ExpectedReport(
        drifts=lists["drift"],
        undeclared=lists["undeclared"],
        unmanaged=lists["unmanaged"],
        gaps=lists["gap"],
        silent=silent,
    )


def _expected(kind: str, about: Mapping[str, Any], event: Mapping[str, Any]) -> Expected:
    differences = [(d["path"], d["type"]) for d in about.get("differences", ())]
    differences += [(path, "") for path in about.get("paths", ())]
    simple = ("type", "stack", "logical_id", "identifier", "severity", "reason", "path")
    where = event["where"]
    status = about.get("status") or ("MODIFIED" if kind == "drift" else "")
    who = script()["people"].get(event.get("who", ""), {})
    # IAM is global: its resources belong to no region, whichever endpoint was called.
    global_type = about.get("type", "").startswith("AWS::IAM::")
    return Expected(
        kind=kind.upper(),
        account=estate().account(where["account"]),
        region="global" if global_type else where["region"],
        status=status,
        differences=tuple(differences),
        events=(event["id"],),
        principal=who.get("arn", ""),
        **{name: about[name] for name in simple if name in about},
    )


def _joined(before: Expected | None, one: Expected) -> Expected:
    """Two events that hit one resource are one entry of the report."""
    if before is None:
        return one
    values = {name: getattr(one, name) for name in Expected.__dataclass_fields__}
    values["differences"] = before.differences + one.differences
    values["events"] = before.events + one.events
    return Expected(**values)


def _happen(sandbox: Sandbox, event: Mapping[str, Any]) -> None:
    account, region = estate().account(event["where"]["account"]), event["where"]["region"]
    for service in event.get("denied", ()):
        sandbox.faults.add("deny", service=service, account=account, region=region)
    if "who" not in event:
        return
    person = script()["people"][event["who"]]
    session: Any = sandbox.session(account=account, region=region, principal=person["arn"])
    lookup = Lookup(sandbox, account)
    agent = Config(user_agent=_AGENTS.get(person["via"], person["via"]))
    for service, operation, parameters in _calls(event):
        client = session.client(service, config=agent)
        getattr(client, xform_name(operation))(**_filled(parameters, lookup, region))


def _calls(event: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for call in event["calls"]:
        for name, parameters in call.items():
            service, _, operation = name.partition(":")
            yield service, operation, parameters


def _filled(value: Any, lookup: Lookup, region: str) -> Any:
    """``value`` with the physical ids of the resources that its ``${...}`` name."""
    if isinstance(value, dict):
        return {key: _filled(inner, lookup, region) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, lookup, region) for inner in value]
    if isinstance(value, str):
        return _HOLE.sub(lambda hole: lookup.physical_id(hole[1], region), value)
    return value


def _offset(event: Mapping[str, Any]) -> dt.timedelta:
    hours, _, minutes = event["at"].partition(":")
    return dt.timedelta(hours=int(hours), minutes=int(minutes))
