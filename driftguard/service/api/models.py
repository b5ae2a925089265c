"""The forms of the API's answers and requests, as OpenAPI documents them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from driftguard.report import forms

T = TypeVar("T")


Out = forms.Form
"""An answer: fields may be added, none is taken away within a version."""


class In(BaseModel):
    """A request: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @field_validator("*")
    @classmethod
    def _text(cls, value: Any) -> Any:
        """No database keeps a NUL in a text, and a lone surrogate is no text."""
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and ("\0" in one or any("\ud800" <= char <= "\udfff" for char in one)):
                raise ValueError("has a character that no text has")
        return value


class Problem(Out):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    fix: str | None = None


class ListOf(BaseModel, Generic[T]):
    """One page.  ``cursor`` asks for the next one; null on the last.  ``total`` stands on the first page."""

    items: list[T]
    cursor: str | None = None
    total: int | None = None


class RunOut(forms.Run):
    outcome: str | None


class ProgressOut(Out):
    phase: str
    places: int
    done: int
    counts: dict[str, int]


class RunDetail(RunOut):
    gaps: list[forms.Gap]
    progress: ProgressOut | None


class FindingOut(forms.KnownFinding):
    resource_id: str


class DriftOut(forms.Drift):
    resource_id: str


class ResourceOut(Out):
    resource_id: str
    partition: str
    account: str
    region: str
    resource_type: str
    identifier: str
    arn: str | None
    name: str | None
    tags: dict[str, str]
    source: str
    captured_at: datetime | None
    state_hash: str


class ResourceDetail(ResourceOut):
    properties: dict[str, Any]


class ChangeOut(Out):
    path: str
    before: Any = None
    after: Any = None
    added: bool
    removed: bool
    changed_by: forms.Who | None


class VersionOut(Out):
    kind: str
    at: datetime
    until: datetime | None
    source: str
    changed_by: forms.Who | None
    changes: list[ChangeOut]


class EvaluationOut(Out):
    policy: str
    aliases: list[str]
    status: str
    severity: str
    account: str
    region: str
    resource_type: str
    identifier: str
    resource_id: str
    logical_id: str | None
    stack: str | None
    message: str
    path: str
    judge: str
    location: forms.Place | None


class FrameworkOut(Out):
    id: str
    title: str
    version: str
    percent: float | None
    compliant: int
    non_compliant: int
    insufficient_data: int


class ControlOut(Out):
    id: str
    title: str
    status: str
    policies: list[str]
    compliant: int
    non_compliant: int
    insufficient_data: int


class FrameworkDetail(FrameworkOut):
    controls: list[ControlOut]


class StackOut(Out):
    account: str
    region: str
    stack_id: str
    name: str
    status: str
    drift_status: str | None
    resources: int
    last_drift_check: datetime | None
    parent_id: str | None
    tags: dict[str, str]


class PolicyOut(Out):
    id: str
    title: str
    severity: str
    resource_types: list[str]
    description: str
    source: str
    aliases: list[str]
    frameworks: dict[str, list[str]]
    remedy: str | None


class WaiverOut(Out):
    id: str
    reason: str
    owner: str
    approver: str
    created_at: datetime | None
    expires_at: datetime
    policy: str
    account: str
    region: str
    type: str
    resource: str
    path: str
    tags: list[str]
    kinds: list[str]
    ticket: str


class ApprovalOut(Out):
    approver: str
    at: datetime
    reason: str
    digest: str
    ticket: str


class StepOut(Out):
    id: str
    finding: str
    title: str
    account: str
    region: str
    resource_type: str
    identifier: str
    severity: str
    cure: str
    action: str
    target: str
    parameters: dict[str, Any]
    expected: list[dict[str, Any]]
    deletes: bool
    why_safe: str


class ExecutionOut(Out):
    step: str
    status: str
    started_at: datetime | None
    finished_at: datetime | None
    execution_id: str
    detail: str


class PlanOut(Out):
    id: str
    author: str
    created_at: datetime
    expires_at: datetime
    digest: str
    approved: bool
    approvals: list[ApprovalOut]
    steps: list[StepOut]
    refused: list[list[str]]
    executions: list[ExecutionOut]
    stopped: str = Field(description="Why applying it stopped before its end; empty: it did not.")
    run: str | None = Field(description="The run that looked at its resources afterwards.")


class AuditOut(Out):
    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    digest: str


class ScanIn(In):
    accounts: list[str] = Field(default_factory=list, max_length=1000, description="Account ids; empty: all.")
    regions: list[str] = Field(default_factory=list, max_length=100, description="Regions; empty: all.")


class ScanOut(Out):
    run: str


class WaiverIn(In):
    finding: str = Field(min_length=1, max_length=64, description="The fingerprint of the finding to accept.")
    owner: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=3, max_length=2000)
    days: int = Field(90, ge=1, le=366)
    ticket: str = Field("", max_length=200)


class PlanIn(In):
    findings: list[str] = Field(min_length=1, max_length=500, description="Fingerprints.")


class ApproveIn(In):
    digest: str = Field(min_length=1, max_length=128, description="The digest of the plan as it was shown.")
    reason: str = Field(min_length=3, max_length=2000)
    ticket: str = Field("", max_length=200)


class ApplyIn(In):
    digest: str = Field(
        min_length=1, max_length=128, description="The digest of the plan as it was approved."
    )


class Gone(Out):
    status: Literal["removed"]
