"""What the sandbox asked itself a moment ago, kept until something changes.

AWS Config, CloudFormation's drift detection and Cloud Control look at the same resources, and each look is
dozens of calls.  An answer is remembered while one call that only reads is served and no call that changes
anything has been served since; whatever depends on time passing by itself is asked again when the clock is
moved.  Where fault rules strike the sandbox's own calls, nothing is remembered: each call counts there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from driftguard.sandbox.core import OPERATIONS, World, current_call

_READS = ("Get", "List", "Describe", "BatchGet", "Lookup", "Select", "Head", "Search", "Query", "Scan", "Detect",
          "Estimate", "Validate", "Preview", "Simulate", "Test", "Check", "Decode", "Filter", "View", "Resolve")  # fmt: skip
_REPEATABLE = ("Get", "List", "Describe", "Head")
_LOOKING = ("Record",)
"""What the sandbox's own services call their looking around."""

Call = Callable[[str, Mapping[str, Any]], Any]
"""botocore's way into a client: the operation's name, and what was passed to it."""


def only_reads(operation: str) -> bool:
    """Whether an operation changes nothing, by its name (CloudTrail's readOnly, near enough)."""
    return operation.startswith(_READS)


class Reads:
    """Answers to the sandbox's own reading calls.  Use it under the world's lock, as those calls are made."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._valid: object = None
        self._kept: dict[tuple[str, ...], Any] = {}

    def through(self, call: Call, service: str, account: str, region: str) -> Call:
        """``call``, asked again only when the answer may be another one."""

        def ask(operation: str, parameters: Mapping[str, Any]) -> Any:
            if not self._may_remember(service, operation):
                return call(operation, parameters)
            asked = json.dumps(parameters, sort_keys=True, default=repr)
            key = (service, account, region, operation, asked)
            now = self._world.changes, self._world.clock.moves
            if now != self._valid:
                self._kept.clear()
                self._valid = now
            if key not in self._kept:
                answer = _outcome(call, operation, parameters)
                # What streams can be read once only, and what changed something meanwhile is no plain read.
                if _streams(answer) or (self._world.changes, self._world.clock.moves) != now:
                    return _given(answer)
                self._kept[key] = answer
            return _given(self._kept[key])

        return ask

    def _may_remember(self, service: str, operation: str) -> bool:
        outer = current_call()
        if outer is None or not operation.startswith(_REPEATABLE) or (service, operation) in OPERATIONS:
            return False
        faults = self._world.faults
        if faults is not None and any(rule.internal or rule.kind == "unreadable" for rule in faults.rules):
            return False
        return only_reads(outer.operation) or outer.operation in _LOOKING


def _outcome(call: Call, operation: str, parameters: Mapping[str, Any]) -> Any:
    try:
        return call(operation, parameters)
    except ClientError as error:
        return error


def _given(answer: Any) -> Any:
    if isinstance(answer, ClientError):
        raise type(answer)(_copied(answer.response), answer.operation_name)
    return _copied(answer)


def _copied(value: Any) -> Any:
    """Lists and dicts anew, since callers change what they are given; all else in answers is immutable."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _streams(answer: Any) -> bool:
    return isinstance(answer, dict) and any(hasattr(value, "read") for value in answer.values())
