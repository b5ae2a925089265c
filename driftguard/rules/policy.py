"""A policy that was loaded, and one of its variants: parameters and severity put in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from driftguard.errors import PolicyError, Where
from driftguard.model import ComplianceType, Json, PolicySummary, Severity
from driftguard.rules.compile import Compiled, Expression, Judge, fused
from driftguard.rules.policyfile import Case, Parameter
from driftguard.rules.text import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy, parsed and checked.  ``reads`` are the top-level properties it needs; None means all."""

    id: str
    title: str
    severity: Severity
    resource_types: tuple[str, ...]
    asserts: Expression
    applies_when: Expression | None
    message: str
    source: str
    where: Where
    aliases: tuple[str, ...] = ()
    suppressed_by: tuple[str, ...] = ()
    title_ko: str = ""
    message_ko: str = ""
    description: str = ""
    description_ko: str = ""
    path: str = ""
    judges: str = "both"
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    frameworks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    custom: bool = False
    remedy: str | None = None
    cases: tuple[Case, ...] = ()
    python: bool = False
    """It comes from an installed package and is judged by its code."""

    @property
    def reads(self) -> frozenset[str] | None:
        sets = [one.reads for one in (self.asserts, self.applies_when) if one is not None]
        if any(one is None for one in sets):
            return None
        return frozenset().union(*(one for one in sets if one is not None))

    @property
    def required(self) -> tuple[str, ...]:
        """Parameters that somebody has to set before the policy can be judged."""
        return tuple(
            name for name, spec in self.parameters.items() if spec.default is None and not spec.optional
        )

    def summary(self) -> PolicySummary:
        return PolicySummary(
            id=self.id,
            title=self.title,
            severity=self.severity,
            resource_types=self.resource_types,
            description=self.description,
            source=self.source,
            aliases=self.aliases,
            frameworks=self.frameworks,
            remedy=self.remedy,
            title_ko=self.title_ko,
            message=self.message,
            message_ko=self.message_ko,
        )

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters: what is given, as its type says, and defaults.  Raises `PolicyError`."""
        for name in given:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise PolicyError(f"{self.id} has no parameter `{name}`.", fix=f"Its parameters: {known}.")
        return {
            name: coerce(f"{self.id}.{name}", spec, given.get(name, spec.default))
            for name, spec in self.parameters.items()
        }


class Variant:
    """A policy with its parameters: what is really evaluated."""

    def __init__(self, policy: Policy, parameters: Mapping[str, Any], severity: Severity) -> None:
        self.policy = policy
        self.parameters = parameters
        self.severity = severity
        self.reads = policy.reads
        self.context = any(one is not None and one.context for one in (policy.asserts, policy.applies_when))
        self.missing = tuple(name for name in policy.required if parameters.get(name) is None)

    @cached_property
    def asserts(self) -> Compiled:
        return self.policy.asserts.compiled(self.parameters)

    @cached_property
    def applies(self) -> Compiled | None:
        expression = self.policy.applies_when
        return None if expression is None else expression.compiled(self.parameters)

    @cached_property
    def quick(self) -> Judge:
        """Both expressions in one plain function: None for not applicable, else whether it holds."""
        applies = self.policy.applies_when
        return fused(applies.tree if applies is not None else None, self.policy.asserts.tree, self.parameters)

    @cached_property
    def fault(self) -> tuple[ComplianceType, str]:
        """The verdict of a resource that fails."""
        return ComplianceType.NON_COMPLIANT, self.message

    @cached_property
    def message(self) -> str:
        return fill(self.policy.message, self.parameters)


def places(message: str) -> tuple[str, ...]:
    """The parameters that ``message`` names."""
    return tuple(re.findall(r"\{(\w+)\}", message))


def fill(message: str, parameters: Mapping[str, Any]) -> str:
    """``message`` with each ``{parameter}`` replaced by its value."""
    for name, value in parameters.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        message = message.replace("{" + name + "}", shown)
    return message


def coerce(name: str, spec: Parameter, value: Json) -> Json:
    """``value`` as the parameter's type says; AWS Config hands over texts.  Raises `PolicyError`."""
    if value is None:
        return None
    try:
        found = _as_type(spec.type, value)
    except (ValueError, TypeError):
        raise PolicyError(
            f"{name} must be of type {spec.type}, not {value!r}.", fix="Correct the value."
        ) from None
    if spec.allowed and found not in spec.allowed:
        choices = ", ".join(map(str, spec.allowed))
        raise PolicyError(f"{name} cannot be {value!r}.", fix=f"Choose one of: {choices}.")
    return found


def _as_type(kind: str, value: Any) -> Any:
    if kind == "integer":
        if isinstance(value, bool):
            raise ValueError
        return int(value)
    if kind == "number":
        if isinstance(value, bool):
            raise ValueError
        return float(value) if not isinstance(value, int) else value
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        if str(value).lower() not in ("true", "false"):
            raise ValueError
        return str(value).lower() == "true"
    if kind == "list":
        return listed(list(value) if isinstance(value, tuple) else value)
    if kind == "json":
        return json.loads(value) if isinstance(value, str) else value
    if isinstance(value, dict | list):
        raise ValueError
    return str(value).lower() if isinstance(value, bool) else str(value)
