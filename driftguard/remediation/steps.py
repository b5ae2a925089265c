"""From a case and its cure to a step.  Pure; `Impossible` says in a sentence why there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from driftguard.compare.patch import to_patch
from driftguard.model import DriftStatus, FindingKind, Json, UndeclaredValue
from driftguard.model.remediation import ActionKind, Change, Cure, Step
from driftguard.remediation.adopt import Edit, diff, edits_of, patch_template
from driftguard.remediation.material import Case, Material
from driftguard.remediation.remedies import REVERTER, SETTER, NotFitting, Remedies, Remedy
from driftguard.remediation.values import ABSENT, Operation, at, saved, settings_patch, undo, unknown_in
from driftguard.schema import registry
from driftguard.settings.remediation import RemediationSettings

ACCEPT_DAYS = 90
MARK = "<absent>"
"""How a plan writes that there is nothing, before or after."""


class Impossible(Exception):
    """No step answers the case; the text says why, ``guard`` what refused it."""

    def __init__(self, why: str, guard: str = "no-cure") -> None:
        super().__init__(why)
        self.guard = guard


def build(
    case: Case, cure: Cure, why: str, material: Material, remedies: Remedies, settings: RemediationSettings
) -> Step:
    """The step for a case.  Raises `Impossible`."""
    if cure is Cure.FIX:
        return _fix(case, why, material, remedies, settings)
    if cure is Cure.ACCEPT:
        return _accept(case, why)
    if cure is Cure.ADOPT:
        return _adopt(case, why)
    return _revert(case, why, material, settings)


# -- REVERT


def _revert(case: Case, why: str, material: Material, settings: RemediationSettings) -> Step:
    drift, live, declared = case.drift, case.live, case.declared
    if drift is None:
        raise Impossible("it is not drift, so there is no declared value to put back.")
    if drift.status is DriftStatus.DELETED:
        return _change_set(
            case, why, "AWS does not have the resource any more, and only CloudFormation makes it again."
        )
    if drift.status is DriftStatus.UNMANAGED or declared is None:
        raise Impossible("no template declares it, so there is nothing to revert to.")
    if live is None:
        raise Impossible(material.unread.get(case.key, "it could not be read again just now."), "unread")
    operations = to_patch(drift.differences, declared.properties, live.properties)
    operations += _undeclared_patch(drift.undeclared, live.properties)
    if not operations:
        raise Impossible("the live state is as declared already.")
    hole = next((unknown_in(op.get("value")) for op in operations if unknown_in(op.get("value"))), "")
    if hole:
        return _change_set(case, why, f"Part of the declared value is known to CloudFormation only ({hole}).")
    if _secret(case, operations, material):
        return _change_set(
            case, why, "A value concerned is secret, and CloudFormation can put it back without showing it."
        )
    schema = registry().get(case.key.type)
    if schema is None or "update" not in schema.handlers:
        return _change_set(case, why, f"Cloud Control cannot change {case.key.type}.")
    return _patched(case, REVERTER, operations, live.properties, settings, cure=Cure.REVERT, why=why)


def _undeclared_patch(values: Sequence[UndeclaredValue], live: Mapping[str, Json]) -> list[Operation]:
    wanted = {
        value.path: ABSENT if value.was_absent else value.was
        for value in values
        if value.confirmed and not any(part.isdigit() for part in value.path.split("/"))
    }
    return settings_patch(wanted, live)


def _secret(case: Case, operations: Sequence[Operation], material: Material) -> bool:
    live = case.live.properties if case.live is not None else {}
    for operation in operations:
        before = at(live, operation["path"])
        for value in (operation.get("value"), None if before is ABSENT else before):
            if value is not None and material.secret(case.key.type, operation["path"], value):
                return True
    return False


def _change_set(case: Case, why: str, because: str) -> Step:
    stack = case.stack
    if stack is None or (case.declared is None and case.drift is None):
        raise Impossible("it can only be put back by CloudFormation, and its stack is not known.")
    drift = case.drift
    assert drift is not None
    expected = tuple(
        Change(path=one.path, before=_shown(one.actual), after="<as the template says>")
        if unknown_in(one.expected)
        else Change(path=one.path, before=_shown(one.actual), after=_shown(one.expected))
        for one in drift.differences
    ) or (Change(path="", before=MARK, after="<made again as the template says>"),)
    return _step(
        case,
        cure=Cure.REVERT,
        action=ActionKind.REVERT_DRIFT,
        target=stack.name,
        parameters={
            "StackName": stack.stack_id,
            "DeploymentMode": "REVERT_DRIFT",
            "LogicalResourceIds": [drift.logical_id],
        },
        expected=expected,
        why=f"{why} {because}",
        why_safe=(
            "CloudFormation prepares a change set first; it is compared with this plan, property by property, and "
            "thrown away if it would touch anything else."
        ),
        rollback=None,
        verify="The resource is read and compared with its template again; it must be in sync.",
    )


def _patched(
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
    deletes: bool = False,
) -> Step:
    """A step that patches one resource with Cloud Control, inside one of our documents."""
    return _step(
        case,
        cure=cure,
        action=ActionKind.SSM_AUTOMATION,
        target=document,
        parameters=patch_arguments(case, operations, settings),
        expected=_changes(operations, live),
        saved=saved(operations, live),
        rollback={
            "document": REVERTER,
            "parameters": patch_arguments(case, undo(operations, live), settings),
        },
        why=why,
        title=title,
        deletes=deletes,
        why_safe=why_safe
        or (
            "Only the properties shown are written, as one patch; the resource is not replaced, and nothing is "
            "started unless it is still exactly in the state that this plan was made from."
        ),
        verify=_verification(case),
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


def _changes(operations: Sequence[Operation], live: Mapping[str, Json]) -> tuple[Change, ...]:
    return tuple(
        Change(
            path=operation["path"],
            before=MARK if (before := at(live, operation["path"])) is ABSENT else before,
            after=MARK if operation["op"] == "remove" else operation["value"],
        )
        for operation in operations
    )


# -- ADOPT and ACCEPT


def _adopt(case: Case, why: str) -> Step:
    drift, declared, template = case.drift, case.declared, case.template
    if drift is None or declared is None or not drift.differences:
        raise Impossible("only a difference from a template can be taken into that template.")
    if template is None:
        raise Impossible("the text of its template is not known.")
    edits = edits_of(declared, drift.differences, case.live.properties if case.live else {})
    try:
        after = patch_template(template.text, edits)
    except ValueError as error:
        raise Impossible(f"the template cannot be patched: {error}.") from None
    return _template_step(case, Cure.ADOPT, why, edits, after, _differences(case))


def _differences(case: Case) -> tuple[Change, ...]:
    assert case.drift is not None
    return tuple(
        Change(path=one.path, before=_shown(one.expected), after=_shown(one.actual))
        for one in case.drift.differences
    )


def _template_step(
    case: Case, cure: Cure, why: str, edits: Sequence[Edit], after: str, expected: tuple[Change, ...]
) -> Step:
    assert case.template is not None and case.declared is not None
    template = case.template
    return _step(
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


def _accept(case: Case, why: str) -> Step:
    finding = case.worst
    compliance = finding.kind is FindingKind.COMPLIANCE
    return _step(
        case,
        cure=Cure.ACCEPT,
        action=ActionKind.WAIVER,
        target="waiver",
        parameters={
            "Policy": finding.subject if compliance else "*",
            "Paths": sorted({"*" if compliance else one.subject for one in case.findings}),
            "ExpiresInDays": ACCEPT_DAYS,
            "Owner": finding.owner,
        },
        why=why,
        why_safe=f"Nothing in AWS is changed, and the finding comes back by itself after {ACCEPT_DAYS} days.",
        rollback=None,
        verify="The next scan shows the finding as SUPPRESSED, with the waiver's id.",
    )


# -- FIX


def _fix(case: Case, why: str, material: Material, remedies: Remedies, settings: RemediationSettings) -> Step:
    policy = case.worst.subject
    candidates = remedies.of(policy, case.key.type)
    if not candidates:
        raise Impossible(f"no remedy for {policy} on {case.key.type} is known.", "no-remedy")
    if case.live is None:
        raise Impossible(material.unread.get(case.key, "it could not be read again just now."), "unread")
    reasons = []
    for remedy in candidates:
        inputs = inputs_for(settings, case.key.account)
        try:
            wanted = remedy.wanted(case.live, inputs)
            undone = _declared_otherwise(case, wanted)
            if undone:
                return _fix_in_template(case, wanted, undone)
            return _fix_live(case, why, remedy, wanted, remedies, settings, material)
        except NotFitting as error:
            reasons.append(f"{remedy.title}: {error}")
    raise Impossible(" ".join(reasons), "no-remedy")


def _fix_live(
    case: Case,
    why: str,
    remedy: Remedy,
    wanted: Mapping[str, Json],
    remedies: Remedies,
    settings: RemediationSettings,
    material: Material,
) -> Step:
    assert case.live is not None
    live = case.live.properties
    operations = settings_patch(wanted, live)
    if _secret(case, operations, material):
        raise NotFitting("a value concerned is secret, so it cannot be shown or saved.")
    safe = remedy.why_safe + (f" Mind: {remedy.disruption}" if remedy.disruption else "")
    if remedy.document == SETTER:
        if not operations:
            raise NotFitting("the resource has these values already.")
        return _patched(
            case, SETTER, operations, live, settings, cure=Cure.FIX, why=why, title=remedy.title,
            why_safe=safe, deletes=remedy.deletes,
        )  # fmt: skip
    arguments: dict[str, Json] = {
        "AutomationAssumeRole": [role_arn(case, settings)],
        **remedy.arguments(case.live, inputs_for(settings, case.key.account)),
    }
    document = remedies.documents.get(remedy.document)
    if document is not None and (problems := document.problems(arguments)):
        raise NotFitting(" ".join(problems))
    back = undo(operations, live)
    schema = registry().get(case.key.type)
    can_undo = bool(back) and schema is not None and "update" in schema.handlers
    return _step(
        case,
        cure=Cure.FIX,
        action=ActionKind.SSM_AUTOMATION,
        target=remedy.document,
        parameters=arguments,
        expected=(*_changes(operations, live), *_effect(remedy)),
        saved=saved(operations, live),
        rollback={"document": REVERTER, "parameters": patch_arguments(case, back, settings)}
        if can_undo
        else None,
        why=why,
        title=remedy.title,
        why_safe=safe,
        deletes=remedy.deletes,
        verify=_verification(case),
    )


def _effect(remedy: Remedy) -> tuple[Change, ...]:
    return (Change(path="", before=MARK, after=remedy.effect),) if remedy.effect else ()


def _declared_otherwise(case: Case, wanted: Mapping[str, Json]) -> dict[str, Json]:
    """What a template declares with another value, so that its next deployment would undo the fix."""
    if case.declared is None:
        return {}
    return {
        place: value
        for place, value in wanted.items()
        if (declared := _nearest(case.declared.properties, place)) is not ABSENT and declared != value
    }


def _nearest(properties: Mapping[str, Json], place: str) -> Json:
    """The declared value at the pointer; nothing where the template does not speak of it."""
    return at(properties, place)


def _fix_in_template(case: Case, wanted: Mapping[str, Json], undone: Mapping[str, Json]) -> Step:
    assert case.declared is not None
    if case.template is None:
        raise Impossible(
            f"stack {case.declared.stack_name} declares {next(iter(undone))} with another value and would undo "
            "the fix, and the text of its template is not known.",
            "template-would-undo",
        )
    edits = [
        Edit.of(case.declared, place, value, at(case.declared.properties, place))
        for place, value in wanted.items()
    ]
    try:
        after = patch_template(case.template.text, edits)
    except ValueError as error:
        raise Impossible(f"the template would undo a fix, and it cannot be patched: {error}.") from None
    expected = tuple(
        Change(path=place, before=_shown(at(case.declared.properties, place)), after=_shown(value))
        for place, value in wanted.items()
    )
    why = (
        f"The stack {case.declared.stack_name} declares {', '.join(undone)} otherwise: its next deployment would "
        "undo a fix in AWS, so the template is what has to change."
    )
    return _template_step(case, Cure.FIX, why, edits, after, expected)


def inputs_for(settings: RemediationSettings, account: str) -> dict[str, str]:
    """The settings' inputs as they are for one account: ``NAME@ACCOUNT`` goes before ``NAME``."""
    plain = {name: value for name, value in settings.inputs.items() if "@" not in name}
    own = {
        name.partition("@")[0]: value
        for name, value in settings.inputs.items()
        if name.partition("@")[2] == account
    }
    return {**plain, **own}


def _verification(case: Case) -> str:
    if case.worst.kind is FindingKind.COMPLIANCE:
        return f"The resource is read again and {case.worst.subject} is judged on it; it must be COMPLIANT."
    return "The resource is read and compared with its template again; it must be in sync."


def _shown(value: Json) -> Json:
    if value is ABSENT or value is None:
        return MARK
    return "<known to CloudFormation only>" if unknown_in(value) else value


def _step(
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
        said.append(
            f"Changed by {who.principal} ({who.source}, {who.event}) at {who.time:%Y-%m-%d %H:%M} UTC."
        )
    return " ".join(said)
