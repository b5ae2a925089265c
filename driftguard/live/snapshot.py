"""The live state of one account and region, as a stream: resources, deletions, and what was not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from driftguard.aws import Place, Recorder
from driftguard.aws.gaps import gap_of
from driftguard.errors import AwsError, GoneError
from driftguard.live import cloud_control, inventory, service_reads
from driftguard.live.config_items import ConfigurationItem, tag_map
from driftguard.live.history import last_item
from driftguard.live.mapping import is_native, narrowed, resource_of
from driftguard.model import DeclaredResource, Gap, GapReason, Json, Resource, ResourceKey, key_region
from driftguard.schema import TypeSchema, registry_of
from driftguard.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A resource that AWS itself says is gone: Cloud Control does not find it, or AWS Config saw it go."""

    key: ResourceKey
    seen_at: datetime | None = None
    declared: DeclaredResource | None = None


Seen = Resource | Deletion | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a place is read.

    ``unmanaged`` reads the whole inventory; without it only what is wanted.  ``cloud_control`` allows
    Cloud Control for the models of declared resources.  ``concurrency`` bounds its calls under way.
    """

    types: tuple[str, ...] = ()
    exclude_types: tuple[str, ...] = ()
    cloud_control: bool = True
    unmanaged: bool = True
    concurrency: int = 8

    @classmethod
    def of(cls, settings: Settings) -> ReadOptions:
        """The options that the settings ask for."""
        return cls(
            types=settings.scope.types,
            exclude_types=settings.scope.exclude_types,
            cloud_control=settings.scan.cloud_control,
            unmanaged=settings.scan.unmanaged,
            concurrency=settings.aws.concurrency,
        )


def read_place(
    place: Place,
    wanted: Iterable[DeclaredResource] | None = None,
    *,
    options: ReadOptions | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Seen]:
    """Everything that can be seen in a place, as it arrives.

    ``wanted`` are the declared resources of this account and region: each of them ends as exactly one
    `Resource` (under the declared key) or `Deletion`, or as one or more `Gap`; a resource may come with
    a gap beside it.  A deletion is reported only when AWS says so.  Once ``cancelled`` answers true,
    nothing more is started and a gap INTERRUPTED ends the stream.  Raises `CredentialsError`.
    """
    yield from _PlaceReader(place, wanted, options or ReadOptions(), cancelled).run()


class _Wanted:
    """The declared resources that have not been seen yet, found by any name that AWS may use for them."""

    def __init__(self, place: Place, wanted: Iterable[DeclaredResource]) -> None:
        self._by_name: dict[tuple[str, str], list[DeclaredResource]] = {}
        self._open: dict[int, DeclaredResource] = {}
        for declared in wanted:
            self._open[id(declared)] = declared
            for name in filter(None, {declared.identifier, declared.physical_id}):
                self._by_name.setdefault((declared.type, name), []).append(declared)

    def take(self, resource: Resource, item_id: str) -> list[DeclaredResource] | None:
        """The declarations of ``resource`` (usually one), no longer open; ``None`` if it was seen before."""
        for name in (resource.key.identifier, item_id, resource.arn, resource.name):
            found = self._by_name.get((resource.type, name or ""), ())
            taken = [declared for declared in found if self._open.pop(id(declared), None) is not None]
            if found:
                return taken or None
        return []

    def rest(self) -> Iterator[DeclaredResource]:
        """What is still open."""
        while self._open:
            yield self._open.popitem()[1]


class _PlaceReader:
    def __init__(
        self,
        place: Place,
        wanted: Iterable[DeclaredResource] | None,
        options: ReadOptions,
        cancelled: Callable[[], bool],
    ) -> None:
        self._place = place
        self._options = options
        self._cancelled = cancelled
        self._wants = inventory.type_filter(options.types, options.exclude_types)
        chosen = [declared for declared in wanted or () if self._wants(declared.type)]
        self._wanted = _Wanted(place, chosen)
        self._everything = options.unmanaged or wanted is None
        self._recorder: Recorder | None = None
        self._schemas = registry_of(place.account, place.region)

    def run(self) -> Iterator[Seen]:
        found = inventory.recorder_of(self._place)
        if isinstance(found, Gap):
            yield found
        else:
            self._recorder = found
        with ThreadPoolExecutor(self._options.concurrency, thread_name_prefix="read") as pool:
            try:
                yield from self._stream(pool)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        if self._cancelled():
            yield self._gap(GapReason.INTERRUPTED, "The scan was interrupted before all was read.")

    def _stream(self, pool: ThreadPoolExecutor) -> Iterator[Seen]:
        pending: set[Future[list[Seen]]] = set()
        for task in self._tasks():
            if isinstance(task, Resource | Gap):
                yield task
                continue
            pending.add(pool.submit(task))
            # A bounded queue: what was read is handed on before more is asked for.
            full = len(pending) >= 4 * self._options.concurrency
            done, pending = wait(pending, None if full else 0, FIRST_COMPLETED)
            for future in done:
                yield from future.result()
            if self._cancelled():
                return
        while pending and not self._cancelled():
            done, pending = wait(pending, 1.0, FIRST_COMPLETED)
            for future in done:
                yield from future.result()

    def _tasks(self) -> Iterator[Resource | Gap | Callable[[], list[Seen]]]:
        """What is known at once, and what has to be asked for."""
        if self._everything and self._recorder is not None:
            yield from inventory.unrecorded(self._place, self._recorder, self._wants)
        if self._everything and (self._recorder is None or self._recorder.recording):
            # Where the recorder's state may not be read, the inventory itself will tell.
            yield from self._inventory()
        for declared in self._wanted.rest():
            if self._cancelled():
                return
            yield partial(self._missing, declared)

    def _inventory(self) -> Iterator[Resource | Gap | Callable[[], list[Seen]]]:
        for item in inventory.items(self._place, self._options.types, self._wants):
            if self._cancelled():
                return
            if isinstance(item, Gap):
                yield item
                continue
            resource = self._mapped(item)
            if isinstance(resource, Gap):
                yield resource
                continue
            declarations = self._wanted.take(resource, item.id)
            if declarations is None:
                continue
            if not declarations:
                yield resource
            for declared in declarations:
                known = self._as_declared(resource, declared)
                if self._options.cloud_control and self._needs_model(item, known, declared):
                    yield partial(self._model, declared, known, resource.key.identifier)
                else:
                    yield known

    def _mapped(self, item: ConfigurationItem) -> Resource | Gap:
        try:
            return resource_of(item)
        except Exception as error:  # noqa: BLE001 - one item of an unforeseen form must not end the scan
            return Gap(
                reason=GapReason.UNREADABLE,
                account=self._place.account,
                region=self._place.region,
                detail=f"The item could not be understood ({type(error).__name__}); please report it.",
                type=item.type,
                identifier=item.id,
            )

    # -- one declared resource

    def _as_declared(self, resource: Resource, declared: DeclaredResource) -> Resource:
        key = self._key(declared)
        return narrowed(resource if key is None else replace(resource, key=key), declared.properties)

    def _needs_model(self, item: ConfigurationItem, known: Resource, declared: DeclaredResource) -> bool:
        """Whether the item is not enough: another dialect, something not shown, or something different."""
        schema = self._schemas.get(known.type)
        if schema is None or not schema.readable or declared.identifier is None:
            return False
        if known.coverage is None or not is_native(item, schema):
            return True
        # AWS Config lags behind: what seems to differ is read again before anybody is told.
        return any(
            name not in known.coverage or not _agrees(name, value, known, schema)
            for name, value in declared.properties.items()
            if not schema.is_write_only((name,))
        )

    def _model(self, declared: DeclaredResource, known: Resource, recorded: str) -> list[Seen]:
        """The model of a resource that AWS Config knows; without it, what AWS Config shows, and the gap.

        ``recorded`` is the identifier that AWS Config's item gives: the two must agree that it is gone.
        """
        try:
            return [self._read(declared, known)]
        except GoneError:
            if recorded != declared.identifier:
                return self._model(replace(declared, identifier=recorded), known, recorded)
            return [Deletion(key=known.key, declared=declared)]
        except AwsError as error:
            return [known, self._refused(error, declared)]

    def _missing(self, declared: DeclaredResource) -> list[Seen]:
        """A declared resource that the inventory did not show."""
        key = self._key(declared)
        if declared.type in service_reads.TYPES:
            return self._from_service(declared)
        if key is None or not cloud_control.well_formed(self._place, declared.type, key.identifier):
            detail = "The identifier of the resource is not known, so it cannot be read."
            return [self._gap(GapReason.UNRESOLVED, detail, declared)]
        try:
            if self._options.cloud_control and cloud_control.readable(self._place, declared.type):
                return [self._read(declared, None)]
            return [self._from_history(declared, key)]
        except GoneError:
            return [Deletion(key=key, declared=declared)]
        except AwsError as error:
            return [self._refused(error, declared)]

    def _read(self, declared: DeclaredResource, known: Resource | None) -> Resource:
        assert declared.identifier is not None
        found = cloud_control.read(self._place, declared.type, declared.identifier)
        if known is None:
            return found
        return replace(
            found,
            key=known.key,
            arn=found.arn or known.arn,
            name=found.name or known.name,
            tags={**known.tags, **found.tags},
            created_at=known.created_at,
            config_id=known.config_id,
        )

    def _from_service(self, declared: DeclaredResource) -> list[Seen]:
        """A policy that only its service shows."""
        name = declared.identifier or declared.physical_id
        if name is None or not service_reads.readable(declared):
            detail = "What the policy lies on is not known, so it cannot be read."
            return [self._gap(GapReason.UNRESOLVED, detail, declared)]
        key = self._key(replace(declared, identifier=name))
        assert key is not None
        try:
            return [service_reads.read(self._place, declared, key)]
        except GoneError:
            return [Deletion(key=key, declared=declared)]
        except AwsError as error:
            return [self._refused(error, declared)]

    def _from_history(self, declared: DeclaredResource, key: ResourceKey) -> Seen:
        """The last word of AWS Config about a resource that Cloud Control cannot or may not read."""
        if self._schemas.get(declared.type) is None:
            return self._gap(GapReason.UNSUPPORTED, f"AWS has no schema for {declared.type}.", declared)
        if self._recorder is not None and not self._recorder.recording:
            return self._gap(GapReason.NOT_RECORDED, "AWS Config does not record here.", declared)
        item = last_item(self._place, declared)
        if item is None:
            detail = f"AWS Config has no record of it, and {declared.type} is not read in another way."
            supported = cloud_control.readable(self._place, declared.type)
            return self._gap(GapReason.NOT_RECORDED if supported else GapReason.UNSUPPORTED, detail, declared)
        if item.deleted:
            return Deletion(key=key, seen_at=item.captured_at, declared=declared)
        return self._as_declared(resource_of(item), declared)

    def _key(self, declared: DeclaredResource) -> ResourceKey | None:
        if declared.identifier is None:
            return None
        return ResourceKey(
            partition=declared.partition,
            account=declared.account or self._place.account,
            region=key_region(declared.type, declared.region or self._place.region),
            type=declared.type,
            identifier=declared.identifier,
        )

    def _refused(self, error: AwsError, declared: DeclaredResource) -> Gap:
        return gap_of(
            error,
            self._place.account,
            self._place.region,
            type_name=declared.type,
            identifier=declared.identifier,
            stack=declared.stack_name,
        )

    def _gap(self, reason: GapReason, detail: str, declared: DeclaredResource | None = None) -> Gap:
        return Gap(
            reason=reason,
            account=self._place.account,
            region=self._place.region,
            detail=detail,
            type=declared.type if declared else None,
            identifier=(declared.identifier or declared.physical_id) if declared else None,
            stack=declared.stack_name if declared else None,
        )


def _agrees(name: str, value: Json, known: Resource, schema: TypeSchema) -> bool:
    """Whether the item shows the declared value as it is written."""
    if name == schema.tag_property:
        return (tag_map(value) or {}).items() <= known.tags.items()
    return bool(known.properties.get(name) == value)
