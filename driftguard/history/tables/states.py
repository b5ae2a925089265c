"""Writing versions: states of resources as intervals over content-addressed bodies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from driftguard.history.bodies import Bodies
from driftguard.history.codec import canonical, digest, iso, micros, pack_hash, text
from driftguard.history.database import Connection, batches, marks
from driftguard.history.intervals import Sighting, merge
from driftguard.history.port import ImportCounts, Version
from driftguard.history.tables.identities import Identities
from driftguard.history.tables.newer import Newer
from driftguard.history.tables.texts import Texts
from driftguard.model import Json, Resource, ResourceKey, Snapshot

_COLUMNS = (
    "resource_id, valid_from, valid_to, body_id, source, coverage_id, captured_at, state_id, quiet, pinned"
)
_INDEXED = 7
_Pending = tuple[ResourceKey, Resource | Version | None, int]


class States:
    """One transaction's writer of versions."""

    def __init__(self, connection: Connection, identities: Identities, texts: Texts) -> None:
        self._connection = connection
        self._identities = identities
        self._texts = texts
        self.bodies = Bodies(connection)

    # -- a scan
    def record(self, snapshot: Snapshot) -> ImportCounts:
        """Append what changed since the open versions; nothing is closed but what AWS saw go."""
        accounts: dict[str, list[ResourceKey]] = defaultdict(list)
        for key in (*snapshot.resources, *(snapshot.deleted - snapshot.resources.keys())):
            accounts[key.account].append(key)
        self._train(list(snapshot.resources.values()))
        counts = ImportCounts()
        self._newer = Newer(self._connection, micros(snapshot.taken_at))
        for account, keys in accounts.items():
            counts = _add(counts, self._record_account(account, keys, snapshot))
        return counts

    def _train(self, states: Sequence[Resource | Version]) -> None:
        self.bodies.train(len(states), lambda index: canonical(states[index].properties or {}))

    def _record_account(self, account: str, keys: list[ResourceKey], snapshot: Snapshot) -> ImportCounts:
        taken = micros(snapshot.taken_at)
        opened = self._open_versions(account)
        pending: list[_Pending] = []
        added = changed = removed = unchanged = 0
        for key in keys:
            resource = snapshot.resources.get(key)
            number = self._identities.get(key)
            known = opened.get(number)
            if number in self._newer.resources or (known is not None and known[0] > taken):
                # A later look is recorded already: what this one saw is the past, if it is told apart at all.
                if resource is not None and known is not None and known[0] > taken:
                    pending.append((key, resource, _start(resource, taken, None)))
                continue
            if resource is not None:
                self._identities.see(key, _live(resource))
            if resource is None:
                if known is not None and known[1] is not None:
                    removed += 1
                    pending.append((key, None, max(taken, known[0] + 1)))
                continue
            if known is not None and _same(known, resource):
                unchanged += 1
                continue
            start = _start(resource, taken, known[0] if known else None)
            pending.append((key, resource, start))
            if known is None or known[1] is None:
                added += 1
            else:
                changed += 1
        self._write(pending)
        return ImportCounts(
            items=len(keys), added=added, changed=changed, removed=removed, unchanged=unchanged
        )

    def _open_versions(self, account: str) -> dict[int, tuple[int, bytes | None, int | None, str | None]]:
        sql = (
            "SELECT v.resource_id, v.valid_from, b.hash, v.captured_at, v.state_id FROM resources r "
            "JOIN versions v ON v.resource_id = r.id LEFT JOIN bodies b ON b.id = v.body_id "
            "WHERE r.account = ? AND v.valid_to IS NULL"
        )
        return {
            row[0]: (row[1], None if row[2] is None else bytes(row[2]), row[3], row[4])
            for row in self._connection.rows(sql, (account,))
        }

    # -- an import
    def import_states(self, states: Iterable[Version]) -> ImportCounts:
        """Merge delivered states; neither repetition nor order makes a difference."""
        pending: list[_Pending] = []
        present: list[Version] = []
        times: dict[int, set[int]] = defaultdict(set)
        newest: dict[ResourceKey, Version] = {}
        for state in states:
            start = micros(state.valid_from)
            times[self._identities.get(state.key)].add(start)
            if state.key not in newest or newest[state.key].valid_from < state.valid_from:
                newest[state.key] = state
            pending.append((state.key, state, start))
            if not state.deleted:
                present.append(state)
        self._train(present)
        self._name(newest)
        before = self._shapes(times)
        self._write(pending)
        after = self._shapes(times)
        added = changed = removed = 0
        for number, shape in after.items():
            new = [change for change in shape if change not in before[number] and change[0] in times[number]]
            gone = sum(body is None for _, body in new)
            first = int(not before[number] and len(new) > gone)
            added, removed, changed = added + first, removed + gone, changed + len(new) - gone - first
        return ImportCounts(
            items=len(pending),
            added=added,
            changed=changed,
            removed=removed,
            unchanged=len(pending) - added - changed - removed,
        )

    def _name(self, newest: Mapping[ResourceKey, Version]) -> None:
        """Take names and tags of delivered states, but not of ones that are older than what is known."""
        numbers = {self._identities.get(key): key for key in newest}
        known: dict[int, int] = {}
        for batch in batches(list(numbers)):
            sql = (
                "SELECT resource_id, MAX(valid_from) FROM versions "  # noqa: S608
                f"WHERE resource_id IN ({marks(len(batch))}) GROUP BY resource_id"
            )
            known.update((row[0], row[1]) for row in self._connection.rows(sql, batch))
        for number, key in numbers.items():
            state = newest[key]
            if number not in known or micros(state.valid_from) > known[number]:
                self._identities.see(key, _live(state))

    def _shapes(self, numbers: Iterable[int]) -> dict[int, list[tuple[int, int | None]]]:
        """The changes (time, body) of each resource, quiet sightings left out."""
        shapes: dict[int, list[tuple[int, int | None]]] = {number: [] for number in numbers}
        for batch in batches(list(shapes)):
            sql = (
                "SELECT resource_id, valid_from, body_id FROM versions "  # noqa: S608
                f"WHERE quiet = 0 AND resource_id IN ({marks(len(batch))}) ORDER BY resource_id, valid_from"
            )
            for number, start, body in self._connection.rows(sql, batch):
                shapes[number].append((start, body))
        return shapes

    # -- both
    def _write(self, pending: Sequence[_Pending]) -> None:
        if not pending:
            return
        self._identities.flush()
        known = self.known({self._identities.get(key) for key, _, _ in pending})
        bodies = self._store_bodies(pending, known)
        seen: dict[int, list[Sighting]] = defaultdict(list)
        for (key, state, start), (body, rank) in zip(pending, bodies, strict=True):
            coverage = getattr(state, "coverage", None)
            captured = getattr(state, "captured_at", None)
            seen[self._identities.get(key)].append(
                Sighting(
                    at=start,
                    body=body,
                    rank=rank,
                    source=str(getattr(state, "source", "") or ""),
                    coverage=None if coverage is None else self._texts.id(text(sorted(coverage))),
                    captured_at=None if captured is None else micros(captured),
                    state_id=getattr(state, "state_id", None),
                )
            )
        self._texts.flush()
        self._replace(known, seen)
        for key, _, _ in pending:
            present = int(self._last[self._identities.get(key)].body is not None)
            self._identities.see(key, (None, None, None, None, present))
        self._identities.flush()

    def _replace(self, known: Mapping[int, list[Sighting]], seen: Mapping[int, list[Sighting]]) -> None:
        gone: list[tuple[int, int]] = []
        rows: list[tuple[object, ...]] = []
        self._last: dict[int, Sighting] = {}
        for number, sightings in seen.items():
            old = known.get(number, [])
            new = merge(old, sightings)
            self._last[number] = new[-1]
            before = {sighting.at: sighting for sighting in old}
            for sighting in new:
                if before.get(sighting.at) == sighting:
                    continue
                if sighting.at in before:
                    gone.append((number, sighting.at))
                rows.append(_row(number, sighting))
        self._connection.many("DELETE FROM versions WHERE resource_id = ? AND valid_from = ?", gone)
        self._connection.many(
            f"INSERT INTO versions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            rows,
        )

    def known(self, numbers: Iterable[int]) -> dict[int, list[Sighting]]:
        """The histories of resources, oldest sighting first."""
        known: dict[int, list[Sighting]] = defaultdict(list)
        for batch in batches(list(numbers)):
            sql = (
                f"SELECT {', '.join('v.' + name for name in _COLUMNS.split(', '))}, b.hash "  # noqa: S608
                "FROM versions v LEFT JOIN bodies b ON b.id = v.body_id "
                f"WHERE v.resource_id IN ({marks(len(batch))}) ORDER BY v.resource_id, v.valid_from"
            )
            for row in self._connection.rows(sql, batch):
                known[row[0]].append(
                    Sighting(
                        at=row[1],
                        until=row[2],
                        body=row[3],
                        source=row[4],
                        coverage=row[5],
                        captured_at=row[6],
                        state_id=row[7],
                        quiet=bool(row[8]),
                        pinned=bool(row[9]),
                        rank=b"" if row[10] is None else bytes(row[10]),
                    )
                )
        return known

    def _store_bodies(
        self, pending: Sequence[_Pending], known: Mapping[int, list[Sighting]]
    ) -> list[tuple[int | None, bytes]]:
        """The body id and packed hash of each pending state; new contents are written."""
        contents: dict[bytes, Mapping[str, Json]] = {}
        owner: dict[bytes, int] = {}
        hashes: list[bytes | None] = []
        for key, state, _ in pending:
            if state is None or getattr(state, "deleted", False):
                hashes.append(None)
                continue
            properties = state.properties or {}
            packed = pack_hash(state.state_hash or digest(properties))
            contents.setdefault(packed, properties)
            owner.setdefault(packed, self._identities.get(key))
            hashes.append(packed)
        ids = self.body_ids(contents, owner, known)
        return [(None, b"") if packed is None else (ids[packed], packed) for packed in hashes]

    def body_ids(
        self,
        contents: Mapping[bytes, Mapping[str, Json]],
        owner: Mapping[bytes, int],
        known: Mapping[int, list[Sighting]],
    ) -> dict[bytes, int]:
        """The id of each content by packed hash; ``known`` offers bases for deltas."""
        ids: dict[bytes, int] = {}
        for batch in batches(list(contents)):
            # The index holds the beginnings of hashes only: a fifth of the size, and as good as unique.
            sql = f"SELECT hash, id FROM bodies WHERE substr(hash, 1, {_INDEXED}) IN ({marks(len(batch))})"  # noqa: S608
            starts = [packed[:_INDEXED] for packed in batch]
            ids.update((bytes(row[0]), row[1]) for row in self._connection.rows(sql, starts))
        fresh = {packed: canonical(contents[packed]) for packed in contents if packed not in ids}
        if not fresh:
            return ids
        bases = self._bases({packed: known.get(owner[packed], []) for packed in fresh})
        number = int(self._connection.rows("SELECT COALESCE(MAX(id), 0) FROM bodies")[0][0])
        rows = []
        for packed, raw in fresh.items():
            number += 1
            ids[packed] = number
            rows.append((number, packed, *self.bodies.pack(raw, bases.get(packed))))
        self._connection.many(
            "INSERT INTO bodies (id, hash, base_id, dictionary_id, data) VALUES (?, ?, ?, ?, ?)", rows
        )
        return ids

    def _bases(self, histories: Mapping[bytes, list[Sighting]]) -> dict[bytes, int]:
        """For each content the full body that its resource's newest stored state rests on."""
        newest = {
            packed: next((s.body for s in reversed(history) if s.body is not None), None)
            for packed, history in histories.items()
        }
        wanted = list({body for body in newest.values() if body is not None})
        full: dict[int, int] = {}
        for batch in batches(wanted):
            sql = f"SELECT id, COALESCE(base_id, id) FROM bodies WHERE id IN ({marks(len(batch))})"  # noqa: S608
            full.update((row[0], row[1]) for row in self._connection.rows(sql, batch))
        self.bodies.unpack(list(set(full.values())))
        return {packed: full[body] for packed, body in newest.items() if body is not None}


def _row(number: int, sighting: Sighting) -> tuple[object, ...]:
    return (
        number,
        sighting.at,
        sighting.until,
        sighting.body,
        sighting.source,
        sighting.coverage,
        sighting.captured_at,
        sighting.state_id,
        int(sighting.quiet),
        int(sighting.pinned),
    )


def _live(state: Resource | Version) -> tuple[object, ...]:
    """What a state tells of its resource, as `identities.LIVE`."""
    created = getattr(state, "created_at", None)
    return (
        state.arn,
        state.name,
        canonical(dict(state.tags)).decode() if state.tags or _shows_tags(state) else None,
        None if created is None else iso(created),
        # What is written is there, unless it says otherwise; the newest sighting has the last word.
        0 if getattr(state, "deleted", False) else 1,
    )


def _shows_tags(state: Resource | Version) -> bool:
    """Whether a state without tags says that there are none, rather than nothing about them."""
    return not getattr(state, "deleted", False) and _with_tags(state.coverage)


@lru_cache(maxsize=1000)
def _with_tags(coverage: frozenset[str] | None) -> bool:
    return coverage is None or any("tag" in name.lower() for name in coverage)


def _same(known: tuple[int, bytes | None, int | None, str | None], resource: Resource) -> bool:
    """Whether ``resource`` still is the open version: the same content, or AWS Config's same item."""
    _, packed, captured, state_id = known
    if packed is None:
        return False
    if (
        state_id is not None
        and state_id == resource.state_id
        and captured is not None
        and resource.captured_at is not None
        and captured == micros(resource.captured_at)
    ):
        return True
    return packed == pack_hash(resource.state_hash or digest(resource.properties))


def _start(resource: Resource, taken: int, since: int | None) -> int:
    """When the new state began: when AWS captured it, if that falls between the version before and now."""
    captured = taken if resource.captured_at is None else micros(resource.captured_at)
    if captured <= taken and (since is None or captured > since):
        return captured
    return taken if since is None or taken > since else since + 1


def _add(one: ImportCounts, two: ImportCounts) -> ImportCounts:
    return ImportCounts(
        items=one.items + two.items,
        added=one.added + two.added,
        changed=one.changed + two.changed,
        removed=one.removed + two.removed,
        unchanged=one.unchanged + two.unchanged,
        rejected=one.rejected + two.rejected,
    )
