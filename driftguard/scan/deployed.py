"""When CloudFormation last touched what.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from driftguard.declared import deployment as stack_reader
from driftguard.model import DeclaredResource, ResourceKey


def deployed_at(
    deployment: stack_reader.Deployment, declared: Iterable[DeclaredResource]
) -> dict[ResourceKey, datetime]:
    """When CloudFormation last touched each declared resource (ListStackResources)."""
    touched = {
        (stack.stack_id, str(item["LogicalResourceId"])): item.get("LastUpdatedTimestamp")
        for stack in deployment.stacks
        for item in stack.resources
    }
    found = {}
    for one in declared:
        moment = touched.get((one.stack_id or "", one.logical_id))
        if one.key is not None and isinstance(moment, datetime):
            found[one.key] = moment
    return found
