"""What a delivery pipeline does in which order.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from driftguard.model import Unknown
from driftguard.rules.text import matches
from driftguard.rules.values import HOLES, reason

_DIRECT = ("CREATE_UPDATE", "REPLACE_ON_FAILURE")
Order = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """An action with its place: number of the stage, run order."""

    name: str
    stage: str
    at: Order
    kind: Mapping[str, Any]
    configuration: Mapping[str, Any]


def unapproved_changes(stages: Any, production: str) -> Any:
    """The CloudFormation actions that change a production stack without a change set that somebody approved.

    A change is approved when an earlier action of its own creates the change set and a manual approval
    stands between the two.  ``production`` is a regular expression on stage names; where no stage of
    the pipeline matches it, every stage counts.
    """
    if stages.__class__ in HOLES:
        return Unknown(reason(stages))
    actions = list(_actions(stages))
    for one in actions:
        mode = one.configuration.get("ActionMode")
        if mode.__class__ in HOLES:
            return Unknown(reason(mode))
    named = {one.stage for one in actions if matches(one.stage, production)}
    return [
        f"{one.stage}/{one.name}"
        for one in actions
        if (not named or one.stage in named) and one.kind.get("Provider") == "CloudFormation"
        if one.configuration.get("ActionMode") in _DIRECT
        or (one.configuration.get("ActionMode") == "CHANGE_SET_EXECUTE" and not _approved(one, actions))
    ]


def _approved(execute: _Action, actions: list[_Action]) -> bool:
    created = [
        one.at
        for one in actions
        if one.configuration.get("ActionMode") == "CHANGE_SET_REPLACE"
        and one.at < execute.at
        and all(
            one.configuration.get(name) == execute.configuration.get(name)
            for name in ("StackName", "ChangeSetName")
        )
    ]
    return any(
        first < approval.at < execute.at
        for first in created
        for approval in actions
        if approval.kind.get("Category") == "Approval"
    )


def _actions(stages: Any) -> Iterator[_Action]:
    for number, stage in enumerate(stages or ()):
        for action in stage.get("Actions") or () if stage.__class__ is dict else ():
            if action.__class__ is not dict:
                continue
            order = action.get("RunOrder", 1)
            yield _Action(
                name=str(action.get("Name", "")),
                stage=str(stage.get("Name", "")),
                at=(number, int(order) if str(order).isdigit() else 1),
                kind=_mapping(action.get("ActionTypeId")),
                configuration=_mapping(action.get("Configuration")),
            )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if value.__class__ is dict else {}
