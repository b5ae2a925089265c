"""Policies: what is asked of a resource, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from driftguard.model.finding import Severity
from driftguard.model.resource import Json, Location, ResourceKey


class ComplianceType(StrEnum):
    """AWS Config's four verdicts.

    https://docs.aws.amazon.com/config/latest/APIReference/API_Evaluation.html
    """

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One policy judged on one resource.

    ``path`` points at the property that decided, ``judge`` is ``driftguard`` or ``AWS Config`` (a result
    that AWS Config computed and driftguard only read).
    """

    policy: str
    key: ResourceKey
    compliance: ComplianceType
    severity: Severity
    message: str = ""
    path: str = ""
    judge: str = "driftguard"
    parameters: Mapping[str, Json] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    logical_id: str = ""
    stack: str = ""
    location: Location | None = None
    template_parameter: str = ""
    """The template's parameter that the value at ``path`` comes from, if it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySummary:
    """What a reader of a report needs to know of a policy.  ``frameworks`` maps a framework to control ids."""

    id: str
    title: str
    severity: Severity
    resource_types: tuple[str, ...]
    description: str = ""
    source: str = ""
    aliases: tuple[str, ...] = ()
    frameworks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remedy: str | None = None
    title_ko: str = ""
    message: str = ""
    """What is said of a resource that fails, ``{name}`` for a parameter."""
    message_ko: str = ""
