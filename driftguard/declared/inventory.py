"""What Terraform manages, against what lives: managed, missing and unmanaged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from driftguard.declared.terraform import TerraformResource
from driftguard.model import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """``missing`` are managed but do not live; ``unmanaged`` live but no state names them.

    ``undecided`` could not be looked up: no CloudFormation type, or its type was not listed.
    """

    managed: tuple[tuple[TerraformResource, Resource], ...] = ()
    missing: tuple[TerraformResource, ...] = ()
    unmanaged: tuple[Resource, ...] = ()
    undecided: tuple[TerraformResource, ...] = ()


def inventory(
    resources: Sequence[TerraformResource], live: Iterable[Resource], *, listed: Collection[str]
) -> Inventory:
    """Match by ARN, then by type and id.

    ``listed`` are the types of which ``live`` holds every resource; only of those anything is called
    missing or unmanaged.
    """
    lives = list(live)
    by_arn = {item.arn: item for item in lives if item.arn}
    by_id = {(item.type, item.key.identifier): item for item in lives}
    managed, missing, undecided = [], [], []
    for resource in resources:
        kind = resource.cloudformation_type
        found = by_arn.get(resource.arn or "")
        if found is None and kind is not None:
            names = [name for name in (resource.id, resource.arn) if name]
            found = next((by_id[kind, name] for name in names if (kind, name) in by_id), None)
        if found is not None:
            managed.append((resource, found))
        elif kind is not None and kind in listed:
            missing.append(resource)
        else:
            undecided.append(resource)
    taken = {item.key for _, item in managed}
    return Inventory(
        managed=tuple(managed),
        missing=tuple(missing),
        unmanaged=tuple(item for item in lives if item.type in listed and item.key not in taken),
        undecided=tuple(undecided),
    )
