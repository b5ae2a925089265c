"""Taking something away: a resource that no template declares, or a declaration whose resource is gone.  Pure."""

from __future__ import annotations

from driftguard.model.remediation import ActionKind, Change, Cure, Step
from driftguard.remediation.adopt import Edit, patch_template, references
from driftguard.remediation.fixes import arguments_for
from driftguard.remediation.material import Case, Material
from driftguard.remediation.parts import MARK, Impossible, make_step, template_step
from driftguard.remediation.remedies import NotFitting, Remedies, sentence
from driftguard.remediation.values import ABSENT
from driftguard.settings.remediation import RemediationSettings

UNMANAGED = "UNMANAGED"
"""What remedies answer that take a resource away which no template declares."""


def delete(
    case: Case, why: str, material: Material, remedies: Remedies, settings: RemediationSettings
) -> Step:
    """Going back to what the templates say, where they say nothing: the resource is deleted."""
    if case.live is None:
        raise Impossible(material.unread.get(case.key, "it could not be read again just now."), "unread")
    reasons = []
    for remedy in remedies.of(UNMANAGED, case.key.type):
        try:
            arguments = arguments_for(case, remedy, remedies, settings)
        except NotFitting as error:
            reasons.append(str(error))
            continue
        return make_step(
            case,
            cure=Cure.REVERT,
            action=ActionKind.SSM_AUTOMATION,
            target=remedy.document,
            parameters=arguments,
            expected=(Change(path="", before=dict(case.live.properties), after=MARK),),
            why=why,
            why_safe=remedy.why_safe,
            rollback=None,
            title=remedy.title,
            mind=sentence(remedy.disruption),
            deletes=True,
            verify="The resource is read again; it must not exist any more.",
        )
    said = " ".join(reasons) or f"driftguard knows no way to delete {case.key.type}; delete it yourself."
    raise Impossible(f"No template declares it, so going back means to delete it. {said}")


def adopt_deletion(case: Case, why: str) -> Step:
    """A patch that takes the resource out of its template, too."""
    declared, template = case.declared, case.template
    if declared is None or template is None:
        raise Impossible("The text of its template is not known.")
    edit = Edit(path=("Resources", declared.logical_id), value=ABSENT)
    try:
        used = references(template.text, declared.logical_id)
        after = patch_template(template.text, [edit])
    except ValueError as error:
        raise Impossible(f"The template cannot be patched: {error}.") from None
    if used:
        raise Impossible(
            f"It cannot be taken out of the template alone: {', '.join(used)} in it refer to {declared.logical_id}."
        )
    gone = Change(path="", before=f"{declared.logical_id} ({declared.type})", after=MARK)
    return template_step(case, Cure.ADOPT, why, [edit], after, (gone,))


def whole_resource(step: Step) -> bool:
    """Whether the step takes the resource itself away from AWS."""
    return step.action is ActionKind.SSM_AUTOMATION and any(
        not change.path and change.after == MARK for change in step.expected
    )
