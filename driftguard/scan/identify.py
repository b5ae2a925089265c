"""Identifiers that only the inventory knows.  Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from driftguard.model import DeclaredResource, Resource, ResourceKey


def identified(
    declared: Iterable[DeclaredResource], live: Mapping[ResourceKey, Resource]
) -> tuple[DeclaredResource, ...]:
    """The declared resources, those without an identifier told by their physical id where that is certain.

    CloudFormation's physical id is then one part of the identifier that AWS Config gives (an Elastic IP's
    address, say).  Two live resources with the same part prove nothing.
    """
    by_part: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key in live:
        for part in {*key.identifier.split("|")}:
            by_part[key.type, part].add(key.identifier)
    found = []
    for one in declared:
        names = by_part.get((one.type, one.physical_id or ""), set()) if one.identifier is None else set()
        found.append(replace(one, identifier=next(iter(names))) if len(names) == 1 else one)
    return tuple(found)
