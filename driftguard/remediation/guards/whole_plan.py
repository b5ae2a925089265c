"""Guards of the whole plan: approved by enough people, unchanged, in time."""

from __future__ import annotations

from datetime import datetime

from driftguard.model.remediation import Plan
from driftguard.remediation.seal import digest_of
from driftguard.settings.remediation import RemediationSettings


def approved(plan: Plan, settings: RemediationSettings) -> str:
    """Enough people approved exactly this plan."""
    valid = {one.approver for one in plan.approvals if one.digest == plan.digest}
    if not settings.author_may_approve:
        valid.discard(plan.author)
    wanted = max(plan.required_approvals, settings.required_approvals)
    if len(valid) >= wanted:
        return ""
    other = "" if settings.author_may_approve else f", none of them its author {plan.author}"
    return f"the plan needs {wanted} approval{'s' if wanted > 1 else ''}{other}, and has {len(valid)}."


def unchanged(plan: Plan) -> str:
    """The plan still is what its digest says."""
    return "" if digest_of(plan) == plan.digest else "the plan was changed after it was made."


def in_time(plan: Plan, now: datetime) -> str:
    """The plan has not expired."""
    if now <= plan.expires_at:
        return ""
    return f"the plan expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC."


def plan_refusals(
    plan: Plan, settings: RemediationSettings, now: datetime, *, needs_approval: bool = True
) -> list[tuple[str, str]]:
    """(guard, why) of each guard that refuses the whole plan."""
    found = [("changed", unchanged(plan)), ("expired", in_time(plan, now))]
    if needs_approval:
        found.append(("not-approved", approved(plan, settings)))
    return [(name, why) for name, why in found if why]
