"""FIX: a remedy for a policy fault, in AWS or, where a template would undo it, in that template.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftguard.model import Json
from driftguard.model.remediation import ActionKind, Change, Cure, Step
from driftguard.remediation.adopt import Edit, patch_template
from driftguard.remediation.guards.common import mentions
from driftguard.remediation.material import Case, Material
from driftguard.remediation.parts import (
    MARK,
    Impossible,
    changes_of,
    holds_secret,
    make_step,
    patch_arguments,
    patched,
    role_arn,
    shown,
    template_step,
    verification,
)
from driftguard.remediation.remedies import REVERTER, SETTER, NotFitting, Remedies, Remedy, sentence
from driftguard.remediation.values import ABSENT, Operation, at, saved, settings_patch, undo
from driftguard.schema import registry
from driftguard.settings.remediation import RemediationSettings


def fix(case: Case, why: str, material: Material, remedies: Remedies, settings: RemediationSettings) -> Step:
    policy = case.worst.subject
    candidates = remedies.of(policy, case.key.type)
    if not candidates:
        raise Impossible(f"No remedy for {policy} on {case.key.type} is known.", "no-remedy")
    if case.live is None:
        raise Impossible(material.unread.get(case.key, "it could not be read again just now."), "unread")
    reasons = []
    for remedy in candidates:
        inputs = inputs_for(settings, case.key.account)
        try:
            wanted = remedy.wanted(case.live, inputs)
            _not_declared_beside(case, remedy, material)
            undone = _declared_otherwise(case, wanted)
            if undone:
                return _fix_in_template(case, wanted, undone)
            return _fix_live(case, why, remedy, wanted, remedies, settings, material)
        except NotFitting as error:
            reasons.append(str(error))
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
    if holds_secret(case, operations, material):
        raise NotFitting("A value concerned is secret, so it cannot be shown or saved.")
    mind = sentence(remedy.disruption)
    safe = f"{remedy.why_safe} Mind: {remedy.disruption}" if mind else remedy.why_safe
    if remedy.document == SETTER:
        if not operations:
            raise NotFitting("The resource has these values already.")
        return patched(
            case, SETTER, operations, live, settings, cure=Cure.FIX, why=why, title=remedy.title,
            why_safe=safe, mind=mind, deletes=remedy.deletes,
        )  # fmt: skip
    arguments = arguments_for(case, remedy, remedies, settings)
    return make_step(
        case,
        cure=Cure.FIX,
        action=ActionKind.SSM_AUTOMATION,
        target=remedy.document,
        parameters=arguments,
        expected=(*changes_of(operations, live), *_effect(remedy)),
        saved=saved(operations, live),
        rollback=_way_back(case, operations, settings),
        why=why,
        title=remedy.title,
        why_safe=safe,
        mind=mind,
        deletes=remedy.deletes,
        verify=verification(case),
    )


def arguments_for(
    case: Case, remedy: Remedy, remedies: Remedies, settings: RemediationSettings
) -> dict[str, Json]:
    """What a remedy's document is started with.  Raises `NotFitting`."""
    assert case.live is not None
    arguments: dict[str, Json] = {
        "AutomationAssumeRole": [role_arn(case, settings)],
        **remedy.arguments(case.live, inputs_for(settings, case.key.account)),
    }
    document = remedies.documents.get(remedy.document)
    if document is not None and (problems := document.problems(arguments)):
        raise NotFitting(" ".join(problems))
    return arguments


def _way_back(
    case: Case, operations: Sequence[Operation], settings: RemediationSettings
) -> Mapping[str, Json] | None:
    """The patch that puts back what ``operations`` stand for, where Cloud Control can change the type."""
    assert case.live is not None
    back, schema = undo(operations, case.live.properties), registry().get(case.key.type)
    if not back or schema is None or "update" not in schema.handlers:
        return None
    return {"document": REVERTER, "parameters": patch_arguments(case, back, settings)}


def _effect(remedy: Remedy) -> tuple[Change, ...]:
    return (Change(path="", before=MARK, after=remedy.effect),) if remedy.effect else ()


def _declared_otherwise(case: Case, wanted: Mapping[str, Json]) -> dict[str, Json]:
    """What a template declares with another value, so that its next deployment would undo the fix."""
    if case.declared is None:
        return {}
    return {
        place: value
        for place, value in wanted.items()
        if (declared := at(case.declared.properties, place)) is not ABSENT and not _same(declared, value)
    }


def _not_declared_beside(case: Case, remedy: Remedy, material: Material) -> None:
    """Raises `NotFitting` when a template declares the other resource that the document would write."""
    for other in material.declared.values():
        if other.type in remedy.touches and mentions(other.properties, {case.key.identifier}):
            raise NotFitting(
                f"It would change {other.logical_id}, which stack {other.stack_name} declares; change it there."
            )


def _same(declared: Json, wanted: Json) -> bool:
    """Templates write numbers and booleans as texts, too."""
    if isinstance(declared, Mapping | list | tuple) or isinstance(wanted, Mapping | list | tuple):
        return bool(declared == wanted)
    return declared == wanted or str(declared).lower() == str(wanted).lower()


def _fix_in_template(case: Case, wanted: Mapping[str, Json], undone: Mapping[str, Json]) -> Step:
    assert case.declared is not None
    if case.template is None:
        raise Impossible(
            f"Stack {case.declared.stack_name} declares {next(iter(undone))} with another value and would undo "
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
        raise Impossible(f"The template would undo a fix, and it cannot be patched: {error}.") from None
    expected = tuple(
        Change(path=place, before=shown(at(case.declared.properties, place)), after=shown(value))
        for place, value in wanted.items()
    )
    why = (
        f"The stack {case.declared.stack_name} declares {', '.join(undone)} otherwise: its next deployment would "
        "undo a fix in AWS, so the template is what has to change."
    )
    return template_step(case, Cure.FIX, why, edits, after, expected)


def inputs_for(settings: RemediationSettings, account: str) -> dict[str, str]:
    """The settings' inputs as they are for one account: ``NAME@ACCOUNT`` goes before ``NAME``."""
    plain = {name: value for name, value in settings.inputs.items() if "@" not in name}
    own = {
        name.partition("@")[0]: value
        for name, value in settings.inputs.items()
        if name.partition("@")[2] == account
    }
    return {**plain, **own}
