"""Members of a list that are nobody's declaration: a revert that puts the list back must leave them in.  Pure.

The comparison folds them away (tags of the stack, tags of AWS, statements that log delivery adds), so that they
are no drift.  Without this, putting back one tag would take the stack's own tags away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from driftguard.compare.context import CompareContext
from driftguard.compare.tags import foreign, holds_tags, pair
from driftguard.model import DeclaredResource, Drift, Json
from driftguard.remediation.values import ABSENT, Operation, at
from driftguard.schema import registry, split_pointer

_ADDED_BY_AWS = "log-delivery-statement"


def keep_foreign(
    operations: Iterable[Operation], drift: Drift, declared: DeclaredResource, live: Mapping[str, Json]
) -> list[Operation]:
    """``operations``, each whole list or map put back with the live members that belong to others."""
    context = CompareContext(
        account_id=declared.account, region=declared.region, stack_tags=declared.stack_tags
    )
    schema = registry().get(declared.type)
    kept = []
    for operation in operations:
        path, now = split_pointer(operation["path"]), at(live, operation["path"])
        if holds_tags(path, schema) and now is not ABSENT:
            kept.append(_with(operation, _foreign_tags(now, operation.get("value"), context)))
        else:
            kept.append(_with_statements(operation, drift, live))
    return kept


def _foreign_tags(live: Json, declared: Json, context: CompareContext) -> Json:
    if isinstance(live, Mapping):
        own = set(declared or ())
        return {
            name: value for name, value in live.items() if name not in own and foreign(name, value, context)
        }
    own = {found[0] for tag in declared or () if (found := pair(tag)) is not None}
    return [
        tag
        for tag in live
        if (found := pair(tag)) is not None and found[0] not in own and foreign(*found, context)
    ]


def _with(operation: Operation, members: Json) -> Operation:
    if not members:
        return operation
    value = operation.get("value")
    if isinstance(members, Mapping):
        value = {**(value or {}), **members}
    else:
        value = [*(value or ()), *members]
    return {"op": "replace", "path": operation["path"], "value": value}


def _with_statements(operation: Operation, drift: Drift, live: Mapping[str, Json]) -> Operation:
    """A policy put back keeps the statements that AWS itself adds for the delivery of logs."""
    place, value = operation["path"], operation.get("value")
    added = [
        statement
        for fold in drift.folded
        if fold.rule == _ADDED_BY_AWS
        and fold.path.startswith(f"{place}/")
        and (statement := at(live, fold.path)) is not ABSENT
    ]
    if not added or not isinstance(value, Mapping) or not isinstance(value.get("Statement"), list):
        return operation
    return {**operation, "value": {**value, "Statement": [*value["Statement"], *added]}}
