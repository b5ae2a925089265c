"""What changed, property by property, and between two moments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from driftguard.history import open_store
from driftguard.history.changes import property_changes
from driftguard.history.timeline import estate_changes, timeline
from tests.history_values import key, night, report, resource, snapshot

CASES: dict[str, tuple[Any, Any, list[tuple[str, Any, Any]]]] = {
    "nothing": ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, []),
    "a value": ({"a": {"b": 1}}, {"a": {"b": 2}}, [("/a/b", 1, 2)]),
    "a type": ({"a": 1}, {"a": True}, [("/a", 1, True)]),
    "added and removed": ({"a": 1}, {"b": 2}, [("/a", 1, None), ("/b", None, 2)]),
    "a name with a slash": ({"a/b~": 1}, {"a/b~": 2}, [("/a~1b~0", 1, 2)]),
    "an element put in front": ({"l": [1, 2]}, {"l": [0, 1, 2]}, [("/l/0", None, 0)]),
    "an element taken out": ({"l": [1, 2, 3]}, {"l": [1, 3]}, [("/l/1", 2, None)]),
    "another order": ({"l": [1, 2]}, {"l": [2, 1]}, [("/l", [1, 2], [2, 1])]),
    "a tag by its key": (
        {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]},
        {"Tags": [{"Key": "b", "Value": "3"}, {"Key": "a", "Value": "1"}]},
        [("/Tags/0/Value", "2", "3")],
    ),
    "one object among many": (
        {"R": [{"P": 1, "C": "x"}, {"P": 2, "C": "x"}]},
        {"R": [{"P": 1, "C": "x"}, {"P": 2, "C": "y"}]},
        [("/R/1/C", "x", "y")],
    ),
    "duplicates count": ({"l": [1, 1]}, {"l": [1]}, [("/l/1", 1, None)]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_property_changes(case: tuple[Any, Any, list[tuple[str, Any, Any]]]) -> None:
    before, after, expected = case
    assert [(c.path, c.before, c.after) for c in property_changes(before, after)] == expected


def test_a_life_and_the_difference_of_two_nights(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.record(report(0), snapshot(0, resource("a", {"N": 1}), resource("b")))
    store.record(report(1), snapshot(1, resource("a", {"N": 2}), resource("b")))
    store.record(report(2), snapshot(2, resource("b"), resource("c"), deleted=(key("a"),)))
    store.record(report(3), snapshot(3, resource("a", {"N": 2}), resource("b", {"BucketName": "b", "x": 1})))
    life = timeline(store.versions(key("a")))
    assert [entry.kind for entry in life] == ["RESTORED", "DELETED", "CHANGED", "CREATED"]
    assert [(c.path, c.before, c.after) for c in life[2].changes] == [("/N", 1, 2)]
    found = {
        c.key.identifier: (c.kind, [x.path for x in c.changes])
        for c in estate_changes(store, night(0.5), night(3.5))
    }
    assert found == {"a": ("CHANGED", ["/N"]), "b": ("CHANGED", ["/x"]), "c": ("CREATED", [])}
    assert [c.kind for c in estate_changes(store, night(1.5), night(2.5))] == ["DELETED", "CREATED"]
    assert list(estate_changes(store, night(3.5), night(9))) == []
    store.close()


def test_tags_in_another_order_are_no_change_but_an_order_that_counts_is(tmp_path: Path) -> None:
    one, two = {"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}
    rules = [{"Id": "a"}, {"Id": "b"}]
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.record(report(0), snapshot(0, resource("a", {"Tags": [one, two], "Order": rules})))
    store.record(report(1), snapshot(1, resource("a", {"Tags": [two, one], "Order": rules})))
    store.record(report(2), snapshot(2, resource("a", {"Tags": [two, one], "Order": rules[::-1]})))
    life = timeline(store.versions(key("a")))
    assert [(entry.kind, [c.path for c in entry.changes]) for entry in life] == [
        ("CHANGED", ["/Order"]),
        ("CREATED", []),
    ]
    assert life[1].until == life[0].at, "the state went on until the order that counts changed"
    assert list(estate_changes(store, night(0.5), night(1.5))) == []
    assert [[c.path for c in one.changes] for one in estate_changes(store, night(0.5), night(2.5))] == [
        ["/Order"]
    ]
    store.close()
