"""Conformance packs: rules that come and go together, deployed from a template."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import yaml

from driftguard.sandbox.config.evaluation import overall, results, rule_named, rules, shown
from driftguard.sandbox.config.query_ops import BAD_TOKEN
from driftguard.sandbox.config.rule_ops import store_rule
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate


def packs(context: Context) -> dict[str, dict[str, Any]]:
    """The conformance packs of this account and region by name."""
    return context.store("config.packs")


def _pack(context: Context, name: str) -> dict[str, Any]:
    found = packs(context).get(name)
    if not found:
        raise ApiError(
            "NoSuchConformancePackException",
            "You specified one or more conformance packs that do not exist.",
        )
    return found


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags: `!Ref x` becomes {"Ref": "x"}."""


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_tag)


@operation("config", "PutConformancePack")
def put_pack(context: Context, request: Request) -> Response:
    """Create or replace a pack from a template body, an S3 address or none (then an error)."""
    name = request["ConformancePackName"]
    body = request.get("TemplateBody") or _from_s3(context, request.get("TemplateS3Uri"))
    if not body:
        raise ApiError(
            "InvalidParameterValueException",
            "Specify one of TemplateS3Uri, TemplateBody and TemplateSSMDocumentDetails.",
        )
    try:
        template = yaml.load(body, Loader=_Loader)  # noqa: S506 - a SafeLoader
        declared = template["Resources"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ApiError(
            "ConformancePackTemplateValidationException", f"The template is not valid: {error}"
        ) from error
    given = {
        entry["ParameterName"]: entry["ParameterValue"]
        for entry in request.get("ConformancePackInputParameters") or []
    }
    values = {
        key: given.get(key, spec.get("Default")) for key, spec in (template.get("Parameters") or {}).items()
    }
    known = packs(context).get(name)
    id = known["ConformancePackId"] if known else f"conformance-pack-{uuid.uuid4().hex[:9]}"
    if known:
        _remove_rules(context, known)
    made = _deploy(context, declared, template.get("Conditions") or {}, values, id)
    packs(context)[name] = {
        "ConformancePackName": name,
        "ConformancePackArn": f"arn:{context.partition}:config:{context.region}:{context.account}:conformance-pack/{name}/{id}",
        "ConformancePackId": id,
        "DeliveryS3Bucket": request.get("DeliveryS3Bucket") or "",
        "ConformancePackInputParameters": request.get("ConformancePackInputParameters") or [],
        "LastUpdateRequestedTime": context.clock.now(),
        "rules": made,
    }
    return {"ConformancePackArn": packs(context)[name]["ConformancePackArn"]}


def _from_s3(context: Context, uri: str | None) -> str:
    match = re.fullmatch(r"s3://([^/]+)/(.+)", uri or "")
    if not match:
        return ""
    found = context.client("s3").get_object(Bucket=match[1], Key=match[2])["Body"].read()
    return str(found.decode())


def _deploy(
    context: Context, declared: dict[str, Any], conditions: dict[str, Any], values: dict[str, Any], id: str
) -> list[str]:
    made = []
    for resource in declared.values():
        condition = resource.get("Condition")
        if condition and not _value(conditions.get(condition, True), values):
            continue
        if resource["Type"] == "AWS::Config::ConfigRule":
            properties = _value(resource["Properties"], values)
            if not isinstance(properties.get("InputParameters", ""), str):
                kept = {key: str(v) for key, v in properties["InputParameters"].items() if v is not None}
                properties["InputParameters"] = json.dumps(kept)
            properties["ConfigRuleName"] = f"{properties['ConfigRuleName']}-{id}"
            made.append(store_rule(context, properties, created_by="config-conforms.amazonaws.com"))
    return made


def _value(value: Any, values: dict[str, Any]) -> Any:
    """The intrinsics that packs use: Ref, Fn::If, Fn::Not, Fn::Equals."""
    if isinstance(value, list):
        return [_value(inner, values) for inner in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return None if value["Ref"] == "AWS::NoValue" else values.get(value["Ref"])
    if set(value) == {"Fn::Equals"}:
        left, right = (_value(part, values) for part in value["Fn::Equals"])
        return str(left or "") == str(right or "")
    if set(value) == {"Fn::Not"}:
        return not _value(value["Fn::Not"][0], values)
    if set(value) == {"Fn::If"}:
        name, yes, _ = value["Fn::If"]
        # Packs ask for one thing: whether the parameter of that name was given.
        return _value(yes, values) if values.get(name[:1].upper() + name[1:], values.get(name)) else None
    out = {key: _value(inner, values) for key, inner in value.items()}
    return {key: inner for key, inner in out.items() if inner is not None}


def _remove_rules(context: Context, pack: dict[str, Any]) -> None:
    for name in pack["rules"]:
        rules(context).pop(name, None)
        context.store("config.results").pop(name, None)


@operation("config", "DeleteConformancePack")
def delete_pack(context: Context, request: Request) -> Response:
    """Remove a pack with its rules."""
    _remove_rules(context, _pack(context, request["ConformancePackName"]))
    del packs(context)[request["ConformancePackName"]]
    return {}


def _named(context: Context, request: Request) -> list[dict[str, Any]]:
    return [_pack(context, name) for name in request.get("ConformancePackNames") or sorted(packs(context))]


@operation("config", "DescribeConformancePacks")
def describe_packs(context: Context, request: Request) -> Response:
    """The packs, all or by name."""
    found = [
        {key: value for key, value in pack.items() if key != "rules"} for pack in _named(context, request)
    ]
    page, more = paginate(found, request, limit="Limit", default=20, invalid=BAD_TOKEN)
    return {"ConformancePackDetails": page, **more}


@operation("config", "DescribeConformancePackStatus")
def pack_status(context: Context, request: Request) -> Response:
    """Every pack that exists is deployed."""
    found = [
        {
            "ConformancePackName": pack["ConformancePackName"],
            "ConformancePackId": pack["ConformancePackId"],
            "ConformancePackArn": pack["ConformancePackArn"],
            "ConformancePackState": "CREATE_COMPLETE",
            "StackArn": f"arn:{context.partition}:cloudformation:{context.region}:{context.account}:"
            f"stack/awsconfigconforms-{pack['ConformancePackId']}/{pack['ConformancePackId']}",
            "LastUpdateRequestedTime": pack["LastUpdateRequestedTime"],
            "LastUpdateCompletedTime": pack["LastUpdateRequestedTime"],
        }
        for pack in _named(context, request)
    ]
    page, more = paginate(found, request, limit="Limit", default=20, invalid=BAD_TOKEN)
    return {"ConformancePackStatusDetails": page, **more}


def _pack_status(context: Context, pack: dict[str, Any]) -> str:
    return overall(result for name in pack["rules"] for result in results(context, name).values())


@operation("config", "DescribeConformancePackCompliance")
def pack_compliance(context: Context, request: Request) -> Response:
    """The verdict of each rule of a pack."""
    pack = _pack(context, request["ConformancePackName"])
    chosen = request.get("Filters") or {}
    rows = []
    for name in pack["rules"]:
        status = overall(results(context, name).values())
        if chosen.get("ComplianceType") not in (None, status):
            continue
        if not chosen.get("ConfigRuleNames") or name in chosen["ConfigRuleNames"]:
            rows.append({"ConfigRuleName": name, "ComplianceType": status, "Controls": []})
    page, more = paginate(rows, request, limit="Limit", default=100, invalid=BAD_TOKEN)
    return {
        "ConformancePackName": pack["ConformancePackName"],
        "ConformancePackRuleComplianceList": page,
        **more,
    }


@operation("config", "GetConformancePackComplianceDetails")
def pack_details(context: Context, request: Request) -> Response:
    """The results of a pack's rules, resource by resource."""
    pack = _pack(context, request["ConformancePackName"])
    chosen = request.get("Filters") or {}
    rows = []
    for name in pack["rules"]:
        rule = rule_named(context, name)
        for (kind, id), result in sorted(results(context, name).items()):
            if chosen.get("ConfigRuleNames") and name not in chosen["ConfigRuleNames"]:
                continue
            if chosen.get("ComplianceType") not in (None, result.status):
                continue
            if chosen.get("ResourceType") not in (None, kind) or (
                chosen.get("ResourceIds") and id not in chosen["ResourceIds"]
            ):
                continue
            rows.append(shown(rule, (kind, id), result))
    page, more = paginate(rows, request, limit="Limit", default=10, invalid=BAD_TOKEN)
    return {
        "ConformancePackName": pack["ConformancePackName"],
        "ConformancePackRuleEvaluationResults": page,
        **more,
    }


@operation("config", "GetConformancePackComplianceSummary")
def pack_summary(context: Context, request: Request) -> Response:
    """Each pack's verdict."""
    rows = [
        {
            "ConformancePackName": pack["ConformancePackName"],
            "ConformancePackComplianceStatus": _pack_status(context, pack),
        }
        for pack in _named(context, request)
    ]
    page, more = paginate(rows, request, limit="Limit", default=20, invalid=BAD_TOKEN)
    return {"ConformancePackComplianceSummaryList": page, **more}
