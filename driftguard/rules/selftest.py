"""A policy's own cases, run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from driftguard.model import ComplianceType, Resource, ResourceKey, Source
from driftguard.rules.judge import judge, prepare, tags_of
from driftguard.rules.policy import Policy, Variant
from driftguard.rules.policyfile import Case
from driftguard.rules.relations import JudgeContext, Neighbours
from driftguard.rules.text import instant
from driftguard.rules.values import Names, without_intrinsics

SUBJECT = "Subject"
_ACCOUNT, _REGION = "111111111111", "eu-west-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case: what was expected, what was said, and the message."""

    policy: str
    case: str
    expected: ComplianceType
    actual: ComplianceType
    message: str

    @property
    def passed(self) -> bool:
        return self.expected is self.actual


def run_cases(policy: Policy) -> Iterator[CaseResult]:
    """Judge every case of the policy."""
    for case in policy.cases:
        variant = Variant(policy, policy.values(case.parameters), policy.severity)
        actual, message = judge(variant, prepare(*setting(policy, case)))
        yield CaseResult(
            policy=policy.id, case=case.name, expected=case.expect, actual=actual, message=message
        )


def lacking(policy: Policy) -> tuple[ComplianceType, ...]:
    """The verdicts that every policy has to show an example of, and this one does not."""
    if policy.python:
        return ()
    shown = {case.expect for case in policy.cases}
    needed = (ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT)
    return tuple(one for one in needed if one not in shown)


def setting(policy: Policy, case: Case) -> tuple[Resource, JudgeContext]:
    """The resource of a case and the context that it is judged in."""
    names: Names = {
        **{
            name: {"NoEcho": spec.no_echo, **({"Default": ""} if spec.default else {})}
            for name, spec in case.template_parameters.items()
        },
        SUBJECT: None,
        **{one.id: None for one in case.related},
    }
    source = Source.SERVICE if case.live else Source.TEMPLATE
    subject = _resource(
        case.type or policy.resource_types[0], SUBJECT, case.properties, source, names, case.tags
    )
    others = [_resource(one.type, one.id, one.properties, source, names, {}) for one in case.related]
    context = JudgeContext(
        neighbours=Neighbours([subject, *others]),
        account_facts=case.account,
        attributes={SUBJECT: case.attributes},
        now=instant(case.now) or datetime.now(UTC),
    )
    return subject, context


def _resource(
    type_name: str,
    name: str,
    properties: dict[str, object],
    source: Source,
    names: Names,
    tags: dict[str, str],
) -> Resource:
    key = ResourceKey(account=_ACCOUNT, region=_REGION, type=type_name, identifier=name)
    known = without_intrinsics(properties, names)
    # A case's own ``tags`` stand for those that are no property, such as a stack's.
    tags = {**tags_of(known.get("Tags")), **tags}
    return Resource(key=key, properties=known, source=source, name=name, tags=tags)
