"""From a case and its cure to a step.  Pure; `Impossible` says in a sentence why there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from driftguard.compare.forms import pointer
from driftguard.compare.patch import to_patch
from driftguard.model import DeclaredResource, DriftStatus, FindingKind, Json, UndeclaredValue
from driftguard.model.remediation import ActionKind, Change, Cure, Step
from driftguard.remediation.adopt import edits_of, patch_template
from driftguard.remediation.away import adopt_deletion, delete
from driftguard.remediation.fixes import fix
from driftguard.remediation.foreign import keep_foreign
from driftguard.remediation.material import Case, Material
from driftguard.remediation.parts import (
    MARK,
    Impossible,
    holds_secret,
    make_step,
    patched,
    role_arn,
    shown,
    template_step,
    verification,
)
from driftguard.remediation.remedies import MAKER, REVERTER, Remedies
from driftguard.remediation.values import ABSENT, Operation, at, settings_patch, unknown_in
from driftguard.remediation.wishes import Wishes
from driftguard.schema import TypeSchema, registry
from driftguard.settings.remediation import RemediationSettings


def build(
    case: Case,
    cure: Cure,
    why: str,
    material: Material,
    remedies: Remedies,
    settings: RemediationSettings,
    wishes: Wishes,
) -> Step:
    """The step for a case.  Raises `Impossible`."""
    if cure is Cure.FIX:
        return fix(case, why, material, remedies, settings)
    if cure is Cure.ACCEPT:
        return _accept(case, why, wishes)
    if cure is Cure.ADOPT:
        return _adopt(case, why)
    # A rule of the settings never deletes: a person has to name what is to go.
    if case.worst.kind is FindingKind.UNMANAGED and wishes.asked(case):
        return delete(case, why, material, remedies, settings)
    return _revert(case, why, material, settings)


# -- REVERT


def _revert(case: Case, why: str, material: Material, settings: RemediationSettings) -> Step:
    drift, live, declared = case.drift, case.live, case.declared
    if drift is None:
        raise Impossible("It is not drift, so there is no declared value to put back.")
    if drift.status is DriftStatus.DELETED:
        return _made_again(case, why, material, settings)
    if drift.status is DriftStatus.UNMANAGED or declared is None:
        raise Impossible("No template declares it, so there is nothing to revert to.")
    if live is None:
        raise Impossible(material.unread.get(case.key, "it could not be read again just now."), "unread")
    operations = keep_foreign(
        to_patch(drift.differences, declared.properties, live.properties), drift, declared, live.properties
    )
    operations += _undeclared_patch(drift.undeclared, live.properties)
    if not operations:
        raise Impossible("The live state is as declared already.")
    hole = next((unknown_in(op.get("value")) for op in operations if unknown_in(op.get("value"))), "")
    if hole:
        return _change_set(
            case, why, f"Part of the declared value is known to CloudFormation only ({hole}).", material
        )
    if holds_secret(case, operations, material):
        return _change_set(
            case,
            why,
            "A value concerned is secret, and CloudFormation can put it back without showing it.",
            material,
        )
    schema = registry().get(case.key.type)
    if schema is None or "update" not in schema.handlers:
        return _change_set(case, why, f"Cloud Control cannot change {case.key.type}.", material)
    return patched(case, REVERTER, operations, live.properties, settings, cure=Cure.REVERT, why=why)


def _made_again(case: Case, why: str, material: Material, settings: RemediationSettings) -> Step:
    """Make a deleted resource again: alone where its name is declared, otherwise with a change set of its stack.

    Under the same name the stack knows it as its own again, and nothing else of the stack is touched.
    """
    declared = case.declared
    schema = registry().get(case.key.type)
    if declared is None or schema is None or "create" not in schema.handlers:
        return _change_set(case, why, "Only CloudFormation can make it again.", material)
    names = [pointer(parts) for parts in schema.primary_identifier]
    named = bool(names) and all(at(declared.properties, name) is not ABSENT for name in names)
    secret = any(
        material.secret(case.key.type, f"/{name}", value) for name, value in declared.properties.items()
    )
    if not named or secret or unknown_in(declared.properties) or declared.physical_id != case.key.identifier:
        return _change_set(
            case,
            why,
            "AWS gives it a new name when it is made, which only CloudFormation can take over.",
            material,
        )
    desired = {**declared.properties, **_stack_tags(declared, schema)}
    return make_step(
        case,
        cure=Cure.REVERT,
        action=ActionKind.SSM_AUTOMATION,
        target=MAKER,
        parameters={
            "AutomationAssumeRole": [role_arn(case, settings)],
            "TypeName": [case.key.type],
            "DesiredState": [json.dumps(desired, ensure_ascii=False, sort_keys=True)],
        },
        expected=(Change(path="", before=MARK, after=desired),),
        why=why,
        why_safe=(
            "Only this resource is made, with the values that its template declares and under the name by which "
            "its stack knows it; nothing else of the stack is touched."
        ),
        rollback=None,
        verify=verification(case),
    )


def _stack_tags(declared: DeclaredResource, schema: TypeSchema) -> dict[str, Json]:
    """The tags that CloudFormation would have passed on from the stack."""
    name = schema.tag_property
    own = declared.properties.get(name) if name else None
    if not name or not declared.stack_tags or not isinstance(own or [], list):
        return {}
    known = {tag.get("Key") for tag in own or [] if isinstance(tag, Mapping)}
    more = [{"Key": key, "Value": value} for key, value in declared.stack_tags.items() if key not in known]
    return {name: [*(own or []), *more]}


def _undeclared_patch(values: Sequence[UndeclaredValue], live: Mapping[str, Json]) -> list[Operation]:
    wanted = {
        value.path: ABSENT if value.was_absent else value.was
        for value in values
        if value.confirmed and not any(part.isdigit() for part in value.path.split("/"))
    }
    return settings_patch(wanted, live)


def _change_set(case: Case, why: str, because: str, material: Material) -> Step:
    stack = case.stack
    moved = [
        name
        for name in material.moved.get(stack.stack_id if stack else "", ())
        if name != case.worst.logical_id
    ]
    if stack is not None and moved:
        raise Impossible(
            f"{because} A REVERT_DRIFT change set of stack {stack.name} would also set back {', '.join(moved)}, "
            f"which autoscaling or a deployment has moved. {_otherwise(case)}",
            "needs-a-person",
        )
    if stack is None or (case.declared is None and case.drift is None):
        raise Impossible("It can only be put back by CloudFormation, and its stack is not known.")
    drift = case.drift
    assert drift is not None
    expected = tuple(
        Change(path=one.path, before=shown(one.actual), after="<as the template says>")
        if unknown_in(one.expected)
        else Change(path=one.path, before=shown(one.actual), after=shown(one.expected))
        for one in drift.differences
    ) or (Change(path="", before=MARK, after="<made again as the template says>"),)
    return make_step(
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


def _otherwise(case: Case) -> str:
    """What a person can do where no change set may: an update compares templates, so the same one does nothing.

    https://repost.aws/knowledge-center/cfn-recreate-resource-deleted-outside
    """
    if case.drift is not None and case.drift.status is DriftStatus.DELETED:
        return (
            "Deploying the same template again does not make it either, for CloudFormation compares templates, "
            "not what exists: to have it back, give it another logical id in the template and deploy that; or "
            "take it out of the template."
        )
    return (
        "Deploying the same template again does not put it back either, for CloudFormation compares templates: "
        "plan again once they are where the template has them."
    )


# -- ADOPT and ACCEPT


def _adopt(case: Case, why: str) -> Step:
    drift, declared, template = case.drift, case.declared, case.template
    if drift is not None and drift.status is DriftStatus.DELETED:
        return adopt_deletion(case, why)
    if drift is None or declared is None or not drift.differences:
        raise Impossible("Only a difference from a template can be taken into that template.")
    if template is None:
        raise Impossible("The text of its template is not known.")
    edits = edits_of(declared, drift.differences, case.live.properties if case.live else {})
    try:
        after = patch_template(template.text, edits)
    except ValueError as error:
        raise Impossible(f"The template cannot be patched: {error}.") from None
    return template_step(case, Cure.ADOPT, why, edits, after, _differences(case))


def _differences(case: Case) -> tuple[Change, ...]:
    assert case.drift is not None
    return tuple(
        Change(path=one.path, before=shown(one.expected), after=shown(one.actual))
        for one in case.drift.differences
    )


def _accept(case: Case, why: str, wishes: Wishes) -> Step:
    finding = case.worst
    compliance = finding.kind is FindingKind.COMPLIANCE
    reason, days = wishes.reason(case), wishes.accept_days
    return make_step(
        case,
        cure=Cure.ACCEPT,
        action=ActionKind.WAIVER,
        target="waiver",
        parameters={
            "Policy": finding.subject if compliance else "*",
            "Paths": sorted({"*" if compliance else one.subject for one in case.findings}),
            "ExpiresInDays": days,
            "Owner": finding.owner,
            "Reason": reason or ("" if wishes.asked(case) else why),
        },
        why=f"You accept it: {reason}" if reason else why,
        why_safe=f"Nothing in AWS is changed, and the finding comes back by itself after {days} days.",
        rollback=None,
        verify="The next scan shows the finding as SUPPRESSED, with the waiver's id.",
    )
