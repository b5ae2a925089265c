"""The JSON forms that driftguard promises to scripts; docs/reference/outputs holds their schemas.

Fields may be added within a major version, none is taken away or changes its meaning.  Instants are ISO 8601
with ``Z``; paths are JSON pointers (RFC 6901); property differences are in CloudFormation's own words:
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_PropertyDifference.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict


class Form(BaseModel):
    """Something that is answered: a reader must not mind a field that it does not know."""

    model_config = ConfigDict(extra="allow")


class Place(Form):
    """Where somebody wrote it; line and column count from 1."""

    file: str
    line: int
    column: int


class Who(Form):
    """Who changed something, from CloudTrail."""

    principal: str
    event: str
    time: datetime
    source: str
    session: str | None
    event_id: str | None
    confidence: str


class Scope(Form):
    accounts: list[str]
    regions: list[str]
    types: list[str]
    stacks: list[str]


class Run(Form):
    id: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    trigger: str
    tool_version: str
    policy_version: str
    scope: Scope
    error: str | None


class Coverage(Form):
    """Declared resources by whether they were checked, and if not, why."""

    checked: int
    not_checked: int
    unsupported: int
    throttled: int
    unresolved: int
    ignored: int


class Gap(Form):
    """What could not be seen, and why; ``action`` is the IAM action that is missing."""

    reason: str
    account: str
    region: str
    resource_type: str | None
    identifier: str | None
    stack: str | None
    path: str | None
    action: str | None
    detail: str


class PropertyDifference(Form):
    """One difference: ADD, REMOVE or NOT_EQUAL."""

    PropertyPath: str
    ExpectedValue: Any
    ActualValue: Any
    DifferenceType: str


class Difference(PropertyDifference):
    requires_replacement: bool


class Undeclared(Form):
    """A live value that nothing declares; ``confirmed`` against the state that was accepted before."""

    path: str
    value: Any
    confirmed: bool
    was: Any = None


class NotChecked(Form):
    path: str
    reason: str
    detail: str = ""


class Fold(Form):
    """A difference that is none, and the rule that says so."""

    path: str
    rule: str


class Drift(Form):
    """One compared resource, and everything that its verdict rests on."""

    account: str
    region: str
    stack: str | None
    logical_id: str | None
    physical_id: str
    resource_type: str
    identifier: str
    status: str
    drifted: bool
    differences: list[Difference]
    reordered: list[str]
    undeclared: list[Undeclared]
    not_checked: list[NotChecked]
    folded: list[Fold]
    location: Place | None
    construct_path: str | None
    native_status: str | None
    disagreement: str | None
    first_seen: datetime | None
    last_seen: datetime | None
    changed_by: Who | None


class KnownFinding(Form):
    """The unit of history and report, asked for outside of any run."""

    fingerprint: str
    kind: str
    severity: str
    status: str
    title: str
    message: str
    account: str
    region: str
    resource_type: str
    identifier: str
    physical_id: str
    stack: str | None
    logical_id: str | None
    subject: str
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None
    occurrences: int
    flapping: bool
    waiver: str | None
    cause: str | None
    owner: str | None
    remedy: str | None
    changed_by: Who | None
    detail: Any = None


class Finding(KnownFinding):
    """A finding in the report of a run, which says what that run made of it."""

    new: bool
    reopened: bool


class FindingList(Form):
    """``driftguard findings --output json``: a page of findings, how many there are, and where the next begins."""

    findings: list[KnownFinding]
    total: int | None
    cursor: str | None


class Cause(Form):
    """What several findings have in common."""

    id: str
    kind: str
    title: str
    severity: str
    findings: list[str]
    resources: int
    accounts: int
    first_seen: datetime
    changed_by: Who | None


class SourceDrift(Form):
    """Repository against deployed template against live resource."""

    account: str
    region: str
    stack: str
    logical_id: str
    resource_type: str
    verdict: str
    file: str | None
    location: Place | None
    undeployed: list[PropertyDifference]


class DriftList(Form):
    """``driftguard drift --output json``."""

    run: Run | None
    outcome: str
    coverage: Coverage
    drifts: list[Drift]
    findings: list[Finding]
    gaps: list[Gap]


class Scan(DriftList):
    """``driftguard scan --output json``."""

    resolved: list[Finding]
    causes: list[Cause]
    three_way: list[SourceDrift]
    unmatched_templates: list[str]
    notes: list[str]
    summary: dict[str, Any]
    version: str


class ComparedValue(Form):
    path: str
    value: Any


class Compared(Form):
    """One line of ``driftguard compare``; a case that cannot be read has the status ERROR, and why."""

    id: Any
    status: str
    differences: list[PropertyDifference] = []
    reordered: list[str] = []
    undeclared: list[ComparedValue] = []
    not_checked: list[NotChecked] = []
    folded: list[Fold] = []
    error: str | None = None


class DeclaredOut(Form):
    Type: str
    Properties: Any


class Unknown(Form):
    """What cannot be known before the deployment; ``line`` is that of the template."""

    path: str
    reason: str
    line: int | None


class Resolved(Form):
    """``driftguard resolve --output json``; what cannot be known stays as its intrinsic."""

    resources: dict[str, DeclaredOut]
    absent: list[str]
    unknown: list[Unknown]


class Checked(Form):
    """One policy on one resource of a template."""

    template: str
    logical_id: str
    resource_type: str
    policy: str
    aliases: list[str]
    status: str
    severity: str
    message: str
    path: str
    line: int | None


class Remark(Form):
    """What of a template could not be judged; ``path`` is a JSON pointer into the template."""

    template: str
    logical_id: str
    resource_type: str
    kind: str
    level: str
    message: str
    path: str
    line: int | None


class Check(Form):
    """``driftguard check --output json``."""

    results: list[Checked]
    errors: list[str]
    remarks: list[Remark]
    summary: dict[str, int]


class ImportCounts(Form):
    items: int
    added: int
    changed: int
    removed: int
    unchanged: int
    rejected: int


class Unreadable(Form):
    file: str
    error: str


class SnapshotImport(Form):
    """``driftguard snapshot import --output json``."""

    files: int
    counts: ImportCounts
    errors: list[Unreadable]


OUTPUTS: Final[Mapping[str, type[Form]]] = {
    "scan": Scan,
    "drift": DriftList,
    "findings": FindingList,
    "compare": Compared,
    "resolve": Resolved,
    "check": Check,
    "snapshot-import": SnapshotImport,
}
"""Command -> the form of its JSON answer (of ``compare``: of one line)."""
