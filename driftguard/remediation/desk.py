"""Steps that change nothing in AWS: patches for templates, and waivers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from driftguard.errors import InputError, TemplateError, Where
from driftguard.model import COMPARED, Waiver
from driftguard.model.remediation import ActionKind, Plan, Step
from driftguard.remediation.adopt import Edit, diff, patch_template
from driftguard.rules.globs import literal

TextOf = Callable[[Step], tuple[str, str]]
"""A step -> the name and the present text of its template."""


class Waivers(Protocol):
    def put_waiver(self, waiver: Waiver, *, actor: str) -> None: ...


class PlanDesk:
    """Writes patches below ``folder`` and waivers into the store, for one plan.

    Steps on one template build on each other, so that its patch holds them all.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        text_of: TextOf,
        waivers: Waivers,
        now: Callable[[], datetime],
        actor: str,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._text_of = text_of
        self._waivers = waivers
        self._now = now
        self._actor = actor
        self._texts: dict[str, tuple[str, str]] = {}
        self._steps: dict[str, list[Step]] = {}

    def do(self, step: Step) -> str:
        """Raises `TemplateError` when the template has changed so that the edit does not fit any more."""
        return self._patch(step) if step.action is ActionKind.TEMPLATE_PATCH else self._waive(step)

    def _patch(self, step: Step) -> str:
        file, text = self._text_of(step)
        before, now = self._texts.get(file, (text, text))
        edits = [Edit.from_json(row) for row in step.parameters["Edits"]]
        try:
            after = patch_template(now, edits)
        except ValueError as error:
            raise TemplateError(
                f"the template cannot be patched any more: {error}.",
                where=Where(file),
                fix="Make a new plan.",
            ) from None
        self._texts[file] = (before, after)
        self._steps.setdefault(file, []).append(step)
        name = Path(file).name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / name).write_text(after, encoding="utf-8", newline="")
            (self._folder / f"{name}.patch").write_text(
                diff(before, after, file), encoding="utf-8", newline=""
            )
            (self._folder / f"{name}.md").write_text(self._body(file), encoding="utf-8")
        except OSError as error:
            raise InputError(f"the patch cannot be written to {self._folder}: {error.strerror}.") from None
        return (
            f"The patch is {self._folder / name}.patch, for the branch {step.parameters['Branch']}; the finding "
            "ends with the first scan after its deployment."
        )

    def _body(self, file: str) -> str:
        """The body of the pull request that carries the patch."""
        lines = [
            f"# Bring {Path(file).name} in line",
            "",
            f"From the remediation plan `{self._plan.id}`.",
            "",
        ]
        for step in self._steps[file]:
            lines += [f"## {step.title}", "", step.message, "", step.why_this_cure, ""]
            lines += [f"- `{one.path}`: `{one.before}` becomes `{one.after}`" for one in step.expected]
            lines.append("")
        approvers = ", ".join(f"{one.approver} ({one.reason})" for one in self._plan.approvals)
        return "\n".join([*lines, f"Approved by {approvers or 'nobody yet'}.", ""])

    def _waive(self, step: Step) -> str:
        now = self._now()
        given = step.parameters
        approval = self._plan.approvals[0] if self._plan.approvals else None
        # From the plan on: what was approved does not grow by the hours until it is applied.
        expires = self._plan.created_at + timedelta(days=int(given["ExpiresInDays"]))
        for number, path in enumerate(given["Paths"]):
            waiver = Waiver(
                id=f"w-{self._plan.id}-{step.id}-{number}",
                reason=given.get("Reason") or (approval.reason if approval else "") or step.why_this_cure,
                owner=str(given.get("Owner") or self._plan.author),
                approver=approval.approver if approval else self._actor,
                ticket=approval.ticket if approval else "",
                created_at=now,
                expires_at=expires,
                policy=str(given["Policy"]),
                account=step.key.account,
                region=step.key.region,
                type=step.key.type,
                resource=literal(step.key.identifier),
                path=path,
                kinds=() if given["Policy"] != "*" else COMPARED,
            )
            self._waivers.put_waiver(waiver, actor=self._actor)
        return f"Accepted until {expires:%Y-%m-%d}; the next scan shows it as suppressed."
