"""How PostgreSQL plans what the store asks."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.history import open_store
from driftguard.history.port import Query
from driftguard.history.store import SqlStore
from tests.history_values import finding, report, snapshot

OFTEN = 15
"""Five times until psycopg prepares, five more until PostgreSQL weighs one plan for all values."""


@pytest.mark.postgres
def test_a_search_is_planned_for_what_is_searched_however_often_it_is_asked(postgres: Any) -> None:
    store = open_store(postgres.database())
    assert isinstance(store, SqlStore)
    store.record(report(0, findings=tuple(finding(f"bucket-{n}") for n in range(500))), snapshot(0))
    store.compact()
    for _ in range(OFTEN):
        assert store.findings(Query(text="bucket-77", limit=20)).items
    with store.database.read() as connection:
        [row] = connection.rows(
            "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT%findings%' AND generic_plans > 0"
        )
    assert int(row[0]) == 0
    store.close()
