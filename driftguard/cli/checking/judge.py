"""Templates judged: one result for each policy and resource it applies to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from driftguard.cli.checking.soundness import Kind, Remark
from driftguard.cli.checking.templates import Checked, TemplateFile
from driftguard.model import ComplianceType, Severity
from driftguard.rules import Catalogue, JudgeContext, Neighbours
from driftguard.rules.judge import Verdict
from driftguard.rules.policy import Variant
from driftguard.rules.suppressions import Accepted, Suppressions, suppressions

SKIP, WAIVED, ERROR = "SKIP", "WAIVED", "ERROR"
_COUNTED = ("COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA", WAIVED, SKIP, ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One policy on one resource of a template."""

    template: str
    logical_id: str
    resource_type: str
    policy: str
    aliases: tuple[str, ...]
    status: str
    severity: Severity
    message: str
    path: str
    line: int | None
    title: str = ""
    environment: str = ""


@dataclass(slots=True)
class Answer:
    """All results of one command, and what could not be read."""

    results: list[Result] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    """Waivers in Metadata that do not count, and why."""
    remarks: list[Remark] = field(default_factory=list)
    """What could not be judged: unknown types and properties, references to nothing."""
    templates: int = 0
    skipped_files: int = 0

    def summary(self) -> dict[str, int]:
        counts: Counter[str] = Counter(result.status for result in self.results)
        counts[ERROR] += len(self.errors)
        return {status: counts[status] for status in _COUNTED}

    @property
    def complete(self) -> bool:
        """Whether nothing had to be left unjudged."""
        return not any(remark.kind.prevents for remark in self.remarks)

    @property
    def broken(self) -> bool:
        """Whether a template refers to what there is not."""
        return any(remark.kind is Kind.DANGLING_REFERENCE for remark in self.remarks)

    def worst(self) -> Severity | None:
        """The worst severity among the faults."""
        faults = [one.severity for one in self.results if one.status == ComplianceType.NON_COMPLIANT]
        return min(faults, key=lambda one: one.rank, default=None)


def judge_template(
    catalogue: Catalogue, template: TemplateFile, environment: str = "", warnings: list[str] | None = None
) -> Iterable[Result]:
    """Judge every resource of one template; what is wrong with its waivers is added to ``warnings``."""
    context = JudgeContext(
        now=datetime.now(UTC),
        neighbours=Neighbours(one.resource for one in template.resources),
        attributes={
            one.declared.logical_id: {**one.declared.attributes, "Metadata": one.declared.metadata}
            for one in template.resources
        },
        environment=environment,
    )
    for checked in template.resources:
        said = suppressions(checked.declared.metadata)
        found = [
            _result(template.file, checked, variant, verdict, said, context.now, environment)
            for variant, verdict in catalogue.verdicts(checked.resource, context)
        ]
        if warnings is not None:
            problems = (*said.problems, *_idle(catalogue, said, found))
            warnings.extend(f"{template.file}:{checked.line('')}: {problem}" for problem in problems)
        yield from found


def _idle(catalogue: Catalogue, said: Suppressions, found: Iterable[Result]) -> Iterable[str]:
    """Waivers that accept nothing: they name no policy, or what they name is not at fault here."""
    for entry in said.accepted:
        judged = [one for one in found if _names(entry, (one.policy, *one.aliases))]
        if judged and not any(one.status in (WAIVED, ComplianceType.NON_COMPLIANT) for one in judged):
            yield f"Metadata.driftguard.waive of {entry.policy} matches no fault; it can go."
        everything = catalogue.shelf or catalogue.policies
        if not judged and not any(_names(entry, (one.id, *one.aliases)) for one in everything):
            yield f"Metadata.driftguard.waive names {entry.policy}, which is no policy."


def _names(entry: Accepted, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, entry.policy) for name in names)


def _result(
    file: str,
    checked: Checked,
    variant: Variant,
    verdict: Verdict,
    said: Suppressions,
    now: datetime,
    environment: str,
) -> Result:
    policy = variant.policy
    compliance, message = verdict
    names = (policy.id, *policy.aliases)
    status: str = compliance.value
    if said.suppresses((*names, *policy.suppressed_by)):
        status, message = SKIP, "Suppressed in the resource's Metadata."
    elif compliance is ComplianceType.NON_COMPLIANT:
        accepted = said.waiver_of(names)
        if accepted is not None and accepted.holds(now):
            status, message = WAIVED, f"{message} Accepted: {accepted.reason}"
        elif accepted is not None:
            message = f"{message} The waiver in the Metadata expired on {accepted.expires}."
    return Result(
        template=file,
        logical_id=checked.resource.key.identifier,
        resource_type=checked.resource.type,
        policy=policy.id,
        aliases=policy.aliases,
        status=status,
        severity=variant.severity,
        message=message,
        path=policy.path,
        line=checked.line(policy.path),
        title=policy.title,
        environment=environment,
    )


def remark_as_json(remark: Remark) -> dict[str, Any]:
    """The form of one remark."""
    return {
        "template": remark.template,
        "logical_id": remark.logical_id,
        "resource_type": remark.resource_type,
        "kind": remark.kind.value,
        "level": remark.kind.level,
        "message": remark.message,
        "path": remark.path,
        "line": remark.line,
    }


def as_json(result: Result) -> dict[str, Any]:
    """The contract's form of one result."""
    found: dict[str, Any] = {
        "template": result.template,
        "logical_id": result.logical_id,
        "resource_type": result.resource_type,
        "policy": result.policy,
        "aliases": list(result.aliases),
        "status": result.status,
        "severity": result.severity.value,
        "message": result.message,
        "path": result.path,
        "line": result.line,
    }
    if result.environment:
        found["environment"] = result.environment
    return found
