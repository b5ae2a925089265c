"""Planning: findings and the world in, a sealed plan out.  Pure."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from driftguard.model import Finding, FindingKind, ResourceKey
from driftguard.model.remediation import ActionKind, Answer, Change, Cure, Plan, Refusal, Step
from driftguard.remediation.answers import answers
from driftguard.remediation.away import whole_resource
from driftguard.remediation.cures import choose
from driftguard.remediation.guards import Planned, planned_refusal
from driftguard.remediation.material import Case, Material
from driftguard.remediation.parts import MARK, SECRET, Impossible, after_step
from driftguard.remediation.remedies import Remedies
from driftguard.remediation.seal import seal
from driftguard.remediation.steps import build
from driftguard.remediation.wishes import Wishes
from driftguard.settings.remediation import RemediationSettings


def plan(material: Material, remedies: Remedies, settings: RemediationSettings, wishes: Wishes) -> Plan:
    """A step for every finding that can be answered, and a reason for every other one.

    Steps are ordered by severity, change sets last; nothing is decided after this.
    """
    made = _Maker(material, remedies, settings, wishes)
    # A resource's drift comes before its policy faults: what puts it back may meet the policy, too.
    for case in sorted(
        _cases(material), key=lambda one: (one.worst.kind is FindingKind.COMPLIANCE, _urgency(one))
    ):
        made.add(case)
    made.agree_with_change_sets()
    made.sort()
    return seal(
        Plan(
            id=wishes.plan_id or f"plan-{material.now:%Y%m%d}-{secrets.token_hex(3)}",
            created_at=material.now,
            expires_at=material.now + timedelta(hours=settings.plan_expires_hours),
            author=wishes.author,
            digest="",
            steps=_numbered(_joined(_without_secrets(step, material) for step, _ in made.steps)),
            left=tuple(made.left),
            rollout=wishes.rollout or settings.rollout,
            required_approvals=settings.required_approvals,
            alarms=settings.alarms,
            max_errors=settings.max_errors,
        )
    )


class _Maker:
    """Steps and refusals in the making."""

    def __init__(
        self, material: Material, remedies: Remedies, settings: RemediationSettings, wishes: Wishes
    ) -> None:
        self._material = material
        self._remedies = remedies
        self._settings = settings
        self._wishes = wishes
        self.steps: list[tuple[Step, Case]] = []
        self.left: list[Refusal] = []

    def add(self, case: Case) -> None:
        if not self._answered_already(case):
            self._decide(case)

    def _answered_already(self, case: Case) -> bool:
        """Whether an earlier step leaves the resource so that the policy is met; then that step answers it, too."""
        policy = case.worst.subject
        if case.worst.kind is not FindingKind.COMPLIANCE or case.worst.fingerprint in self._wishes.cures:
            return False
        for place, (step, first) in enumerate(self.steps):
            if step.key != case.key or step.action is not ActionKind.SSM_AUTOMATION or first.live is None:
                continue
            after = replace(first.live, properties=after_step(step, first.live.properties))
            if whole_resource(step) or self._material.meets(policy, after):
                self.steps[place] = (_answering(step, case), first)
                return True
        return False

    def _decide(self, case: Case) -> None:
        try:
            cure, why = choose(case, self._settings, self._wishes.cures)
        except Impossible as error:
            self._leave(case, error)
        else:
            self._add(case, cure, why)

    def _add(self, case: Case, cure: Cure, why: str) -> None:
        try:
            step = self._step(case, cure, why, self._wishes)
        except Impossible as error:
            self._leave(case, error)
        else:
            self.steps.append((step, case))

    def _step(self, case: Case, cure: Cure, why: str, wishes: Wishes) -> Step:
        step = build(case, cure, why, self._material, self._remedies, self._settings, wishes)
        at = Planned(
            step=step,
            case=case,
            material=self._material,
            settings=self._settings,
            allow_deletes=wishes.allow_deletes,
            earlier=[one for one, _ in self.steps],
        )
        said = planned_refusal(at)
        if said is not None:
            raise Impossible(said[1][0].upper() + said[1][1:], said[0])
        return step

    def _leave(self, case: Case, error: Impossible) -> None:
        found = answers(case, error.guard, self._wishes, self._attempt)
        self.left += _refusals(case, error, found)

    def _attempt(self, case: Case, cure: Cure, allow_deletes: bool) -> Step:
        """The step that a person's answer would give; nothing of it is kept."""
        asked = {**self._wishes.cures, case.worst.fingerprint: cure}
        return self._step(case, cure, "", replace(self._wishes, cures=asked, allow_deletes=allow_deletes))

    def sort(self) -> None:
        """The worst first."""
        self.steps.sort(key=lambda pair: (pair[0].severity.rank, str(pair[0].key)))

    def agree_with_change_sets(self) -> None:
        """A REVERT_DRIFT change set puts its whole stack back: what should be adopted there is put back, too.

        Where a person chose to adopt, the change set gives way instead.
        """
        sets = {step.stack_id for step, _ in self.steps if step.action is ActionKind.REVERT_DRIFT}
        adopted = [
            (step, case) for step, case in self.steps if step.cure is Cure.ADOPT and step.stack_id in sets
        ]
        for step, case in adopted:
            if any(name in self._wishes.cures for name in step.findings):
                why = f"its change set would put back {step.logical_id}, too, which you chose to adopt."
                self._give_way(step.stack_id, Impossible(why, "change-set"))
                continue
            self.steps.remove((step, case))
            self._add(
                case,
                Cure.REVERT,
                f"A REVERT_DRIFT change set of stack {step.stack} is needed for another resource, and it puts "
                "the whole stack back to its template.",
            )

    def _give_way(self, stack_id: str, why: Impossible) -> None:
        for step, case in [*self.steps]:
            if step.action is ActionKind.REVERT_DRIFT and step.stack_id == stack_id:
                self.steps.remove((step, case))
                self._leave(case, why)


def _without_secrets(step: Step, material: Material) -> Step:
    """A change set puts a secret back without us, so the plan need not hold it; every other step is refused."""

    def hidden(change: Change) -> Change:
        before, after = (
            SECRET if value != MARK and material.secret(step.key.type, change.path, value) else value
            for value in (change.before, change.after)
        )
        return replace(change, before=before, after=after)

    return replace(step, expected=tuple(map(hidden, step.expected)))


def _cases(material: Material) -> Iterator[Case]:
    """Drift findings of one resource are one case; each policy fault is one of its own."""
    drift: dict[ResourceKey, list[Finding]] = defaultdict(list)
    for finding in material.findings:
        if finding.kind is FindingKind.COMPLIANCE:
            yield _case(finding.key, (finding,), material)
        else:
            drift[finding.key].append(finding)
    for key, findings in drift.items():
        yield _case(key, tuple(findings), material)


def _case(key: ResourceKey, findings: tuple[Finding, ...], material: Material) -> Case:
    drift = material.drifts.get(key)
    declared = material.declared.get(key)
    stack_id = (drift.stack_id if drift is not None else "") or (declared.stack_id if declared else "") or ""
    return Case(
        key=key,
        findings=findings,
        drift=drift,
        live=material.resources.get(key),
        declared=declared,
        stack=material.stacks.get(stack_id),
        template=material.templates.get(stack_id),
    )


def _urgency(case: Case) -> tuple[int, str, str]:
    return case.worst.severity.rank, str(case.key), case.worst.subject


def _refusals(case: Case, error: Impossible, found: tuple[Answer, ...]) -> Iterator[Refusal]:
    for finding in case.findings:
        name = finding.logical_id or finding.key.identifier
        yield Refusal(
            finding=finding.fingerprint,
            title=finding.title,
            place=f"{name}, account {finding.key.account}",
            guard=error.guard,
            why=str(error),
            answers=found,
        )


def _joined(steps: Iterable[Step]) -> list[Step]:
    """One REVERT_DRIFT change set serves a whole stack: its steps become one that names every resource.

    It comes last, when the single resources of its stack have been put back and it has nothing else to touch.
    """
    out: list[Step] = []
    sets: dict[str, int] = {}
    for step in sorted(steps, key=lambda one: one.action is ActionKind.REVERT_DRIFT):
        place = sets.get(step.stack_id) if step.action is ActionKind.REVERT_DRIFT else None
        if place is None:
            if step.action is ActionKind.REVERT_DRIFT:
                sets[step.stack_id] = len(out)
            out.append(step)
            continue
        first = out[place]
        names = [*first.parameters["LogicalResourceIds"], *step.parameters["LogicalResourceIds"]]
        out[place] = replace(
            first,
            findings=(*first.findings, *step.findings),
            parameters={**first.parameters, "LogicalResourceIds": names},
            expected=(*first.expected, *(_under(change, step) for change in step.expected)),
            message=f"{first.message} {step.message}",
        )
    return out


def _answering(step: Step, case: Case) -> Step:
    """The step, answering a policy fault as well."""
    fault = case.worst
    return replace(
        step,
        findings=(*step.findings, fault.fingerprint),
        also=(*step.also, fault.subject),
        severity=min(step.severity, fault.severity, key=lambda one: one.rank),
        message=f"{step.message} {fault.title}: {fault.message}".strip(),
        verify=f"{step.verify} {fault.subject} must be COMPLIANT as well.",
    )


def _under(change: Change, step: Step) -> Change:
    return replace(change, path=f"{step.logical_id}{change.path}")


def _numbered(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(replace(step, id=f"step-{number:03d}") for number, step in enumerate(steps, 1))
