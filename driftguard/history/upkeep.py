"""Upkeep of a store: verify, back up, forget what may be forgotten."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from driftguard.errors import StoreError
from driftguard.history.bodies import Bodies
from driftguard.history.codec import iso, micros
from driftguard.history.database import Connection, batches, chunks, marks
from driftguard.history.members import unpack_ids
from driftguard.history.standing import standing_runs
from driftguard.history.tables.audit import START, AuditPart, broken
from driftguard.history.tables.base import Part, members
from driftguard.history.tables.identities import Identities
from driftguard.history.tables.runs import RunPart
from driftguard.model import ResourceKey
from driftguard.model.schedule import EVENTS

_PAGE = 2000
_FACTS = {"drift": "drifts", "evaluation": "evaluations", "stack": "stacks"}
"""What retention may forget of a run: the kind in its lists, and the table."""
# What ends as it begins is no fault: it is what a run saw when a later look was recorded already.
_BACKWARDS = "SELECT valid_from FROM {table} WHERE valid_to < valid_from LIMIT 20"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What `UpkeepPart.retain` removed."""

    versions: int = 0
    bodies: int = 0
    drifts: int = 0
    evaluations: int = 0
    runs: int = 0


class UpkeepPart(Part):
    """What the owner of a store asks for."""

    def verify(self, *, anchor: tuple[int, str] | None = None) -> list[str]:
        """Every fault of the store, one sentence each; empty if it is sound.

        Checks the database's own structures, that every body can be read and parsed, that intervals follow
        each other, and the audit chain.  ``anchor`` (sequence, digest), kept elsewhere, shows a cut tail.
        """
        faults = self.database.check()
        if faults:
            return faults
        return [*self._verify_bodies(), *self._verify_intervals(), *self._verify_audit(anchor)]

    def _verify_bodies(self) -> list[str]:
        faults = []
        with self.database.read() as connection:
            bodies = Bodies(connection)
            ids = [row[0] for row in connection.rows("SELECT id FROM bodies ORDER BY id")]
            for batch in batches(ids, _PAGE):
                try:
                    for number, raw in bodies.unpack(batch).items():
                        if not _parses(raw):
                            faults.append(f"body {number} is not JSON.")
                except StoreError as error:
                    faults.append(f"bodies {batch[0]} to {batch[-1]}: {error.message}")
                bodies.forget()
        return faults

    def _verify_intervals(self) -> list[str]:
        sql = (
            # After a pinned version there may be a hole: what followed was forgotten.
            "SELECT v.resource_id, v.valid_from FROM versions v WHERE v.valid_to IS NOT NULL AND v.pinned = 0 AND NOT EXISTS "
            "(SELECT 1 FROM versions n WHERE n.resource_id = v.resource_id AND n.valid_from = v.valid_to) LIMIT 20"
        )
        with self.database.read() as connection:
            rows = connection.rows(sql)
            backwards = [
                f"a row of {table} ({row[0]}) ends before it begins."
                for table in ("drifts", "evaluations", "stacks", "versions")
                for row in connection.rows(_BACKWARDS.format(table=table))
            ]
        return [f"resource {row[0]} has no version after the one of {row[1]}." for row in rows] + backwards

    def _verify_audit(self, anchor: tuple[int, str] | None) -> list[str]:
        after, before = 0, START
        log = AuditPart(self.database)
        seen = START if anchor is not None and anchor[0] == 0 else None
        while entries := log.audit_entries(after, _PAGE):
            fault = broken(entries, before, after)
            if fault is not None:
                return [f"the audit log is broken at entry {fault}: it was changed, or one is missing."]
            after, before = entries[-1].sequence, entries[-1].digest
            if anchor is not None:
                seen = next((entry.digest for entry in entries if entry.sequence == anchor[0]), seen)
        if anchor is not None and seen != anchor[1]:
            return [
                f"the audit log does not hold entry {anchor[0]} as it was anchored: its tail was cut or rewritten."
            ]
        return []

    def anchor(self) -> tuple[int, str]:
        """(sequence, digest) of the newest audit entry, to be kept outside the store."""
        with self.database.read() as connection:
            rows = connection.rows("SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1")
        return (int(rows[0][0]), str(rows[0][1])) if rows else (0, START)

    def backup(self, target: Path) -> str:
        """Write a consistent copy while others go on writing; answers its SHA-256."""
        self.database.backup(target)
        hasher = hashlib.sha256()
        with target.open("rb") as file:
            while block := file.read(1 << 20):
                hasher.update(block)
        return hasher.hexdigest()

    def compact(self) -> None:
        """Give freed space back."""
        self.database.compact()

    def size(self) -> int:
        """Bytes on disk."""
        return self.database.size()

    def retain(self, before: datetime) -> Forgotten:
        """Forget what ended before ``before``: closed versions, drifts, verdicts, what runs saw, slots of
        events, and deliveries that are over.

        Kept for ever: findings and their lives, runs, waivers, attestations, plans, executions, the audit log,
        what is pinned, the present, what a witness accepted, and the runs that any moment since ``before`` rests
        on.
        """
        limit = micros(before)
        resting = {run.id for run in standing_runs(RunPart(self.database).runs, before)}
        with self.database.write() as connection:
            gone = _drop_facts(connection, limit)
            versions = _drop_versions(connection, limit)
            connection.run(
                "DELETE FROM acts WHERE at < ? AND NOT EXISTS (SELECT 1 FROM versions v "
                "WHERE v.resource_id = acts.resource_id AND v.valid_from = acts.at)",
                (limit,),
            )
            bodies = _drop_bodies(connection)
            runs = _drop_members(connection, before, resting, gone)
            # Slots of events and deliveries are many; those of schedules stay, for no night may come twice.
            over = "schedule = ? AND slot IN (SELECT slot FROM slots WHERE schedule = ? AND finished_at < ?)"
            connection.run(f"DELETE FROM units WHERE {over}", (EVENTS, EVENTS, limit))  # noqa: S608
            connection.run("DELETE FROM slots WHERE schedule = ? AND finished_at < ?", (EVENTS, limit))
            connection.run(
                "DELETE FROM outbox WHERE created_at < ? AND state NOT IN ('PENDING', 'SENDING')", (limit,)
            )
        return Forgotten(
            versions=versions,
            bodies=bodies,
            drifts=len(gone["drift"]),
            evaluations=len(gone["evaluation"]),
            runs=runs,
        )

    def pin(self, at: datetime, keys: Collection[ResourceKey] | None = None, runs: Sequence[str] = ()) -> int:
        moment = micros(at)
        valid = "valid_from <= ? AND (valid_to IS NULL OR valid_to > ?)"
        sql = f"UPDATE versions SET pinned = 1 WHERE {valid}"  # noqa: S608
        with self.database.write() as connection:
            for batch in batches(list(runs)):
                connection.run(f"UPDATE runs SET pinned = 1 WHERE id IN ({marks(len(batch))})", batch)  # noqa: S608
            if keys is None:
                return connection.run(sql, (moment, moment))
            identities = Identities(connection)
            found = [number for key in keys if (number := identities.find(key)) is not None]
            return sum(
                connection.run(f"{sql} AND resource_id IN ({part})", (moment, moment))
                for part in chunks(found)
            )


def _drop_facts(connection: Connection, limit: int) -> dict[str, set[int]]:
    """Delete what ended before ``limit`` and no pinned run saw; answers the row ids by kind."""
    kept: dict[str, set[int]] = {kind: set() for kind in _FACTS}
    rows = connection.rows(
        "SELECT m.kind, m.ids FROM run_members m JOIN runs r ON r.seq = m.run_seq WHERE r.pinned = 1"
    )
    for kind, ids in rows:
        if kind in kept:
            kept[kind].update(unpack_ids(ids))
    gone: dict[str, set[int]] = {}
    for kind, table in _FACTS.items():
        found = connection.rows(f"SELECT id FROM {table} WHERE valid_to < ?", (limit,))  # noqa: S608
        gone[kind] = {row[0] for row in found} - kept[kind]
        for part in chunks(sorted(gone[kind])):
            connection.run(f"DELETE FROM {table} WHERE id IN ({part})")  # noqa: S608
    return gone


def _drop_versions(connection: Connection, limit: int) -> int:
    dropped = connection.run("DELETE FROM versions WHERE valid_to < ? AND pinned = 0", (limit,))
    # A quiet sighting whose version went stands for it from now on: it is all that tells of that state.
    connection.run(
        "UPDATE versions SET quiet = 0 WHERE quiet = 1 AND NOT EXISTS (SELECT 1 FROM versions p "
        "WHERE p.resource_id = versions.resource_id AND p.valid_to = versions.valid_from)"
    )
    return dropped


def _drop_members(
    connection: Connection, before: datetime, resting: Collection[str], gone: Mapping[str, set[int]]
) -> int:
    """Take the lists of what runs saw, and remember whose are not whole any more.

    Those stay that are pinned, and those that a moment since ``before`` rests on.
    """
    limit = iso(before)
    rows = connection.rows(
        "SELECT seq, id, COALESCE(finished_at, started_at) FROM runs "
        "WHERE started_at < ? AND pinned = 0 AND taken_at IS NOT NULL",
        (limit,),
    )
    stay = {row[0] for row in rows if row[1] in resting or row[2] > limit}
    taken = [row[0] for row in rows if row[0] not in stay]
    lists = 0
    for part in chunks(taken):
        lists += connection.run(
            f"DELETE FROM run_members WHERE kind IN ({marks(len(_FACTS))}) AND run_seq IN ({part})",  # noqa: S608
            tuple(_FACTS),
        )
    lost = [
        seq
        for seq in sorted(stay)
        if any(not ids.isdisjoint(members(connection, seq, kind)) for kind, ids in gone.items())
    ]
    for part in chunks([*taken, *lost]):
        connection.run(
            f"UPDATE runs SET forgotten_before = ? WHERE seq IN ({part}) "  # noqa: S608
            "AND COALESCE(forgotten_before, 0) < ?",
            (micros(before), micros(before)),
        )
    return lists


def _drop_bodies(connection: Connection) -> int:
    """Delete bodies that no version, witness or delta rests on."""
    dropped = 0
    # Deltas first: a full body may be needed by nothing but a delta that goes.
    for _ in range(2):
        used = {
            row[0]
            for row in connection.rows("SELECT DISTINCT body_id FROM versions WHERE body_id IS NOT NULL")
        }
        used |= {row[0] for row in connection.rows("SELECT body_id FROM witnesses")}
        used |= {
            row[0] for row in connection.rows("SELECT DISTINCT base_id FROM bodies WHERE base_id IS NOT NULL")
        }
        unused = [
            row[0] for row in connection.rows("SELECT id FROM bodies ORDER BY id") if row[0] not in used
        ]
        for part in chunks(unused):
            dropped += connection.run(f"DELETE FROM bodies WHERE id IN ({part})")  # noqa: S608
    return dropped


def _parses(raw: bytes) -> bool:
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError:
        return False
    return True
