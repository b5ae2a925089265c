"""What AWS Config remembers, as versions: delivered files, and the time before and between scans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from driftguard.aws import Aws, Place
from driftguard.errors import AwsError, GoneError
from driftguard.history.port import ImportCounts, Store, Version
from driftguard.live import ConfigurationItem, history, resource_of
from driftguard.live.mapping import config_type
from driftguard.model import ResourceKey, Source

_ITEMS = (Source.CONFIG, Source.CONFIG_FILE)


def version_of(item: ConfigurationItem, source: Source) -> Version:
    """The state that ``item`` records, from its capture on."""
    resource = resource_of(item, source)
    at = item.captured_at or datetime.now(UTC)
    return Version(
        key=resource.key,
        valid_from=at,
        valid_to=None,
        state_hash=resource.state_hash,
        deleted=item.deleted,
        source=source,
        properties=None if item.deleted else resource.properties,
        captured_at=at,
        state_id=item.state_id,
        coverage=resource.coverage,
        arn=resource.arn,
        name=resource.name,
        tags=dict(resource.tags),
    )


def backfill(aws: Aws, store: Store, key: ResourceKey) -> ImportCounts:
    """Merge AWS Config's history of one resource into the store; doing it twice changes nothing.

    States that the store has are left alone.  Raises the `AwsError` of a refused call.
    """
    known = list(store.versions(key))[::-1]
    had = {version.captured_at or version.valid_from for version in known}
    named = {key.identifier, *(version.name for version in known), *(version.arn for version in known)}
    names = {name for name in named if name}
    for place in _places(aws, key):
        items = list(_items(place, key.type, names))
        if items:
            states = [replace(version_of(item, Source.CONFIG), key=key) for item in items]
            states = sorted(states, key=lambda state: state.valid_from)
            fresh = [state for state in _fitted(states, known) if state.valid_from not in had]
            return store.import_states(fresh)
    return ImportCounts()


def _fitted(states: Sequence[Version], known: Sequence[Version]) -> Iterator[Version]:
    """``states`` in the form of the scans' (both oldest first), so that no change of source looks like a change.

    A scan may read the resource where more is shown than AWS Config shows, or other words are used.  So a
    scan's state is taken as it is but for the properties in which AWS Config's item of that very time agreed
    with it; where there is no such item nothing is told.
    """
    scans = [one for one in known if one.properties is not None and one.source not in _ITEMS]
    if not scans:
        yield from states
        return
    for state in states:
        if state.properties is None:
            yield state
            continue
        scan = next((one for one in reversed(scans) if one.valid_from <= state.valid_from), scans[0])
        then = next((one for one in reversed(states) if one.valid_from <= scan.valid_from), None)
        if then is None or then.properties is None:
            continue
        shown = scan.properties or {}
        agreed = {name for name, value in then.properties.items() if name in shown and shown[name] == value}
        put = {name: value for name, value in state.properties.items() if name in agreed}
        properties = {**shown, **put}
        same = properties == shown
        yield replace(state, properties=properties, state_hash=scan.state_hash if same else "")


def _places(aws: Aws, key: ResourceKey) -> Iterator[Place]:
    """Where AWS Config may record the resource: one region, or any for what AWS keeps once."""
    if key.region != "global":
        yield aws.place(key.account, key.region)
        return
    for target in aws.targets():
        if target.account == key.account:
            yield aws.place(target.account, target.region)


def _items(place: Place, type_name: str, names: set[str]) -> Iterator[ConfigurationItem]:
    """The items of the resource that AWS Config knows under one of ``names``."""
    kind = config_type(type_name)
    try:
        rows = place.config.discovered(kind, deleted=True)
        ids = {row["resourceId"] for row in rows if {row["resourceId"], row.get("resourceName")} & names}
    except AwsError as error:
        if error.code != "ValidationException":
            raise
        return  # AWS Config does not know the type at all
    for name in sorted(ids):
        try:
            yield from history.items(place, type_name, name)
        except GoneError:  # recorded once, and forgotten since
            continue
