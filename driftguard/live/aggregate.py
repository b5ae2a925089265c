"""Many accounts and regions through one AWS Config aggregator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from driftguard.aws import Place
from driftguard.aws.gaps import gap_of
from driftguard.errors import AwsError, InputError
from driftguard.live.config_items import parse_item
from driftguard.live.inventory import DERIVED, expression, type_filter
from driftguard.live.mapping import cloudformation_type, resource_of
from driftguard.model import Gap, GapReason, Resource


def read_aggregate(
    home: Place, aggregator: str, types: tuple[str, ...] = (), exclude_types: tuple[str, ...] = ()
) -> Iterator[Resource | Gap]:
    """Every current resource of all source accounts and regions, as pages arrive, and what is missing.

    ``home`` is the place of the aggregator.  A source whose last update failed is a gap: its resources
    may be stale or absent.  The aggregator has one budget of calls for all accounts together, so a full
    reading of a large organization is faster place by place.
    """
    wants = type_filter(types, exclude_types)
    yield from _failed_sources(home, aggregator)
    try:
        for page in home.config_aggregate.select(aggregator, expression(types)):
            for row in page:
                found = _resource(home, row)
                if isinstance(found, Gap) or (row.get("resourceType") not in DERIVED and wants(found.type)):
                    yield found
    except AwsError as error:
        yield gap_of(error, home.account, home.region)


def _failed_sources(home: Place, aggregator: str) -> Iterator[Gap]:
    try:
        for row in home.config_aggregate.sources(aggregator):
            if row.get("LastUpdateStatus") == "SUCCEEDED":
                continue
            reason = row.get("LastErrorMessage") or row.get("LastErrorCode") or row.get("LastUpdateStatus")
            # An organization aggregator has one source without an account: the organization itself.
            account = row.get("SourceId", "") if row.get("SourceType") == "ACCOUNT" else ""
            yield Gap(
                reason=GapReason.NOT_RECORDED,
                account=account,
                region=row.get("AwsRegion", ""),
                detail=f"The aggregator {aggregator} is not up to date for {row.get('SourceId')}: {reason}.",
            )
    except AwsError as error:
        yield gap_of(error, home.account, home.region)


def _resource(home: Place, row: Mapping[str, Any]) -> Resource | Gap:
    try:
        item = parse_item(row, partition=home.partition)
    except InputError as error:
        return Gap(
            reason=GapReason.UNREADABLE, account=home.account, region=home.region, detail=error.message
        )
    if not item.account:
        return Gap(
            reason=GapReason.UNREADABLE,
            account=home.account,
            region=item.region,
            detail="The aggregator gave a record without an account.",
            type=cloudformation_type(item.type),
            identifier=item.id,
        )
    return resource_of(item)
