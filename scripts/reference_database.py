"""docs/reference/database.md: what the store holds, from a store that was just migrated."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from driftguard.history import open_store
from driftguard.history.migrate import available
from driftguard.history.redact import Redactor

_HEAD = """\
# The store

SQLite and PostgreSQL have the same tables. The SQLite file opens in `sqlite-utils` and Datasette:

```console
$ sqlite-utils rows driftguard.db present_drift --limit 5
$ sqlite-utils driftguard.db "select at, change, type, identifier from changes order by at desc limit 10"
$ sqlite-utils search driftguard.db resources orders
```

Bodies are compressed (zstd with trained dictionaries, or as differences from another body); `driftguard show` and
`driftguard snapshot export` read them. Instants are ISO 8601 texts in UTC, or microseconds since 1970 where the type is
an integer. Tables may gain columns in a new version; migrations only go forward.
"""
_INTERNAL = re.compile(r"^(sqlite_|resources_fts_|findings_fts_|.*_fts_(data|idx|docsize|config|content))")


def page() -> str:
    """The page: views for reading first, then the tables."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        open_store(f"sqlite:///{path}", redactor=Redactor(bytes(32))).close()
        connection = sqlite3.connect(path)
        try:
            return "\n".join(_lines(connection)) + "\n"
        finally:
            connection.close()


def _lines(connection: sqlite3.Connection) -> Iterator[str]:
    yield _HEAD
    told = _comments()
    for kind, title in (("view", "Views"), ("table", "Tables")):
        yield f"## {title}\n"
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = ? ORDER BY name", (kind,))
        for (name,) in names.fetchall():
            if _INTERNAL.match(name):
                continue
            yield f"### {name}\n"
            if name in told:
                yield f"{told[name]}\n"
            columns = connection.execute(
                f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{name}')"
            )
            yield ", ".join(f"`{row[0]}`" if kind == "view" else _column(*row) for row in columns) + "\n"


def _column(name: str, kind: str, required: int, key: int) -> str:
    null = "" if required or key else ", null"
    return f"`{name}` ({'key, ' if key else ''}{kind.lower() or 'text'}{null})"


def _comments() -> Mapping[str, str]:
    """The comment above each CREATE in the migrations."""
    found: dict[str, str] = {}
    for files in available("sqlite").values():
        for _, text in files:
            for match in re.finditer(
                r"((?:^-- .*\n)+)CREATE (?:VIRTUAL )?(?:TABLE|VIEW) (?:IF NOT EXISTS )?(\w+)",
                text,
                re.MULTILINE,
            ):
                lines = [line[3:].strip() for line in match[1].splitlines()]
                found.setdefault(match[2], " ".join(lines))
    return found
