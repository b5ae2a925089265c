"""Migrations, backups, verification, retention and errors, on both stores."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlite_utils.cli import cli as sqlite_utils_cli

from driftguard.errors import StoreError
from driftguard.history import open_store
from driftguard.history.migrate import available, migrate, version
from driftguard.history.open import restore_store
from driftguard.history.port import Attestation, Query
from driftguard.history.store import SqlStore
from driftguard.model import Act, ChangedBy, Waiver
from tests.history_values import (
    drift,
    finding,
    full_report,
    key,
    night,
    open_database,
    report,
    resource,
    snapshot,
)

NUMBERS = sorted(available("sqlite"))


@pytest.mark.parametrize("since", [0, *NUMBERS])
def test_a_store_of_every_earlier_version_is_brought_up_to_date(store_url: str, since: int) -> None:
    database = open_database(store_url)
    assert version(database) == 0
    if since:
        assert migrate(database, since) == [number for number in NUMBERS if number <= since]
        with database.write() as connection:
            connection.run(
                "INSERT INTO resources (id, partition, account, region, type, identifier) VALUES (1, ?, ?, ?, ?, ?)",
                ("aws", "1" * 12, "us-east-1", "AWS::S3::Bucket", "old"),
            )
    database.close()
    store = open_store(store_url)
    assert version(store.database) == NUMBERS[-1]
    store.record(full_report(0), snapshot(0, resource("archive")))
    assert store.verify() == []
    assert bool(store.find_keys("old")) == bool(since)
    store.close()


def _open(url: str, results: Any) -> None:
    try:
        open_store(url).close()
        results.put("")
    except BaseException as error:
        results.put(repr(error))


def test_many_processes_may_open_a_new_store_at_once(store_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    processes = [context.Process(target=_open, args=(store_url, results)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [""] * 4
    for process in processes:
        process.join(30)
    store = open_store(store_url)
    with store.database.read() as connection:
        assert [
            row[0] for row in connection.rows("SELECT version FROM migrations ORDER BY version")
        ] == NUMBERS
    store.close()


def test_a_store_of_the_future_is_refused(store: SqlStore, store_url: str) -> None:
    with store.database.write() as connection:
        connection.run("INSERT INTO migrations (version, name, applied_at) VALUES (9999, 'x', 'y')")
    store.close()
    with pytest.raises(StoreError, match="schema version 9999"):
        open_store(store_url)


def test_both_dialects_have_the_same_migrations() -> None:
    assert set(available("sqlite")) == set(available("postgres")) == set(NUMBERS)


def test_people_can_read_the_views(store: SqlStore) -> None:
    store.record(full_report(0), snapshot(0, resource("archive"), resource("plain")))
    store.put_waiver(Waiver(id="w", reason="r", owner="o", approver="a", expires_at=night(9)), actor="a")
    kim = ChangedBy(principal="kim", event="PutBucket", time=night(0), source="CLI")
    store.put_acts([Act(key=key("archive"), at=night(0), subject="/N", by=kim)])
    views = (
        "open_findings",
        "accepted_findings",
        "non_compliant",
        "present_resources",
        "changes",
        "present_drift",
        "named_changes",
    )
    with store.database.read() as connection:
        counts = {view: len(connection.rows(f"SELECT * FROM {view}")) for view in views}
    assert counts == {
        "open_findings": 1,
        "accepted_findings": 0,
        "non_compliant": 1,
        "present_resources": 2,
        "changes": 2,
        "present_drift": 1,
        "named_changes": 1,
    }


def test_a_changed_audit_entry_and_a_cut_tail_are_found(store: SqlStore) -> None:
    for number in range(5):
        store.audit("kim", "test", str(number), {"n": number})
    anchor = store.anchor()
    assert store.verify(anchor=anchor) == []
    with store.database.write() as connection:
        connection.run("DELETE FROM audit WHERE seq = 5")
    assert store.verify() == [], "a chain alone does not show a cut tail"
    assert "tail" in store.verify(anchor=anchor)[0]
    with store.database.write() as connection:
        connection.run("UPDATE audit SET actor = 'lee' WHERE seq = 2")
    assert "entry 2" in store.verify()[0]


def test_a_damaged_body_and_a_hole_in_time_are_found(store: SqlStore) -> None:
    for number in range(3):
        store.record(report(number), snapshot(number, resource("a", {"N": number, "pad": "x" * 300})))
    with store.database.write() as connection:
        connection.run("DELETE FROM versions WHERE valid_to IS NULL")
    assert "no version after" in store.verify()[0]
    with store.database.write() as connection:
        connection.run("UPDATE bodies SET data = ? WHERE base_id IS NULL", (b"garbage",))
    assert any("damaged" in fault for fault in store.verify())
    with pytest.raises(StoreError, match="damaged"):
        list(store.versions(key("a")))


def test_retention_forgets_the_past_but_no_evidence(store: SqlStore) -> None:
    for number in range(6):
        store.record(
            report(number, drifts=(drift("a", reordered=(f"/{number}",)),), findings=(finding("a"),)),
            snapshot(number, resource("a", {"N": number, "pad": "y" * 300}), resource("b")),
        )
    store.put_witnesses({key("a"): {"N": 0, "pad": "y" * 300}}, actor="kim", reason="ok")
    store.audit("kim", "x", "y", {})
    store.pin(night(1.5))
    gone = store.retain(night(4.5))
    assert gone.versions == 3 and gone.drifts == 4
    assert [v.properties and v.properties["N"] for v in store.versions(key("a"))] == [5, 4, 1]
    assert store.resource(key("b")) is not None
    assert store.witnesses([key("a")])[key("a")].properties["N"] == 0
    assert len(store.audit_entries()) == 1 and store.findings(Query()).total == 1
    assert store.runs(Query()).total == 6
    assert store.verify() == []
    store.compact()


def test_attestations_are_kept_with_their_word(store: SqlStore) -> None:
    word = Attestation(
        id="a1",
        framework="K-ISMS",
        control="1.1.1",
        actor="kim",
        at=night(0),
        statement="reviewed",
        expires_at=night(9),
    )
    store.put_attestation(word)
    assert store.attestations("k-isms") == store.attestations() == [word]
    assert store.attestations("CIS") == []


def test_trends_follow_the_runs(store: SqlStore) -> None:
    store.record(full_report(0), snapshot(0))
    store.record(report(1), snapshot(1))
    first, second = store.trends()
    assert (first.open, first.new, first.compliance, first.coverage) == (
        {"HIGH": 1},
        1,
        {"K-ISMS": 66.67},
        100.0,
    )
    assert (second.at, second.open, second.mean_hours_in_drift) == (night(1), {}, None)
    assert store.trends(since=night(0.5)) == [second]


def test_a_backup_is_a_whole_store(reopen: Callable[[], SqlStore], store_url: str, tmp_path: Path) -> None:
    store = reopen()
    store.record(full_report(0), snapshot(0, resource("archive"), resource("plain")))
    store.audit("kim", "x", "y", {})
    target = tmp_path / "backup"
    assert len(store.backup(target)) == 64
    with pytest.raises(StoreError, match="exists already"):
        store.backup(target)
    if store_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path}/copy.db"
    else:
        server = store_url.rsplit("/", 1)[0]
        with store.database.read() as connection:
            name = connection.rows("SELECT current_database()")[0][0] + "_copy"
        import psycopg

        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
        url = f"{server}/{name}"
    restore_store(url, target)
    copy = open_store(url)
    assert copy.report() == store.report()
    assert copy.state_hashes() == store.state_hashes()
    assert copy.verify(anchor=store.anchor()) == []
    copy.close()
    with pytest.raises(StoreError, match="is not empty"):
        restore_store(url, target)


@pytest.mark.postgres
def test_a_backup_of_an_older_schema_is_restored_and_brought_up_to_date(
    postgres: Any, tmp_path: Path
) -> None:
    from driftguard.history.migrate import migrate, version
    from driftguard.history.postgres.database import PostgresDatabase

    older = PostgresDatabase(postgres.database())
    migrate(older, upto=NUMBERS[-2])
    with older.write() as connection:
        connection.run(
            "INSERT INTO documents (kind, name, value, created_at) VALUES ('view', 'mine', '{}', '2026-01-01')"
        )
    older.backup(tmp_path / "backup")
    older.close()
    url = postgres.database()
    restore_store(url, tmp_path / "backup")
    newer = PostgresDatabase(url)
    assert version(newer) == NUMBERS[-1]
    with newer.read() as connection:
        assert connection.rows("SELECT kind, name FROM documents") == [("view", "mine")]
    newer.close()


@pytest.mark.postgres
def test_every_table_is_in_a_backup(postgres: Any) -> None:
    from driftguard.history.postgres.copying import TABLES

    store = open_store(postgres.database())
    with store.database.read() as connection:
        tables = connection.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    store.close()
    kept_by_triggers = {"finding_texts"}
    assert {row[0] for row in tables} == {*TABLES, "migrations"} | kept_by_triggers


# -- what can go wrong when a store is opened


def test_a_corrupt_file_is_told_apart_from_a_foreign_one(tmp_path: Path) -> None:
    foreign = tmp_path / "notes.txt"
    foreign.write_text("not a database at all, but long enough to look like something" * 50)
    with pytest.raises(StoreError, match="not a SQLite database"):
        open_store(f"sqlite:///{foreign}")
    broken = tmp_path / "broken.db"
    store = open_store(f"sqlite:///{broken}")
    store.record(
        report(0), snapshot(0, *(resource(f"b{n}", {"pad": os.urandom(50).hex()}) for n in range(200)))
    )
    store.compact()
    store.close()
    data = bytearray(broken.read_bytes())
    for page in range(8, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    broken.write_bytes(bytes(data))
    with pytest.raises(StoreError, match=r"damaged|malformed"):
        opened = open_store(f"sqlite:///{broken}")
        faults = opened.verify()
        opened.close()
        raise StoreError(" ".join(faults) or "nothing found")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///", "names no file"),
        ("sqlite:////no/such/folder/x.db", "does not exist"),
        ("mysql://h/d", "not a kind of store"),
        ("postgresql://driftguard:hunter2@127.0.0.1:1/d", "does not answer"),
    ],
)
def test_what_cannot_be_opened_says_why_and_what_to_do(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        open_store(url)
    assert caught.value.fix and "hunter2" not in str(caught.value)


def test_a_missing_store_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        open_store(f"sqlite:///{tmp_path}/x.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    open_store(f"sqlite:///{path}").close()
    uri = f"file:{path}?mode=ro"
    with sqlite3.connect(uri, uri=True) as connection:
        assert connection.execute("SELECT COUNT(*) FROM runs").fetchone() == (0,)
    if os.geteuid() == 0:
        # Root may write anything; a folder in the way is refused to root as well.
        with pytest.raises(StoreError, match="is a folder"):
            open_store(f"sqlite:///{tmp_path}")
        return
    tmp_path.chmod(0o500)
    path.chmod(0o400)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{path}")
    tmp_path.chmod(0o700)


def test_the_file_can_be_searched_by_any_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    store = open_store(f"sqlite:///{path}")
    store.record(report(0), snapshot(0, resource("orders-archive-prod"), resource("billing")))
    store.close()
    with sqlite3.connect(path) as connection:
        sql = (
            "SELECT r.identifier FROM resources r JOIN resources_fts f ON f.rowid = r.id "
            "WHERE f.identifier LIKE '%chive%'"
        )
        assert connection.execute(sql).fetchall() == [("orders-archive-prod",)]


def test_sqlite_utils_opens_the_file_with_its_own_commands(tmp_path: Path) -> None:
    """The tool that named the default store: tables, views, a query over JSON, and full-text search."""
    path = str(tmp_path / "x.db")
    store = open_store(f"sqlite:///{path}")
    store.record(full_report(0), snapshot(0, resource("orders-archive-prod"), resource("billing")))
    store.close()

    def ask(*arguments: str) -> Any:
        answer = CliRunner().invoke(sqlite_utils_cli, [arguments[0], path, *arguments[1:]])
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.output)

    assert {"resources", "versions", "findings", "runs"} <= {row["table"] for row in ask("tables")}
    views = {row["view"] for row in ask("views")}
    assert views >= {"present_resources", "open_findings", "present_drift", "changes", "non_compliant"}
    for view in views:
        ask("rows", view)
    [opened] = ask("query", "select severity, title from open_findings")
    assert opened == {"severity": "HIGH", "title": "archive differs"}
    [drifted] = ask(
        "query", "select differences ->> '$[0].path' as path from present_drift where stack = 'shop'"
    )
    assert drifted == {"path": "/VersioningConfiguration/Status"}
    found = ask("search", "resources", "hive-pr", "--quote")
    assert found == ask("search", "resources", "orders")
    assert [row["identifier"] for row in found] == ["orders-archive-prod"]
