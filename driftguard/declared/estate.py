"""All declared resources of an account, found by type and by what points at what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from driftguard.model import DeclaredResource, Json


class Estate:
    """An index over declared resources."""

    def __init__(self, resources: Sequence[DeclaredResource]) -> None:
        self._by_type: dict[str, list[DeclaredResource]] = defaultdict(list)
        for resource in resources:
            self._by_type[resource.type].append(resource)

    def of(self, type_name: str) -> Sequence[DeclaredResource]:
        """The resources of a type."""
        return self._by_type.get(type_name, ())

    @staticmethod
    def same_place(one: DeclaredResource, other: DeclaredResource) -> bool:
        """Whether two resources are of one account and region."""
        return (one.account, one.region) == (other.account, other.region)

    def pointing_at(
        self, resource: DeclaredResource, type_name: str, property_name: str
    ) -> list[DeclaredResource]:
        """The resources of a type whose property names this one by its physical id."""
        return [
            item
            for item in self.of(type_name)
            if resource.physical_id
            and item.properties.get(property_name) == resource.physical_id
            and self.same_place(item, resource)
        ]

    def by_physical_id(
        self, type_name: str, physical_id: Json, near: DeclaredResource
    ) -> DeclaredResource | None:
        """The resource of a type with this physical id, in the place of ``near``."""
        for item in self.of(type_name):
            if item.physical_id == physical_id and self.same_place(item, near):
                return item
        return None


def number(value: Json) -> float | None:
    """A number, or a text that is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None
