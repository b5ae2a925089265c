"""Reading resources: present ones, those of a moment, and the versions of one."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache, partial

import orjson

from driftguard.history.bodies import Bodies, Body, Lazy
from driftguard.history.codec import digest, from_iso, instant, iso, micros, pack_hash, unpack_hash
from driftguard.history.database import Connection, Row, marks
from driftguard.history.port import MOST_KEYS, ImportCounts, Page, Query, Version, Witness
from driftguard.history.query import Select, contains, page
from driftguard.history.tables.base import Part
from driftguard.history.tables.identities import COLUMNS, Identities, key_of
from driftguard.history.tables.states import States
from driftguard.history.tables.texts import Texts
from driftguard.model import Json, Resource, ResourceKey, Source

_COLUMNS = (
    "r.partition, r.account, r.region, r.type, r.identifier, r.arn, r.name, r.tags, r.created_at, "
    "v.body_id, b.hash, v.source, c.value, v.captured_at, v.state_id"
)
_SOURCE = (
    "resources r JOIN versions v ON v.resource_id = r.id JOIN bodies b ON b.id = v.body_id "
    "LEFT JOIN texts c ON c.id = v.coverage_id"
)
_TAGS = ("tags", "taglist", "tagset")
_KEY = "account = ? AND type = ? AND identifier = ? AND region = ? AND partition = ?"


def _key_parameters(key: ResourceKey) -> tuple[str, ...]:
    return (key.account, key.type, key.identifier, key.region, key.partition)


class ResourcePart(Part):
    """Live states: as they are, as they were, as people accepted them."""

    def state_hashes(
        self, accounts: Sequence[str] = (), at: datetime | None = None
    ) -> Mapping[ResourceKey, str]:
        select = Select("", "", "", {})
        select.among("r.account", tuple(accounts))
        _valid(select, at)
        sql = (
            "SELECT r.partition, r.account, r.region, r.type, r.identifier, b.hash FROM resources r "  # noqa: S608
            "JOIN versions v ON v.resource_id = r.id JOIN bodies b ON b.id = v.body_id "
            f"WHERE {' AND '.join(select.where)}"
        )
        with self.database.read() as connection:
            return {key_of(row[:5]): unpack_hash(row[5]) for row in connection.rows(sql, select.parameters)}

    def import_states(self, states: Iterable[Version]) -> ImportCounts:
        listed = list(states)
        with self.database.write() as connection:
            identities, texts = Identities(connection), Texts(connection)
            counts = States(connection, identities, texts).import_states(listed)
            identities.flush()
        return counts

    def resources(self, query: Query) -> Page[Resource]:
        orders = {
            "type": "r.type",
            "account": "r.account",
            "resource": "r.identifier",
            "name": "COALESCE(r.name, '')",
            "changed": "v.valid_from",
        }
        select = Select(_COLUMNS, _SOURCE, "r.id", orders)
        _valid(select, query.at)
        select.among("r.account", query.accounts)
        select.among("r.region", query.regions)
        select.among("r.type", query.types)
        select.among("r.stack", query.stacks)
        select.among("r.identifier", query.identifiers)
        for name, value in query.tags.items():
            pair = orjson.dumps({name: value}).decode()[1:-1]
            select.condition("r.tags LIKE ? ESCAPE '!'", contains(pair).replace(pair.lower(), pair))
        if query.text:
            columns = ("r.identifier", "r.name", "r.arn", "r.logical_id", "r.type", "r.tags")
            select.holding(query.text, columns)
        if not any("r." in condition for condition in select.where):
            # The join with bodies leaves deletions out, and so must the count without it.
            select.condition("v.body_id IS NOT NULL")
            select.counted = "versions v"
        with self.database.read() as connection:
            return page(connection, select, query, lambda rows: _resources(connection, rows, query.at))

    def resource(self, key: ResourceKey, at: datetime | None = None) -> Resource | None:
        select = Select("", "", "", {})
        for part, value in zip(_KEY.split(" AND "), _key_parameters(key), strict=True):
            select.condition(f"r.{part}", value)
        _valid(select, at)
        sql = f"SELECT {_COLUMNS} FROM {_SOURCE} WHERE {' AND '.join(select.where)}"  # noqa: S608
        with self.database.read() as connection:
            found = _resources(connection, connection.rows(sql, select.parameters), at)
        return found[0] if found else None

    def find_keys(self, text: str, accounts: Sequence[str] = ()) -> Sequence[ResourceKey]:
        exact = "identifier = ? OR arn = ? OR name = ? OR logical_id = ? OR physical_id = ?"
        columns = ("identifier", "arn", "name", "logical_id", "physical_id")
        near = " OR ".join(f"LOWER(COALESCE({name}, '')) LIKE ? ESCAPE '!'" for name in columns)
        # Other accounts are left out before anything is found there, or a name of theirs would end the search.
        within = f" AND account IN ({marks(len(accounts))})" if accounts else ""
        sql = (
            f"SELECT {COLUMNS} FROM resources WHERE ({{}}){within} "  # noqa: S608
            f"ORDER BY account, region, type, identifier LIMIT {MOST_KEYS}"
        )
        # A key as it is printed: account/region/type/identifier, of which the last may hold slashes.
        whole, parts = "account = ? AND region = ? AND type = ? AND identifier = ?", text.split("/", 3)
        with self.database.read() as connection:
            rows = connection.rows(sql.format(whole), [*parts, *accounts]) if len(parts) == 4 else []
            rows = rows or connection.rows(sql.format(exact), [*[text] * 5, *accounts])
            rows = rows or connection.rows(sql.format(near), [*[contains(text)] * 5, *accounts])
        return [key_of(row) for row in rows]

    def versions(self, key: ResourceKey) -> Iterator[Version]:
        sql = (
            "SELECT v.valid_from, v.valid_to, v.quiet, v.body_id, b.hash, v.source, v.captured_at, v.state_id, "  # noqa: S608
            "r.arn, r.name, r.tags FROM resources r JOIN versions v ON v.resource_id = r.id "
            f"LEFT JOIN bodies b ON b.id = v.body_id WHERE {' AND '.join('r.' + p for p in _KEY.split(' AND '))} "
            "ORDER BY v.valid_from DESC"
        )
        with self.database.read() as connection:
            rows = connection.rows(sql, _key_parameters(key))
            bodies = Bodies(connection)
            raw = bodies.unpack([row[3] for row in rows if row[3] is not None])
        until: int | None = None
        for index, row in enumerate(rows):
            # A quiet sighting continues the version before it: they are one.
            if index == 0 or not rows[index - 1][2]:
                until = row[1]
            if row[2]:
                continue
            yield Version(
                key=key,
                valid_from=instant(row[0]),
                valid_to=None if until is None else instant(until),
                state_hash="" if row[4] is None else unpack_hash(row[4]),
                deleted=row[3] is None,
                source=row[5],
                properties=None if row[3] is None else orjson.loads(raw[row[3]]),
                captured_at=None if row[6] is None else instant(row[6]),
                state_id=row[7],
                arn=row[8],
                name=row[9],
                tags=orjson.loads(row[10]),
            )

    # -- witnesses
    def witnesses(self, keys: Iterable[ResourceKey]) -> Mapping[ResourceKey, Witness]:
        wanted = set(keys)
        result: dict[ResourceKey, Witness] = {}
        with self.database.read() as connection:
            bodies = Bodies(connection)
            for account in {key.account for key in wanted}:
                sql = (
                    "SELECT r.partition, r.account, r.region, r.type, r.identifier, w.body_id, "
                    "w.accepted_at, w.actor, w.reason "
                    "FROM witnesses w JOIN resources r ON r.id = w.resource_id WHERE r.account = ?"
                )
                rows = [row for row in connection.rows(sql, (account,)) if key_of(row[:5]) in wanted]
                raw = bodies.unpack([row[5] for row in rows])
                for row in rows:
                    result[key_of(row[:5])] = Witness(
                        properties=orjson.loads(raw[row[5]]),
                        accepted_at=from_iso(row[6]),
                        actor=row[7],
                        reason=row[8],
                    )
        return result

    def put_witnesses(
        self,
        states: Mapping[ResourceKey, Mapping[str, Json]],
        *,
        actor: str,
        reason: str,
        at: datetime | None = None,
    ) -> None:
        if not states:
            return
        moment = iso(at or datetime.now(UTC))
        with self.database.write() as connection:
            identities, texts = Identities(connection), Texts(connection)
            writer = States(connection, identities, texts)
            numbers = {key: identities.get(key) for key in states}
            identities.flush()
            packed = {key: pack_hash(digest(state)) for key, state in states.items()}
            contents = {packed[key]: state for key, state in states.items()}
            owner = {packed[key]: numbers[key] for key in states}
            ids = writer.body_ids(contents, owner, writer.known(set(numbers.values())))
            connection.many(
                "INSERT INTO witnesses (resource_id, body_id, accepted_at, actor, reason) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (resource_id) DO UPDATE SET body_id = excluded.body_id, "
                "accepted_at = excluded.accepted_at, actor = excluded.actor, reason = excluded.reason",
                [(numbers[key], ids[packed[key]], moment, actor, reason) for key in states],
            )


def _valid(select: Select, at: datetime | None) -> None:
    """Versions that are valid now, or were at a moment."""
    if at is None:
        select.condition("v.valid_to IS NULL")
    else:
        moment = micros(at)
        select.condition("v.valid_from <= ? AND (v.valid_to IS NULL OR v.valid_to > ?)", moment, moment)


def _resources(connection: Connection, rows: Sequence[Row], at: datetime | None) -> list[Resource]:
    with _without_collector(len(rows)):
        bodies = Bodies(connection).lazily([row[9] for row in rows])
        return [_resource(row, bodies[row[9]], then=at is not None) for row in rows]


def _tags_in(properties: Mapping[str, Json]) -> dict[str, str]:
    """The tags that a state itself shows, in whichever of the usual forms its type gives them."""
    tags: dict[str, str] = {}
    for name in properties:
        value = properties[name] if name.lower().endswith(_TAGS) else None
        if isinstance(value, Mapping):
            tags |= {str(key): text for key, text in value.items() if isinstance(text, str)}
        for row in value if isinstance(value, list | tuple) else ():
            key = row.get("Key") if isinstance(row, Mapping) else None
            if isinstance(key, str):
                tags[key] = str(row.get("Value") or "")
    return tags


@contextmanager
def _without_collector(count: int) -> Iterator[None]:
    """Keep the cyclic collector from walking a large answer over and over while it is being built."""
    if count < 1000 or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # Into the oldest generation, unseen: it is JSON, in which nothing can be circular.
        gc.freeze()
        gc.unfreeze()
        gc.enable()


def _resource(row: Row, body: Body, *, then: bool) -> Resource:
    return Resource(
        key=key_of(row[:5]),
        properties=body,
        source=_source(row[11]),
        coverage=_coverage(row[12]),
        arn=row[5],
        name=row[6],
        # The tags beside the state are those of today; those of then are read when they are looked at.
        tags=Lazy(partial(_tags_in, body)) if then else orjson.loads(row[7]),
        created_at=None if row[8] is None else from_iso(row[8]),
        captured_at=None if row[13] is None else instant(row[13]),
        state_id=row[14],
        state_hash=unpack_hash(row[10]),
    )


@cache
def _source(name: str) -> Source:
    return Source(name) if name else Source.CONFIG_FILE


@lru_cache(maxsize=1000)
def _coverage(listed: str | None) -> frozenset[str] | None:
    return None if listed is None else frozenset(orjson.loads(listed))
