"""What a Terraform state manages, against the live resources that are known.  Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from driftguard.declared.terraform import TerraformResource
from driftguard.model import Resource, ResourceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """``deleted`` was seen live and is seen no more; ``not_seen`` was never seen, which proves nothing.

    ``no_type`` are resources that have no CloudFormation type of their own; ``unmanaged`` are live resources
    that neither a stack nor this state declares.
    """

    managed: tuple[tuple[TerraformResource, ResourceKey], ...] = ()
    deleted: tuple[tuple[TerraformResource, ResourceKey], ...] = ()
    not_seen: tuple[TerraformResource, ...] = ()
    no_type: tuple[TerraformResource, ...] = ()
    unmanaged: tuple[ResourceKey, ...] = ()


def inventory(
    resources: Iterable[TerraformResource],
    live: Iterable[Resource],
    *,
    gone: Collection[ResourceKey] = (),
    unmanaged: Iterable[ResourceKey] = (),
) -> Inventory:
    """Sort the resources of a state by what is known of them.

    ``live`` are the resources there are, ``gone`` the keys of those that there were, ``unmanaged`` those that
    no stack declares.
    """
    found = _Index(live, gone)
    managed, deleted, not_seen, no_type = [], [], [], []
    for one in resources:
        if one.cloudformation_type is None:
            no_type.append(one)
        elif (key := found.live(one)) is not None:
            managed.append((one, key))
        elif (key := found.gone(one)) is not None:
            deleted.append((one, key))
        else:
            not_seen.append(one)
    known = {key for _, key in managed}
    return Inventory(
        managed=tuple(managed),
        deleted=tuple(deleted),
        not_seen=tuple(not_seen),
        no_type=tuple(no_type),
        unmanaged=tuple(key for key in unmanaged if key not in known),
    )


class _Index:
    """Live resources by ARN, and by type and any name that Terraform may use as the id."""

    def __init__(self, live: Iterable[Resource], gone: Iterable[ResourceKey]) -> None:
        self._by_arn: dict[str, ResourceKey] = {}
        self._by_name: dict[tuple[str, str], list[ResourceKey]] = {}
        self._gone: dict[tuple[str, str], list[ResourceKey]] = {}
        for resource in live:
            if resource.arn:
                self._by_arn[resource.arn] = resource.key
            for name in filter(None, {resource.key.identifier, resource.name, resource.arn}):
                self._by_name.setdefault((resource.key.type, name), []).append(resource.key)
        for key in gone:
            self._gone.setdefault((key.type, key.identifier), []).append(key)

    def live(self, one: TerraformResource) -> ResourceKey | None:
        known = self._by_arn.get(one.arn or "")
        if known is not None and known.type == one.cloudformation_type:
            return known
        return _one_of(one, self._by_name)

    def gone(self, one: TerraformResource) -> ResourceKey | None:
        return _one_of(one, self._gone)


def _one_of(one: TerraformResource, index: Mapping[tuple[str, str], list[ResourceKey]]) -> ResourceKey | None:
    """The only resource of its type that has one of its names; where two have, it cannot be told."""
    for name in filter(None, (one.id, one.arn)):
        keys = [key for key in index.get((one.cloudformation_type or "", name), ()) if _same_place(one, key)]
        if keys:
            return keys[0] if len(set(keys)) == 1 else None
    return None


def _same_place(one: TerraformResource, key: ResourceKey) -> bool:
    return one.account in ("", key.account) and (one.region in ("", key.region) or key.region == "global")
