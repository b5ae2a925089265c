"""The past of one resource, as AWS Config remembers it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from driftguard.aws import Place
from driftguard.errors import AwsError, GoneError
from driftguard.live.config_items import ConfigurationItem, parse_item
from driftguard.live.mapping import config_type
from driftguard.model import DeclaredResource


def items(
    place: Place,
    type_name: str,
    resource_id: str,
    *,
    earlier: datetime | None = None,
    later: datetime | None = None,
    newest_first: bool = True,
) -> Iterator[ConfigurationItem]:
    """The configuration items of a resource, each recorded state once.

    AWS Config sometimes delivers the same state again, with the same id and capture time and other
    content; the first one stands.
    """
    previous: ConfigurationItem | None = None
    raws = place.config.history(
        config_type(type_name), resource_id, earlier=earlier, later=later, newest_first=newest_first
    )
    for raw in raws:
        item = parse_item(raw, account=place.account, region=place.region, partition=place.partition)
        if previous is None or not item.same_state(previous):
            yield item
        previous = item


def last_item(place: Place, declared: DeclaredResource) -> ConfigurationItem | None:
    """The newest item of a declared resource under any of its names; ``None`` when there is no record."""
    for name in dict.fromkeys(filter(None, (declared.physical_id, declared.identifier))):
        try:
            found = next(items(place, declared.type, name), None)
        except GoneError:
            # ResourceNotDiscoveredException: AWS Config never saw it under this name.
            continue
        except AwsError as error:
            if error.code != "ValidationException":
                raise
            # AWS Config does not know the type at all.
            return None
        if found is not None:
            return found
    return None
