"""Upkeep of a store: verify, back up, forget what may be forgotten."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from driftguard.errors import StoreError
from driftguard.history.bodies import Bodies
from driftguard.history.codec import iso, micros
from driftguard.history.database import Connection, batches, chunks
from driftguard.history.tables.audit import START, AuditPart, broken
from driftguard.history.tables.base import Part
from driftguard.model.schedule import EVENTS

_PAGE = 2000
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
            "SELECT v.resource_id, v.valid_from FROM versions v WHERE v.valid_to IS NOT NULL AND NOT EXISTS "
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
        pinned versions, the present, and what a witness accepted.
        """
        limit = micros(before)
        with self.database.write() as connection:
            drifts = connection.run("DELETE FROM drifts WHERE valid_to < ?", (limit,))
            evaluations = connection.run("DELETE FROM evaluations WHERE valid_to < ?", (limit,))
            connection.run("DELETE FROM stacks WHERE valid_to < ?", (limit,))
            versions = connection.run("DELETE FROM versions WHERE valid_to < ? AND pinned = 0", (limit,))
            connection.run(
                "DELETE FROM acts WHERE at < ? AND NOT EXISTS (SELECT 1 FROM versions v "
                "WHERE v.resource_id = acts.resource_id AND v.valid_from = acts.at)",
                (limit,),
            )
            bodies = _drop_bodies(connection)
            runs = connection.run(
                "DELETE FROM run_members WHERE kind IN ('drift', 'evaluation', 'stack') AND run_seq IN "
                "(SELECT seq FROM runs WHERE started_at < ?)",
                (iso(before),),
            )
            # Slots of events and deliveries are many; those of schedules stay, for no night may come twice.
            over = "schedule = ? AND slot IN (SELECT slot FROM slots WHERE schedule = ? AND finished_at < ?)"
            connection.run(f"DELETE FROM units WHERE {over}", (EVENTS, EVENTS, limit))  # noqa: S608
            connection.run("DELETE FROM slots WHERE schedule = ? AND finished_at < ?", (EVENTS, limit))
            connection.run(
                "DELETE FROM outbox WHERE created_at < ? AND state NOT IN ('PENDING', 'SENDING')", (limit,)
            )
        return Forgotten(versions=versions, bodies=bodies, drifts=drifts, evaluations=evaluations, runs=runs)

    def pin(self, at: datetime) -> int:
        """Keep every version that was valid at ``at`` from retention; answers how many."""
        moment = micros(at)
        with self.database.write() as connection:
            return connection.run(
                "UPDATE versions SET pinned = 1 WHERE valid_from <= ? AND (valid_to IS NULL OR valid_to > ?)",
                (moment, moment),
            )


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
