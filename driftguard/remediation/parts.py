"""What all steps are made of: their fields, their patches, and the words for values.  Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from driftguard.compare.patch import apply_patch
from driftguard.model import FindingKind, Json
from driftguard.model.remediation import ActionKind, Change, Cure, Step
from driftguard.remediation.adopt import Edit, diff
from driftguard.remediation.material import Case, Material
from driftguard.remediation.remedies import REVERTER
from driftguard.remediation.values import ABSENT, Operation, at, saved, undo, unknown_in
from driftguard.settings.remediation import RemediationSettings

MARK = "<absent>"
"""How a plan writes that there is nothing, before or after."""
SECRET = "<secret>"
"""How it writes a value that it must not show."""


class Impossible(Exception):
    """No step answers the case; the text says why, ``guard`` what refused it."""

    def __init__(self, why: str, guard: str = "no-cure") -> None:
        super().__init__(why)
        self.guard = guard


def patched(
    case: Case,
    document: str,
    operations: Sequence[Operation],
    live: Mapping[str, Json],
    settings: RemediationSettings,
    *,
    cure: Cure,
    why: str,
    title: str = "",
    why_safe: str = "",
    mind: str = "",
    deletes: bool = False,
) -> Step:
    """A step that patches one resource with Cloud Control, inside one of our documents."""
    return make_step(
        case,
        cure=cure,
        action=ActionKind.SSM_AUTOMATION,
        target=document,
        parameters=patch_arguments(case, operations, settings),
        expected=changes_of(operations, live),
        saved=saved(operations, live),
        rollback={
            "document": REVERTER,
            "parameters": patch_arguments(case, undo(operations, live), settings),
        },
        why=why,
        title=title,
        deletes=deletes,
        mind=mind,
        why_safe=why_safe
        or (
            "Only the properties shown are written, as one patch; the resource is not replaced, and nothing is "
            "started unless it is still exactly in the state that this plan was made from."
        ),
        verify=verification(case),
    )


def patch_arguments(
    case: Case, operations: Sequence[Operation], settings: RemediationSettings
) -> dict[str, Json]:
    """The parameters of `REVERTER` and `SETTER`."""
    return {
        "AutomationAssumeRole": [role_arn(case, settings)],
        "TypeName": [case.key.type],
        "Identifier": [case.key.identifier],
        "PatchDocument": [json.dumps(list(operations), ensure_ascii=False, sort_keys=True)],
    }


def role_arn(case: Case, settings: RemediationSettings) -> str:
    """The role that SSM Automation works with in the resource's account."""
    return f"arn:{case.key.partition}:iam::{case.key.account}:role/{settings.automation_role_name}"


def changes_of(operations: Sequence[Operation], live: Mapping[str, Json]) -> tuple[Change, ...]:
    return tuple(
        Change(
            path=operation["path"],
            before=MARK if (before := at(live, operation["path"])) is ABSENT else before,
            after=MARK if operation["op"] == "remove" else operation["value"],
        )
        for operation in operations
    )


def after_step(step: Step, live: Mapping[str, Json]) -> dict[str, Json]:
    """The properties as the step is expected to leave them."""
    operations: list[Operation] = [
        {"op": "remove", "path": change.path}
        if change.after == MARK
        else {"op": "add", "path": change.path, "value": change.after}
        for change in step.expected
        if change.path
    ]
    return apply_patch(operations, live)


def holds_secret(case: Case, operations: Sequence[Operation], material: Material) -> bool:
    live = case.live.properties if case.live is not None else {}
    for operation in operations:
        before = at(live, operation["path"])
        for value in (operation.get("value"), None if before is ABSENT else before):
            if value is not None and material.secret(case.key.type, operation["path"], value):
                return True
    return False


def template_step(
    case: Case, cure: Cure, why: str, edits: Sequence[Edit], after: str, expected: tuple[Change, ...]
) -> Step:
    assert case.template is not None and case.declared is not None
    template = case.template
    return make_step(
        case,
        cure=cure,
        action=ActionKind.TEMPLATE_PATCH,
        target=template.file,
        parameters={
            "Template": template.file,
            "Edits": [edit.to_json() for edit in edits],
            "Diff": diff(template.text, after, template.file),
            "Branch": f"driftguard/{case.declared.stack_name}-{case.declared.logical_id}".lower(),
        },
        expected=expected,
        why=why,
        why_safe="Nothing in AWS is changed: a patch for the template is written, for you to review and deploy.",
        rollback=None,
        verify="The patched template is parsed again and must hold exactly the values shown.",
    )


def verification(case: Case) -> str:
    if case.worst.kind is FindingKind.COMPLIANCE:
        return f"The resource is read again and {case.worst.subject} is judged on it; it must be COMPLIANT."
    return "The resource is read and compared with its template again; it must be in sync."


def shown(value: Json) -> Json:
    if value is ABSENT or value is None:
        return MARK
    return "<known to CloudFormation only>" if unknown_in(value) else value


def make_step(
    case: Case,
    *,
    cure: Cure,
    action: ActionKind,
    target: str,
    parameters: Mapping[str, Json],
    why: str,
    why_safe: str,
    verify: str,
    rollback: Mapping[str, Json] | None,
    expected: tuple[Change, ...] = (),
    saved: Mapping[str, Json] | None = None,
    title: str = "",
    mind: str = "",
    deletes: bool = False,
) -> Step:
    finding = case.worst
    return Step(
        id="",
        finding=finding.fingerprint,
        findings=tuple(one.fingerprint for one in case.findings),
        title=title or finding.title,
        message=_message(case),
        key=case.key,
        severity=finding.severity,
        cure=cure,
        action=action,
        target=target,
        parameters=parameters,
        expected=expected,
        saved=saved or {},
        state_hash=case.live.state_hash if case.live is not None else "",
        rollback=rollback,
        verify=verify,
        deletes=deletes,
        mind=mind,
        changed_by=_who(case),
        why_safe=why_safe,
        why_this_cure=why,
        stack=finding.stack,
        stack_id=case.stack.stack_id if case.stack is not None else "",
        logical_id=finding.logical_id,
        policy=finding.subject if finding.kind is FindingKind.COMPLIANCE else "",
    )


def _message(case: Case) -> str:
    said = [f"{one.title}. {one.message}".strip() for one in case.findings]
    who = case.drift.changed_by if case.drift is not None else case.worst.changed_by
    if who is not None:
        said.append(f"Changed by {who.principal} ({who.event}) at {who.time:%Y-%m-%d %H:%M} UTC.")
    return " ".join(said)


def _who(case: Case) -> str:
    who = case.drift.changed_by if case.drift is not None else case.worst.changed_by
    if who is None:
        return ""
    *_, role, name = f"/{who.principal}".split("/")
    by = f"{name} ({role})" if role and ":assumed-role/" in who.principal else name
    return f"{by} with {who.event}, {who.time:%Y-%m-%d %H:%M} UTC"
