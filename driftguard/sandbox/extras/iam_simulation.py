"""IAM SimulatePrincipalPolicy and SimulateCustomPolicy: identity policies evaluated for real.

After the IAM user guide, "Policy evaluation logic": an explicit deny wins, then an allow, else it is an implicit deny;
a permissions boundary must allow too. Conditions know the operators in `_OPERATORS`; a condition key without a value in
ContextEntries is named in MissingContextValues and not met.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate

Policy = Mapping[str, Any]


def as_list(value: Any) -> list[Any]:
    """A value that may be written as one or as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _document(text: Any) -> Policy:
    if isinstance(text, Mapping):
        return text
    try:
        found: Policy = json.loads(text if str(text).lstrip().startswith("{") else unquote(text))
    except ValueError as error:
        raise ApiError("MalformedPolicyDocument", "Syntax errors in policy.") from error
    return found


def _like(pattern: str, value: str) -> bool:
    return fnmatch.fnmatchcase(value, re.sub(r"\[", "[[]", pattern))


def _condition(operator: str, wanted: list[str], values: list[str]) -> bool:
    name = operator.removesuffix("IfExists").split(":")[-1]
    test = _OPERATORS.get(name)
    if test is None:
        return False
    if name.startswith(("StringNot", "ArnNot", "NumericNot", "NotIp")):
        return all(test(pattern, value) for pattern in wanted for value in values)
    if operator.startswith("ForAllValues:"):
        return all(any(test(pattern, value) for pattern in wanted) for value in values)
    return any(test(pattern, value) for pattern in wanted for value in values)


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringNotEquals": lambda wanted, value: wanted != value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": _like,
    "StringNotLike": lambda wanted, value: not _like(wanted, value),
    "ArnEquals": _like,
    "ArnLike": _like,
    "ArnNotEquals": lambda wanted, value: not _like(wanted, value),
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    "NumericEquals": lambda wanted, value: float(wanted) == float(value),
    "NumericLessThan": lambda wanted, value: float(value) < float(wanted),
    "NumericGreaterThan": lambda wanted, value: float(value) > float(wanted),
}


def _met(statement: Policy, entries: Mapping[str, list[str]], missing: set[str]) -> bool:
    for operator, tests in (statement.get("Condition") or {}).items():
        for key, wanted in tests.items():
            values = entries.get(key.lower())
            if operator == "Null":
                if (values is None) != (str(as_list(wanted)[0]).lower() == "true"):
                    return False
            elif values is None:
                if not operator.endswith("IfExists"):
                    missing.add(key)
                    return False
            elif not _condition(operator, [str(one) for one in as_list(wanted)], values):
                return False
    return True


def _speaks_of(statement: Policy, action: str, resource: str) -> bool:
    lowered = action.lower()
    if "NotAction" in statement:
        right = not any(_like(str(one).lower(), lowered) for one in as_list(statement["NotAction"]))
    else:
        right = any(_like(str(one).lower(), lowered) for one in as_list(statement.get("Action")))
    if "NotResource" in statement:
        return right and not any(_like(str(one), resource) for one in as_list(statement["NotResource"]))
    found = as_list(statement.get("Resource", "*"))
    return right and any(one == "*" or _like(str(one), resource) for one in found)


def decide(
    policies: list[tuple[str, Policy]], action: str, resource: str, entries: Mapping[str, list[str]]
) -> tuple[str, list[str], set[str]]:
    """allowed, explicitDeny or implicitDeny; the policies whose statements decided; condition keys without a value."""
    missing: set[str] = set()
    hits: dict[str, list[str]] = {"Allow": [], "Deny": []}
    for name, policy in policies:
        for statement in as_list(policy.get("Statement")):
            if _speaks_of(statement, action, resource) and _met(statement, entries, missing):
                hits[statement["Effect"]].append(name)
    if hits["Deny"]:
        return "explicitDeny", hits["Deny"], missing
    return ("allowed", hits["Allow"], missing) if hits["Allow"] else ("implicitDeny", [], missing)


def _simulate(
    request: Request, policies: list[tuple[str, Policy]], boundary: list[tuple[str, Policy]]
) -> Response:
    entries = {
        entry["ContextKeyName"].lower(): entry["ContextKeyValues"]
        for entry in request.get("ContextEntries") or []
    }
    results = []
    for action in request["ActionNames"]:
        for resource in request.get("ResourceArns") or ["*"]:
            decision, names, missing = decide(policies, action, resource, entries)
            if (
                boundary
                and decision == "allowed"
                and decide(boundary, action, resource, entries)[0] != "allowed"
            ):
                decision, names = "implicitDeny", []
            results.append(
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": decision,
                    "MatchedStatements": [
                        {"SourcePolicyId": name, "SourcePolicyType": "IAM Policy"} for name in names
                    ],
                    "MissingContextValues": sorted(missing),
                }
            )
    page, more = paginate(results, request, limit="MaxItems", default=1000, token=_MARKER)
    out: Response = {"EvaluationResults": page, "IsTruncated": bool(more)}
    return {**out, **more}


_MARKER = "Marker"


@operation("iam", "SimulateCustomPolicy")
def simulate_custom(context: Context, request: Request) -> Response:
    """What given policies would allow."""
    policies = [
        (f"PolicyInputList.{number}", _document(text))
        for number, text in enumerate(request["PolicyInputList"], start=1)
    ]
    boundary = [
        ("boundary", _document(text)) for text in request.get("PermissionsBoundaryPolicyInputList") or []
    ]
    return _simulate(request, policies, boundary)


@operation("iam", "SimulatePrincipalPolicy")
def simulate_principal(context: Context, request: Request) -> Response:
    """What a user, group or role may do by its identity policies (and those given in addition)."""
    arn = request["PolicySourceArn"]
    kind, _, name = arn.split(":", 5)[5].partition("/")
    name = name.rsplit("/", 1)[-1]
    if kind not in {"user", "role", "group"}:
        raise ApiError(
            "InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
        )
    client = context.client("iam")
    try:
        policies = _policies(client, kind, name)
        boundary = [] if kind == "group" else _boundary(client, kind, name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            raise ApiError("NoSuchEntity", error.response["Error"]["Message"], status=404) from error
        raise
    if kind == "user":
        for group in client.list_groups_for_user(UserName=name)["Groups"]:
            policies += _policies(client, "group", group["GroupName"])
    extra = [
        (f"PolicyInputList.{number}", _document(text))
        for number, text in enumerate(request.get("PolicyInputList") or [], start=1)
    ]
    return _simulate(request, policies + extra, boundary)


def _policies(client: Any, kind: str, name: str) -> list[tuple[str, Policy]]:
    who = {f"{kind.title()}Name": name}
    getattr(client, f"get_{kind}")(**who)
    out = []
    for policy in getattr(client, f"list_{kind}_policies")(**who)["PolicyNames"]:
        found = getattr(client, f"get_{kind}_policy")(**who, PolicyName=policy)
        out.append((policy, _document(found["PolicyDocument"])))
    for attached in getattr(client, f"list_attached_{kind}_policies")(**who)["AttachedPolicies"]:
        out.append((attached["PolicyName"], _managed(client, attached["PolicyArn"])))
    return out


def _managed(client: Any, arn: str) -> Policy:
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return _document(client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _boundary(client: Any, kind: str, name: str) -> list[tuple[str, Policy]]:
    found = getattr(client, f"get_{kind}")(**{f"{kind.title()}Name": name})[kind.title()]
    arn = (found.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    return [("boundary", _managed(client, arn))] if arn else []
