"""Operations on rules and their verdicts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from driftguard.sandbox.config.evaluation import (
    Result,
    Subject,
    contributors,
    overall,
    results,
    rule_named,
    rules,
    shown,
)
from driftguard.sandbox.config.query_ops import BAD_TOKEN
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate

# PutConfigRule's own limit and the caps of contributor counts: API reference.
MAX_RULES = 1000
RESOURCE_CAP = 25
SUMMARY_CAP = 100


@operation("config", "PutConfigRule")
def put_rule(context: Context, request: Request) -> Response:
    """Create or replace a rule; managed ones are judged when somebody asks."""
    store_rule(context, dict(request["ConfigRule"]))
    return {}


def store_rule(context: Context, given: dict[str, Any], *, created_by: str = "") -> str:
    """Keep a rule and return its name; raises InvalidParameterValueException."""
    name = given.get("ConfigRuleName") or str(given.get("ConfigRuleArn", "")).rsplit("/", 1)[-1]
    if not name or not re.fullmatch(r".*\S.*", name):
        raise ApiError(
            "InvalidParameterValueException",
            "One of ConfigRuleName, ConfigRuleArn or ConfigRuleId is required.",
        )
    text = given.get("InputParameters")
    if text:
        try:
            if not isinstance(json.loads(text), dict):
                raise ValueError
        except ValueError:
            raise ApiError(
                "InvalidParameterValueException",
                f"Invalid json {text} passed in the InputParameters field",
            ) from None
    known = rules(context).get(name)
    if not known and len(rules(context)) >= MAX_RULES:
        raise ApiError(
            "MaxNumberOfConfigRulesExceededException", "The account has reached its number of rules."
        )
    id = known["ConfigRuleId"] if known else f"config-rule-{context.request_id[:6]}{len(rules(context)):02x}"
    rule = {
        **given,
        "ConfigRuleName": name,
        "ConfigRuleId": id,
        "ConfigRuleArn": f"arn:{context.partition}:config:{context.region}:{context.account}:config-rule/{id}",
        "ConfigRuleState": "ACTIVE",
    }
    rule.setdefault("EvaluationModes", [{"Mode": "DETECTIVE"}])
    if created_by:
        rule["CreatedBy"] = created_by
    rules(context)[name] = rule
    context.store("config.results").pop(name, None)
    return str(name)


@operation("config", "DescribeConfigRules")
def describe_rules(context: Context, request: Request) -> Response:
    """The rules, all or by name."""
    names = request.get("ConfigRuleNames") or sorted(rules(context))
    page, more = paginate(
        [rule_named(context, name) for name in names], request, default=25, invalid=BAD_TOKEN
    )
    return {"ConfigRules": page, **more}


@operation("config", "DeleteConfigRule")
def delete_rule(context: Context, request: Request) -> Response:
    """Remove a rule with its results; refused while it has a remediation."""
    name = request["ConfigRuleName"]
    rule = rule_named(context, name)
    if name in context.store("config.remediations"):
        raise ApiError(
            "ResourceInUseException",
            "The Config rule has a remediation configuration; delete that first.",
        )
    del rules(context)[rule["ConfigRuleName"]]
    context.store("config.results").pop(name, None)
    return {}


@operation("config", "DescribeConfigRuleEvaluationStatus")
def evaluation_status(context: Context, request: Request) -> Response:
    """When each rule was last judged."""
    names = request.get("ConfigRuleNames") or sorted(rules(context))
    rows = []
    for name in names:
        rule = rule_named(context, name)
        found = results(context, name)
        last = max((result.recorded_at for result in found.values()), default=None)
        row: dict[str, Any] = {
            "ConfigRuleName": name,
            "ConfigRuleArn": rule["ConfigRuleArn"],
            "ConfigRuleId": rule["ConfigRuleId"],
            "FirstEvaluationStarted": bool(found),
        }
        if last:
            row.update(LastSuccessfulInvocationTime=last, LastSuccessfulEvaluationTime=last)
        rows.append(row)
    page, more = paginate(rows, request, limit="Limit", default=150, invalid=BAD_TOKEN)
    return {"ConfigRulesEvaluationStatus": page, **more}


@operation("config", "StartConfigRulesEvaluation")
def start_evaluation(context: Context, request: Request) -> Response:
    """Judge the named rules now."""
    for name in request.get("ConfigRuleNames") or sorted(rules(context)):
        results(context, name)
    return {}


@operation("config", "DeleteEvaluationResults")
def delete_results(context: Context, request: Request) -> Response:
    """Forget the results of a rule."""
    rule_named(context, request["ConfigRuleName"])
    context.store("config.results").pop(request["ConfigRuleName"], None)
    return {}


@operation("config", "PutEvaluations")
def put_evaluations(context: Context, request: Request) -> Response:
    """Results from a custom rule's function.

    The sandbox has no function that gets a real token, so `ResultToken` is the rule's name, or `rule:NAME`
    (invented); anything else is refused as AWS refuses a foreign token.
    """
    name = request["ResultToken"].removeprefix("rule:")
    if name not in rules(context):
        raise ApiError("InvalidResultTokenException", "The specified ResultToken is not valid.")
    if not request.get("TestMode"):
        for evaluation in request.get("Evaluations") or []:
            _keep(context, name, evaluation)
    return {"FailedEvaluations": []}


@operation("config", "PutExternalEvaluation")
def put_external(context: Context, request: Request) -> Response:
    """One result from outside for a rule of a service."""
    name = request["ConfigRuleName"]
    rule_named(context, name)
    _keep(context, name, request["ExternalEvaluation"])
    return {}


def _keep(context: Context, name: str, given: dict[str, Any]) -> None:
    kept: dict[Subject, Result] = context.store("config.results").setdefault(name, {})
    subject = (given["ComplianceResourceType"], given["ComplianceResourceId"])
    kept[subject] = Result(
        status=given["ComplianceType"],
        ordered_at=given["OrderingTimestamp"],
        recorded_at=context.clock.now(),
        annotation=given.get("Annotation") or "",
    )


@operation("config", "GetComplianceDetailsByConfigRule")
def details_by_rule(context: Context, request: Request) -> Response:
    """The results of one rule, resource by resource."""
    rule = rule_named(context, request["ConfigRuleName"])
    wanted = request.get("ComplianceTypes")
    rows = [
        shown(rule, subject, result)
        for subject, result in sorted(results(context, rule["ConfigRuleName"]).items())
        if not wanted or result.status in wanted
    ]
    page, more = paginate(rows, request, limit="Limit", default=10, invalid=BAD_TOKEN)
    return {"EvaluationResults": page, **more}


@operation("config", "GetComplianceDetailsByResource")
def details_by_resource(context: Context, request: Request) -> Response:
    """The results of every rule on one resource."""
    subject = (request.get("ResourceType", ""), request.get("ResourceId", ""))
    wanted = request.get("ComplianceTypes")
    rows = [
        shown(rules(context)[name], subject, result)
        for name, found, result in _everything(context)
        if found == subject and (not wanted or result.status in wanted)
    ]
    page, more = paginate(rows, request, default=10, invalid=BAD_TOKEN)
    return {"EvaluationResults": page, **more}


def _everything(context: Context) -> Iterator[tuple[str, Subject, Result]]:
    for name in sorted(rules(context)):
        for subject, result in sorted(results(context, name).items()):
            yield name, subject, result


@operation("config", "DescribeComplianceByConfigRule")
def compliance_by_rule(context: Context, request: Request) -> Response:
    """Each rule's verdict over all of its resources."""
    rows = []
    for name in request.get("ConfigRuleNames") or sorted(rules(context)):
        found = results(context, name)
        status = overall(found.values())
        if request.get("ComplianceTypes") and status not in request["ComplianceTypes"]:
            continue
        compliance: dict[str, Any] = {"ComplianceType": status}
        if status == "NON_COMPLIANT":
            count = sum(result.status == "NON_COMPLIANT" for result in found.values())
            compliance["ComplianceContributorCount"] = contributors(count, RESOURCE_CAP)
        rows.append({"ConfigRuleName": name, "Compliance": compliance})
    page, more = paginate(rows, request, default=25, invalid=BAD_TOKEN)
    return {"ComplianceByConfigRules": page, **more}


@operation("config", "DescribeComplianceByResource")
def compliance_by_resource(context: Context, request: Request) -> Response:
    """Each resource's verdict over all rules."""
    by_subject: dict[Subject, list[Result]] = {}
    for _, subject, result in _everything(context):
        if request.get("ResourceType") in (None, "", subject[0]) and request.get("ResourceId") in (
            None,
            "",
            subject[1],
        ):
            by_subject.setdefault(subject, []).append(result)
    rows = []
    for (kind, id), found in sorted(by_subject.items()):
        status = overall(found)
        if request.get("ComplianceTypes") and status not in request["ComplianceTypes"]:
            continue
        compliance: dict[str, Any] = {"ComplianceType": status}
        if status == "NON_COMPLIANT":
            count = sum(result.status == "NON_COMPLIANT" for result in found)
            compliance["ComplianceContributorCount"] = contributors(count, RESOURCE_CAP)
        rows.append({"ResourceType": kind, "ResourceId": id, "Compliance": compliance})
    page, more = paginate(rows, request, limit="Limit", default=10, invalid=BAD_TOKEN)
    return {"ComplianceByResources": page, **more}


def _summary(context: Context, counts: Counter[str]) -> dict[str, Any]:
    return {
        "CompliantResourceCount": contributors(counts["COMPLIANT"], SUMMARY_CAP),
        "NonCompliantResourceCount": contributors(counts["NON_COMPLIANT"], SUMMARY_CAP),
        "ComplianceSummaryTimestamp": context.clock.now(),
    }


@operation("config", "GetComplianceSummaryByConfigRule")
def summary_by_rule(context: Context, request: Request) -> Response:
    """How many rules hold."""
    counts = Counter(overall(results(context, name).values()) for name in rules(context))
    found = _summary(context, counts)
    found["CompliantResourceCount"] = contributors(counts["COMPLIANT"], RESOURCE_CAP)
    found["NonCompliantResourceCount"] = contributors(counts["NON_COMPLIANT"], RESOURCE_CAP)
    return {"ComplianceSummary": found}


@operation("config", "GetComplianceSummaryByResourceType")
def summary_by_type(context: Context, request: Request) -> Response:
    """How many resources hold, in all or by type."""
    by_subject: dict[Subject, list[Result]] = {}
    for _, subject, result in _everything(context):
        by_subject.setdefault(subject, []).append(result)
    wanted = request.get("ResourceTypes") or []
    rows = []
    for kind in wanted or [""]:
        counts = Counter(overall(found) for subject, found in by_subject.items() if kind in ("", subject[0]))
        row: dict[str, Any] = {"ComplianceSummary": _summary(context, counts)}
        if kind:
            row["ResourceType"] = kind
        rows.append(row)
    return {"ComplianceSummariesByResourceType": rows}
