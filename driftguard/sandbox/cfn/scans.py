"""Resource scans (the IaC generator): what an account and region holds, managed by a stack or not."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from driftguard.sandbox import schemas
from driftguard.sandbox.cfn.state import STACK_TYPE, stacks
from driftguard.sandbox.cloudcontrol import identifier_of
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate
from driftguard.sandbox.types.base import Properties, adapter_for, load_adapters


@dataclass(kw_only=True)
class Found:
    """One scanned resource."""

    type_name: str
    identifier: dict[str, str]
    managed: bool
    properties: Properties


@dataclass(kw_only=True)
class Scan:
    """One scan; the resources are read when its time has come."""

    id: str
    started: dt.datetime
    due: float
    types: list[str]
    ended: dt.datetime | None = None
    found: list[Found] = field(default_factory=list)


def _scans(context: Context) -> dict[str, Scan]:
    return context.store("cfn.scans")


@operation("cloudformation", "StartResourceScan")
def start_resource_scan(context: Context, request: Request) -> Response:
    """Start a scan; it takes ``timing["scan"]`` seconds of the clock."""
    for scan in _scans(context).values():
        if _settled(context, scan) is None:
            raise ApiError("ResourceScanInProgress", "A resource scan is already in progress.")
    wanted = [t for f in request.get("ScanFilters") or [] for t in f.get("Types") or []]
    identity = f"arn:{context.partition}:cloudformation:{context.region}:{context.account}:resourceScan/{uuid.uuid4()}"
    _scans(context)[identity] = Scan(
        id=identity,
        started=context.clock.now(),
        due=context.clock.timestamp() + context.world.timing["scan"],
        types=wanted,
    )
    return {"ResourceScanId": identity}


def _need(context: Context, identity: str) -> Scan:
    scan = _scans(context).get(identity)
    if scan is None:
        # Text invented; the code is modelled.
        raise ApiError("ResourceScanNotFound", f"Resource scan {identity} not found")
    return scan


def _settled(context: Context, scan: Scan) -> Scan | None:
    if scan.ended is None and context.clock.timestamp() >= scan.due:
        scan.found = list(_read_all(context, scan.types))
        scan.ended = context.clock.now()
    return scan if scan.ended else None


def _read_all(context: Context, wanted: list[str]) -> Iterator[Found]:
    managed = {
        (r.type_name, r.physical_id)
        for s in stacks(context).values()
        if s.alive
        for r in s.resources.values()
    }
    for type_name in load_adapters():
        matches = not wanted or any(
            type_name == w or (w.endswith("*") and type_name.startswith(w[:-1])) for w in wanted
        )
        adapter = adapter_for(type_name, context)
        if adapter is None or type_name == STACK_TYPE or not matches:
            continue
        for id in adapter.list_ids():
            properties = adapter.read_or_none(id)
            if properties is None:
                continue
            schema = schemas.schema_of(type_name)
            names = [pointer[-1] for pointer in schema.primary_identifier] if schema else ["Id"]
            values = identifier_of(adapter, id, properties)
            parts = values.split("|") if len(names) > 1 else [values]
            yield Found(
                type_name=type_name,
                identifier=dict(zip(names, parts, strict=False)),
                managed=(type_name, id) in managed,
                properties=properties,
            )


@operation("cloudformation", "DescribeResourceScan")
def describe_resource_scan(context: Context, request: Request) -> Response:
    """How far a scan has come."""
    scan = _need(context, request["ResourceScanId"])
    done = _settled(context, scan)
    kinds = {found.type_name for found in scan.found}
    return {
        "ResourceScanId": scan.id,
        "Status": "COMPLETE" if done else "IN_PROGRESS",
        "StartTime": scan.started,
        "EndTime": scan.ended,
        "PercentageCompleted": 100.0 if done else 0.0,
        "ResourceTypes": sorted(kinds) if done else None,
        "ResourcesScanned": len(scan.found) if done else None,
        "ResourcesRead": len(scan.found) if done else None,
        "ScanFilters": [{"Types": scan.types}] if scan.types else None,
    }


@operation("cloudformation", "ListResourceScans")
def list_resource_scans(context: Context, request: Request) -> Response:
    """All scans, the newest first."""
    rows = [
        {
            "ResourceScanId": scan.id,
            "Status": "COMPLETE" if _settled(context, scan) else "IN_PROGRESS",
            "StartTime": scan.started,
            "EndTime": scan.ended,
            "PercentageCompleted": 100.0 if scan.ended else 0.0,
            "ScanType": "PARTIAL" if scan.types else "FULL",
        }
        for scan in reversed(_scans(context).values())
    ]
    page, more = paginate(rows, request, limit="MaxResults", default=10)
    return {"ResourceScanSummaries": page, **more}


def _row(found: Found) -> dict[str, Any]:
    return {
        "ResourceType": found.type_name,
        "ResourceIdentifier": found.identifier,
        "ManagedByStack": found.managed,
    }


@operation("cloudformation", "ListResourceScanResources")
def list_resource_scan_resources(context: Context, request: Request) -> Response:
    """What a finished scan found, by identifier, type prefix and tag."""
    scan = _need(context, request["ResourceScanId"])
    if _settled(context, scan) is None:
        raise ApiError("ResourceScanInProgress", "The resource scan is still in progress.")
    rows = [_row(found) for found in scan.found if _asked_for(found, request)]
    page, more = paginate(rows, request, limit="MaxResults", default=100)
    return {"Resources": page, **more}


def _asked_for(found: Found, request: Request) -> bool:
    wanted = request.get("ResourceIdentifier")
    if wanted and wanted not in {*found.identifier, *found.identifier.values()}:
        return False
    if not found.type_name.startswith(request.get("ResourceTypePrefix") or ""):
        return False
    tags = found.properties.get("Tags") or []
    pairs = dict(tags) if isinstance(tags, dict) else {t.get("Key"): t.get("Value") for t in tags}
    key, value = request.get("TagKey"), request.get("TagValue")
    return (key is None or key in pairs) and (value is None or value in pairs.values())


@operation("cloudformation", "ListResourceScanRelatedResources")
def list_resource_scan_related_resources(context: Context, request: Request) -> Response:
    """Scanned resources whose properties name one of those given, or the other way round."""
    scan = _need(context, request["ResourceScanId"])
    _settled(context, scan)
    given = [r["ResourceIdentifier"] for r in request["Resources"]]
    anchors = [f for f in scan.found if f.identifier in given]
    rows = []
    for found in scan.found:
        if found in anchors:
            continue
        text = str(found.properties)
        near = any(
            any(v in text for v in a.identifier.values())
            or any(v in str(a.properties) for v in found.identifier.values())
            for a in anchors
        )
        if near:
            rows.append(_row(found))
    page, more = paginate(rows, request, limit="MaxResults", default=100)
    return {"RelatedResources": page, **more}
