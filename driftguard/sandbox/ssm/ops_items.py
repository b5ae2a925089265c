"""OpsItems of OpsCenter: create, read, update, list."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate
from driftguard.sandbox.ssm.documents import BAD_TOKEN

_MEMBERS = (
    "Title",
    "Description",
    "Source",
    "Priority",
    "Category",
    "Severity",
    "Notifications",
    "RelatedOpsItems",
    "OpsItemType",
    "OperationalData",
)


def _items(context: Context) -> dict[str, dict[str, Any]]:
    return context.store("ssm.opsitems")


def _item(context: Context, id: str) -> dict[str, Any]:
    found = _items(context).get(id)
    if not found:
        raise ApiError(
            "OpsItemNotFoundException", "The specified OpsItem ID doesn't exist. Verify the ID and try again."
        )
    return found


@operation("ssm", "CreateOpsItem")
def create(context: Context, request: Request) -> Response:
    """Create an OpsItem; one with the same deduplication string that is still open is refused."""
    data = request.get("OperationalData") or {}
    dedup = (data.get("/aws/dedup") or {}).get("Value")
    for known in _items(context).values():
        same = dedup and (known["OperationalData"].get("/aws/dedup") or {}).get("Value") == dedup
        if same and known["Status"] != "Resolved":
            raise ApiError(
                "OpsItemAlreadyExistsException", "The OpsItem already exists.", OpsItemId=known["OpsItemId"]
            )
    id = f"oi-{len(_items(context)) + 1:012x}"
    now = context.clock.now()
    item: dict[str, Any] = {name: request[name] for name in _MEMBERS if request.get(name) is not None}
    item.update(
        OperationalData=data,
        OpsItemId=id,
        OpsItemArn=f"arn:{context.partition}:ssm:{context.region}:{context.account}:opsitem/{id}",
        Status="Open",
        Version="1",
        CreatedBy=context.principal.arn,
        CreatedTime=now,
        LastModifiedBy=context.principal.arn,
        LastModifiedTime=now,
    )
    _items(context)[id] = item
    return {"OpsItemId": id, "OpsItemArn": item["OpsItemArn"]}


@operation("ssm", "GetOpsItem")
def get(context: Context, request: Request) -> Response:
    """One OpsItem."""
    return {"OpsItem": _item(context, request["OpsItemId"])}


@operation("ssm", "UpdateOpsItem")
def update(context: Context, request: Request) -> Response:
    """Change an OpsItem; operational data is merged."""
    item = _item(context, request["OpsItemId"])
    for name in (*_MEMBERS, "Status"):
        if request.get(name) is not None and name != "OperationalData":
            item[name] = request[name]
    data = {**item["OperationalData"], **(request.get("OperationalData") or {})}
    for name in request.get("OperationalDataToDelete") or []:
        data.pop(name, None)
    item.update(
        OperationalData=data,
        Version=str(int(item["Version"]) + 1),
        LastModifiedBy=context.principal.arn,
        LastModifiedTime=context.clock.now(),
    )
    return {}


@operation("ssm", "DescribeOpsItems")
def describe(context: Context, request: Request) -> Response:
    """OpsItems, filtered by their members or operational data."""
    rows = [
        item
        for item in _items(context).values()
        if all(_chosen(item, entry) for entry in request.get("OpsItemFilters") or [])
    ]
    rows.sort(key=lambda item: item["CreatedTime"], reverse=True)
    shown = [
        {
            key: value
            for key, value in item.items()
            if key not in {"Description", "Version", "OpsItemArn", "Notifications", "RelatedOpsItems"}
        }
        for item in rows
    ]
    page, more = paginate(shown, request, limit="MaxResults", default=50, invalid=BAD_TOKEN)
    return {"OpsItemSummaries": page, **more}


def _chosen(item: dict[str, Any], entry: dict[str, Any]) -> bool:
    key, operator, values = entry["Key"], entry.get("Operator", "Equal"), entry["Values"]
    if key == "OperationalData":
        import json

        wanted = [json.loads(value) for value in values]
        return any(
            (item["OperationalData"].get(pair["key"]) or {}).get("Value") == pair["value"] for pair in wanted
        )
    found = str(item.get(key) or "")
    if key == "OperationalDataKey":
        return any(value in item["OperationalData"] for value in values)
    return any(value in found if operator == "Contains" else value == found for value in values)
