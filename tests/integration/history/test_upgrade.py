"""An upgrade without downtime: while a node of the last version works, another one brings the schema up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from driftguard.history import migrate
from driftguard.history.database import Database
from driftguard.history.port import Query
from driftguard.history.store import SqlStore
from driftguard.history.tables.finding_rows import write_findings
from driftguard.model import FindingStatus
from tests.history_values import finding, night, open_database, report, run, snapshot

PUBLISHED = 7
"""The newest migration whose schema a released version may still be working on."""


def columns(database: Database) -> dict[str, set[str]]:
    """Table -> its columns."""
    sql = (
        "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
        if database.dialect == "sqlite"
        else "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    found: dict[str, set[str]] = {}
    with database.read() as connection:
        for table, column in connection.rows(sql):
            found.setdefault(str(table), set()).add(str(column))
    return found


def required(database: Database, table: str) -> set[str]:
    """The columns of a table that an INSERT must name."""
    sql = (
        f"SELECT name FROM pragma_table_info('{table}') WHERE \"notnull\" = 1 AND dflt_value IS NULL AND pk = 0"
        if database.dialect == "sqlite"
        else "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() "
        f"AND table_name = '{table}' AND is_nullable = 'NO' AND column_default IS NULL"
    )
    with database.read() as connection:
        return {str(row[0]) for row in connection.rows(sql)}


def test_later_migrations_only_add(store_url: str) -> None:
    """What a node of an earlier version reads and writes is there after each of them, and nothing more is asked."""
    database = open_database(store_url)
    migrate.migrate(database, PUBLISHED)
    before = columns(database)
    asked = {table: required(database, table) for table in before}
    for number in sorted(one for one in migrate.available(database.dialect) if one > PUBLISHED):
        migrate.migrate(database, number)
        after = columns(database)
        for table, had in before.items():
            assert had <= after.get(table, set()), f"migration {number} takes columns of {table} away"
            assert required(database, table) <= asked[table], f"migration {number} asks more of {table}"
    database.close()


def test_a_node_of_the_last_version_works_on(store_url: str) -> None:
    """Rows that were written before, and those that its statements write afterwards, are found by the new one."""
    old = SqlStore(open_database(store_url))
    migrate.migrate(old.database, PUBLISHED)
    early, late = finding("early", title="early differs"), finding("late", title="late differs")
    with old.database.write() as connection:
        write_findings(connection, [early], 1, night(0))
    new = SqlStore(open_database(store_url))
    assert migrate.migrate(new.database), "there is something to upgrade"
    with old.database.write() as connection:
        write_findings(connection, [late], 2, night(0))
        connection.run("UPDATE findings SET title = ? WHERE id = 1", ("renamed differs",))
    assert [one.key.identifier for one in new.findings(Query(text="late differs")).items] == ["late"]
    assert [one.key.identifier for one in new.findings(Query(text="renamed")).items] == ["early"]
    assert new.findings(Query(text="early differs")).items == ()
    # And a whole night of the new one, beside the old one's connection.
    done = replace(late, status=FindingStatus.RESOLVED, resolved_at=night(1))
    new.record(report(1, run=run(1, finished_at=night(1)), resolved=(done,)), snapshot(1))
    assert {one.key.identifier for one in old.findings(Query(statuses=("OPEN",))).items} == {"early"}
    new.close()
    old.close()


def test_an_older_version_does_not_start_on_a_newer_schema(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It might write what the newer one does not understand: it says so instead, and what runs goes on running."""
    database = open_database(store_url)
    migrate.migrate(database)
    known = migrate.available(database.dialect)
    newest = max(known)
    monkeypatch.setattr(migrate, "available", lambda _: {n: f for n, f in known.items() if n < newest})
    with pytest.raises(migrate.StoreError, match=f"schema version {newest}"):
        migrate.migrate(database)
    database.close()
