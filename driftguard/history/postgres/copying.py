"""Backup of a PostgreSQL store: every table by COPY into one zip file, and back."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from driftguard.errors import StoreError

TABLES = (
    "migrations",
    "runs",
    "run_members",
    "resources",
    "dictionaries",
    "bodies",
    "texts",
    "versions",
    "witnesses",
    "drifts",
    "evaluations",
    "findings",
    "finding_versions",
    "gaps",
    "policies",
    "stacks",
    "waivers",
    "plans",
    "approvals",
    "executions",
    "attestations",
    "audit",
    "schedules",
    "slots",
    "units",
    "outbox",
)
"""Every table, in an order that foreign keys allow."""
_CHUNK = 1 << 20


def dump(raw: psycopg.Connection[Any], target: Path) -> None:
    """Write all tables, as the transaction of ``raw`` sees them, to the zip file ``target``."""
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
        for table in TABLES:
            statement = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
            with (
                archive.open(f"{table}.copy", "w", force_zip64=True) as file,
                raw.cursor().copy(statement) as copy,
            ):
                for block in copy:
                    file.write(block)


def load(raw: psycopg.Connection[Any], source: Path) -> None:
    """Fill empty tables, inside the transaction of ``raw``, from a file that `dump` wrote."""
    try:
        archive = zipfile.ZipFile(source)
    except (OSError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"{source} is not a backup ({error}).", fix="Name a file of `store backup`."
        ) from None
    with archive:
        names = set(archive.namelist())
        for table in TABLES:
            if f"{table}.copy" not in names:
                raise StoreError(f"{source} lacks the table {table}.", fix="Use another backup.")
            raw.execute(
                sql.SQL("DELETE FROM {}").format(sql.Identifier(table))
            ) if table == "migrations" else None
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
            with archive.open(f"{table}.copy") as file, raw.cursor().copy(statement) as copy:
                while block := file.read(_CHUNK):
                    copy.write(block)
