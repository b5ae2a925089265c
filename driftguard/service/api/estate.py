"""The estate: drifts, resources and their history, stacks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as Parameter
from pydantic import AwareDatetime
from starlette.requests import Request
from starlette.responses import Response

from driftguard.errors import InputError
from driftguard.history.port import Query
from driftguard.history.timeline import TimelineEntry
from driftguard.model import DriftStatus, Json, Resource
from driftguard.report.document import changed_by_document, drift_document, moment, stack_document
from driftguard.service.api.answers import NOT_MODIFIED, answer, keyed, listed, narrowed
from driftguard.service.api.models import (
    DriftOut,
    ListOf,
    ResourceDetail,
    ResourceOut,
    StackOut,
    VersionOut,
)
from driftguard.service.calling import Reading, key_of_id
from driftguard.service.problems import NotFoundError

router = APIRouter(tags=["estate"])
_Drifts = Annotated[
    Query, narrowed("account", "region", "type", "stack", "status", "q", status=("DRIFTED", *DriftStatus))
]
_Resources = Annotated[Query, narrowed("account", "region", "type", "stack", "q")]
_Stacks = Annotated[Query, narrowed("account", "region", "stack", "status", "q")]


def _resource(resource: Resource) -> Json:
    key = resource.key
    return keyed(
        {
            "partition": key.partition,
            "account": key.account,
            "region": key.region,
            "resource_type": key.type,
            "identifier": key.identifier,
            "arn": resource.arn,
            "name": resource.name,
            "tags": dict(resource.tags),
            "source": resource.source.value,
            "captured_at": moment(resource.captured_at),
            "state_hash": resource.state_hash,
        },
        key,
    )


def _version(entry: TimelineEntry) -> Json:
    return {
        "kind": entry.kind.value,
        "at": moment(entry.at),
        "until": moment(entry.until),
        "source": entry.source,
        "changed_by": changed_by_document(entry.acts.get("")),
        "changes": [
            {
                "path": change.path,
                "before": change.before,
                "after": change.after,
                "added": change.added,
                "removed": change.removed,
                "changed_by": changed_by_document(entry.acts.get(change.path)),
            }
            for change in entry.changes
        ],
    }


@router.get("/drifts", response_model=ListOf[DriftOut], responses=NOT_MODIFIED)
def list_drifts(request: Request, reading: Reading, query: _Drifts) -> Response:
    """Compared resources.  The status `DRIFTED` stands for all that count as drift."""
    return listed(request, reading.drifts(query), lambda drift: keyed(drift_document(drift), drift.key))


@router.get("/resources", response_model=ListOf[ResourceOut], responses=NOT_MODIFIED)
def list_resources(request: Request, reading: Reading, query: _Resources) -> Response:
    """Resources that are there, without their properties."""
    return listed(request, reading.resources(query), _resource)


@router.get("/resources/{resource_id}", response_model=ResourceDetail, responses=NOT_MODIFIED)
def get_resource(
    request: Request,
    resource_id: str,
    reading: Reading,
    at: Annotated[AwareDatetime | None, Parameter(description="As it was then.")] = None,
) -> Response:
    """One resource with its properties, now or at a moment."""
    found = reading.resource(key_of_id(resource_id), _moment(at))
    if found is None:
        raise NotFoundError("there is no such resource.")
    return answer(request, {**_resource(found), "properties": dict(found.properties)})


@router.get("/resources/{resource_id}/history", response_model=ListOf[VersionOut], responses=NOT_MODIFIED)
def get_history(
    request: Request,
    resource_id: str,
    reading: Reading,
    limit: Annotated[int, Parameter(ge=1, le=1000)] = 100,
    cursor: Annotated[int, Parameter(ge=0, le=2**31)] = 0,
) -> Response:
    """The changes of one resource, newest first."""
    entries = reading.timeline(key_of_id(resource_id))
    if not entries:
        raise NotFoundError("there is no such resource.")
    items = [_version(entry) for entry in entries[cursor : cursor + limit]]
    more = str(cursor + limit) if cursor + limit < len(entries) else None
    return answer(request, {"items": items, "cursor": more, "total": len(entries)})


@router.get("/stacks", response_model=ListOf[StackOut], responses=NOT_MODIFIED)
def list_stacks(request: Request, reading: Reading, query: _Stacks) -> Response:
    """Deployed stacks."""
    return listed(request, reading.stacks(query), stack_document)


def _moment(at: datetime | None) -> datetime | None:
    """``at``, unless it lies outside what a clock of ours can say."""
    if at is not None and not 1970 <= at.year <= 9000:
        raise InputError("this moment is out of reach.", fix="Ask for one between 1970 and now.")
    return at
