"""What every part of the store starts from."""

from __future__ import annotations

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
