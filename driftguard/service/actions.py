"""What people decide here, whether by page or by API: checked, done, and written to the audit log."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from driftguard.errors import InputError, RefusedError
from driftguard.history.waivers import selectors
from driftguard.model import Finding, ResourceKey, Waiver
from driftguard.model.remediation import Approval, Execution, ExecutionStatus, Plan
from driftguard.remediation.guards import approved as missing_approval
from driftguard.rules.frameworks import Framework
from driftguard.service.access.roles import Permission, Principal
from driftguard.service.access.scoped import ScopedStore
from driftguard.service.problems import ForbiddenError, NotFoundError
from driftguard.service.services import Services

LONGEST_DAYS = 366
_UNDER_WAY = frozenset({ExecutionStatus.PENDING, ExecutionStatus.STARTED})


@dataclass(frozen=True, slots=True)
class Actions:
    """The deeds of one caller.  Each raises `ForbiddenError`, `NotFoundError` or `InputError`."""

    services: Services
    principal: Principal

    @property
    def reading(self) -> ScopedStore:
        return ScopedStore(self.services.store, self.principal)

    def allow(self, permission: Permission, account: str | None = None) -> None:
        """Raise `ForbiddenError` unless the caller holds ``permission`` (on ``account``)."""
        if not self.principal.can(permission, account):
            place = f" on account {account}" if account else ""
            raise ForbiddenError(
                f"{self.principal.name} may not {permission.value}{place}.",
                fix="Ask an administrator for a role that allows it.",
            )

    def finding(self, fingerprint: str) -> Finding:
        found = self.reading.finding(fingerprint)
        if found is None:
            raise NotFoundError("there is no such finding.")
        return found

    # -- scans
    def scan(self, accounts: tuple[str, ...] = (), regions: tuple[str, ...] = ()) -> str:
        """Start a scan; answers the run id.  A caller with some accounts scans those."""
        allowed = self.may_scan(accounts)
        self.services.scans.refuse_unknown(accounts, regions, self.reading.sees)
        return self.services.scans.start(self.principal.name, allowed, regions)

    def may_scan(self, accounts: tuple[str, ...]) -> tuple[str, ...]:
        """The accounts that a scan of ``accounts`` covers, which the caller may scan.  Empty: all."""
        self.allow(Permission.SCAN)
        held = self.principal.accounts(Permission.SCAN)
        for account in accounts:
            self.allow(Permission.SCAN, account)
        return accounts if held is None or accounts else tuple(sorted(held))

    # -- waivers and witnesses
    def waive(self, fingerprint: str, *, owner: str, reason: str, days: int, ticket: str = "") -> Waiver:
        """Accept a finding until a day."""
        found = self.may_waive(fingerprint)
        if len(reason.strip()) < 3 or not owner.strip():
            raise InputError("a waiver needs an owner and a reason.", fix="Say who answers for it, and why.")
        if not 1 <= days <= LONGEST_DAYS:
            raise InputError(
                "a waiver lasts for 1 to 366 days.", fix="Accept for a year at most, then look again."
            )
        now = self.services.clock()
        waiver = Waiver(
            id=f"w-{secrets.token_hex(4)}",
            reason=reason.strip(),
            owner=owner.strip(),
            approver=self.principal.name,
            ticket=ticket.strip(),
            created_at=now,
            expires_at=now + timedelta(days=days),
            **selectors(found),
        )
        self.services.store.put_waiver(waiver, actor=self.principal.name)
        return waiver

    def may_waive(self, fingerprint: str) -> Finding:
        """A finding that the caller may accept."""
        found = self.finding(fingerprint)
        self.allow(Permission.DECIDE, found.key.account)
        return found

    def remove_waiver(self, waiver_id: str) -> None:
        """End a waiver at once."""
        waiver = next((one for one in self.reading.waivers() if one.id == waiver_id), None)
        if waiver is None:
            raise NotFoundError("there is no such waiver.")
        if any(char in waiver.account for char in "*?"):
            self._everywhere(Permission.DECIDE)
        else:
            self.allow(Permission.DECIDE, waiver.account)
        self.services.store.remove_waiver(waiver_id, actor=self.principal.name)

    def accept(self, key: ResourceKey, reason: str) -> None:
        """Accept the present state of a resource as its witness."""
        self.allow(Permission.DECIDE, key.account)
        state = self.reading.resource(key)
        if state is None:
            raise NotFoundError("the resource is gone; there is no state to accept.")
        if len(reason.strip()) < 3:
            raise InputError("a reason is needed.", fix="Say why this state is right.")
        store = self.services.store
        store.audit(
            self.principal.name, "state.accept", str(key), {"reason": reason, "state": state.state_hash}
        )
        store.put_witnesses({key: state.properties}, actor=self.principal.name, reason=reason.strip())

    # -- plans
    def plan(self, fingerprints: tuple[str, ...]) -> Plan:
        """Make the plan that answers findings.  Nothing is changed by it."""
        findings = self.may_plan(fingerprints)
        if self.services.planner is None:
            raise RefusedError(
                "plans are not made here.",
                guard="no-planner",
                fix="Make one with: driftguard remediate plan FINDING",
            )
        return self.services.planner(findings, self.principal.name)

    def may_plan(self, fingerprints: tuple[str, ...]) -> list[Finding]:
        """Findings that the caller may plan for."""
        findings = [self.finding(name) for name in fingerprints]
        for found in findings:
            self.allow(Permission.PLAN, found.key.account)
        return findings

    def approve(self, plan_id: str, *, digest: str, reason: str, ticket: str = "") -> Plan:
        """Approve exactly the plan with ``digest``.  Its author may not."""
        plan = self.may_start(plan_id)
        now = self.services.clock()
        if plan.author == self.principal.name:
            raise RefusedError(
                "nobody approves a plan of their own.", guard="four-eyes", fix="Ask another approver."
            )
        if digest != plan.digest:
            raise RefusedError(
                "the plan is not the one that was shown.", guard="digest", fix="Look at it again."
            )
        if plan.expires_at <= now:
            raise RefusedError("the plan has expired.", guard="expired", fix="Make a new plan.")
        if len(reason.strip()) < 3:
            raise InputError("a reason is needed.", fix="Say why this plan is right.")
        approval = Approval(
            approver=self.principal.name, at=now, reason=reason.strip(), digest=digest, ticket=ticket.strip()
        )
        self.services.store.approve_plan(plan_id, approval)
        return self.plan_of(plan_id)

    def apply(self, plan_id: str, *, digest: str) -> None:
        """Start an approved plan."""
        plan = self.may_start(plan_id)
        if self.services.applier is None:
            raise RefusedError(
                "plans are not applied here.",
                guard="no-applier",
                fix=f"Apply it with: driftguard remediate apply {plan_id}",
            )
        if digest != plan.digest:
            raise RefusedError(
                "the plan is not the one that was approved.", guard="digest", fix="Look at it again."
            )
        missing = _missing(plan, self.services)
        if missing:
            raise RefusedError(missing, guard="approval", fix="Have it approved.")
        if plan.expires_at <= self.services.clock():
            raise RefusedError("the plan has expired.", guard="expired", fix="Make a new plan.")
        if not unfinished(plan, self.services.store.executions(plan_id)):
            raise RefusedError(
                "the plan was applied to its end.", guard="applied", fix="Make a new plan for what is left."
            )
        self.services.store.audit(self.principal.name, "plan.apply", plan_id, {"digest": digest})
        self.services.applier(plan, self.principal.name)

    def may_start(self, plan_id: str) -> Plan:
        """A plan that the caller may let happen.  There is nothing to let happen in one without steps."""
        plan = self.plan_of(plan_id)
        self.allow(Permission.APPROVE)
        for account in sorted({step.key.account for step in plan.steps}):
            self.allow(Permission.APPROVE, account)
        if not plan.steps:
            raise RefusedError(
                "the plan has no steps.", guard="no-steps", fix="Read why, and make another plan."
            )
        return plan

    # -- evidence and messages
    def export(self, framework: Framework, target: Path) -> str:
        """Write the evidence of a framework to a file; answers its seal.  It holds the whole audit log."""
        self._everywhere(Permission.READ)
        self._everywhere(Permission.AUDIT)
        if self.services.exporter is None:
            raise RefusedError(
                "evidence is not exported here.",
                guard="no-exporter",
                fix=f"driftguard evidence export --framework {framework.id} --out FILE",
            )
        return self.services.exporter(framework, target, self.principal.name)

    def test_channel(self, channel: str) -> str:
        """Send a test message; answers the channel's reference."""
        self._everywhere(Permission.ADMIN)
        if self.services.tester is None:
            raise RefusedError(
                "messages are not sent here.", guard="no-tester", fix=f"driftguard notify test {channel}"
            )
        return self.services.tester(channel, self.principal.name)

    def plan_of(self, plan_id: str) -> Plan:
        """A plan that the caller may see."""
        plan = self.reading.plan(plan_id)
        if plan is None:
            raise NotFoundError("there is no such plan.")
        return plan

    def _everywhere(self, permission: Permission) -> None:
        if not self.principal.everywhere(permission):
            raise ForbiddenError(f"{self.principal.name} may not {permission.value} on all accounts.")


def approved(plan: Plan, services: Services) -> bool:
    """Whether enough people approved exactly this plan.  Here its author never counts, whatever the settings
    allow on the command line: nobody sees who sits before a browser."""
    return not _missing(plan, services)


def approvals(plan: Plan, services: Services) -> tuple[int, int]:
    """How many people approved exactly this plan, and how many it takes by now."""
    valid = {one.approver for one in plan.approvals if one.digest == plan.digest} - {plan.author}
    return len(valid), max(plan.required_approvals, services.settings.remediation.required_approvals)


def _missing(plan: Plan, services: Services) -> str:
    strict = services.settings.remediation.model_copy(update={"author_may_approve": False})
    return missing_approval(plan, strict)


def unfinished(plan: Plan, executions: Sequence[Execution]) -> bool:
    """Whether more is to come: a step that was not begun, or one that has not come to its end."""
    begun = {one.step for one in executions}
    return len(begun) < len(plan.steps) or any(one.status in _UNDER_WAY for one in executions)
