"""Rules judged: managed rules over recorded items, and what custom rules have reported."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from driftguard.sandbox.config.items import Item
from driftguard.sandbox.config.managed import RULES
from driftguard.sandbox.config.recorder import present
from driftguard.sandbox.core import ApiError, Context
from driftguard.sandbox.extras.events import emit

Subject = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The verdict of one rule on one resource."""

    status: str
    ordered_at: dt.datetime
    recorded_at: dt.datetime
    annotation: str = ""


def rules(context: Context) -> dict[str, dict[str, Any]]:
    """The rules of this account and region by name."""
    return context.store("config.rules")


def rule_named(context: Context, name: str) -> dict[str, Any]:
    """A rule; raises NoSuchConfigRuleException."""
    found = rules(context).get(name)
    if not found:
        raise ApiError(
            "NoSuchConfigRuleException",
            f"The ConfigRule '{name}' provided in the request is invalid. Please check the configRule name",
        )
    return found


def results(context: Context, name: str) -> dict[Subject, Result]:
    """The verdicts of a rule, brought up to date if the sandbox judges it itself."""
    rule = rule_named(context, name)
    known: dict[Subject, Result] = context.store("config.results").setdefault(name, {})
    identifier = rule["Source"].get("SourceIdentifier", "")
    if rule["Source"]["Owner"] == "AWS" and identifier in RULES and rule["ConfigRuleState"] == "ACTIVE":
        _judge(context, rule, known)
    return known


def _judge(context: Context, rule: Mapping[str, Any], known: dict[Subject, Result]) -> None:
    managed = RULES[rule["Source"]["SourceIdentifier"]]
    parameters = {**managed.defaults, **json.loads(rule.get("InputParameters") or "{}")}
    now = context.clock.now()
    alive: set[Subject] = set()
    for item in _in_scope(context, rule, managed.types):
        verdict = managed.check(item, parameters)
        if verdict is None:
            continue
        subject = (item["resourceType"], item["resourceId"])
        alive.add(subject)
        status = "COMPLIANT" if verdict[0] else "NON_COMPLIANT"
        before = known.get(subject)
        if before and before.status == status:
            continue
        known[subject] = Result(
            status=status,
            ordered_at=item["configurationItemCaptureTime"],
            recorded_at=now,
            annotation="" if verdict[0] else verdict[1],
        )
        _announce(context, rule, subject, known[subject], before)
    for subject in [subject for subject in known if subject not in alive]:
        del known[subject]


def _in_scope(context: Context, rule: Mapping[str, Any], types: tuple[str, ...]) -> Iterable[Item]:
    scope = rule.get("Scope") or {}
    wanted = scope.get("ComplianceResourceTypes") or list(types) or None
    if types and wanted:
        wanted = [kind for kind in wanted if kind in types] or list(types)
    for item in present(context, wanted):
        if scope.get("ComplianceResourceId") not in (None, item["resourceId"]):
            continue
        if scope.get("TagKey"):
            value = item["tags"].get(scope["TagKey"])
            if value is None or scope.get("TagValue") not in (None, "", value):
                continue
        yield item


def _announce(
    context: Context, rule: Mapping[str, Any], subject: Subject, result: Result, before: Result | None
) -> None:
    detail = {
        "recordVersion": "1.0",
        "messageType": "ComplianceChangeNotification",
        "configRuleName": rule["ConfigRuleName"],
        "configRuleARN": rule["ConfigRuleArn"],
        "awsAccountId": context.account,
        "awsRegion": context.region,
        "resourceType": subject[0],
        "resourceId": subject[1],
        "newEvaluationResult": {"complianceType": result.status, "annotation": result.annotation or None},
        "oldEvaluationResult": {"complianceType": before.status} if before else None,
        "notificationCreationTime": context.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
    emit(
        context,
        {
            "Source": "aws.config",
            "DetailType": "Config Rules Compliance Change",
            "Detail": json.dumps(detail),
        },
    )


def overall(found: Iterable[Result]) -> str:
    """COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE or INSUFFICIENT_DATA of several results together."""
    statuses = {result.status for result in found}
    for status in ("NON_COMPLIANT", "COMPLIANT", "NOT_APPLICABLE"):
        if status in statuses:
            return status
    return "INSUFFICIENT_DATA"


def shown(rule: Mapping[str, Any], subject: Subject, result: Result) -> dict[str, Any]:
    """A result as the API's EvaluationResult."""
    out: dict[str, Any] = {
        "EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {
                "ConfigRuleName": rule["ConfigRuleName"],
                "ResourceType": subject[0],
                "ResourceId": subject[1],
                "EvaluationMode": "DETECTIVE",
            },
            "OrderingTimestamp": result.ordered_at,
        },
        "ComplianceType": result.status,
        "ResultRecordedTime": result.recorded_at,
        "ConfigRuleInvokedTime": result.recorded_at,
    }
    if result.annotation:
        out["Annotation"] = result.annotation
    return out


def contributors(count: int, cap: int) -> dict[str, Any]:
    """A ComplianceContributorCount, capped as AWS caps it."""
    return {"CappedCount": min(count, cap), "CapExceeded": count > cap}
