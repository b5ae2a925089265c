"""What every part of the store starts from."""

from __future__ import annotations

from collections.abc import Sequence

from driftguard.history.database import Connection, Database
from driftguard.history.members import unpack_ids


class Part:
    """A part of the store, over one database."""

    def __init__(self, database: Database) -> None:
        self.database = database


def members(connection: Connection, run_seq: int, kind: str) -> list[int]:
    """The row ids of ``kind`` that a run saw."""
    rows = connection.rows("SELECT ids FROM run_members WHERE run_seq = ? AND kind = ?", (run_seq, kind))
    return unpack_ids(rows[0][0]) if rows else []


def chunks(ids: Sequence[int]) -> list[str]:
    """``ids`` as SQL lists of literals (they are integers of our own), so that no parameter limit applies."""
    return [", ".join(map(str, ids[start : start + 5000])) for start in range(0, len(ids), 5000)]
