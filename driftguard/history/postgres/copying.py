"""Backup of a PostgreSQL store: every table by COPY into one zip file, and back."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from driftguard.errors import StoreError

TABLES = (
    "runs",
    "run_members",
    "resources",
    "dictionaries",
    "bodies",
    "texts",
    "versions",
    "acts",
    "witnesses",
    "drifts",
    "evaluations",
    "findings",
    "finding_versions",
    "gaps",
    "policies",
    "stacks",
    "waivers",
    "past_waivers",
    "plans",
    "approvals",
    "executions",
    "attestations",
    "audit",
    "schedules",
    "slots",
    "units",
    "outbox",
    "documents",
)
"""Every table that is written by itself, in an order that foreign keys allow.

``migrations`` is told by the schema's version, and what triggers keep is kept again when the rows come back.
"""
_VERSION = "schema"
_CHUNK = 1 << 20


def dump(raw: psycopg.Connection[Any], target: Path, schema: int) -> None:
    """Write all tables, as the transaction of ``raw`` sees them, and their ``schema`` version to a zip file."""
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_VERSION, str(schema))
        for table in filter(lambda name: _exists(raw, name), TABLES):
            statement = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
            with (
                archive.open(f"{table}.copy", "w", force_zip64=True) as file,
                raw.cursor().copy(statement) as copy,
            ):
                for block in copy:
                    file.write(block)


def schema_of(source: Path) -> int:
    """The version of the schema that a backup was written with.  Raises `StoreError` when it is none."""
    with _opened(source) as archive:
        try:
            return int(archive.read(_VERSION))
        except (KeyError, ValueError):
            raise StoreError(
                f"{source} does not say which schema it has.", fix="Name a file of `store backup`."
            ) from None


def load(raw: psycopg.Connection[Any], source: Path) -> None:
    """Fill empty tables, inside the transaction of ``raw``, from a file that `dump` wrote of the same schema."""
    with _opened(source) as archive:
        names = set(archive.namelist())
        for table in filter(lambda name: _exists(raw, name), TABLES):
            if f"{table}.copy" not in names:
                raise StoreError(f"{source} lacks the table {table}.", fix="Use another backup.")
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
            with archive.open(f"{table}.copy") as file, raw.cursor().copy(statement) as copy:
                while block := file.read(_CHUNK):
                    copy.write(block)


def _opened(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except (OSError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"{source} is not a backup ({error}).", fix="Name a file of `store backup`."
        ) from None


def _exists(raw: psycopg.Connection[Any], table: str) -> bool:
    """Whether the schema has the table; one of before a migration lacks what came later."""
    row = raw.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])
