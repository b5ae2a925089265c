"""EventBridge deliveries of the sandbox's own events to SQS queues that are targets of rules.

Events of AWS services are matched against the rules of the default bus and put into queues, which is enough to try
an event-triggered scan. Pattern matching follows the EventBridge user guide ("Event patterns"): exact values,
`prefix`, `suffix`, `anything-but`, `exists`, `equals-ignore-case`, `wildcard` and `numeric`.
"""

from __future__ import annotations

import fnmatch
import json
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from driftguard.sandbox.core import LISTENERS, Context

_NOTHING = object()
# What a delivery itself does (SendMessage) is no event again.
_delivering: ContextVar[bool] = ContextVar("sandbox_delivering", default=False)


def emit(context: Context, entry: Mapping[str, Any]) -> int:
    """Deliver one event (in PutEvents members) to the queues of all rules it matches; how many got it."""
    if _delivering.get() or not _has_rules(context):
        return 0
    token = _delivering.set(True)
    try:
        return _emit(context, entry)
    finally:
        _delivering.reset(token)


def _has_rules(context: Context) -> bool:
    """Whether anybody listens: asked of moto directly, since every change asks it."""
    from moto.events.models import events_backends

    buses = events_backends[context.account][context.region].event_buses
    return any(bus.rules for bus in buses.values())


def _emit(context: Context, entry: Mapping[str, Any]) -> int:
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": context.account,
        "time": context.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": context.region,
        "resources": list(entry.get("Resources") or []),
        "detail": json.loads(entry["Detail"]),
    }
    delivered = 0
    with context.acting():
        for rule in _rules(context):
            if matches(json.loads(rule["EventPattern"]), event):
                delivered += _deliver(context, rule["Name"], event)
    return delivered


def _rules(context: Context) -> list[dict[str, Any]]:
    try:
        rules = context.client("events").list_rules()["Rules"]
    except (ClientError, BotoCoreError):
        return []
    return [rule for rule in rules if rule.get("EventPattern") and rule.get("State") == "ENABLED"]


def _deliver(context: Context, rule: str, event: Mapping[str, Any]) -> int:
    delivered = 0
    for target in context.client("events").list_targets_by_rule(Rule=rule)["Targets"]:
        _, _, service, region, account, name = target["Arn"].split(":", 5)
        if service != "sqs":
            continue
        queue = context.client("sqs", region=region, account=account)
        try:
            url = queue.get_queue_url(QueueName=name)["QueueUrl"]
            body = target.get("Input") or json.dumps(event)
            group = (target.get("SqsParameters") or {}).get("MessageGroupId")
            extra = {"MessageGroupId": group, "MessageDeduplicationId": event["id"]} if group else {}
            queue.send_message(QueueUrl=url, MessageBody=body, **extra)
            delivered += 1
        except (ClientError, BotoCoreError):
            continue  # A queue that is gone loses the event, as in EventBridge without a dead-letter queue.
    return delivered


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether an event pattern matches an event (or a part of one)."""
    if not isinstance(event, Mapping):
        return False
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(matches(choice, event) for choice in wanted):
                return False
            continue
        value = event.get(key, _NOTHING)
        if isinstance(wanted, Mapping):
            parts = value if isinstance(value, list) else [value]
            if not any(matches(wanted, part) for part in parts):
                return False
        elif not _one_of(wanted, value):
            return False
    return True


def _one_of(wanted: list[Any], value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(_accepts(test, found) for test in wanted for found in values)


def _accepts(test: Any, value: Any) -> bool:
    if not isinstance(test, Mapping):
        return value is not _NOTHING and bool(test == value)
    (kind, operand), *_ = test.items()
    if kind == "exists":
        return (value is not _NOTHING) == bool(operand)
    if value is _NOTHING:
        return False
    if kind == "anything-but":
        refused = operand if isinstance(operand, list) else [operand]
        return not any(_accepts(inner, value) for inner in refused)
    if kind == "numeric":
        return _numeric(operand, value)
    text = str(value)
    if kind in {"prefix", "suffix"} and isinstance(operand, Mapping):
        operand, text = str(operand["equals-ignore-case"]).lower(), text.lower()
    tests: dict[str, Callable[[], bool]] = {
        "prefix": lambda: text.startswith(str(operand)),
        "suffix": lambda: text.endswith(str(operand)),
        "equals-ignore-case": lambda: text.lower() == str(operand).lower(),
        "wildcard": lambda: fnmatch.fnmatchcase(text, str(operand)),
    }
    test = tests.get(kind)
    return test is not None and test()


def _numeric(operand: list[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    compare: dict[str, Callable[[Any], bool]] = {
        "=": lambda x: bool(value == x),
        ">": lambda x: bool(value > x),
        ">=": lambda x: bool(value >= x),
        "<": lambda x: bool(value < x),
        "<=": lambda x: bool(value <= x),
    }
    pairs = zip(operand[::2], operand[1::2], strict=True)
    return all(compare[symbol](bound) for symbol, bound in pairs)


def _listen(context: Context, entry: Mapping[str, Any]) -> None:
    emit(context, entry)


LISTENERS.append(_listen)
