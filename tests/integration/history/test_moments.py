"""A moment of the past is answered as it was, on either store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from driftguard.history.port import Query, Version
from driftguard.history.store import SqlStore
from driftguard.model import (
    Severity,
)
from tests.history_values import (
    finding,
    key,
    night,
    report,
    resource,
    snapshot,
)


def test_findings_of_a_moment_are_filtered_ordered_and_counted_as_they_were(store: SqlStore) -> None:
    grave = finding("a", severity=Severity.CRITICAL, title="a is open", stack="old", first_seen=night(0))
    mild = finding("b", severity=Severity.LOW, first_seen=night(0))
    store.record(report(0, findings=(grave, mild)), snapshot(0))
    later = (
        replace(
            grave, severity=Severity.LOW, title="a is ajar", stack="new", first_seen=night(4), last_run="r5"
        ),
        replace(mild, severity=Severity.HIGH, last_run="r5"),
    )
    store.record(report(5, findings=later), snapshot(5))

    def asked(at: datetime | None, **more: Any) -> list[str]:
        page = store.findings(Query(at=at, **more))
        assert page.total == len(page.items) == sum(store.finding_counts(Query(at=at, **more)).values())
        return [one.key.identifier for one in page.items]

    then, now = night(1), night(6)
    assert asked(then) == ["a", "b"] and asked(now) == ["b", "a"] == asked(None)
    assert store.finding_counts(Query(at=then)) == {"CRITICAL": 1, "LOW": 1}
    assert store.finding_counts(Query(at=now)) == {"HIGH": 1, "LOW": 1}
    assert asked(then, severities=("CRITICAL",)) == ["a"] and asked(then, severities=("HIGH",)) == []
    assert asked(then, stacks=("old",)) == ["a"] and asked(then, stacks=("new",)) == []
    assert asked(then, text="IS OPEN") == ["a"] and asked(then, text="ajar") == []
    assert asked(now, text="ajar") == asked(None, text="ajar") == ["a"]
    assert asked(then, since=night(2)) == [] and asked(now, since=night(2)) == ["a"]
    assert asked(now, order="-first_seen") == ["a", "b"]
    first = store.findings(Query(at=then, limit=1))
    assert (first.items[0].severity, first.total) == (Severity.CRITICAL, 2)
    second = store.findings(Query(at=then, limit=1, cursor=first.cursor))
    assert [one.key.identifier for one in second.items] == ["b"] and second.cursor is None


def test_tags_and_names_are_those_of_the_newest_state(store: SqlStore) -> None:
    def tagged(at: float, value: int, **more: Any) -> Version:
        return Version(
            key=key("a"),
            valid_from=night(at),
            valid_to=None,
            state_hash="",
            source="CONFIG_FILE",
            properties={"x": value},
            **more,
        )

    def known() -> tuple[dict[str, str], str | None]:
        found = store.resource(key("a"))
        assert found is not None
        return dict(found.tags), found.name

    store.record(report(3), snapshot(3, resource("a", {"x": 3}, tags={"owner": "kim"}, name="new")))
    old = tagged(1, 1, tags={"owner": "old"}, name="old", arn="arn:old")
    store.import_states([old])
    assert known() == ({"owner": "kim"}, "new")
    store.import_states(
        [tagged(5, 5, tags={"owner": "lee"}, name="later"), replace(old, valid_from=night(4))]
    )
    assert known() == ({"owner": "lee"}, "later"), "whatever the order in the file"
    blind = resource("a", {"x": 6}, coverage=frozenset({"x"}))
    store.record(report(6), snapshot(6, blind))
    assert known()[0] == {"owner": "lee"}, "a source that shows no tags says nothing about them"
    store.record(report(7), snapshot(7, resource("a", {"x": 7})))
    assert known() == ({}, "later")
    assert store.resources(Query(tags={"owner": "lee"})).items == ()


def test_tags_of_a_moment_are_those_of_its_state(store: SqlStore) -> None:
    then = {"x": 1, "Tags": [{"Key": "owner", "Value": "kim"}]}
    store.record(report(0), snapshot(0, resource("a", then, tags={"owner": "kim"})))
    now = {"x": 1, "Tags": [{"Key": "owner", "Value": "lee"}]}
    store.record(report(5), snapshot(5, resource("a", now, tags={"owner": "lee", "aws:stack": "s"})))
    found = store.resource(key("a"), night(1))
    assert found is not None and found.tags == {"owner": "kim"}
    [listed] = store.resources(Query(at=night(1))).items
    assert listed.tags == {"owner": "kim"}
    present = store.resource(key("a"))
    assert present is not None and present.tags == {"owner": "lee", "aws:stack": "s"}
