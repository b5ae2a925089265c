"""Findings of Security Hub with ASFF really checked, analyzers of Access Analyzer, scaling activities.

ASFF: Security Hub user guide, "Required top-level ASFF attributes" and "BatchImportFindings"; the error texts are
invented, the code `InvalidInput` is AWS's.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

from botocore.exceptions import ClientError

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate

REQUIRED = (
    "SchemaVersion",
    "Id",
    "ProductArn",
    "GeneratorId",
    "AwsAccountId",
    "CreatedAt",
    "UpdatedAt",
    "Severity",
    "Title",
    "Description",
    "Resources",
)
# Members that BatchImportFindings does not overwrite on a finding that exists: they belong to customers.
CUSTOMER_OWNED = ("Note", "UserDefinedFields", "VerificationState", "Workflow")
_SEVERITIES = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_COMPLIANCE = ("PASSED", "WARNING", "FAILED", "NOT_AVAILABLE")
_NORMALIZED = {"INFORMATIONAL": 0, "LOW": 1, "MEDIUM": 40, "HIGH": 70, "CRITICAL": 90}
MAX_BYTES = 240 * 1024


def _findings(context: Context) -> dict[tuple[str, str], dict[str, Any]]:
    return context.store("securityhub.findings")  # type: ignore[return-value]  # keyed by product and id


def _need_hub(context: Context) -> None:
    try:
        context.client("securityhub").describe_hub()
    except ClientError as error:
        raise ApiError(
            "InvalidAccessException",
            f"Account {context.account} is not subscribed to AWS Security Hub",
            status=401,
        ) from error


def problem(context: Context, finding: dict[str, Any]) -> str:
    """What is wrong with a finding; empty where nothing is."""
    missing = [name for name in REQUIRED if not finding.get(name)]
    if missing:
        return f"Required attributes are missing: {', '.join(missing)}"
    if finding["SchemaVersion"] != "2018-10-08":
        return "SchemaVersion must be 2018-10-08"
    own = f"arn:{context.partition}:securityhub:{context.region}:{context.account}:product/{context.account}/default"
    if finding["ProductArn"] != own:
        return f"ProductArn must be {own} for findings of your own"
    if not re.fullmatch(r"\d{12}", finding["AwsAccountId"]):
        return "AwsAccountId must have twelve digits"
    for name, most in (("Title", 256), ("Description", 1024), ("Id", 512), ("GeneratorId", 512)):
        if len(finding[name]) > most:
            return f"{name} is longer than {most} characters"
    for name in ("CreatedAt", "UpdatedAt"):
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", finding[name]):
            return f"{name} is not a timestamp"
    return _inner_problem(finding)


def _inner_problem(finding: dict[str, Any]) -> str:
    severity = finding["Severity"]
    if "Label" not in severity and "Normalized" not in severity:
        return "Severity needs Label or Normalized"
    if severity.get("Label", "LOW") not in _SEVERITIES:
        return f"Severity.Label must be one of {', '.join(_SEVERITIES)}"
    if finding.get("Compliance", {}).get("Status", "PASSED") not in _COMPLIANCE:
        return f"Compliance.Status must be one of {', '.join(_COMPLIANCE)}"
    if len(finding["Resources"]) > 32:
        return "Resources has more than 32 members"
    if any(not resource.get("Id") or not resource.get("Type") for resource in finding["Resources"]):
        return "Every resource needs Id and Type"
    if any(not re.fullmatch(r"[^/]+(/[^/]+){0,2}", kind) for kind in finding.get("Types", [])):
        return "Types must have the form namespace/category/classifier"
    if len(json.dumps(finding, default=str)) > MAX_BYTES:
        return "The finding is larger than 240 KB"
    return ""


@operation("securityhub", "BatchImportFindings")
def import_findings(context: Context, request: Request) -> Response:
    """Create or update up to 100 findings; those that are not valid come back as failed."""
    _need_hub(context)
    given = request["Findings"]
    if not 1 <= len(given) <= 100:
        raise ApiError("InvalidInputException", "Between 1 and 100 findings can be imported at once.")
    failed = []
    for finding in given:
        wrong = problem(context, finding)
        if wrong:
            failed.append({"Id": finding.get("Id", ""), "ErrorCode": "InvalidInput", "ErrorMessage": wrong})
        else:
            _keep(context, finding)
    return {"FailedCount": len(failed), "SuccessCount": len(given) - len(failed), "FailedFindings": failed}


def _keep(context: Context, finding: dict[str, Any]) -> None:
    key = (finding["ProductArn"], finding["Id"])
    before = _findings(context).get(key)
    kept = dict(finding)
    severity = dict(kept["Severity"])
    if "Label" in severity:
        severity.setdefault("Normalized", _NORMALIZED[severity["Label"]])
    else:
        number = int(severity["Normalized"])
        severity["Label"] = next(label for label in reversed(_SEVERITIES) if number >= _NORMALIZED[label])
    kept["Severity"] = severity
    kept.setdefault("RecordState", "ACTIVE")
    if before:
        for name in CUSTOMER_OWNED:
            if name in before:
                kept[name] = before[name]
    kept.setdefault("Workflow", {"Status": "NEW"})
    kept["WorkflowState"] = "NEW"
    kept["ProcessedAt"] = context.clock.now().isoformat()
    kept["Region"] = context.region
    _findings(context)[key] = kept


@operation("securityhub", "BatchUpdateFindings")
def update_findings(context: Context, request: Request) -> Response:
    """What customers say about findings: workflow, note, severity, user defined fields."""
    _need_hub(context)
    processed, unprocessed = [], []
    for identifier in request["FindingIdentifiers"]:
        found = _findings(context).get((identifier["ProductArn"], identifier["Id"]))
        if found is None:
            unprocessed.append(
                {
                    "FindingIdentifier": identifier,
                    "ErrorCode": "FindingNotFound",
                    "ErrorMessage": "The finding does not exist.",
                }
            )
            continue
        now = context.clock.now().isoformat()
        for name in (
            "Workflow",
            "VerificationState",
            "Confidence",
            "Criticality",
            "Types",
            "UserDefinedFields",
            "RelatedFindings",
        ):
            if request.get(name) is not None:
                found[name] = request[name]
        if request.get("Severity"):
            found["Severity"] = {**found["Severity"], **request["Severity"]}
        if request.get("Note"):
            found["Note"] = {**request["Note"], "UpdatedAt": now}
        processed.append(identifier)
    return {"ProcessedFindings": processed, "UnprocessedFindings": unprocessed}


@operation("securityhub", "GetFindings")
def get_findings(context: Context, request: Request) -> Response:
    """Findings that meet all filters, each filter by any of its values, the last updated first."""
    _need_hub(context)
    filters = request.get("Filters") or {}
    rows = [
        finding
        for finding in _findings(context).values()
        if all(_meets(context, finding, name, tests) for name, tests in filters.items())
    ]
    rows.sort(key=lambda finding: str(finding["UpdatedAt"]), reverse=True)
    page, more = paginate(
        rows, request, limit="MaxResults", default=100, invalid=("InvalidInputException", "Invalid NextToken")
    )
    return {"Findings": page, **more}


# Filters whose name is not the path with its dots left out.
_PATHS = {
    "SeverityLabel": ("Severity", "Label"),
    "SeverityNormalized": ("Severity", "Normalized"),
    "ComplianceStatus": ("Compliance", "Status"),
    "WorkflowStatus": ("Workflow", "Status"),
    "ResourceId": ("Resources", "Id"),
    "ResourceType": ("Resources", "Type"),
    "ResourceRegion": ("Resources", "Region"),
    "NoteText": ("Note", "Text"),
    "Type": ("Types",),
    "ComplianceSecurityControlId": ("Compliance", "SecurityControlId"),
}


def _meets(context: Context, finding: dict[str, Any], name: str, tests: list[dict[str, Any]]) -> bool:
    values = _at(finding, _PATHS.get(name, (name,)))
    negative = [test for test in tests if str(test.get("Comparison", "")).startswith(("NOT_", "PREFIX_NOT"))]
    positive = [test for test in tests if test not in negative]
    if any(not _test(context, values, test) for test in negative):
        return False
    return not positive or any(_test(context, values, test) for test in positive)


def _at(value: Any, path: tuple[str, ...]) -> list[Any]:
    if isinstance(value, list):
        return [found for inner in value for found in _at(inner, path)]
    if not path:
        return [value]
    return _at(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else []


def _test(context: Context, values: list[Any], test: dict[str, Any]) -> bool:
    if "DateRange" in test:
        edge = (context.clock.now() - dt.timedelta(days=test["DateRange"]["Value"])).isoformat()
        return any(str(value) >= edge for value in values)
    if "Start" in test or "End" in test:
        return any(test.get("Start", "") <= str(value) <= test.get("End", "9999") for value in values)
    if "Key" in test:
        return any(isinstance(value, dict) and value.get(test["Key"]) == test["Value"] for value in values)
    if {"Eq", "Gte", "Lte", "Gt", "Lt"} & set(test):
        low, high = test.get("Gte", test.get("Eq", -1e9)), test.get("Lte", test.get("Eq", 1e9))
        return any(low <= value <= high for value in values)
    wanted, comparison = str(test.get("Value", "")), test.get("Comparison", "EQUALS")
    found = {
        "EQUALS": any(str(value) == wanted for value in values),
        "PREFIX": any(str(value).startswith(wanted) for value in values),
        "CONTAINS": any(wanted in str(value) for value in values),
        "NOT_EQUALS": all(str(value) != wanted for value in values),
        "PREFIX_NOT_EQUALS": not any(str(value).startswith(wanted) for value in values),
        "NOT_CONTAINS": not any(wanted in str(value) for value in values),
    }
    return found.get(comparison, False)


def _analyzers(context: Context) -> dict[str, dict[str, Any]]:
    return context.store("accessanalyzer.analyzers")


@operation("accessanalyzer", "CreateAnalyzer")
def create_analyzer(context: Context, request: Request) -> Response:
    """Create an analyzer."""
    name = request["analyzerName"]
    if name in _analyzers(context):
        raise ApiError(
            "ConflictException", "An analyzer of that name exists.", resourceId=name, resourceType="Analyzer"
        )
    arn = f"arn:{context.partition}:access-analyzer:{context.region}:{context.account}:analyzer/{name}"
    _analyzers(context)[name] = {
        "name": name,
        "arn": arn,
        "type": request["type"],
        "status": "ACTIVE",
        "createdAt": context.clock.now(),
        "tags": request.get("tags") or {},
    }
    return {"arn": arn}


@operation("accessanalyzer", "GetAnalyzer")
def get_analyzer(context: Context, request: Request) -> Response:
    """One analyzer."""
    found = _analyzers(context).get(request["analyzerName"])
    if not found:
        raise ApiError(
            "ResourceNotFoundException",
            "The analyzer does not exist.",
            resourceId=request["analyzerName"],
            resourceType="Analyzer",
        )
    return {"analyzer": found}


@operation("accessanalyzer", "ListAnalyzers")
def list_analyzers(context: Context, request: Request) -> Response:
    """All analyzers, of one type if asked."""
    rows = [found for found in _analyzers(context).values() if request.get("type") in (None, found["type"])]
    return {"analyzers": rows}


@operation("accessanalyzer", "DeleteAnalyzer")
def delete_analyzer(context: Context, request: Request) -> Response:
    """Remove an analyzer."""
    get_analyzer(context, request)
    del _analyzers(context)[request["analyzerName"]]
    return {}


@operation("application-autoscaling", "DescribeScalingActivities")
def scaling_activities(context: Context, request: Request) -> Response:
    """What scaling did: whatever a scenario has put into the store `autoscaling.activities`, newest first."""
    rows = [
        found
        for found in reversed(context.store("autoscaling.activities").get("activities", []))
        if found["ServiceNamespace"] == request["ServiceNamespace"]
        and request.get("ResourceId") in (None, found["ResourceId"])
    ]
    page, more = paginate(rows, request, limit="MaxResults", default=50)
    return {"ScalingActivities": page, **more}


@operation("securityhub", "GetEnabledStandards")
def enabled_standards(context: Context, request: Request) -> Response:
    """No standards: the sandbox judges nothing by them."""
    return {"StandardsSubscriptions": []}
