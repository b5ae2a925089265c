"""Writing what a run concluded: drifts, evaluations, gaps, stacks, policies.

A fact that is the same as last night keeps its row; what a run saw is kept as a packed set of row ids.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from driftguard.history.codec import encode, from_text, micros, text
from driftguard.history.coverage import Covered
from driftguard.history.database import Connection, batches, marks
from driftguard.history.tables.identities import COLUMNS, Identities, key_of
from driftguard.history.tables.newer import Newer
from driftguard.history.tables.partly import completed, partly
from driftguard.history.tables.texts import Texts
from driftguard.model import Drift, Evaluation, Gap, PolicySummary, ResourceKey, StackState


def short_digest(document: str) -> bytes:
    return hashlib.sha256(document.encode()).digest()[:16]


def next_id(connection: Connection, table: str) -> int:
    return int(connection.rows(f"SELECT COALESCE(MAX(id), 0) FROM {table}")[0][0]) + 1  # noqa: S608


def close(connection: Connection, table: str, ids: Iterable[int], at: int) -> None:
    """End the validity of rows."""
    sql = f"UPDATE {table} SET valid_to = ? WHERE id = ?"  # noqa: S608
    connection.many(sql, [(at, number) for number in ids])


class Facts:
    """One transaction's writer of conclusions, all valid from ``at`` (microseconds)."""

    def __init__(
        self, connection: Connection, identities: Identities, texts: Texts, at: int, covered: Covered
    ) -> None:
        self._connection = connection
        self._identities = identities
        self._texts = texts
        self._at = at
        self._covered = covered
        self._newer = Newer(connection, at)

    def drifts(self, drifts: Sequence[Drift]) -> list[int]:
        """Write drifts; answers their row ids.  What was covered and is not among them is closed."""
        opened = self._open_drifts(drifts)
        number = next_id(self._connection, "drifts")
        seen: set[tuple[int, str, str]] = set()
        ids: list[int] = []
        rows: list[tuple[Any, ...]] = []
        closed: list[int] = []
        still: list[tuple[int, int, int]] = []
        for drift in self._completed(drifts, opened):
            subject = (self._identities.get(drift.key), drift.stack_id, drift.logical_id)
            if subject in seen:
                continue
            seen.add(subject)
            document = text(replace(drift, first_seen=None, last_seen=None))
            packed = short_digest(document)
            known = opened.get(subject)
            if known is not None and bytes(known[4]) == packed:
                ids.append(known[0])
                still += [(self._at, known[0], self._at)] if drift.drifted else []
                continue
            until = self._until(subject in self._newer.drifts, known)
            if known is not None and until is None:
                closed.append(known[0])
            rows.append((number, *self._drift_row(drift, subject, packed, document, known), until))
            ids.append(number)
            number += 1
        closed += [
            row[0]
            for subject, row in opened.items()
            if subject not in seen
            and self._until(subject in self._newer.drifts, row) is None
            and self._covered.stack(subject[1], self._key_of(subject[0]))
        ]
        close(self._connection, "drifts", closed, self._at)
        self._connection.many("UPDATE drifts SET last_seen = ? WHERE id = ? AND last_seen < ?", still)
        self._connection.many(
            "INSERT INTO drifts (id, resource_id, stack_id, stack, logical_id, status, drifted, first_seen, "
            "last_seen, valid_from, digest, document, valid_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        return ids

    def _open_drifts(self, drifts: Sequence[Drift]) -> dict[tuple[int, str, str], Sequence[Any]]:
        """The present drifts by subject, after the resources of ``drifts`` are known."""
        for drift in drifts:
            declared = (drift.stack or None, drift.logical_id or None, drift.physical_id or None)
            subject = (self._identities.get(drift.key), drift.stack_id, drift.logical_id)
            if subject not in self._newer.drifts:
                self._identities.declare(drift.key, declared)
        self._identities.flush()
        rows = self._connection.rows(
            "SELECT id, resource_id, stack_id, logical_id, digest, drifted, first_seen, valid_from "
            "FROM drifts WHERE valid_to IS NULL"
        )
        return {(row[1], row[2], row[3]): row for row in rows}

    def _until(self, seen_later: bool, known: Sequence[Any] | None) -> int | None:
        """The end of a fact of this run: none, or at once where a later look was recorded before it.

        The last column of ``known``, the present row, says since when it is valid.
        """
        return self._at if seen_later or (known is not None and known[-1] > self._at) else None

    def _completed(
        self, drifts: Sequence[Drift], opened: Mapping[tuple[int, str, str], Sequence[Any]]
    ) -> list[Drift]:
        """``drifts``, those that were looked at partly with what was known of the rest."""
        rows: dict[int, int] = {}
        for index, drift in enumerate(drifts):
            known = opened.get((self._identities.get(drift.key), drift.stack_id, drift.logical_id))
            if known is not None and partly(drift):
                rows[known[0]] = index
        whole = list(drifts)
        for batch in batches(list(rows)):
            sql = f"SELECT id, document FROM drifts WHERE id IN ({marks(len(batch))})"  # noqa: S608
            for number, document in self._connection.rows(sql, batch):
                index = rows[number]
                whole[index] = completed(whole[index], from_text(Drift, document))
        return whole

    def _drift_row(
        self,
        drift: Drift,
        subject: tuple[int, str, str],
        packed: bytes,
        document: str,
        known: Sequence[Any] | None,
    ) -> tuple[Any, ...]:
        first = last = None
        if drift.drifted:
            last = self._at
            if known is not None and known[5]:
                first = known[6]
            else:
                first = self._at if drift.first_seen is None else micros(drift.first_seen)
        return (
            subject[0],
            drift.stack_id,
            drift.stack,
            drift.logical_id,
            drift.status.value,
            int(drift.drifted),
            first,
            last,
            self._at,
            packed,
            document,
        )

    def _key_of(self, number: int) -> ResourceKey:
        rows = self._connection.rows(f"SELECT {COLUMNS} FROM resources WHERE id = ?", (number,))  # noqa: S608
        return key_of(rows[0])

    def evaluations(self, evaluations: Sequence[Evaluation]) -> list[int]:
        """Write evaluations; answers their row ids.  What was covered and is not among them is closed."""
        accounts: dict[str, list[Evaluation]] = defaultdict(list)
        for evaluation in evaluations:
            self._identities.get(evaluation.key)
            accounts[evaluation.key.account].append(evaluation)
        self._identities.flush()
        ids: list[int] = []
        for account in sorted(accounts.keys() | self._covered.accounts):
            ids += self._evaluations_of(account, accounts.get(account, []))
        return ids

    def _evaluations_of(self, account: str, evaluations: Sequence[Evaluation]) -> list[int]:
        opened = {
            (row[1], row[2], row[3]): row
            for row in self._connection.rows(
                "SELECT e.id, e.resource_id, e.policy, e.judge, e.compliance, e.severity, e.document_id, "
                "r.partition, r.account, r.region, r.type, r.identifier, e.valid_from "
                "FROM resources r JOIN evaluations e ON e.resource_id = r.id "
                "WHERE r.account = ? AND e.valid_to IS NULL",
                (account,),
            )
        }
        number = next_id(self._connection, "evaluations")
        seen: set[tuple[int, str, str]] = set()
        ids: list[int] = []
        rows: list[tuple[Any, ...]] = []
        closed: list[int] = []
        for evaluation in evaluations:
            subject = (self._identities.get(evaluation.key), evaluation.policy, evaluation.judge)
            if subject in seen:
                continue
            seen.add(subject)
            verdict = (evaluation.compliance.value, evaluation.severity.value, self._document(evaluation))
            known = opened.get(subject)
            if known is not None and tuple(known[4:7]) == verdict:
                ids.append(known[0])
                continue
            until = self._until(subject in self._newer.evaluations, known)
            if known is not None and until is None:
                closed.append(known[0])
            rows.append((number, *subject, *verdict, self._at, until))
            ids.append(number)
            number += 1
        closed += [
            row[0]
            for subject, row in opened.items()
            if subject not in seen
            and self._until(subject in self._newer.evaluations, row) is None
            and self._covered.place(key_of(row[7:12]))
        ]
        self._texts.flush()
        close(self._connection, "evaluations", closed, self._at)
        self._connection.many(
            "INSERT INTO evaluations (id, resource_id, policy, judge, compliance, severity, document_id, "
            "valid_from, valid_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        return ids

    def _document(self, evaluation: Evaluation) -> int | None:
        data = encode(evaluation)
        for name in ("policy", "key", "compliance", "severity", "judge"):
            data.pop(name, None)
        return self._texts.id(text(data)) if data else None

    def gaps(self, gaps: Sequence[Gap]) -> list[int]:
        """Write gaps; an equal gap of an earlier run is the same row."""

        def row(gap: Gap) -> tuple[Any, ...]:
            return (
                gap.reason.value,
                gap.account,
                gap.region,
                gap.type,
                gap.identifier,
                gap.stack,
                gap.path,
                gap.action,
                gap.detail,
            )

        columns = "reason, account, region, type, identifier, stack, path, action, detail"
        return self._interned("gaps", columns, gaps, row)

    def policies(self, policies: Iterable[PolicySummary]) -> list[int]:
        """Write policies; an unchanged policy is the same row."""

        def row(policy: PolicySummary) -> tuple[Any, ...]:
            return (policy.id, policy.title, policy.severity.value, text(policy))

        return self._interned("policies", "policy, title, severity, document", list(policies), row)

    def _interned(
        self, table: str, columns: str, values: Sequence[Any], row: Callable[[Any], tuple[Any, ...]]
    ) -> list[int]:
        rows = {short_digest(text(value)): row(value) for value in values}
        ids: dict[bytes, int] = {}
        for batch in batches(list(rows)):
            sql = f"SELECT digest, id FROM {table} WHERE digest IN ({marks(len(batch))})"  # noqa: S608
            ids.update((bytes(found[0]), found[1]) for found in self._connection.rows(sql, batch))
        number = next_id(self._connection, table)
        fresh = []
        for packed, parts in rows.items():
            if packed not in ids:
                ids[packed] = number
                fresh.append((number, *parts, packed))
                number += 1
        width = len(columns.split(", ")) + 2
        self._connection.many(f"INSERT INTO {table} (id, {columns}, digest) VALUES ({marks(width)})", fresh)  # noqa: S608
        return list(ids.values())

    def stacks(self, stacks: Sequence[StackState]) -> list[int]:
        """Write stacks; answers their row ids.  Stacks that a full look at their region missed are closed."""
        opened = {
            (row[1], row[2], row[3]): row
            for row in self._connection.rows(
                "SELECT id, account, region, stack_id, digest, valid_from FROM stacks WHERE valid_to IS NULL"
            )
        }
        number = next_id(self._connection, "stacks")
        seen: set[tuple[str, str, str]] = set()
        ids, rows, closed = [], [], []
        for stack in stacks:
            subject = (stack.account, stack.region, stack.stack_id)
            if subject in seen:
                continue
            seen.add(subject)
            document = text(stack)
            known = opened.get(subject)
            if known is not None and bytes(known[4]) == short_digest(document):
                ids.append(known[0])
                continue
            until = self._until(subject in self._newer.stacks, known)
            if known is not None and until is None:
                closed.append(known[0])
            about = (stack.name, stack.stack_id, stack.status, stack.drift_status, stack.resources)
            rows.append((number, *subject[:2], *about, self._at, short_digest(document), document, until))
            ids.append(number)
            number += 1
        closed += [
            row[0]
            for subject, row in opened.items()
            if subject not in seen
            and self._until(subject in self._newer.stacks, row) is None
            and self._covered.region(subject[0], subject[1])
        ]
        close(self._connection, "stacks", closed, self._at)
        self._connection.many(
            "INSERT INTO stacks (id, account, region, name, stack_id, status, drift_status, resources, "
            "valid_from, digest, document, valid_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        return ids
