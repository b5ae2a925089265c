"""Of which types a scan saw every resource, so that a missing one is certainly not there.  Pure."""

from __future__ import annotations

from collections.abc import Mapping

from driftguard.aws.config import recordable_types
from driftguard.declared.out_of_band import CHILD_TYPES
from driftguard.live.mapping import config_type
from driftguard.model import Resource, ResourceKey, key_region
from driftguard.scan.readings import Readings

_CHILDREN = {(kind.type, kind.parent) for kind in CHILD_TYPES}


class Completeness:
    """A type is complete in a place whose inventory was read without a gap, if AWS Config records the type at all.

    Of the children that are asked for where their parents are declared (bucket policies, routes) those of
    such a parent are complete as well.  What AWS keeps once per partition is complete when one of the
    account's regions records it.
    """

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._declared = {one.key for one in readings.declared if one.key is not None}
        self._places: set[tuple[str, str]] = set()
        self._types: set[tuple[str, str, str]] = set()
        for gap in readings.snapshot.gaps:
            if gap.path is not None or gap.stack is not None:
                continue
            if gap.type is None:
                self._places.add((gap.account, gap.region))
            else:
                self._types.add((gap.account, gap.region, gap.type))
        self._recorded = _recorded(readings.snapshot.resources)

    def __call__(self, type_name: str, like: Resource) -> bool:
        """Whether every resource of the type that may be related to ``like`` was read."""
        account, region = like.key.account, like.key.region
        if (type_name, like.type) in _CHILDREN and like.key in self._declared:
            return self._looked(account, region, type_name) and not self._named(account, region, type_name)
        if not self._readings.wants(type_name) or config_type(type_name) not in recordable_types():
            return False
        if region != "global" and key_region(type_name, region) != "global":
            return self._whole(account, region, type_name)
        regions = [found for owner, found in self._readings.listed if owner == account]
        if key_region(type_name, "") == "global":
            seen = (account, type_name.split("::")[1]) in self._recorded
            return seen and any(self._whole(account, one, type_name) for one in regions)
        return bool(regions) and all(self._whole(account, one, type_name) for one in regions)

    def _looked(self, account: str, region: str, type_name: str) -> bool:
        """Whether those that are declared were read, and the others too where the settings ask for them."""
        whole = self._readings.whole or ()
        asked = self._readings.children and (account, region) not in whole
        return self._readings.wants(type_name) and not asked

    def _whole(self, account: str, region: str, type_name: str) -> bool:
        if (account, region) not in self._readings.listed:
            return False
        places = {(account, region), (account, "*"), ("*", "*"), (account, "")}
        return self._places.isdisjoint(places) and not self._named(account, region, type_name)

    def _named(self, account: str, region: str, type_name: str) -> bool:
        return any((account, one, type_name) in self._types for one in (region, "global", "*"))


def _recorded(resources: Mapping[ResourceKey, Resource]) -> set[tuple[str, str]]:
    """(account, service) of global resources that came from AWS Config: it records them somewhere."""
    return {
        (key.account, key.type.split("::")[1])
        for key, one in resources.items()
        if key.region == "global" and one.config_id is not None
    }
