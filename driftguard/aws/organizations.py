"""AWS Organizations: which accounts there are, and in which units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway

Answer = Mapping[str, Any]


class Organizations(Gateway):
    SERVICE = "organizations"
    PREFIX = "organizations"

    @reads("organizations:ListAccounts")
    def accounts(self) -> Iterator[Answer]:
        """Every account of the organization: Id, Name, Status."""
        return self.items("ListAccounts", "Accounts")

    @reads("organizations:ListRoots")
    def roots(self) -> Iterator[Answer]:
        """The roots of the organization (one, in practice)."""
        return self.items("ListRoots", "Roots")

    @reads("organizations:ListOrganizationalUnitsForParent")
    def units(self, parent: str) -> Iterator[Answer]:
        """The units right below a root or unit."""
        return self.items("ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=parent)

    @reads("organizations:ListAccountsForParent")
    def accounts_of(self, parent: str) -> Iterator[Answer]:
        """The accounts right below a root or unit."""
        return self.items("ListAccountsForParent", "Accounts", ParentId=parent)

    @reads("organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent")
    def accounts_below(self, parent: str, without: frozenset[str] = frozenset()) -> Iterator[Answer]:
        """The accounts below a root or unit at any depth, except below the units in ``without``."""
        rest = [parent]
        while rest:
            unit = rest.pop()
            if unit in without:
                continue
            yield from self.accounts_of(unit)
            rest.extend(child["Id"] for child in self.units(unit))

    @reads(
        "organizations:ListRoots",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
    )
    def units_above(self) -> dict[str, tuple[str, ...]]:
        """Account id -> ids of the root and the units above it, outermost first."""
        found: dict[str, tuple[str, ...]] = {}
        rest: list[tuple[str, ...]] = [(root["Id"],) for root in self.roots()]
        while rest:
            above = rest.pop()
            found.update((row["Id"], above) for row in self.accounts_of(above[-1]))
            rest.extend((*above, child["Id"]) for child in self.units(above[-1]))
        return found
