"""Frameworks: controls, the policies that answer them, and a score that says how it was counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from driftguard.errors import PolicyError, Where
from driftguard.model import ComplianceType, Evaluation
from driftguard.rules.load import policy_files
from driftguard.rules.source import Document, read


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ControlFile(_Part):
    """One control.  One without policies is judged by people: ``manual``."""

    id: str = Field(min_length=1)
    title: str = ""
    title_ko: str = ""
    policies: tuple[str, ...] = ()
    manual: bool = False


class FrameworkFile(_Part):
    """One framework, as a file has it."""

    id: str = Field(min_length=2)
    title: str
    title_ko: str = ""
    version: str = ""
    source: str = Field(pattern=r"^https://")
    description: str = ""
    controls: tuple[ControlFile, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """A framework that was loaded."""

    id: str
    title: str
    controls: tuple[ControlFile, ...]
    where: Where
    title_ko: str = ""
    version: str = ""
    source: str = ""
    description: str = ""

    @property
    def policies(self) -> frozenset[str]:
        return frozenset(name for control in self.controls for name in control.policies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frameworks:
    """All frameworks, and the errors of the files that could not be loaded."""

    frameworks: tuple[Framework, ...]
    errors: tuple[PolicyError, ...] = ()

    def get(self, name: str) -> Framework | None:
        """The framework with this id, in any case of letters."""
        return next((one for one in self.frameworks if one.id.lower() == name.lower()), None)

    def by_policy(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """policy id -> framework id -> control ids."""
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for framework in self.frameworks:
            for control in framework.controls:
                for name in control.policies:
                    found[name][framework.id].append(control.id)
        return {name: {key: tuple(ids) for key, ids in below.items()} for name, below in found.items()}


def load_frameworks(folders: Iterable[Path]) -> Frameworks:
    """Every framework below ``folders``; a wrong file is an error with file, line and fix."""
    found: dict[str, Framework] = {}
    errors: list[PolicyError] = []
    for path in policy_files(folders):
        try:
            framework = _framework(read(path))
            if framework.id in found:
                raise PolicyError(
                    f"the framework {framework.id} stands in {found[framework.id].where} already.",
                    where=framework.where,
                    fix="Give it another id.",
                )
            found[framework.id] = framework
        except PolicyError as error:
            errors.append(error)
    return Frameworks(frameworks=tuple(found.values()), errors=tuple(errors))


def _framework(document: Document) -> Framework:
    try:
        given = FrameworkFile.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        field_name = ".".join(str(step) for step in first["loc"]) or "the file"
        raise PolicyError(
            f"`{field_name}`: {first['msg'][0].lower()}{first['msg'][1:]}.",
            where=document.where(*first["loc"]),
            fix="docs/policies.md describes the fields.",
        ) from None
    seen: set[str] = set()
    for number, control in enumerate(given.controls):
        where = document.where("controls", number)
        if control.id in seen:
            raise PolicyError(
                f"the control {control.id} stands here twice.", where=where, fix="Join the two."
            )
        if bool(control.policies) is control.manual:
            raise PolicyError(
                f"the control {control.id} has {'both' if control.manual else 'neither'} policies and `manual`.",
                where=where,
                fix="A control is judged by policies or by people.",
            )
        seen.add(control.id)
    return Framework(
        id=given.id,
        title=given.title,
        title_ko=given.title_ko,
        version=given.version,
        source=given.source,
        description=given.description,
        controls=given.controls,
        where=document.where("id"),
    )


class ControlStatus(StrEnum):
    """What is known of a control."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
    """Some of its policies could not tell, and none found a fault."""
    NOT_JUDGED = "NOT_JUDGED"
    """None of its policies judged anything: no such resource, or nobody who judges them."""
    ATTESTED = "ATTESTED"
    MANUAL = "MANUAL"
    """Judged by people, and nobody has attested it (or the attestation is over)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """What a person says of a manual control, until when, and where the evidence is."""

    framework: str
    control: str
    met: bool
    by: str
    at: datetime
    expires_at: datetime
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlScore:
    """One control: its pairs of policy and resource, counted."""

    control: ControlFile
    status: ControlStatus
    compliant: int = 0
    judged: int = 0
    untold: int = 0
    not_judged: tuple[str, ...] = ()
    """Policies of the control of which there is no verdict at all."""
    attestation: Attestation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A framework's score.  ``percent`` is None when nothing was judged.

    A pair is one policy on one resource; it counts once, however many controls ask for the policy.
    Pairs that could not be told and policies that nobody judged are outside the percentage and counted
    beside it.
    """

    framework: str
    percent: float | None
    compliant_pairs: int
    judged_pairs: int
    untold_pairs: int
    controls: tuple[ControlScore, ...]
    counts: Mapping[ControlStatus, int] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """How it was counted, for the report."""
        counts = self.counts
        judged = (
            f"{self.compliant_pairs} compliant of {self.judged_pairs} judged pairs of policy and resource"
        )
        return (
            f"{judged}; {self.untold_pairs} pairs could not be told; of {len(self.controls)} controls "
            f"{counts.get(ControlStatus.MANUAL, 0) + counts.get(ControlStatus.ATTESTED, 0)} are judged by people "
            f"({counts.get(ControlStatus.ATTESTED, 0)} attested) and "
            f"{counts.get(ControlStatus.NOT_JUDGED, 0)} were not judged"
        )


def score(
    framework: Framework,
    evaluations: Iterable[Evaluation],
    attestations: Iterable[Attestation] = (),
    *,
    now: datetime,
) -> Score:
    """The score of ``framework``: compliant pairs / judged pairs.

    https://docs.aws.amazon.com/config/latest/developerguide/conformance-packs.html (compliance score)
    """
    pairs: dict[str, dict[str, ComplianceType]] = defaultdict(dict)
    wanted = framework.policies
    for one in evaluations:
        if one.compliance is ComplianceType.NOT_APPLICABLE:
            continue
        for name in (one.policy, *one.aliases):
            if name in wanted:
                pairs[name][str(one.key)] = one.compliance
    said = {one.control: one for one in attestations if one.framework.lower() == framework.id.lower()}
    controls = tuple(_control(control, pairs, said.get(control.id), now) for control in framework.controls)
    verdicts = [verdict for below in pairs.values() for verdict in below.values()]
    compliant = verdicts.count(ComplianceType.COMPLIANT)
    judged = compliant + verdicts.count(ComplianceType.NON_COMPLIANT)
    counts: dict[ControlStatus, int] = dict.fromkeys(ControlStatus, 0)
    for control_score in controls:
        counts[control_score.status] += 1
    return Score(
        framework=framework.id,
        percent=round(100 * compliant / judged, 2) if judged else None,
        compliant_pairs=compliant,
        judged_pairs=judged,
        untold_pairs=len(verdicts) - judged,
        controls=controls,
        counts=counts,
    )


def _control(
    control: ControlFile,
    pairs: Mapping[str, Mapping[str, ComplianceType]],
    attestation: Attestation | None,
    now: datetime,
) -> ControlScore:
    if control.manual:
        holds = attestation is not None and attestation.expires_at > now
        status = ControlStatus.MANUAL
        if holds and attestation is not None:
            status = ControlStatus.ATTESTED if attestation.met else ControlStatus.NON_COMPLIANT
        return ControlScore(control=control, status=status, attestation=attestation if holds else None)
    verdicts = [verdict for name in control.policies for verdict in pairs.get(name, {}).values()]
    compliant = verdicts.count(ComplianceType.COMPLIANT)
    faults = verdicts.count(ComplianceType.NON_COMPLIANT)
    untold = len(verdicts) - compliant - faults
    if faults:
        status = ControlStatus.NON_COMPLIANT
    elif untold:
        status = ControlStatus.INSUFFICIENT_DATA
    elif compliant:
        status = ControlStatus.COMPLIANT
    else:
        status = ControlStatus.NOT_JUDGED
    return ControlScore(
        control=control,
        status=status,
        compliant=compliant,
        judged=compliant + faults,
        untold=untold,
        not_judged=tuple(name for name in control.policies if not pairs.get(name)),
    )
