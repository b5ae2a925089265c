"""After a run: Security Hub's workflow status, and OpsItems for what did not help."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from driftguard.aws import Place
from driftguard.aws.write.publish import SecurityHubWrite
from driftguard.aws.write.ssm import SsmWrite
from driftguard.errors import AwsError
from driftguard.model import ResourceKey
from driftguard.model.remediation import Execution, ExecutionStatus, Plan, Step
from driftguard.settings.remediation import RemediationSettings

_FAULTY = (ExecutionStatus.FAILED, ExecutionStatus.RAN_NOT_FIXED, ExecutionStatus.ROLLED_BACK)
_DATA = "driftguard/finding"


def tell(
    plan: Plan,
    executions: Sequence[Execution],
    place_of: Callable[[ResourceKey], Place],
    settings: RemediationSettings,
) -> list[str]:
    """Pass the results on; answers what could not be passed on, as sentences.  Never raises `AwsError`."""
    known = {one.step: one for one in executions}
    pairs = [(step, known[step.id]) for step in plan.steps if step.id in known]
    problems: list[str] = []
    if settings.security_hub:
        problems += _hub(plan, pairs, place_of)
    if settings.ops_items:
        problems += _ops(plan, pairs, place_of)
    return problems


def _hub(
    plan: Plan, pairs: Sequence[tuple[Step, Execution]], place_of: Callable[[ResourceKey], Place]
) -> Iterator[str]:
    fixed: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step, execution in pairs:
        if execution.status is ExecutionStatus.VERIFIED:
            fixed[step.key.account, step.key.region].append(step)
    for steps in fixed.values():
        place = place_of(steps[0].key)
        product = (
            f"arn:{place.partition}:securityhub:{place.region}:{place.account}:"
            f"product/{place.account}/default"
        )
        rows = [
            {"Id": f"driftguard/{place.region}/{place.account}/{name}", "ProductArn": product}
            for step in steps
            for name in step.findings
        ]
        try:
            note = f"Put right and checked by driftguard, plan {plan.id}."
            for refused in place.gateway(SecurityHubWrite).update_workflow(
                rows, "RESOLVED", note, "driftguard"
            ):
                yield f"Security Hub does not know the finding {refused.get('FindingIdentifier', {}).get('Id', '')}."
        except AwsError as error:
            yield str(error)


def _ops(
    plan: Plan, pairs: Sequence[tuple[Step, Execution]], place_of: Callable[[ResourceKey], Place]
) -> Iterator[str]:
    for step, execution in pairs:
        place = place_of(step.key)
        try:
            opened = [
                one["OpsItemId"]
                for one in place.ssm.ops_items(_DATA, step.finding)
                if one.get("Status") not in ("Resolved", "Closed")
            ]
            if execution.status in _FAULTY and not opened:
                place.gateway(SsmWrite).create_ops_item(
                    f"driftguard: {step.title}"[:1024],
                    f"{step.message}\n\n{execution.status}: {execution.detail}\n\nPlan {plan.id}, {step.id}."[
                        :2048
                    ],
                    "driftguard",
                    OperationalData={_DATA: {"Value": step.finding, "Type": "SearchableString"}},
                )
            elif execution.status is ExecutionStatus.VERIFIED:
                for name in opened:
                    place.gateway(SsmWrite).update_ops_item(str(name), "Resolved")
        except AwsError as error:
            yield str(error)
