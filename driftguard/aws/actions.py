"""Every gateway method names the IAM actions that it needs; the least-privilege policy is computed from that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One gateway method and the IAM actions behind it.  ``writes`` marks what only remediation calls."""

    method: str
    actions: tuple[str, ...]
    why: str
    writes: bool = False


_NEEDS: dict[str, Need] = {}


def reads(*actions: str) -> Callable[[F], F]:
    """Name the IAM actions of a method that only looks."""
    return _register(actions, writes=False)


def writes(*actions: str) -> Callable[[F], F]:
    """Name the IAM actions of a method that changes something in AWS, or sends something out."""
    return _register(actions, writes=True)


def needs() -> tuple[Need, ...]:
    """All registered methods, by name.  Only modules that were imported are in it; see `permissions`."""
    return tuple(_NEEDS[name] for name in sorted(_NEEDS))


def _register(actions: tuple[str, ...], *, writes: bool) -> Callable[[F], F]:
    def register(method: F) -> F:
        name = f"{method.__module__.removeprefix('driftguard.aws.')}.{method.__qualname__}"
        why = (method.__doc__ or "").strip().split("\n", 1)[0]
        _NEEDS[name] = Need(method=name, actions=actions, why=why, writes=writes)
        return method

    return register
