"""Rollouts in the manner of CodeDeploy: which steps go in which wave, and how long is watched between them.  Pure.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from driftguard.errors import ConfigError
from driftguard.settings.remediation import RolloutShape

T = TypeVar("T")
_CANARY = re.compile(r"Canary(\d{1,2})Percent(\d{1,4})Minutes")
_LINEAR = re.compile(r"Linear(\d{1,2})PercentEvery(\d{1,4})Minutes?")
NAMES = ("OneAtATime", "HalfAtATime", "AllAtOnce", "Canary10Percent5Minutes", "Linear10PercentEvery1Minute")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave(Generic[T]):
    """Steps that may be under way together, and how long is watched after they ended well (seconds)."""

    members: tuple[T, ...]
    watch_seconds: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A first part, then equal parts; both as a share of all, and never less than one."""

    first: float
    then: float
    pause_seconds: float = 0


def rollout(name: str, own: Mapping[str, RolloutShape] | None = None) -> Rollout:
    """The rollout of a name: CodeDeploy's, one in their notation (``Canary25Percent15Minutes``), or the user's.

    Raises `ConfigError` for a name that is none of them.
    """
    if own and name in own:
        shape = own[name]
        return Rollout(
            first=shape.first_percent, then=shape.then_percent, pause_seconds=shape.pause_minutes * 60
        )
    fixed = {
        "OneAtATime": Rollout(first=0, then=0),
        "HalfAtATime": Rollout(first=50, then=50),
        "AllAtOnce": Rollout(first=100, then=100),
    }
    if name in fixed:
        return fixed[name]
    if (found := _CANARY.fullmatch(name)) and int(found[1]):
        return Rollout(first=float(found[1]), then=100, pause_seconds=float(found[2]) * 60)
    if (found := _LINEAR.fullmatch(name)) and int(found[1]):
        return Rollout(first=float(found[1]), then=float(found[1]), pause_seconds=float(found[2]) * 60)
    names = ", ".join([*NAMES, *(own or ())])
    raise ConfigError(
        f"there is no rollout {name}.", fix=f"Choose {names}, or name your own under `remediation.rollouts`."
    )


def waves(shape: Rollout, members: Sequence[T]) -> tuple[Wave[T], ...]:
    """All members, each in exactly one wave, in their order."""
    found: list[Wave[T]] = []
    rest = tuple(members)
    size = _part(shape.first, len(members))
    while rest:
        taken, rest = rest[:size], rest[size:]
        found.append(Wave(members=taken, watch_seconds=shape.pause_seconds if rest else 0))
        size = _part(shape.then, len(members))
    return tuple(found)


def _part(percent: float, total: int) -> int:
    return max(1, math.ceil(total * percent / 100))
