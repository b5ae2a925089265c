"""The store over any `Database`: all of the port, and the upkeep that only its owner asks for."""

from __future__ import annotations

from driftguard.history.database import Database
from driftguard.history.migrate import migrate
from driftguard.history.tables.audit import AuditPart
from driftguard.history.tables.conclusions import ConclusionPart
from driftguard.history.tables.decisions import DecisionPart
from driftguard.history.tables.finding_rows import FindingPart
from driftguard.history.tables.resources import ResourcePart
from driftguard.history.tables.runs import RunPart


class SqlStore(RunPart, ResourcePart, ConclusionPart, FindingPart, DecisionPart, AuditPart):
    """Memory in a relational database; fulfils `driftguard.history.port.Store`."""

    def __init__(self, database: Database, url: str = "") -> None:
        super().__init__(database)
        self.url = url

    def migrate(self) -> None:
        migrate(self.database)

    def close(self) -> None:
        self.database.close()
